/** Drawings as files at the sizes that journals print: SVG, and PNG at 600 dots an inch. */

import { drawn, toMarkup } from "ratewarp/svg_markup";

/** Millimetres of a column of text, and of two. */
export const WIDTHS = { "single column": 85, "double column": 174 };

const DOTS_PER_INCH = 600;
const INCH = 25.4; // millimetres
const HEADER = 33; // bytes of a PNG before its second chunk: signature and header

/** Of an SVG as wide as one column, or as two where the panel is wide. @param {import("ratewarp/panel_drawing").Drawing} drawing */
export function svgFile({ svg, width, height }) {
  const wide = width > 600 ? WIDTHS["double column"] : WIDTHS["single column"];
  const size = { width: `${wide}mm`, height: `${((wide * height) / width).toFixed(2)}mm` };
  const text = toMarkup(drawn(svg.name, { ...svg.attributes, ...size }, svg.children));
  return new Blob([text], { type: "image/svg+xml;charset=utf-8" });
}

/**
 * @param {import("ratewarp/panel_drawing").Drawing} drawing
 * @param {number} millimetres
 * @returns {Promise<Blob>}
 */
export async function pngFile(drawing, millimetres) {
  const address = URL.createObjectURL(svgFile(drawing));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round((millimetres / INCH) * DOTS_PER_INCH);
    canvas.height = Math.round((canvas.width * drawing.height) / drawing.width);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    if (!blob) throw new Error("This panel is too large for a PNG of that width: take the SVG.");
    return new Blob([withDensity(new Uint8Array(await blob.arrayBuffer()))], { type: "image/png" });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * A PNG that says how many dots an inch it has, so that it is placed at its size.
 * @param {Uint8Array} png
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function withDensity(png) {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const perMetre = Math.round((DOTS_PER_INCH * 1000) / INCH);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode("pHYs"), 4);
  view.setUint32(8, perMetre);
  view.setUint32(12, perMetre);
  chunk[16] = 1; // dots a metre
  view.setUint32(17, checksum(chunk.subarray(4, 17)));
  const found = new Uint8Array(png.length + chunk.length);
  found.set(png.subarray(0, HEADER));
  found.set(chunk, HEADER);
  found.set(png.subarray(HEADER), HEADER + chunk.length);
  return found;
}

/** CRC-32 (ISO 3309), as PNG has it. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

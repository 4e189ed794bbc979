/** Drawings as data, and as the text of an SVG file: shapes and text, nothing that runs or asks for more. */

/**
 * @typedef {{name: string, attributes: Record<string, string | number>, children: (Drawn | string)[]}} Drawn
 */

const NAMES = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "tspan", "title"]);
const ATTRIBUTES = new Set([
  ...["xmlns", "width", "height", "viewBox", "overflow", "transform", "d", "x", "y", "x1", "x2", "y1", "y2"],
  ...["dx", "dy", "cx", "cy", "r", "rx", "ry", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity"],
  ...["stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "visibility", "font-family", "font-size"],
  ...["font-weight", "text-anchor", "dominant-baseline"],
]);
/** What XML may not hold: control characters and halves of letters. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;
/** @type {Record<string, string>} */
const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {(Drawn | string)[]} [children]
 * @returns {Drawn}
 */
export function drawn(name, attributes = {}, children = []) {
  return { name, attributes, children };
}

/** @param {Drawn | string} node @returns {string} */
export function toMarkup(node) {
  if (typeof node === "string") return escaped(node);
  if (!NAMES.has(node.name)) return "";
  const attributes = Object.entries(node.attributes)
    .filter(([name, value]) => ATTRIBUTES.has(name) && !/url\(/i.test(String(value)))
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`);
  return `<${node.name}${attributes.join("")}>${node.children.map(toMarkup).join("")}</${node.name}>`;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(FORBIDDEN, "").replace(/[&<>"']/g, (one) => ESCAPED[one]);
}

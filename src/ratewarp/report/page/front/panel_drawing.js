/** A panel of the page as one drawing for paper: its charts, its words and a legend, in light colours. */

import { drawn } from "ratewarp/svg_markup";
import { clipped } from "ratewarp/words";

/**
 * @typedef {import("ratewarp/svg_markup").Drawn} Drawn
 * @typedef {"line" | "dashes" | "cross"} Sign
 * @typedef {{label: string, colour: string, sign?: Sign}[]} Legend  sign: what stands for it; a dot if not said
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {{svg: Drawn, width: number, height: number}} Drawing  size in CSS pixels, as on the screen
 */

const MARGIN = 8;
const FONTS = "Arial, Helvetica, Liberation Sans, sans-serif";
const INK = "#1d2733";
const LETTER = 0.58; // widths of a letter, in sizes of the font
const LINE = 1.4; // heights of a line, the same
const MOST_LINES = 8; // of a caption
const PIECES = "h3, h4, figcaption, .caption, .tuning-row .toggle, svg, canvas";
/** Properties of style that are kept, and what they are before anything is said. */
const STYLE = {
  fill: "rgb(0, 0, 0)",
  "fill-opacity": "1",
  stroke: "none",
  "stroke-width": "1px",
  "stroke-opacity": "1",
  "stroke-dasharray": "none",
  "text-anchor": "start",
  "font-size": "",
  "font-weight": "400",
  visibility: "visible",
  opacity: "1",
};

/**
 * @param {HTMLElement} panel
 * @param {{title: string, legend: Legend, canvas?: (side: number) => Drawn[]}} more
 *   canvas: shapes of what a canvas of the panel shows
 * @returns {Drawing}
 */
export function panelDrawing(panel, { title, legend, canvas }) {
  const { boxes, pieces } = inLightColours(() => piecesOf(panel, canvas));
  const left = Math.min(0, ...boxes.map((box) => box.x)) - MARGIN;
  const top = Math.min(0, ...boxes.map((box) => box.y)) - MARGIN;
  const width = Math.max(160, ...boxes.map((box) => box.x + box.width)) + MARGIN - left;
  const below = Math.max(0, ...boxes.map((box) => box.y + box.height)) + MARGIN;
  const entries = legendOf(legend, left + MARGIN, below, width - 2 * MARGIN);
  const height = below + entries.height + MARGIN - top;
  const view = { x: left, y: top, width, height };
  const paper = drawn("rect", { ...view, fill: "#fff" });
  const svg = drawn(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: Object.values(view).map(rounded).join(" "), "font-family": FONTS },
    [drawn("title", {}, [title]), paper, ...pieces, ...entries.shapes],
  );
  return { svg, width, height };
}

/**
 * What a function reads while the page is light, whatever it is shown in.
 * @template T @param {() => T} read @returns {T}
 */
function inLightColours(read) {
  const { dataset } = document.documentElement;
  const before = dataset.theme;
  dataset.theme = "light";
  try {
    return read();
  } finally {
    if (before === undefined) delete dataset.theme;
    else dataset.theme = before;
  }
}

/** @param {HTMLElement} panel @param {((side: number) => Drawn[]) | undefined} canvas */
function piecesOf(panel, canvas) {
  const origin = panel.getBoundingClientRect();
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Drawn[]} */
  const pieces = [];
  for (const piece of panel.querySelectorAll(PIECES)) {
    const { left, top, width, height } = piece.getBoundingClientRect();
    if (piece.closest(".panel-menu, .notes") || !width) continue;
    const box = { x: left - origin.left, y: top - origin.top, width, height };
    if (piece instanceof SVGElement) pieces.push(chart(piece, box));
    else if (piece instanceof HTMLCanvasElement) pieces.push(drawn("svg", { ...box, overflow: "visible" }, canvas?.(width) ?? []));
    else {
      const { shapes, high } = words(piece, box);
      pieces.push(...shapes);
      boxes.push({ ...box, width: widthOfWords(piece), height: Math.max(height, high) });
      continue;
    }
    boxes.push(box);
  }
  return { boxes, pieces };
}

/** How wide the words of an element are, which itself may be as wide as the panel. @param {Element} piece */
function widthOfWords(piece) {
  const range = document.createRange();
  range.selectNodeContents(piece);
  return range.getBoundingClientRect().width;
}

/** @param {SVGElement} element @param {Box} box */
function chart(element, box) {
  const copy = copied(element, STYLE);
  const viewBox = element.getAttribute("viewBox");
  return { ...copy, attributes: { ...copy.attributes, ...box, overflow: "visible", ...(viewBox ? { viewBox } : {}) } };
}

/**
 * An element with the style that it is shown in, where that is not its parent's.
 * @param {Element} element
 * @param {Record<string, string>} before style of the parent
 * @returns {Drawn}
 */
function copied(element, before) {
  const shown = getComputedStyle(element);
  const style = Object.fromEntries(Object.keys(STYLE).map((name) => [name, shown.getPropertyValue(name)]));
  const said = Object.entries(style).filter(([name, value]) => value !== before[name]);
  const own = Array.from(element.attributes, ({ name, value }) => [name, value]).filter(([name]) => !(name in STYLE) && name !== "font-family");
  /** @type {(Drawn | string)[]} */
  const children = [];
  for (const child of element.childNodes) {
    if (child instanceof Element) children.push(copied(child, { ...style, opacity: STYLE.opacity }));
    else if (child instanceof Text) children.push(child.data);
  }
  return drawn(element.localName, Object.fromEntries([...own, ...said]), children);
}

/** Words of the page: captions whole, which nothing follows but the legend, others in as many lines as they have there. @param {Element} piece @param {Box} box */
function words(piece, box) {
  const style = getComputedStyle(piece);
  const size = parseFloat(style.fontSize);
  const most = piece.matches("p.caption") ? MOST_LINES : Math.max(1, Math.round(box.height / (size * LINE)));
  const lines = inLines(saidBy(piece), Math.floor(box.width / (size * LETTER)), most);
  const shapes = lines.map((line, number) =>
    drawn("text", { x: box.x, y: box.y + size * (1.1 + LINE * number), "font-size": size, "font-weight": style.fontWeight, fill: style.color }, [line]),
  );
  return { shapes, high: size * LINE * lines.length };
}

/** Its text; that of elements side by side in it apart. @param {Element} piece */
function saidBy(piece) {
  return piece.children.length ? Array.from(piece.childNodes, (one) => one.textContent).join(" ") : (piece.textContent ?? "");
}

/**
 * Text in lines of so many letters; what is left after the last one is cut off.
 * @param {string} text
 * @param {number} letters
 * @param {number} most lines
 */
export function inLines(text, letters, most) {
  const room = Math.max(2, letters);
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && Array.from(longer).length <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  const shown = lines.slice(0, most);
  if (lines.length > most) shown[most - 1] += " …";
  return shown.map((line) => clipped(line, room));
}

/** Dots and lines with their labels, in rows. @param {Legend} legend @param {number} left @param {number} top @param {number} width */
function legendOf(legend, left, top, width) {
  let [x, y] = [left, top + 8];
  const shapes = legend.flatMap(({ label, colour, sign }) => {
    const [line] = [...inLines(label, 24, 1), ""];
    const wide = 26 + Array.from(line).length * 11 * LETTER;
    if (x > left && x + wide > left + width) [x, y] = [left, y + 16];
    const entry = [
      signOf(sign, x, y, colour),
      drawn("text", { x: x + 13, y: y + 4, "font-size": 11, fill: INK }, [line]),
    ];
    x += wide;
    return entry;
  });
  return { shapes, height: legend.length ? y + 8 - top : 0 };
}

/** @param {Sign | undefined} sign @param {number} x from where it stands, 10 wide @param {number} y of its middle @param {string} colour */
function signOf(sign, x, y, colour) {
  if (!sign) return drawn("circle", { cx: x + 5, cy: y, r: 4, fill: colour });
  if (sign === "cross") return drawn("path", { d: `M${x + 1},${y - 4}l8,8m0,-8l-8,8`, stroke: colour, fill: "none", "stroke-width": 1.6 });
  /** @type {Record<string, string>} */
  const dashes = sign === "dashes" ? { "stroke-dasharray": "4 2" } : {};
  return drawn("line", { x1: x, x2: x + 10, y1: y, y2: y, stroke: colour, "stroke-width": 1.6, ...dashes });
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(2));
}

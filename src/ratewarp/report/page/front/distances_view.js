/** Distances of classes: of the chosen model, of the reference, and what changed. */

import { chosen, toggled } from "ratewarp/selection";
import { clipped } from "ratewarp/words";

const CELL = 42;
const LEFT = 60;
const MOST_CLASSES = 16;
const TURNS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @typedef {{low: (number | null)[][], high: (number | null)[][]}} Interval */

export class DistancesView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(lit: import("ratewarp/stage_run").Lit | null) => void} choose
   */
  constructor(place, run, choose) {
    this.run = run;
    this.place = place;
    this.choose = choose;
    /** @type {any} */
    this.scheme = null;
    /** @type {[string, number[][]][]} names and log distances of what is shown */
    this.shown = [];
    /** @type {import("ratewarp/stage_run").Lit | null} */
    this.lit = null;
  }

  /** Name of the labelling, as of colourings. */
  get of() {
    return `class-${this.run.data.schemes.findIndex((/** @type {any} */ one) => one.title === this.scheme?.title && one.name === this.scheme?.name)}`;
  }

  /**
   * @param {any} scheme
   * @param {{name: string, detail: import("ratewarp/stage_run").Detail | null}} own
   * @param {{name: string, detail: import("ratewarp/stage_run").Detail | null}} reference
   */
  show(scheme, own, reference) {
    const focused = this.#focused();
    this.place.replaceChildren();
    [this.scheme, this.shown] = [scheme, []];
    if (scheme?.distances?.length && scheme.classes.length <= MOST_CLASSES) return this.#measured(scheme);
    if (!scheme || scheme.classes.length > MOST_CLASSES || !own.detail || !reference.detail) {
      const why = scheme && scheme.classes.length > MOST_CLASSES ? `Too many classes for a matrix: ${scheme.classes.length}.` : "The page holds no codes of this model, or none of the reference.";
      const note = this.place.appendChild(document.createElement("p"));
      note.className = "caption";
      note.textContent = scheme ? why : "This study has no classes.";
      return;
    }
    const sides = [own, reference].map((side) => logDistances(/** @type {any} */ (side.detail), scheme));
    const change = sides[0].map((row, a) => row.map((one, b) => one - sides[1][a][b]));
    this.shown = own.detail === reference.detail ? [[own.name, sides[0]]] : [[own.name, sides[0]], [reference.name, sides[1]], ["change", change]];
    const most = Math.max(...[...sides, change].flat(2).filter(Number.isFinite).map(Math.abs), 1e-6);
    for (const [name, values] of this.shown) this.#matrix(name, values, scheme, most);
    this.light(this.lit);
    if (focused) /** @type {HTMLElement | null} */ (this.place.querySelectorAll("svg")[focused.matrix]?.querySelector(`[data-cell="${focused.cell}"]`))?.focus();
  }

  /** Distances that were measured with their intervals. @param {any} scheme */
  #measured(scheme) {
    this.shown = scheme.distances.map((/** @type {any} */ one) => [one.name, one.values]);
    const most = Math.max(...this.shown.flatMap(([, values]) => values).flat().filter(Number.isFinite).map(Math.abs), 1e-6);
    for (const { name, values, low, high } of scheme.distances) this.#matrix(name, values, scheme, most, { low, high });
    this.light(this.lit);
  }

  #focused() {
    const cell = /** @type {SVGElement | null} */ (this.place.contains(document.activeElement) ? document.activeElement : null);
    if (!cell?.dataset.cell) return null;
    return { matrix: Array.from(this.place.querySelectorAll("svg")).indexOf(/** @type {any} */ (cell.closest("svg"))), cell: cell.dataset.cell };
  }

  /** Rows and columns of the chosen classes are full, the others faint. @param {import("ratewarp/stage_run").Lit | null} lit */
  light(lit) {
    this.lit = lit;
    const [of, ours] = [this.of, lit?.of === this.of];
    for (const cell of this.place.querySelectorAll("[data-cell]")) {
      const [a, b] = numbersOf(cell);
      const [one, other] = [chosen(lit, of, a), chosen(lit, of, b)];
      cell.parentElement?.classList.toggle("faint", ours && !one && !other);
      cell.setAttribute("aria-pressed", String(one && other && new Set([a, b]).size === lit?.which.length));
    }
    for (const label of this.place.querySelectorAll("[data-class]")) {
      label.classList.toggle("lit", chosen(lit, of, Number(/** @type {SVGElement} */ (label).dataset.class)));
    }
  }

  /** @param {string} name @param {number[][]} values @param {any} scheme @param {number} most @param {Interval} [interval] */
  #matrix(name, values, scheme, most, interval) {
    const { d3 } = globalThis;
    const number = values.length;
    const side = LEFT + number * CELL + 4;
    const figure = this.place.appendChild(document.createElement("figure"));
    figure.appendChild(document.createElement("figcaption")).textContent = name;
    const svg = d3.select(figure).append("svg").attr("viewBox", `0 0 ${side} ${number * CELL + 22}`).attr("role", "group")
      .attr("aria-label", `Log distances of classes, ${name}`).style("max-width", `${side * 1.3}px`)
      .on("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event, number));
    const label = (/** @type {number} */ at, /** @type {number} */ most) =>
      svg.append("text").attr("class", "label pick").attr("data-class", at).text(clipped(scheme.classes[at], most))
        .on("click", () => this.choose(toggled(this.lit, this.of, [at])));
    values.forEach((row, a) => {
      label(a, 9).attr("x", LEFT - 5).attr("y", (a + 0.6) * CELL).attr("text-anchor", "end");
      label(a, 6).attr("x", LEFT + (a + 0.5) * CELL).attr("y", number * CELL + 14).attr("text-anchor", "middle");
      for (const [b, value] of row.entries()) this.#cell(svg, scheme, value, a, b, most, number, interval);
    });
  }

  /** @param {any} svg @param {any} scheme @param {number} value @param {number} a @param {number} b @param {number} most @param {number} number @param {Interval} [interval] */
  #cell(svg, scheme, value, a, b, most, number, interval) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const known = Number.isFinite(value);
    const pair = a === b ? `within ${scheme.classes[a]}` : `${scheme.classes[a]}, ${scheme.classes[b]}`;
    const [low, high] = [interval?.low[a][b], interval?.high[a][b]].map((one) => (one === undefined || one === null ? undefined : minus(one)));
    const words = `${pair}: ${known ? minus(value) : "not defined"}${low && high ? `, ${low} to ${high}` : ""}`;
    const group = svg.append("g");
    const cell = group.append("rect").attr("x", LEFT + b * CELL).attr("y", a * CELL).attr("width", CELL - 1).attr("height", CELL - 1)
      .attr("fill", known ? d3.interpolatePuOr(0.5 + (0.5 * value) / most) : "none").attr("class", "cell")
      .attr("data-cell", `${a}.${b}`).attr("role", "button").attr("tabindex", a + b === 0 ? 0 : -1)
      .attr("aria-label", words).on("click", () => this.choose(toggled(this.lit, this.of, [a, b])));
    cell.append("title").text(words);
    if (number > 6 || !known) return;
    const dark = Math.abs(value) > 0.6 * most;
    group.append("text").attr("class", "number").attr("x", LEFT + (b + 0.5) * CELL).attr("y", (a + 0.62) * CELL).attr("text-anchor", "middle")
      .attr("fill", dark ? "#fff" : "#1d2733").text(minus(value));
  }

  /** Arrows go from cell to cell, Enter and space choose its classes. @param {KeyboardEvent} event @param {number} number */
  #key(event, number) {
    const cell = /** @type {SVGElement} */ (event.target);
    if (!cell.dataset.cell) return;
    const [a, b] = numbersOf(cell);
    const turn = /** @type {Record<string, number[]>} */ (TURNS)[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(toggled(this.lit, this.of, [a, b]));
    else if (turn) {
      const [row, column] = [(a + turn[0] + number) % number, (b + turn[1] + number) % number];
      const next = /** @type {SVGElement | null} */ (cell.closest("svg")?.querySelector(`[data-cell="${row}.${column}"]`));
      cell.setAttribute("tabindex", "-1");
      next?.setAttribute("tabindex", "0");
      next?.focus();
    } else return;
    event.preventDefault();
  }
}

/** @param {number} value */
function minus(value) {
  return value.toFixed(2).replace(/^-(?=0\.00$)/, "").replace("-", "−");
}

/** Row and column of a cell. @param {Element} cell */
function numbersOf(cell) {
  return (/** @type {SVGElement} */ (cell).dataset.cell ?? "").split(".").map(Number);
}

/**
 * Logarithm of the root mean square distance of mean codes of two classes, over that of all stimuli; over
 * pairs of different stimuli that occur.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {any} scheme
 * @returns {number[][]}
 */
export function logDistances(detail, scheme) {
  const { means, latents, frequency } = detail;
  const number = scheme.classes.length;
  const counts = new Float64Array(number);
  const sums = new Float64Array(number * latents);
  const squares = new Float64Array(number);
  scheme.of.forEach((/** @type {number} */ own, /** @type {number} */ stimulus) => {
    if (!(frequency[stimulus] > 0)) return;
    counts[own]++;
    for (let latent = 0; latent < latents; latent++) {
      const one = means[stimulus * latents + latent];
      sums[own * latents + latent] += one;
      squares[own] += one * one;
    }
  });
  let [all, pairs] = [0, 0];
  const table = Array.from({ length: number }, (_, a) =>
    Array.from({ length: number }, (_, b) => {
      let crossed = 0;
      for (let latent = 0; latent < latents; latent++) crossed += sums[a * latents + latent] * sums[b * latents + latent];
      const sum = counts[b] * squares[a] + counts[a] * squares[b] - 2 * crossed;
      const many = a === b ? counts[a] * (counts[a] - 1) : counts[a] * counts[b];
      all += sum;
      pairs += many;
      return sum / many;
    }),
  );
  return table.map((row) => row.map((one) => 0.5 * Math.log(one / (all / pairs))));
}

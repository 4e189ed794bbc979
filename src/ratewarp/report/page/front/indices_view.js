/** Indices that have no capacity to stand along: value and interval of each, without trial noise full, with it hollow. */

import { clipped } from "ratewarp/words";

const SIZE = { width: 760, left: 250, right: 16, row: 24, top: 6, bottom: 36 };
const LONGEST = 38; // letters of a name
const NOISE = /** @type {Record<string, string>} */ ({ removed: "without trial noise", included: "with trial noise", "": "" });

/**
 * @typedef {{trial_noise: string, value: number, low: number | null, high: number | null, p: number | null, p_adjusted: number | null}} Form
 * @typedef {{name: string, measure: string, task: string, change: boolean, forms: Form[]}} Index
 */

export class IndicesView {
  /** @param {HTMLElement | null} place @param {any} data as stage_of_codes.py writes it */
  constructor(place, data) {
    /** @type {Index[]} */
    this.indices = data.indices ?? [];
    if (!place || !this.indices.length) return;
    const { d3 } = globalThis;
    const height = SIZE.top + SIZE.row * this.indices.length + SIZE.bottom;
    const x = d3.scaleLinear(this.#ends(), [SIZE.left, SIZE.width - SIZE.right]).nice();
    const svg = d3.select(place).append("svg").attr("viewBox", `0 0 ${SIZE.width} ${height}`).attr("role", "img")
      .attr("aria-label", "Indices with their intervals; the numbers are in the table below").style("max-width", `${SIZE.width}px`);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - SIZE.bottom})`).call(d3.axisBottom(x).ticks(6));
    svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", height - 4).attr("text-anchor", "middle")
      .text(`value, with ${Number((100 * data.level).toPrecision(3))} % interval over ${data.units}`);
    svg.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(0)).attr("y1", SIZE.top).attr("y2", height - SIZE.bottom);
    for (const [place, index] of this.indices.entries()) row(svg, x, index, SIZE.top + (place + 0.5) * SIZE.row);
  }

  /** Room for all values and intervals, for nothing, and for one where that is the most there can be. */
  #ends() {
    const every = this.indices.flatMap(({ forms }) => forms.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]));
    return [Math.min(0, ...every), Math.max(1, ...every)];
  }

  /** @returns {import("ratewarp/csv").Rows} */
  rows() {
    return {
      columns: ["measure", "task", "trial noise", "value", "low end of the interval", "high end of the interval", "p", "p, corrected"],
      rows: this.indices.flatMap(({ measure, task, forms }) =>
        forms.map((form) => [measure, task, form.trial_noise, form.value, form.low, form.high, form.p, form.p_adjusted])),
    };
  }
}

/** @param {any} svg @param {any} x @param {Index} index @param {number} y */
function row(svg, x, { name, change, forms }, y) {
  const group = svg.append("g").attr("class", change ? "index change" : "index");
  const label = group.append("text").attr("class", "label").attr("x", SIZE.left - 10).attr("y", y + 4).attr("text-anchor", "end")
    .text(clipped(name, LONGEST));
  label.append("title").text(name);
  forms.forEach((form, place) => {
    const at = y + (forms.length > 1 ? 4 * (2 * place - 1) : 0);
    const kind = form.trial_noise === "included" ? "hollow" : "full";
    if (form.low !== null && form.high !== null) {
      group.append("line").attr("class", `reach ${kind}`).attr("x1", x(form.low)).attr("x2", x(form.high)).attr("y1", at).attr("y2", at);
    }
    group.append("circle").attr("class", `value ${kind}`).attr("r", 4).attr("cx", x(form.value)).attr("cy", at)
      .append("title").text(told(name, form));
  });
}

/** @param {string} name @param {Form} form */
function told(name, { trial_noise, value, low, high, p }) {
  const short = (/** @type {number} */ one) => Number(one.toPrecision(3));
  const interval = low === null || high === null ? "" : `, ${short(low)} to ${short(high)}`;
  const noise = NOISE[trial_noise] ? `, ${NOISE[trial_noise]}` : "";
  return `${name}: ${short(value)}${interval}${noise}${p === null ? "" : `; p = ${short(p)}`}`;
}

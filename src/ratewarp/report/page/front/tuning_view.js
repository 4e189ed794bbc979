/** Tuning: the mean code of every latent over the values of every factor, most informative latent first. */

import { latentsInUse } from "ratewarp/stage_run";
import { latentButton } from "ratewarp/traversal_view";

const SIZE = { width: 150, height: 92, left: 26, right: 4, top: 6, bottom: 18 };
const MOST_FACTORS = 4;

export class TuningView {
  /** @param {HTMLElement} place @param {import("ratewarp/stage_run").StageRun} run @param {(latent: number) => void} choose */
  constructor(place, run, choose) {
    this.run = run;
    this.choose = choose;
    /** @type {Map<number, {row: HTMLElement, courses: any[]}>} */
    this.rows = new Map();
    /** @type {number | null} */
    this.stimulus = null;
    this.place = place;
    /** @type {import("ratewarp/stage_run").Detail | null} */
    this.detail = null;
    this.factors = (run.factors ?? []).slice(0, MOST_FACTORS);
  }

  /**
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {number | null} stimulus marked on every curve
   */
  show(detail, stimulus) {
    [this.detail, this.stimulus] = [detail, stimulus];
    this.place.replaceChildren();
    this.rows = new Map();
    if (!detail || !this.factors.length) return;
    for (const latent of latentsInUse(detail)) {
      const row = this.place.appendChild(document.createElement("div"));
      row.className = "tuning-row";
      row.append(latentButton(latent, detail, () => this.choose(latent)));
      const courses = this.factors.map((/** @type {any} */ factor) => this.#curve(detail, latent, factor, stimulus));
      row.append(...courses.map((/** @type {any} */ one) => one.svg.node()));
      this.rows.set(latent, { row, courses });
    }
  }

  /**
   * The curves of the chosen latent are thick, others faint; of chosen classes a line in their colour.
   * @param {number | null} latent
   * @param {((stimulus: number) => boolean) | null} lit
   * @param {string} colour of the line
   */
  light(latent, lit, colour) {
    const d3 = /** @type {any} */ (globalThis).d3;
    for (const [own, { row, courses }] of this.rows) {
      row.classList.toggle("faint", latent !== null && own !== latent);
      row.classList.toggle("lit", own === latent);
      row.querySelector(".toggle")?.setAttribute("aria-pressed", String(own === latent));
      for (const { svg, x, y, factor } of courses) {
        svg.selectAll(".of-class").remove();
        if (!lit || !this.detail) continue;
        const { mean } = courseOf(this.detail, own, factor, lit);
        const known = Array.from(mean.keys()).filter((rank) => Number.isFinite(mean[rank]));
        const line = svg.append("path").attr("class", "course of-class").attr("stroke", colour);
        line.attr("d", known.length > 1 ? d3.line().x(x).y((/** @type {number} */ rank) => y(mean[rank]))(known) : `M${x(known[0] ?? 0) - 3},${y(mean[known[0]] ?? 0)}h6`);
      }
    }
  }

  /** @param {import("ratewarp/stage_run").Detail} detail @param {number} latent @param {any} factor @param {number | null} stimulus */
  #curve(detail, latent, factor, stimulus) {
    const { d3 } = globalThis;
    const { mean, low, high } = courseOf(detail, latent, factor);
    const x = d3.scaleLinear([0, Math.max(1, mean.length - 1)], [SIZE.left, SIZE.width - SIZE.right]);
    const [least, most] = [d3.min(low.filter(Number.isFinite)) ?? 0, d3.max(high.filter(Number.isFinite)) ?? 1];
    const y = d3.scaleLinear([least, most === least ? least + 1 : most], [SIZE.height - SIZE.bottom, SIZE.top]);
    const svg = d3.create("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img")
      .attr("aria-label", `Latent ${latent + 1} over ${factor.name}`);
    const known = Array.from(mean.keys()).filter((rank) => Number.isFinite(mean[rank]));
    svg.append("path").attr("class", "band").attr("d", /** @type {d3.Area<number>} */ (d3.area()).x(x).y0((r) => y(low[r])).y1((r) => y(high[r]))(known));
    svg.append("path").attr("class", "course").attr("stroke", "currentColor").attr("d", /** @type {d3.Line<number>} */ (d3.line()).x(x).y((r) => y(mean[r]))(known));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(y).ticks(2).tickSize(3));
    svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 4).attr("text-anchor", "middle").text(factor.name);
    if (stimulus !== null) {
      svg.append("circle").attr("class", "ring").attr("r", 3.5).attr("cx", x(factor.ranks[stimulus]))
        .attr("cy", y(detail.means[stimulus * detail.latents + latent]));
    }
    return { svg, x, y, factor };
  }
}

/**
 * Mean, least and largest mean code over stimuli, by the value of a factor.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {number} latent
 * @param {any} factor
 * @param {(stimulus: number) => boolean} [of] which stimuli; all, unless said otherwise
 */
export function courseOf(detail, latent, factor, of = () => true) {
  const values = factor.values.length;
  const sums = new Float64Array(values);
  const counts = new Float64Array(values);
  const low = new Float64Array(values).fill(Infinity);
  const high = new Float64Array(values).fill(-Infinity);
  factor.ranks.forEach((/** @type {number} */ rank, /** @type {number} */ stimulus) => {
    const one = detail.means[stimulus * detail.latents + latent];
    if (!Number.isFinite(one) || !(detail.frequency[stimulus] > 0) || !of(stimulus)) return;
    sums[rank] += one;
    counts[rank] += 1;
    low[rank] = Math.min(low[rank], one);
    high[rank] = Math.max(high[rank], one);
  });
  return { mean: Array.from(sums, (sum, rank) => sum / counts[rank]), low: Array.from(low), high: Array.from(high) };
}

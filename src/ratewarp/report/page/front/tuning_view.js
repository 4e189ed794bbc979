/** Tuning: the mean code of every latent over the values of every factor, most informative latent first. */

import { latentsInUse } from "ratewarp/stage_run";

const SIZE = { width: 150, height: 92, left: 26, right: 4, top: 6, bottom: 18 };
const MOST_FACTORS = 4;

export class TuningView {
  /** @param {HTMLElement} place @param {import("ratewarp/stage_run").StageRun} run */
  constructor(place, run) {
    this.run = run;
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
    this.detail = detail;
    this.place.replaceChildren();
    if (!detail || !this.factors.length) return;
    for (const latent of latentsInUse(detail)) {
      const row = this.place.appendChild(document.createElement("div"));
      row.className = "tuning-row";
      const name = row.appendChild(document.createElement("span"));
      name.textContent = `latent ${latent + 1}`;
      name.className = "caption";
      for (const factor of this.factors) row.append(this.#curve(detail, latent, factor, stimulus));
    }
  }

  /** @param {import("ratewarp/stage_run").Detail} detail @param {number} latent @param {any} factor @param {number | null} stimulus */
  #curve(detail, latent, factor, stimulus) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const { mean, low, high } = courseOf(detail, latent, factor);
    const x = d3.scaleLinear([0, Math.max(1, mean.length - 1)], [SIZE.left, SIZE.width - SIZE.right]);
    const ends = d3.extent([...low, ...high].filter(Number.isFinite));
    const y = d3.scaleLinear([ends[0] ?? 0, ends[1] === ends[0] ? ends[0] + 1 : (ends[1] ?? 1)], [SIZE.height - SIZE.bottom, SIZE.top]);
    const svg = d3.create("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img")
      .attr("aria-label", `Latent ${latent + 1} over ${factor.name}`);
    const known = Array.from(mean.keys()).filter((rank) => Number.isFinite(mean[rank]));
    svg.append("path").attr("class", "band").attr("d", d3.area().x(x).y0((/** @type {number} */ r) => y(low[r])).y1((/** @type {number} */ r) => y(high[r]))(known));
    svg.append("path").attr("class", "course").attr("stroke", "currentColor").attr("d", d3.line().x(x).y((/** @type {number} */ r) => y(mean[r]))(known));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(y).ticks(2).tickSize(3));
    svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 4).attr("text-anchor", "middle").text(factor.name);
    if (stimulus !== null) {
      svg.append("circle").attr("class", "ring").attr("r", 3.5).attr("cx", x(factor.ranks[stimulus]))
        .attr("cy", y(detail.means[stimulus * detail.latents + latent]));
    }
    return svg.node();
  }
}

/**
 * Mean, least and largest mean code over stimuli, by the value of a factor.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {number} latent
 * @param {any} factor
 */
export function courseOf(detail, latent, factor) {
  const values = factor.values.length;
  const sums = new Float64Array(values);
  const counts = new Float64Array(values);
  const low = new Float64Array(values).fill(Infinity);
  const high = new Float64Array(values).fill(-Infinity);
  factor.ranks.forEach((/** @type {number} */ rank, /** @type {number} */ stimulus) => {
    const one = detail.means[stimulus * detail.latents + latent];
    if (!Number.isFinite(one) || !(detail.frequency[stimulus] > 0)) return;
    sums[rank] += one;
    counts[rank] += 1;
    low[rank] = Math.min(low[rank], one);
    high[rank] = Math.max(high[rank], one);
  });
  return { mean: Array.from(sums, (sum, rank) => sum / counts[rank]), low: Array.from(low), high: Array.from(high) };
}

/** Tuning: the mean code of every latent over the values of every factor, most informative latent first. */

import { latentsInUse } from "ratewarp/stage_run";
import { latentButton } from "ratewarp/traversal_view";
import { hold } from "ratewarp/words";

const SIZE = { width: 150, height: 92, left: 26, right: 4, top: 6, bottom: 18 };
const MOST_FACTORS = 4;

/** @typedef {{row: HTMLElement, courses: Course[]}} Row */

export class TuningView {
  /** @param {HTMLElement} place @param {import("ratewarp/stage_run").StageRun} run @param {(latent: number) => void} choose */
  constructor(place, run, choose) {
    this.choose = choose;
    /** @type {Row[]} drawn again for every choice: new ones take longer */
    this.pool = [];
    /** @type {Map<number, Row>} */
    this.rows = new Map();
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
    const latents = detail && this.factors.length ? latentsInUse(detail) : [];
    while (this.pool.length < latents.length) this.pool.push(this.#row());
    this.rows = new Map(latents.map((latent, number) => [latent, this.pool[number]]));
    for (const [latent, { row, courses }] of this.rows) {
      if (!detail) continue;
      row.querySelector(".toggle")?.remove();
      row.prepend(latentButton(latent, detail, () => this.choose(latent)));
      for (const course of courses) course.draw(detail, latent, stimulus);
    }
    hold(this.place, Array.from(this.rows.values(), (one) => one.row));
  }

  #row() {
    const row = document.createElement("div");
    row.className = "tuning-row";
    const courses = this.factors.map((/** @type {any} */ factor) => new Course(factor));
    for (const { svg } of courses) row.append(/** @type {SVGSVGElement} */ (svg.node()));
    return { row, courses };
  }

  /**
   * The curves of the chosen latent are thick, others faint; of chosen classes a line in their colour.
   * @param {number | null} latent
   * @param {((stimulus: number) => boolean) | null} lit
   * @param {string} colour of the line
   */
  light(latent, lit, colour) {
    for (const [own, { row, courses }] of this.rows) {
      row.classList.toggle("faint", latent !== null && own !== latent);
      row.classList.toggle("lit", own === latent);
      row.querySelector(".toggle")?.setAttribute("aria-pressed", String(own === latent));
      for (const course of courses) course.light(this.detail, own, lit, colour);
    }
  }
}

/** A latent over one factor. */
class Course {
  /** @param {any} factor */
  constructor(factor) {
    const { d3 } = globalThis;
    this.factor = factor;
    this.x = d3.scaleLinear([0, Math.max(1, factor.values.length - 1)], [SIZE.left, SIZE.width - SIZE.right]);
    this.y = d3.scaleLinear([0, 1], [SIZE.height - SIZE.bottom, SIZE.top]);
    this.svg = d3.create("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img");
    this.band = this.svg.append("path").attr("class", "band");
    this.line = this.svg.append("path").attr("class", "course").attr("stroke", "currentColor");
    this.axis = this.svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`);
    this.svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 4)
      .attr("text-anchor", "middle").text(factor.name);
  }

  /** @param {import("ratewarp/stage_run").Detail} detail @param {number} latent @param {number | null} stimulus */
  draw(detail, latent, stimulus) {
    const { d3 } = globalThis;
    const { factor, x, y } = this;
    const { mean, low, high } = courseOf(detail, latent, factor);
    const [least, most] = [d3.min(low.filter(Number.isFinite)) ?? 0, d3.max(high.filter(Number.isFinite)) ?? 1];
    y.domain([least, most === least ? least + 1 : most]);
    this.svg.attr("aria-label", `Latent ${latent + 1} over ${factor.name}`);
    const known = Array.from(mean.keys()).filter((rank) => Number.isFinite(mean[rank]));
    this.band.attr("d", /** @type {d3.Area<number>} */ (d3.area()).x(x).y0((r) => y(low[r])).y1((r) => y(high[r]))(known));
    this.line.attr("d", /** @type {d3.Line<number>} */ (d3.line()).x(x).y((r) => y(mean[r]))(known));
    this.axis.call(d3.axisLeft(y).ticks(2).tickSize(3));
    const ring = this.svg.selectAll(".ring").data(stimulus === null ? [] : [stimulus]).join("circle").attr("class", "ring").attr("r", 3.5);
    ring.attr("cx", (one) => x(factor.ranks[one])).attr("cy", (one) => y(detail.means[one * detail.latents + latent]));
  }

  /**
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {number} latent
   * @param {((stimulus: number) => boolean) | null} lit
   * @param {string} colour
   */
  light(detail, latent, lit, colour) {
    const { d3 } = globalThis;
    const { x, y } = this;
    this.svg.selectAll(".of-class").remove();
    if (!lit || !detail) return;
    const { mean } = courseOf(detail, latent, this.factor, lit);
    const known = Array.from(mean.keys()).filter((rank) => Number.isFinite(mean[rank]));
    const line = this.svg.append("path").attr("class", "course of-class").attr("stroke", colour);
    const curve = /** @type {d3.Line<number>} */ (d3.line()).x(x).y((rank) => y(mean[rank]));
    line.attr("d", known.length > 1 ? curve(known) : `M${x(known[0] ?? 0) - 3},${y(mean[known[0]] ?? 0)}h6`);
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

/** The plane of rate and distortion: every condition, the bound, and where the chosen model stands on it. */

import { onPaper } from "ratewarp/colours";
import { clipped } from "ratewarp/words";

const SIZE = { width: 340, height: 270, left: 52, right: 10, top: 12, bottom: 42 };

export class PlaneView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(condition: any) => void} choose
   */
  constructor(place, run, choose) {
    const { d3 } = globalThis;
    this.run = run;
    const data = run.data;
    this.colours = new Map(data.models.map((/** @type {any} */ one) => [one.name, onPaper(one.colour)]));
    this.known = data.conditions.filter((/** @type {any} */ one) => one.rate_nats !== null && one.distortion !== null);
    const value = this.#value.bind(this);
    this.semantic = data.bound.length > 0;
    const highest = Math.max(0, ...this.known.map((/** @type {any} */ one) => one.rate_nats)) * 1.05 || 1;
    const most = d3.max([...this.known.map(value), ...data.bound.map((/** @type {any} */ one) => one.distortion[0])]);
    this.x = d3.scaleLinear([0, highest], [SIZE.left, SIZE.width - SIZE.right]);
    this.y = d3.scaleLinear([0, most * 1.05 || 1], [SIZE.height - SIZE.bottom, SIZE.top]);
    this.svg = d3.select(place).append("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img");
    this.svg.attr("aria-label", "Distortion against rate of every model, with the least distortion at every rate");
    this.#axes(d3);
    const line = d3.line().x((/** @type {any} */ p) => this.x(p[0])).y((/** @type {any} */ p) => this.y(p[1]));
    for (const curve of data.bound) {
      const points = curve.rate.map((/** @type {number} */ rate, /** @type {number} */ i) => [rate, curve.distortion[i]]);
      const shown = points.filter((/** @type {number[]} */ p) => p[0] <= highest);
      this.svg.append("path").attr("class", "bound").datum(curve).attr("d", line(shown)).append("title").text(`bound: ${curve.models.join(", ")}`);
    }
    // a group a model, so that one opacity each says which is chosen, however many marks there are
    this.models = this.svg.append("g").selectAll("g").data(d3.groups(this.known, (/** @type {any} */ one) => one.model)).join("g");
    const marks = this.models.selectAll("circle").data((/** @type {any} */ group) => group[1]).join("circle")
      .attr("r", this.known.length > 200 ? 2.5 : 4.5)
      .attr("cx", (/** @type {any} */ one) => this.x(one.rate_nats))
      .attr("cy", (/** @type {any} */ one) => this.y(value(one)))
      .attr("fill", (/** @type {any} */ one) => this.colours.get(one.model))
      .attr("class", "mark")
      .on("click", (/** @type {any} */ _, /** @type {any} */ one) => choose(one));
    marks.append("title").text((/** @type {any} */ one) => `${one.model}, ${one.rate_nats.toFixed(3)} nats, distortion ${value(one).toPrecision(3)}`);
    this.ring = this.svg.append("circle").attr("class", "ring").attr("r", 9);
    this.key = this.svg.append("text").attr("class", "label").attr("x", SIZE.width - SIZE.right).attr("y", SIZE.top + 10).attr("text-anchor", "end");
  }

  /** Distortion that the bound is of: that of the stimulus, where it is known. @param {any} condition */
  #value(condition) {
    return this.run.data.bound.length && condition.semantic_distortion !== null
      ? condition.semantic_distortion
      : condition.distortion;
  }

  /** @param {any} d3 */
  #axes(d3) {
    const bottom = SIZE.height - SIZE.bottom;
    this.svg.append("g").attr("class", "axis").attr("transform", `translate(0,${bottom})`).call(d3.axisBottom(this.x).ticks(6));
    this.svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(this.y).ticks(6));
    this.svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 8)
      .attr("text-anchor", "middle").text("rate, nats");
    this.svg.append("text").attr("class", "label").attr("transform", `translate(14,${bottom / 2}) rotate(-90)`)
      .attr("text-anchor", "middle").text(this.semantic ? "distortion of the stimulus" : "distortion");
  }

  /** @param {any} condition */
  show(condition) {
    const known = condition && condition.rate_nats !== null && condition.distortion !== null;
    this.ring.attr("visibility", known ? "visible" : "hidden");
    if (!known) return;
    this.ring.attr("cx", this.x(condition.rate_nats)).attr("cy", this.y(this.#value(condition)));
    const own = (/** @type {any} */ curve) => curve.models.includes(condition.model);
    this.svg.selectAll(".bound").attr("opacity", (/** @type {any} */ curve) => (own(curve) ? 1 : 0.25));
    const bounded = this.run.data.bound.some(own);
    this.key.text(bounded ? `line: the least that is possible for ${clipped(condition.model, 16)}` : "");
    this.models.attr("opacity", (/** @type {any} */ group) => (group[0] === condition.model ? 1 : 0.35));
  }
}

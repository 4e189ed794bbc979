/** Measures against capacity: a panel a measure, a line a model, single seeds as dots, the choice ringed. */

import { onPaper } from "ratewarp/colours";

const SIZE = { width: 300, height: 210, left: 46, right: 10, top: 12, bottom: 36 };

export class WarpsView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(condition: any) => void} choose
   */
  constructor(place, run, choose) {
    this.run = run;
    this.choose = choose;
    this.byId = new Map(run.data.conditions.map((/** @type {any} */ one) => [one.id, one]));
    this.colours = new Map(run.data.models.map((/** @type {any} */ one) => [one.name, onPaper(one.colour)]));
    /** @type {{measure: string, title: string, frame: HTMLElement, svg: any, rows: any[], x: any, y: any, rings: any}[]} */
    this.panels = [];
    /** @type {Map<string, any[]>} */
    const byMeasure = new Map();
    for (const one of run.data.measures) {
      byMeasure.set(one.measure, [...(byMeasure.get(one.measure) ?? []), one]);
    }
    for (const [, tasks] of byMeasure) this.#panel(place, tasks);
  }

  /** Where a condition stands from left to right: its capacity, or the rate it reached. @param {any} condition */
  #across(condition) {
    return condition.target ?? condition.rate_nats;
  }

  /** @param {HTMLElement} place @param {any[]} tasks */
  #panel(place, tasks) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const rows = tasks.flatMap((one) =>
      one.rows
        .map((/** @type {any[]} */ row) => ({ condition: this.byId.get(row[0]), value: row[1], low: row[2], high: row[3], task: one.task }))
        .filter((/** @type {any} */ row) => row.condition && row.value !== null && this.#across(row.condition) > 0),
    );
    if (!rows.length) return;
    const frame = place.appendChild(document.createElement("figure"));
    frame.className = "warp";
    frame.appendChild(document.createElement("h4")).textContent = tasks[0].title;
    const values = rows.map((row) => row.value);
    const change = tasks[0].measure.endsWith("_change");
    const x = d3.scaleLog(d3.extent(rows, (/** @type {any} */ row) => this.#across(row.condition)), [SIZE.left + 8, SIZE.width - SIZE.right - 8]);
    const ends = d3.extent(change ? [...values, 0] : values);
    const room = 0.08 * (ends[1] - ends[0]) || 0.1;
    const y = tasks[0].log
      ? d3.scaleLog([Math.max(ends[0] / 1.1, 1e-6), ends[1] * 1.1], [SIZE.height - SIZE.bottom, SIZE.top])
      : d3.scaleLinear([ends[0] - room, ends[1] + room], [SIZE.height - SIZE.bottom, SIZE.top]);
    const svg = d3.select(frame).append("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img")
      .attr("aria-label", `${tasks[0].title} against capacity`);
    this.#axes(d3, svg, x, y, rows);
    if (change) svg.append("line").attr("class", "zero").attr("x1", SIZE.left).attr("x2", SIZE.width - SIZE.right).attr("y1", y(0)).attr("y2", y(0));
    for (const [, own] of d3.group(rows, (/** @type {any} */ row) => `${row.condition.model} ${row.task}`)) {
      this.#line(d3, svg, x, y, own);
    }
    this.panels.push({ measure: tasks[0].measure, title: tasks[0].title, frame, svg, rows, x, y, rings: svg.append("g") });
  }

  /** @param {any} d3 @param {any} svg @param {any} x @param {any} y @param {any[]} rows */
  #axes(d3, svg, x, y, rows) {
    const capacities = Array.from(new Set(rows.map((row) => row.condition.target).filter((one) => one !== null)));
    const ticks = capacities.length && capacities.length <= 8 ? capacities : x.ticks(4);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${SIZE.height - SIZE.bottom})`)
      .call(d3.axisBottom(x).tickValues(ticks).tickFormat(d3.format("~g")));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(y).ticks(5, "~g"));
    svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 4)
      .attr("text-anchor", "middle").text(capacities.length ? "capacity, nats" : "rate reached, nats");
  }

  /** Mean over seeds as a line, seeds as dots, the mean of their intervals as bars.
   * @param {any} d3 @param {any} svg @param {any} x @param {any} y @param {any[]} own */
  #line(d3, svg, x, y, own) {
    const colour = this.colours.get(own[0].condition.model);
    const means = d3.rollups(
      own,
      (/** @type {any[]} */ rows) => ({ value: d3.mean(rows, (/** @type {any} */ r) => r.value), low: d3.mean(rows, (/** @type {any} */ r) => r.low), high: d3.mean(rows, (/** @type {any} */ r) => r.high) }),
      (/** @type {any} */ row) => this.#across(row.condition),
    ).sort((/** @type {any} */ a, /** @type {any} */ b) => a[0] - b[0]);
    const clip = (/** @type {number} */ value) => Math.max(SIZE.top, Math.min(SIZE.height - SIZE.bottom, y(value)));
    for (const [at, mean] of means) {
      if (mean.low === undefined || mean.low === null) continue;
      svg.append("line").attr("class", "interval").attr("stroke", colour).attr("x1", x(at)).attr("x2", x(at)).attr("y1", clip(mean.low)).attr("y2", clip(mean.high));
    }
    const line = d3.line().x((/** @type {any} */ p) => x(p[0])).y((/** @type {any} */ p) => y(p[1].value));
    svg.append("path").attr("class", "course").attr("stroke", colour).attr("d", line(means));
    svg.append("g").selectAll("circle").data(own).join("circle").attr("class", "mark").attr("r", own.length > 60 ? 1.6 : 3)
      .attr("cx", (/** @type {any} */ row) => x(this.#across(row.condition))).attr("cy", (/** @type {any} */ row) => y(row.value)).attr("fill", colour)
      .on("click", (/** @type {any} */ _, /** @type {any} */ row) => this.choose(row.condition))
      .append("title").text((/** @type {any} */ row) => `${row.condition.model}${row.task ? `, ${row.task}` : ""}: ${row.value.toPrecision(3)}`);
  }

  /** @param {any} condition */
  show(condition) {
    for (const { rings, rows, x, y } of this.panels) {
      const own = rows.filter((row) => row.condition === condition);
      rings.selectAll("circle").data(own).join("circle").attr("class", "ring").attr("r", 7)
        .attr("cx", (/** @type {any} */ row) => x(this.#across(row.condition))).attr("cy", (/** @type {any} */ row) => y(row.value));
    }
  }
}

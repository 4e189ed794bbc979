/** A measure against capacity: models as lines, seeds as dots, intervals as a band; optimal codes; published numbers. */

import { referenceOf } from "ratewarp/stage_run";
import { clipped } from "ratewarp/words";

const SIZE = { width: 300, height: 210, left: 46, right: 10, top: 12, bottom: 36 };
const CAPACITY = "capacity_nats";
const MANY = 60; // dots from which on they are small
const ONE_LATENT = "Where a single latent is in use, as at little capacity, alignment is 1 whatever the code does.";
const NO_AXES = "No curve of optimal codes: they have no axes of their own. The part of it that needs no axes stands under Optimal codes.";

/**
 * @typedef {{condition: any, value: number, low: number | null, high: number | null, task: string}} Row
 * @typedef {{at: number, value: number, low: number | null, high: number | null}} Mean  over the seeds of a place
 * @typedef {{model: string, task: string, means: Mean[]}} Line
 * @typedef {{data: any, byId: Map<string, any>, colours: Map<string, string>, choose: (condition: any) => void}} Context
 */

export class WarpPanel {
  /** @param {any[]} tasks curves of one measure @param {Context} context */
  constructor(tasks, context) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const { data } = context;
    this.context = context;
    this.slice = ""; // place on the further axes of the lines that are drawn
    this.measure = tasks[0].measure;
    this.title = tasks[0].title;
    this.change = this.measure.endsWith("_change");
    this.along = Math.max(0, data.axes.findIndex((/** @type {any} */ one) => one.key === CAPACITY));
    /** @type {Row[]} */
    this.rows = tasks.flatMap((one) =>
      one.rows
        .map((/** @type {any[]} */ [id, value, low, high]) => ({ condition: context.byId.get(id), value, low, high, task: one.task }))
        .filter((/** @type {Row} */ row) => row.condition && row.value !== null && across(row.condition) > 0),
    );
    this.published = tasks.flatMap((one) => (one.published ?? []).map((/** @type {any[]} */ [model, at, value]) => ({ model, at, value, task: one.task })));
    this.optimal = data.normative.filter((/** @type {any} */ one) => one.measure === this.measure);
    this.frame = document.createElement("figure");
    this.frame.className = "warp";
    this.frame.appendChild(document.createElement("h4")).textContent = this.title;
    this.drawn = ""; // for which places of further axes
    if (!this.rows.length) return;
    this.x = d3.scaleLog(d3.extent(this.rows, (/** @type {Row} */ row) => across(row.condition)), [SIZE.left + 8, SIZE.width - SIZE.right - 8]);
    this.y = this.#height(d3, tasks[0].log);
    this.svg = d3.select(this.frame).append("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "img")
      .attr("aria-label", `${this.title} against capacity`);
    this.#axes(d3);
    this.lines = this.svg.append("g");
    this.rings = this.svg.append("g");
    if (this.measure.startsWith("orthogonalization")) this.#note(ONE_LATENT);
    if (this.measure === "orthogonalization_change" && data.normative.length) this.#note(NO_AXES);
  }

  /** @param {string} text */
  #note(text) {
    const note = this.frame.appendChild(document.createElement("p"));
    [note.className, note.textContent] = ["caption", text];
  }

  /** Room for all trained models, and for what optimal codes do at the same rates. @param {any} d3 @param {boolean} log */
  #height(d3, log) {
    const [least, most] = this.x.domain();
    const reached = this.optimal.flatMap((/** @type {any} */ one) => one.value.filter((/** @type {number} */ _, /** @type {number} */ at) => one.rate[at] >= least && one.rate[at] <= most));
    const values = [...this.rows.map((row) => row.value), ...this.published.map((one) => one.value), ...(this.change ? [0, ...reached] : [])];
    const [low, high] = d3.extent(values);
    const room = 0.08 * (high - low) || 0.1;
    const ends = [SIZE.height - SIZE.bottom, SIZE.top];
    return log ? d3.scaleLog([Math.max(low / 1.1, 1e-6), high * 1.1], ends) : d3.scaleLinear([low - room, high + room], ends);
  }

  /** @param {any} d3 */
  #axes(d3) {
    const { svg, x, y, rows } = this;
    const capacities = Array.from(new Set(rows.map((row) => row.condition.target).filter((one) => one !== null)));
    const ticks = capacities.length && capacities.length <= 8 ? capacities : x.ticks(4);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${SIZE.height - SIZE.bottom})`)
      .call(d3.axisBottom(x).tickValues(ticks).tickFormat(d3.format("~g")));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(y).ticks(5, "~g"));
    svg.append("text").attr("class", "label").attr("x", (SIZE.left + SIZE.width) / 2).attr("y", SIZE.height - 4)
      .attr("text-anchor", "middle").text(capacities.length ? "capacity, nats" : "rate reached, nats");
    if (this.change) svg.append("line").attr("class", "zero").attr("x1", SIZE.left).attr("x2", SIZE.width - SIZE.right).attr("y1", y(0)).attr("y2", y(0));
  }

  /**
   * Rings the chosen condition; its model is full, and others but the reference are faint.
   * @param {any} condition
   * @param {import("ratewarp/stage_run").Choice} now
   * @param {string | null} task whose classes are chosen
   */
  show(condition, now, task) {
    if (!this.svg) return;
    // of further axes the lines are those at the chosen place
    const drawn = JSON.stringify(now.place.map((at, axis) => (axis === this.along ? null : at)));
    if (drawn !== this.drawn) this.#draw(now);
    this.drawn = drawn;
    const { x, y } = this;
    const known = this.rows.some((row) => row.task === task);
    this.lines.selectAll(".model").attr("opacity", (/** @type {any} */ one) =>
      (one.model === now.model && (!known || one.task === task || !one.task)) ? 1 : one.model === now.model || one.model === (now.beside ?? referenceOf(this.context.data, now.model)) ? 0.55 : 0.25);
    this.lines.selectAll(".of-task").attr("visibility", (/** @type {any} */ one) => (one.model === now.model ? "visible" : "hidden"));
    this.lines.selectAll(".optimal").attr("visibility", (/** @type {any} */ one) => (one.model === now.model ? "visible" : "hidden"));
    this.rings.selectAll("circle").data(this.rows.filter((row) => row.condition === condition)).join("circle").attr("class", "ring").attr("r", 6)
      .attr("cx", (/** @type {Row} */ row) => x(across(row.condition))).attr("cy", (/** @type {Row} */ row) => y(row.value));
  }

  /** @param {import("ratewarp/stage_run").Choice} now */
  #draw(now) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const here = this.rows.filter((row) => this.#isHere(row.condition.place, now));
    this.lines.selectAll("*").remove();
    /** @type {Line[]} */
    const lines = [];
    for (const own of d3.group(here, (/** @type {Row} */ row) => JSON.stringify([row.condition.model, row.task])).values()) {
      lines.push({ model: own[0].condition.model, task: own[0].task, means: this.#model(d3, own, here.length) });
    }
    for (const own of d3.group(lines, (/** @type {Line} */ one) => one.model).values()) if (own.length > 1) this.#names(own);
    for (const one of this.optimal) if (this.#isHere(one.place, now)) this.#optimal(d3, one);
    for (const own of d3.group(this.published, (/** @type {any} */ one) => JSON.stringify([one.model, one.task])).values()) {
      const cross = d3.symbol(d3.symbolTimes, 36);
      const group = this.lines.append("g").attr("class", "model published").datum({ model: own[0].model, task: own[0].task });
      group.selectAll("path").data(own).join("path").attr("d", cross).attr("stroke", this.context.colours.get(own[0].model))
        .attr("transform", (/** @type {any} */ one) => `translate(${this.x(one.at)},${this.y(one.value)})`)
        .append("title").text((/** @type {any} */ one) => `${one.model}${one.task ? `, ${one.task}` : ""}, published: ${one.value.toPrecision(3)}`);
    }
  }

  /** Whether something stands at the chosen place of all axes but that of capacity. @param {(number | null)[]} place @param {import("ratewarp/stage_run").Choice} now */
  #isHere(place, now) {
    return place.every((at, axis) => axis === this.along || at === null || at === now.place[axis]);
  }

  /** A curve of optimal codes, as far as rates of models go. @param {any} d3 @param {any} curve */
  #optimal(d3, curve) {
    const [low, high] = this.x.domain();
    const [bottom, top] = this.y.domain();
    const points = curve.rate.map((/** @type {number} */ rate, /** @type {number} */ at) => [rate, curve.value[at]])
      .filter((/** @type {number[]} */ [rate, value]) => rate >= low * 0.999 && rate <= high * 1.001 && value >= bottom && value <= top);
    const line = d3.line().x((/** @type {number[]} */ p) => this.x(p[0])).y((/** @type {number[]} */ p) => this.y(p[1]));
    this.lines.append("path").attr("class", "course optimal").datum(curve).attr("stroke", this.context.colours.get(curve.model)).attr("d", line(points))
      .append("title").text(`optimal codes, ${curve.model}${curve.task ? `, ${curve.task}` : ""}`);
  }

  /** Mean over seeds as a line, the mean of their intervals as a band, seeds as dots. @param {any} d3 @param {Row[]} own @param {number} many @returns {Mean[]} */
  #model(d3, own, many) {
    const { x, y } = this;
    const { model } = own[0].condition;
    const colour = this.context.colours.get(model);
    const group = this.lines.append("g").attr("class", "model").datum({ model, task: own[0].task });
    const means = meansOf(d3, own);
    const clip = (/** @type {number} */ value) => Math.max(SIZE.top, Math.min(SIZE.height - SIZE.bottom, y(value)));
    const sure = means.filter((one) => one.low !== null && one.high !== null);
    const band = d3.area().x((/** @type {Mean} */ one) => x(one.at)).y0((/** @type {Mean} */ one) => clip(one.low ?? 0)).y1((/** @type {Mean} */ one) => clip(one.high ?? 0));
    if (sure.length === 1) group.append("path").attr("class", "interval only").attr("stroke", colour).attr("d", `M${x(sure[0].at)},${clip(sure[0].low ?? 0)}V${clip(sure[0].high ?? 0)}`);
    else group.append("path").attr("class", "interval").attr("fill", colour).attr("d", band(sure));
    const line = d3.line().x((/** @type {Mean} */ one) => x(one.at)).y((/** @type {Mean} */ one) => y(one.value));
    group.append("path").attr("class", "course").attr("stroke", colour).attr("d", line(means));
    const several = this.context.data.seeds.length > 1;
    group.append("g").selectAll("circle").data(own).join("circle").attr("class", several ? "mark seed" : "mark").attr("r", many > MANY ? 2 : 3)
      .attr("cx", (/** @type {Row} */ row) => x(across(row.condition))).attr("cy", (/** @type {Row} */ row) => y(row.value)).attr("fill", colour)
      .on("click", (/** @type {any} */ _, /** @type {Row} */ row) => this.context.choose(row.condition))
      .append("title").text((/** @type {Row} */ row) => `${model}${row.task ? `, ${row.task}` : ""}: ${row.value.toPrecision(3)}${several ? `, seed ${row.condition.seed}` : ""}`);
    return means;
  }

  /** Names the tasks of a model at their lines, where these are farthest apart. @param {Line[]} lines */
  #names(lines) {
    const apart = (/** @type {number} */ at) => {
      const values = lines.map(({ means }) => means.find((one) => one.at === at)?.value ?? 0).map((value) => this.y(value));
      return Math.max(...values) - Math.min(...values);
    };
    const shared = lines[0].means.map((one) => one.at).filter((at) => lines.every(({ means }) => means.some((one) => one.at === at)));
    if (!shared.length) return;
    const at = shared.reduce((best, one) => (apart(one) > apart(best) ? one : best));
    const right = this.x(at) > SIZE.width / 2;
    const found = lines.map(({ model, task, means }) => ({ model, task, y: this.y(means.find((one) => one.at === at)?.value) }));
    const middle = found.reduce((sum, { y }) => sum + y, 0) / found.length;
    for (const one of found) {
      this.lines.append("text").datum(one).attr("class", "label of-task").attr("text-anchor", right ? "end" : "start")
        .attr("x", this.x(at) + (right ? -4 : 4)).attr("y", one.y + (one.y <= middle ? -8 : 15)).text(clipped(one.task, 14));
    }
  }
}


/** Where a condition stands from left to right: its capacity, or the rate it reached. @param {any} condition @returns {number} */
function across(condition) {
  return condition.target ?? condition.rate_nats;
}

/** Over the seeds of every place, from left to right. @param {any} d3 @param {Row[]} own @returns {Mean[]} */
function meansOf(d3, own) {
  const mean = (/** @type {Row[]} */ rows, /** @type {(row: Row) => number | null} */ of) => d3.mean(rows, of) ?? null;
  return d3.rollups(
    own,
    (/** @type {Row[]} */ rows) => ({ at: mean(rows, (row) => across(row.condition)), value: mean(rows, (row) => row.value), low: mean(rows, (row) => row.low), high: mean(rows, (row) => row.high) }),
    (/** @type {Row} */ row) => JSON.stringify(row.condition.place),
  ).map((/** @type {[string, Mean]} */ [, one]) => one).sort((/** @type {Mean} */ a, /** @type {Mean} */ b) => a.at - b.at);
}

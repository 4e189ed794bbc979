/** A measure over two axes of the study, as colours: cells are conditions, averaged over seeds, and are chosen. */

import { shown } from "ratewarp/stage_run";
import { WhenSeen } from "ratewarp/when_seen";
import { clipped, words } from "ratewarp/words";

const CELL = 40;
const LEFT = 74;
const TOP = 6;
const BELOW = 40;
const MOST_WORDS = 12; // columns up to which cells have their number on them
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @typedef {{name: string, title: string, values: Map<string, number>, change: boolean, log: boolean,
 *   phases?: number[][][]}} Measured  a number of every condition, or the phase at every place
 */

export class HeatView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
   */
  constructor(place, run, state) {
    this.run = run;
    this.state = state;
    this.measures = measuredOf(run.data);
    /** @type {{x: number, y: number, value: number, seeds: number, words: string}[]} */
    this.cells = [];
    if (!this.possible) return;
    this.seen = new WhenSeen(place); // cells are a quarter of what a choice costs
    const { axes } = run.data;
    const tools = place.appendChild(words("div", "", "tools"));
    const [measure, across, down] = this.choice;
    this.selects = [
      this.#select("colour is", this.measures.map((one) => one.title), measure, 0),
      this.#select("across", axes.map((/** @type {any} */ one) => one.label), across, 1),
      this.#select("down", axes.map((/** @type {any} */ one) => one.label), down, 2),
    ];
    tools.append(...this.selects.map((one) => one.label));
    this.note = place.appendChild(words("p", "", "caption"));
    this.figure = place.appendChild(words("div", "", "heat"));
    this.legend = place.appendChild(words("div", "", "entries"));
  }

  /** Whether the study has two axes. */
  get possible() {
    return this.run.data.axes.length > 1 && this.measures.length > 0;
  }

  /** Measure, axis across and axis down: the first ones, unless others are chosen. */
  get choice() {
    const { heat } = this.state.now;
    return heat && heat[0] < this.measures.length ? heat : [0, ...(this.run.data.axes.length > 2 ? [2, 1] : [1, 0])];
  }

  /** @param {string} name @param {string[]} options @param {number} now @param {number} part of the choice */
  #select(name, options, now, part) {
    const label = words("label", name, "choice");
    const select = document.createElement("select");
    for (const [place, text] of options.entries()) {
      const option = document.createElement("option");
      option.value = String(place);
      option.textContent = clipped(text, 48);
      option.title = text;
      select.append(option);
    }
    select.value = String(now);
    select.addEventListener("change", () => this.#choose(part, Number(select.value)));
    label.append(select);
    return { label, select };
  }

  /** An axis that takes the place of the other one changes places with it. @param {number} part @param {number} value */
  #choose(part, value) {
    const next = [...this.choice];
    const other = part === 1 ? 2 : 1;
    if (part > 0 && next[other] === value) next[other] = next[part];
    next[part] = value;
    this.state.set({ heat: next });
  }

  /** @param {import("ratewarp/stage_run").Choice} now */
  show(now) {
    if (!this.possible || !this.note) return;
    const [number, across, down] = this.choice;
    for (const [part, { select }] of (this.selects ?? []).entries()) select.value = String(this.choice[part]);
    const measured = this.measures[number];
    const [columns, rows] = [across, down].map((axis) => rising(this.run.data.axes[axis]));
    this.cells = rows.flatMap((y) => columns.map((x) => this.#cell(measured, now, across, down, x, y)));
    const model = measured.phases ? this.run.data.phases.model : now.model;
    const varies = this.#varies(model, [across, down]);
    this.note.textContent = varies ? this.#said(measured, now, across, down) : `${model} does not vary along these axes: choose another model.`;
    this.seen?.do(() => {
      const focused = this.figure?.contains(document.activeElement);
      this.figure?.replaceChildren();
      this.legend?.replaceChildren();
      if (!varies) return;
      this.#draw(measured, now, across, down, columns, rows);
      if (focused) /** @type {HTMLElement | null | undefined} */ (this.figure?.querySelector("[tabindex='0']"))?.focus();
    });
  }

  /** @param {string} model @param {number[]} axes */
  #varies(model, axes) {
    return this.run.data.conditions.some((/** @type {any} */ one) => one.model === model && axes.every((axis) => one.place[axis] !== null));
  }

  /** What is averaged, and where on the other axes. @param {Measured} measured @param {import("ratewarp/stage_run").Choice} now @param {number} across @param {number} down */
  #said(measured, now, across, down) {
    const { axes, seeds, phases, reference } = this.run.data;
    const others = axes.map((/** @type {any} */ axis, /** @type {number} */ number) => ({ axis, number })).filter((/** @type {any} */ one) => one.number !== across && one.number !== down);
    const at = others.map((/** @type {any} */ { axis, number }) => `${axis.label} ${shown(axis.values[now.place[number]])}${axis.unit ? ` ${axis.unit}` : ""}`).join(", ");
    const where = at ? `, at ${at} (its slider moves through the slices)` : "";
    if (measured.phases) {
      return `${phases.model} against ${reference}${where}: which warps stand out from chance; of all that do, a share of ${phases.level} is expected to be chance.`;
    }
    return `${now.model}${where}: ${seeds.length > 1 ? `mean over ${seeds.length} seeds` : "one seed"}. A cell takes the stage there; that of the stage is ringed.`;
  }

  /** @param {Measured} measured @param {import("ratewarp/stage_run").Choice} now @param {number} across @param {number} down @param {number} x @param {number} y */
  #cell(measured, now, across, down, x, y) {
    const { axes, seeds } = this.run.data;
    const place = [...now.place];
    [place[across], place[down]] = [x, y];
    const name = [across, down].map((axis) => `${axes[axis].label} ${shown(axes[axis].values[place[axis]])}`).join(", ");
    if (measured.phases) {
      const phase = measured.phases[place[0]]?.[place[2] ?? 0]?.[place[1]] ?? NaN;
      return { x, y, value: phase, seeds: seeds.length, words: `${name}: ${this.run.data.phases.names[phase] ?? "not known"}` };
    }
    const found = seeds.map((/** @type {number} */ seed) => measured.values.get(this.run.condition(now.model, place, seed)?.id)).filter((/** @type {any} */ one) => Number.isFinite(one));
    const value = found.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0) / found.length;
    return { x, y, value, seeds: found.length, words: `${name}: ${found.length ? `${value.toPrecision(3)}, mean of ${found.length}` : "no number"}` };
  }

  /** @param {Measured} measured @param {import("ratewarp/stage_run").Choice} now @param {number} across @param {number} down @param {number[]} columns @param {number[]} rows */
  #draw(measured, now, across, down, columns, rows) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const { axes } = this.run.data;
    const colour = this.#colours(measured);
    const decimals = decimalsOf(Array.from(measured.values.values()));
    const [width, height] = [LEFT + columns.length * CELL + 8, TOP + rows.length * CELL + BELOW];
    const svg = d3.select(this.figure).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "group")
      .attr("aria-label", `${measured.title} over ${axes[across].label} and ${axes[down].label}`).style("max-width", `${1.4 * width}px`)
      .on("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event, columns, rows));
    const left = (/** @type {number} */ x) => LEFT + columns.indexOf(x) * CELL;
    const top = (/** @type {number} */ y) => TOP + (rows.length - 1 - rows.indexOf(y)) * CELL;
    const word = (/** @type {string} */ name, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ anchor, /** @type {string} */ text) =>
      svg.append("text").attr("class", name).attr("x", x).attr("y", y).attr("text-anchor", anchor).text(text);
    const chosen = this.cells.find(({ x, y }) => x === now.place[across] && y === now.place[down]) ?? this.cells[0];
    for (const cell of this.cells) {
      const { fill, ink } = colour(cell.value);
      const group = svg.append("g");
      group.append("rect").attr("x", left(cell.x)).attr("y", top(cell.y)).attr("width", CELL - 1).attr("height", CELL - 1).attr("fill", fill)
        .attr("class", "cell").attr("role", "button").attr("tabindex", cell === chosen ? 0 : -1).attr("data-cell", `${cell.x}.${cell.y}`)
        .attr("aria-label", cell.words).attr("aria-pressed", cell === chosen).on("click", () => this.#go(cell.x, cell.y))
        .append("title").text(cell.words);
      if (!measured.phases && columns.length <= MOST_WORDS && Number.isFinite(cell.value)) {
        word("number", left(cell.x) + CELL / 2, top(cell.y) + CELL / 2 + 4, "middle", cell.value.toFixed(decimals).replace("-", "−")).attr("fill", ink);
      }
    }
    for (const ring of ["ring", "ring inner"]) {
      svg.append("rect").attr("class", ring).attr("x", left(chosen.x)).attr("y", top(chosen.y)).attr("width", CELL - 1).attr("height", CELL - 1);
    }
    for (const x of columns) word("label", left(x) + CELL / 2, height - BELOW + 14, "middle", clipped(shown(axes[across].values[x]), 6));
    for (const y of rows) word("label", LEFT - 6, top(y) + CELL / 2 + 4, "end", clipped(shown(axes[down].values[y]), 8));
    word("label", LEFT + (columns.length * CELL) / 2, height - 6, "middle", named(axes[across]));
    svg.append("text").attr("class", "label").attr("transform", `translate(12,${TOP + (rows.length * CELL) / 2}) rotate(-90)`).attr("text-anchor", "middle").text(named(axes[down]));
  }

  /** @param {Measured} measured @returns {(value: number) => {fill: string, ink: string}} */
  #colours(measured) {
    const d3 = /** @type {any} */ (globalThis).d3;
    if (measured.phases) {
      const { colours, names } = this.run.data.phases;
      const there = Array.from(new Set(this.cells.map((cell) => cell.value))).filter(Number.isFinite).sort((a, b) => a - b);
      for (const phase of there) {
        const entry = this.legend?.appendChild(words("span", ""));
        const dot = entry?.appendChild(words("span", "", "dot square"));
        if (dot) dot.style.background = colours[phase];
        entry?.append(names[phase]);
      }
      return (value) => ({ fill: colours[value] ?? "none", ink: "#000" });
    }
    // over the whole study, so that slices have the same colours
    const all = Array.from(measured.values.values()).filter(Number.isFinite);
    const [low, high] = /** @type {[number, number]} */ (d3.extent(all));
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const part = measured.change ? (/** @type {number} */ one) => 0.5 + one / most / 2
      : measured.log && low > 0 ? d3.scaleLog([low, high], [0, 1]) : (/** @type {number} */ one) => (high > low ? (one - low) / (high - low) : 0.5);
    const of = (/** @type {number} */ share) => (measured.change ? d3.interpolatePuOr(share) : d3.interpolateViridis(share));
    const bar = words("span", "", "gradient");
    bar.style.background = `linear-gradient(to right, ${Array.from({ length: 9 }, (_, place) => of(place / 8)).join(", ")})`;
    this.legend?.append(words("span", brief(measured.change ? -most : low)), bar, words("span", brief(measured.change ? most : high)));
    return (value) => {
      if (!Number.isFinite(value)) return { fill: "none", ink: "currentColor" };
      const fill = of(part(value));
      return { fill, ink: d3.lab(fill).l > 55 ? "#1d2733" : "#fff" };
    };
  }

  /** @param {number} x @param {number} y */
  #go(x, y) {
    const { model, place } = this.state.now;
    const [, across, down] = this.choice;
    const next = [...place];
    [next[across], next[down]] = [x, y];
    const phase = this.measures[this.choice[0]].phases ? this.run.data.phases.model : model;
    this.state.set({ place: next, model: phase });
  }

  /** @param {KeyboardEvent} event @param {number[]} columns @param {number[]} rows */
  #key(event, columns, rows) {
    const cell = /** @type {SVGElement} */ (event.target);
    if (!cell.dataset.cell) return;
    const [x, y] = cell.dataset.cell.split(".").map(Number);
    const turn = /** @type {Record<string, number[]>} */ (TURNS)[event.key];
    if (event.key === "Enter" || event.key === " ") this.#go(x, y);
    else if (turn) {
      const next = [columns[columns.indexOf(x) + turn[0]] ?? x, rows[rows.indexOf(y) + turn[1]] ?? y];
      const other = /** @type {SVGElement | null} */ (this.figure?.querySelector(`[data-cell="${next[0]}.${next[1]}"]`));
      cell.setAttribute("tabindex", "-1");
      other?.setAttribute("tabindex", "0");
      other?.focus();
    } else return;
    event.preventDefault();
  }
}

/** Places of an axis, its numbers rising. @param {any} axis @returns {number[]} */
function rising(axis) {
  const order = Array.from(axis.values.keys());
  return axis.numbers ? order.sort((a, b) => axis.values[a] - axis.values[b]) : order;
}

/** Phases where there are any, then measures, then the rate. @param {any} data @returns {Measured[]} */
function measuredOf(data) {
  const none = { values: new Map(), change: false, log: false };
  const phases = data.phases
    ? [
        { ...none, name: "phases", title: "which warps stand out together", phases: data.phases.trained },
        ...(data.phases.optimal ? [{ ...none, name: "optimal phases", title: "which warps stand out in optimal codes", phases: data.phases.optimal }] : []),
      ]
    : [];
  const measures = data.measures.map((/** @type {any} */ one) => ({
    name: one.measure,
    title: one.task ? `${one.title} (${one.task})` : one.title,
    change: one.measure.endsWith("_change"),
    log: one.log,
    values: new Map(one.rows.filter((/** @type {any[]} */ row) => row[1] !== null).map((/** @type {any[]} */ row) => [row[0], row[1]])),
  }));
  const rates = new Map(data.conditions.filter((/** @type {any} */ one) => one.rate_nats !== null).map((/** @type {any} */ one) => [one.id, one.rate_nats]));
  return [...phases, ...measures, { ...none, name: "rate", title: "rate reached, nats", values: rates }];
}

/** @param {any} axis */
function named(axis) {
  return `${clipped(axis.label.replaceAll("_", " "), 30)}${axis.unit ? `, ${axis.unit}` : ""}`;
}

/** Decimals that tell two digits of the largest number, and of all others what that leaves. @param {number[]} values */
function decimalsOf(values) {
  const most = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  return most > 0 ? Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(most)))) : 0;
}

/** @param {number} value */
function brief(value) {
  return String(Number(value.toPrecision(2))).replace("-", "−");
}

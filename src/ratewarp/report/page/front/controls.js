/** What is chosen by hand: model, a slider for every axis, seed, colours, play. */

import { onPaper } from "ratewarp/colours";
import { markOf, standing } from "ratewarp/condition_words";
import { shown } from "ratewarp/stage_run";
import { clipped, words } from "ratewarp/words";

const PACE = 1100; // milliseconds a step of playing

export class Controls {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
   * @param {import("ratewarp/colours").Colouring[]} colourings
   */
  constructor(place, run, state, colourings) {
    this.run = run;
    this.state = state;
    /** @type {{input: HTMLInputElement, title: HTMLElement, marks: HTMLElement, order: number[], axis: any, number: number}[]} */
    this.sliders = [];
    /** @type {Map<string, HTMLSelectElement>} */
    this.selects = new Map();
    place.append(this.#models(), ...run.data.axes.map((/** @type {any} */ axis, /** @type {number} */ number) => this.#slider(axis, number)));
    if (run.data.axes.length) place.append(this.#play());
    if (run.data.seeds.length > 1) {
      place.append(this.#select("seed", run.data.seeds.map((/** @type {number} */ seed) => [String(seed), String(seed)]), (value) => state.set({ seed: Number(value) }), String(state.now.seed)));
    }
    const models = run.data.models.map((/** @type {any} */ one) => [one.name, one.name]);
    if (models.length > 2) {
      place.append(this.#select("beside", [["", "its reference"], ...models], (value) => state.set({ beside: value || null }), state.now.beside ?? ""));
    }
    if (colourings.length > 1) {
      place.append(this.#select("colour", [["", "its own classes"], ...colourings.map((one) => [one.name, one.label])], (value) => state.set({ colour: value || null }), state.now.colour ?? ""));
    }
    state.listen(() => this.#follow());
    this.#follow();
  }

  #models() {
    const group = words("div", "", "models");
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", "Model");
    this.buttons = this.run.data.models.map((/** @type {any} */ model) => {
      const label = words("label", "", "chip");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "model", value: model.name });
      input.addEventListener("change", () => this.state.set({ model: model.name }));
      const dot = words("span", "", "dot");
      dot.style.background = onPaper(model.colour);
      const mark = words("span", "", "mark-of");
      label.append(input, dot, words("span", model.name, "name"), mark);
      group.append(label);
      return { input, mark };
    });
    return group;
  }

  /** Capacities rise to the right. @param {any} axis @param {number} number */
  #slider(axis, number) {
    const label = words("label", "", "slider");
    const title = words("span", "", "caption");
    const input = document.createElement("input");
    const order = Array.from(axis.values.keys());
    if (axis.numbers) order.sort((a, b) => axis.values[a] - axis.values[b]);
    Object.assign(input, { type: "range", min: 0, max: order.length - 1, step: 1 });
    input.setAttribute("aria-label", axis.label);
    input.addEventListener("input", () => this.#go(number, order[Number(input.value)]));
    const marks = words("span", "", "marks");
    marks.append(...order.map(() => words("span", "")));
    label.append(title, input, marks);
    this.sliders.push({ input, title, marks, order, axis, number });
    return label;
  }

  /** @param {number} axis @param {number} at */
  #go(axis, at) {
    const place = [...this.state.now.place];
    place[axis] = at;
    this.state.set({ place });
  }

  /** Steps along the first axis, from where it is down to the lowest capacity; from there, from the highest. */
  #play() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "play";
    const stop = () => {
      clearInterval(this.timer);
      this.timer = undefined;
      button.textContent = "▶ play";
      button.setAttribute("aria-pressed", "false");
    };
    stop();
    // what is saved is what was seen
    document.addEventListener("toggle", ({ target }) => target instanceof Element && target.matches(".panel-menu") && stop(), true);
    button.addEventListener("click", () => {
      if (this.timer !== undefined) return stop();
      button.textContent = "❚❚ stop";
      button.setAttribute("aria-pressed", "true");
      const { order } = this.sliders[0];
      const at = () => order.indexOf(this.state.now.place[0]);
      if (at() === 0) this.#go(0, order[order.length - 1]);
      this.timer = setInterval(() => {
        if (at() > 0) this.#go(0, order[at() - 1]);
        else stop();
      }, PACE);
    });
    return button;
  }

  /** @param {string} name @param {string[][]} options @param {(value: string) => void} choose @param {string} now */
  #select(name, options, choose, now) {
    const label = words("label", name, "choice");
    const select = document.createElement("select");
    for (const [value, text] of options) {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = clipped(text, 40);
      option.title = text;
      select.append(option);
    }
    select.value = now;
    select.addEventListener("change", () => choose(select.value));
    label.append(select);
    this.selects.set(name, select);
    return label;
  }

  /** A mark where a condition is not to be relied on. @param {import("ratewarp/stage_run").Choice} choice */
  #mark(choice) {
    if (!this.#marked) return "";
    return markOf(standing(this.run.data, this.run.chosen(choice)).kind);
  }

  /** Whether any condition is concerned; where none is, none is looked for. */
  get #marked() {
    return Object.keys(this.run.data.condition_alerts ?? {}).length > 0;
  }

  #follow() {
    const now = this.state.now;
    for (const { input, mark } of this.buttons) {
      input.checked = input.value === now.model;
      mark.textContent = this.#mark({ ...now, model: input.value });
      mark.title = mark.textContent ? standing(this.run.data, this.run.chosen({ ...now, model: input.value })).text : "";
    }
    for (const { input, title, marks, order, axis, number } of this.sliders) {
      input.value = String(order.indexOf(now.place[number]));
      order.forEach((/** @type {number} */ at, /** @type {number} */ step) => {
        const place = now.place.map((own, other) => (other === number ? at : own));
        marks.children[step].textContent = this.#mark({ ...now, place });
      });
      const words = `${axis.label}: ${shown(axis.values[now.place[number]])}${axis.unit ? ` ${axis.unit}` : ""}`;
      title.textContent = words;
      input.setAttribute("aria-valuetext", words);
    }
    for (const name of ["seed", "colour", "beside"]) {
      const select = this.selects.get(name);
      if (select) select.value = String(now[/** @type {"seed" | "colour" | "beside"} */ (name)] ?? "");
    }
  }
}

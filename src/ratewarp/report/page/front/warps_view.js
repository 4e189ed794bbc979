/** Measures against capacity: a panel a measure, a line a model, and which of the panels are shown. */

import { onPaper } from "ratewarp/colours";
import { WarpPanel } from "ratewarp/warp_panel";
import { toggleButton } from "ratewarp/selection";
import { words } from "ratewarp/words";

const FEW = 5; // panels that are shown before others are asked for

export class WarpsView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(condition: any) => void} choose
   * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
   */
  constructor(place, run, choose, state) {
    const { data } = run;
    this.run = run;
    this.state = state;
    const byId = new Map(data.conditions.map((/** @type {any} */ one) => [one.id, one]));
    const colours = new Map(data.models.map((/** @type {any} */ one) => [one.name, onPaper(one.colour)]));
    /** @type {Map<string, any[]>} */
    const byMeasure = new Map();
    for (const one of data.measures) byMeasure.set(one.measure, [...(byMeasure.get(one.measure) ?? []), one]);
    const picker = words("div", "", "picker");
    picker.setAttribute("role", "group");
    picker.setAttribute("aria-label", "Measures shown");
    place.before(picker);
    /** @type {WarpPanel[]} */
    this.panels = [];
    for (const tasks of byMeasure.values()) {
      const panel = new WarpPanel(tasks, { data, byId, colours, choose });
      if (!panel.rows.length) continue;
      this.panels.push(panel);
      place.append(panel.frame);
    }
    this.buttons = this.panels.map((panel, number) => toggleButton(panel.title.split(":")[0], false, () => this.#toggle(number)));
    picker.append(...this.buttons);
    picker.hidden = this.panels.length < 2;
    this.key = words("p", "", "caption");
    place.before(this.key);
  }

  /** Numbers of the panels that are shown. */
  get #shown() {
    return this.state.now.measures ?? Array.from(this.panels.keys()).slice(0, FEW);
  }

  /** @param {number} number */
  #toggle(number) {
    const shown = this.#shown;
    const next = shown.includes(number) ? shown.filter((one) => one !== number) : [...shown, number].sort((a, b) => a - b);
    this.state.set({ measures: next });
  }

  /**
   * @param {any} condition
   * @param {import("ratewarp/stage_run").Choice} now
   */
  show(condition, now) {
    this.pick();
    const lit = this.run.data.schemes[Number(now.lit?.of.split("-")[1])];
    const task = now.lit?.of.startsWith("class-") ? (lit?.name ?? null) : null;
    for (const panel of this.panels) if (!panel.frame.hidden) panel.show(condition, now, task);
    this.key.textContent = this.#said(now.model);
  }

  /** What lines, dots and crosses are. @param {string} model */
  #said(model) {
    const { seeds, normative } = this.run.data;
    const published = this.panels.some((panel) => panel.published.length);
    return [
      seeds.length > 1 ? `Line: a model, mean of ${seeds.length} seeds; faint dots: single seeds` : "Line and dots: a model",
      `${model} in full colour`,
      "band: 95 % interval over stimuli",
      ...(normative.some((/** @type {any} */ one) => one.model === model) ? [`dashed: optimal codes of that rate, for the frequency and tasks of ${model}`] : []),
      ...(published ? ["crosses: published by D’Amato, Lancia, Pezzulo (2025)"] : []),
    ].join("; ").concat(".");
  }

  /** Shows the panels that are asked for. */
  pick() {
    const shown = this.#shown;
    this.panels.forEach((panel, number) => {
      panel.frame.hidden = !shown.includes(number);
      this.buttons[number].setAttribute("aria-pressed", String(shown.includes(number)));
    });
  }
}

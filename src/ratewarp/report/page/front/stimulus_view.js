/** The chosen stimulus: its image, what the model and the reference make of it, and its nearest neighbours. */

import { stillPicture } from "ratewarp/pictures";
import { chosen, toggleButton, toggled } from "ratewarp/selection";
import { distancesFrom } from "ratewarp/stage_run";
import { clipped } from "ratewarp/words";

const NEIGHBOURS = 5;
const LONGEST = 160; // letters of a name
const SHORT = 40; // letters of one on a button
const MOST_CLASSES = 6; // labellings of which its class is told

export class StimulusView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {{choose: (stimulus: number) => void, light: (lit: import("ratewarp/stage_run").Lit | null) => void}} calls
   */
  constructor(place, run, calls) {
    this.run = run;
    this.calls = calls;
    /** @type {import("ratewarp/stage_run").Lit | null} */
    this.lit = null;
    this.place = place;
    this.item = 0;
    /** @type {{name: string, detail: import("ratewarp/stage_run").Detail | null}[]} */
    this.sides = [];
  }

  /**
   * @param {number} item
   * @param {{name: string, detail: import("ratewarp/stage_run").Detail | null}[]} sides the model, the reference
   */
  show(item, sides) {
    [this.item, this.sides] = [item, sides];
    const run = this.run;
    const stimulus = run.stimulus[item];
    this.place.replaceChildren();
    const title = this.place.appendChild(document.createElement("p"));
    title.className = "caption";
    title.title = run.name(stimulus);
    title.textContent = clipped(title.title, LONGEST);
    const row = this.place.appendChild(document.createElement("div"));
    row.className = "pictures";
    if (run.images.length) row.append(this.#picture(run.picture(run.images, stimulus), "image", stimulus));
    for (const { name, detail } of sides) {
      if (detail?.decoder || detail?.reconstructions.length) row.append(this.#picture(run.reconstruction(detail, stimulus), `by ${name}`));
    }
    this.place.append(this.#classes(stimulus));
    for (const { name, detail } of sides) {
      if (detail) this.#neighbours(item, name, detail);
    }
  }

  /** Of which class it is, in every labelling: buttons that light that class up. @param {number} stimulus */
  #classes(stimulus) {
    const row = document.createElement("div");
    row.className = "classes";
    this.run.schemes.slice(0, MOST_CLASSES).forEach((/** @type {any} */ scheme, /** @type {number} */ place) => {
      const [of, number] = [`class-${place}`, scheme.of[stimulus]];
      const button = toggleButton("", false, () => this.calls.light(toggled(this.lit, of, [number])));
      const dot = button.appendChild(document.createElement("span"));
      dot.className = "dot";
      dot.style.background = scheme.colours[number];
      button.append(`${clipped(scheme.label, SHORT)}: ${clipped(scheme.classes[number], SHORT)}`);
      button.title = `Light up this class: ${scheme.label}, ${scheme.classes[number]}`;
      Object.assign(button.dataset, { of, number });
      row.append(button);
    });
    return row;
  }

  /**
   * @param {import("ratewarp/stage_run").Lit | null} lit
   * @param {((stimulus: number) => boolean) | null} isLit
   */
  light(lit, isLit) {
    this.lit = lit;
    for (const button of this.place.querySelectorAll(".classes button")) {
      const { of, number } = /** @type {HTMLElement} */ (button).dataset;
      button.setAttribute("aria-pressed", String(chosen(lit, of ?? "", Number(number))));
    }
    for (const one of this.place.querySelectorAll("[data-stimulus]")) {
      one.classList.toggle("faint", isLit !== null && !isLit(Number(/** @type {HTMLElement} */ (one).dataset.stimulus)));
    }
  }

  /** @param {number} item @param {string} name @param {import("ratewarp/stage_run").Detail} detail */
  #neighbours(item, name, detail) {
    const label = this.place.appendChild(document.createElement("p"));
    label.className = "caption";
    label.textContent = this.run.data.of === "codes" ? `nearest in ${name}` : `nearest codes of ${name}`;
    const row = this.place.appendChild(document.createElement("div"));
    row.className = "pictures small";
    for (const [stimulus, distance] of nearestStimuli(this.run, detail, item)) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = `${this.run.name(stimulus)}; distance ${distance.toFixed(2)}`;
      button.setAttribute("aria-label", `Choose ${button.title}`);
      button.append(
        this.run.images.length
          ? this.#picture(this.run.picture(this.run.images, stimulus), distance.toFixed(2), stimulus)
          : `${clipped(this.run.name(stimulus), SHORT)}: ${distance.toFixed(2)}`,
      );
      button.dataset.stimulus = String(stimulus);
      button.addEventListener("click", () => this.calls.choose(stimulus));
      row.append(button);
    }
  }

  /** @param {Float32Array | null} image @param {string} words @param {number} [stimulus] whose own image it is */
  #picture(image, words, stimulus) {
    const figure = document.createElement("figure");
    figure.append(stillPicture(image, this.run.data.world, image ? words : `${words}: not on this page`, stimulus));
    figure.appendChild(document.createElement("figcaption")).textContent = words;
    return figure;
  }
}

/**
 * Stimuli whose codes are nearest to one, each once, with their distances.
 * @param {import("ratewarp/stage_run").StageRun} run
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {number} item
 * @returns {[number, number][]}
 */
export function nearestStimuli(run, detail, item) {
  const distances = distancesFrom(detail, item);
  const order = Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b]);
  /** @type {Map<number, number>} */
  const found = new Map();
  for (const other of order) {
    const stimulus = run.stimulus[other];
    if (stimulus === run.stimulus[item] || found.has(stimulus) || Number.isNaN(distances[other])) continue;
    found.set(stimulus, distances[other]);
    if (found.size === NEIGHBOURS) break;
  }
  return Array.from(found);
}

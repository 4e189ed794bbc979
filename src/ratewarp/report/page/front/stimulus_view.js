/** The chosen stimulus: its image, what the model and the reference make of it, and its nearest neighbours. */

import { paint } from "ratewarp/pictures";
import { distancesFrom } from "ratewarp/stage_run";

const NEIGHBOURS = 5;
const LONGEST = 160; // letters of a name

export class StimulusView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(stimulus: number) => void} choose
   */
  constructor(place, run, choose) {
    this.run = run;
    this.choose = choose;
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
    const name = Array.from(run.name(stimulus));
    title.textContent = name.length > LONGEST ? `${name.slice(0, LONGEST - 1).join("")}…` : name.join("");
    title.title = name.join("");
    const row = this.place.appendChild(document.createElement("div"));
    row.className = "pictures";
    row.append(this.#picture(run.picture(run.images, stimulus), "image"));
    for (const { name, detail } of sides) {
      if (detail) row.append(this.#picture(run.picture(detail.reconstructions, stimulus), `by ${name}`));
    }
    for (const { name, detail } of sides) {
      if (detail) this.#neighbours(item, name, detail);
    }
  }

  /** @param {number} item @param {string} name @param {import("ratewarp/stage_run").Detail} detail */
  #neighbours(item, name, detail) {
    const label = this.place.appendChild(document.createElement("p"));
    label.className = "caption";
    label.textContent = `nearest codes of ${name}`;
    const row = this.place.appendChild(document.createElement("div"));
    row.className = "pictures small";
    for (const [stimulus, distance] of nearestStimuli(this.run, detail, item)) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = `${this.run.name(stimulus)}; distance ${distance.toFixed(2)}`;
      button.setAttribute("aria-label", `Choose ${button.title}`);
      button.append(this.#picture(this.run.picture(this.run.images, stimulus), distance.toFixed(2)));
      button.addEventListener("click", () => this.choose(stimulus));
      row.append(button);
    }
  }

  /** @param {Float32Array | null} image @param {string} words */
  #picture(image, words) {
    const figure = document.createElement("figure");
    const canvas = figure.appendChild(document.createElement("canvas"));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", image ? words : `${words}: not on this page`);
    paint(canvas, image, this.run.data.world);
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

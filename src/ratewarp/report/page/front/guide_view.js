/** The three warps in words, each with a button that goes to where this run shows it best. */

import { shown } from "ratewarp/stage_run";
import { words } from "ratewarp/words";

const PRIMER =
  "A model compresses each image into a code: a few numbers, its latents, from which it decodes the image again. " +
  "Capacity is how much the code may say, in nats (1.44 bits). A warp is what sets the code of a model apart from that of its reference at the same capacity:";

export class GuideView {
  /**
   * @param {HTMLElement | null} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(condition: any, latent: number | null, task: string | null) => void} show  latent: that tells the classes of a task apart
   */
  constructor(place, run, show) {
    const { data } = run;
    if (!place || !data.guide?.length) return;
    const byId = new Map(data.conditions.map((/** @type {any} */ one) => [one.id, one]));
    place.append(
      words("p", PRIMER, "primer"),
      ...data.guide.map((/** @type {any} */ { title, meaning, look, condition, latent, task }) => {
        const card = words("section", "", "warp-card");
        card.append(words("h3", title), words("p", `${meaning} ${look}`));
        const example = byId.get(condition);
        card.append(example ? button(data, example, () => show(example, latent ?? null, task ?? null)) : words("p", "No model of this run shows it clearly.", "caption"));
        return card;
      }),
    );
  }
}

/** @param {any} data @param {any} condition @param {() => void} act */
function button(data, { model, place }, act) {
  const at = data.axes.map((/** @type {any} */ axis, /** @type {number} */ number) => {
    const value = axis.values[place[number]];
    return value === undefined ? null : axis.unit ? `${shown(value)} ${axis.unit}` : `${axis.label} ${shown(value)}`;
  });
  const text = [model, ...at.filter((/** @type {string | null} */ one) => one !== null)].join(", ");
  const found = /** @type {HTMLButtonElement} */ (words("button", `Show me: ${text}`));
  found.type = "button";
  found.addEventListener("click", act);
  return found;
}

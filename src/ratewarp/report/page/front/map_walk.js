/** The image at any place of a map: of a code under the pointer, or between codes, of a mean of the nearest. */

import { paint } from "ratewarp/pictures";
import { clipped, words } from "ratewarp/words";

const NEIGHBOURS = 6;
const LEAST = 1e-4; // squared distance, standard deviations of the prior: on top of a code it is that code
const LONGEST = 160; // letters of a name
const HINT_OF_CODES = "Point at a code to see what it is of, and how far others are from it.";
const HINT = "Point at a code, or between codes, to see what is decoded there (Shift and arrow keys do the same).";

/** @typedef {{item: number} | {x: number, y: number}} Spot  an item, or a place of the map between items */

export class MapWalk {
  /** @param {HTMLElement} frame that the image stands in @param {HTMLElement} below what is said under the map @param {import("ratewarp/stage_run").StageRun} run */
  constructor(frame, below, run) {
    this.run = run;
    this.canvas = document.createElement("canvas");
    this.image = frame.appendChild(document.createElement("img"));
    this.image.className = "preview";
    this.image.hidden = true;
    this.image.alt = run.data.of === "codes" ? "Image of this item" : "Image decoded at this place of the map";
    this.hint = below.appendChild(words("p", HINT, "hint"));
    /** @type {import("ratewarp/stage_run").Detail | null} */
    this.detail = null;
    /** @type {import("ratewarp/decoder").Decoder | null} */
    this.decoder = null;
  }

  /** @param {import("ratewarp/stage_run").Detail | null} detail @param {import("ratewarp/decoder").Decoder | null} decoder */
  show(detail, decoder) {
    [this.detail, this.decoder] = [detail, decoder];
    this.look(null, false);
    this.hint.hidden = !detail;
  }

  /** @param {Spot | null} spot @param {boolean} right whether the image stands on the right side */
  look(spot, right) {
    const { detail, decoder, run } = this;
    this.image.hidden = !spot || !detail;
    this.hint.textContent = run.data.of === "codes" ? HINT_OF_CODES : HINT;
    if (!spot || !detail) return;
    this.image.classList.toggle("right", right);
    if (run.data.of === "codes") {
      this.#ownImage(spot);
      return;
    }
    if (!decoder) {
      const stored = "item" in spot && detail.reconstructions ? run.picture(detail.reconstructions, run.stimulus[spot.item]) : null;
      this.image.hidden = stored === null;
      if (stored && "item" in spot) this.#paint(stored, run.data.world.shape);
      this.hint.textContent = stored && "item" in spot ? `Decoded from codes of ${name(run, spot.item)}.` : "The page holds no decoder of this model, and so no image here.";
      return;
    }
    const code = codeAt(detail, spot);
    this.#paint(decoder.image(code), decoder.shape);
    this.hint.textContent = said(run, spot, decoder.kind === "grid" && !decoder.knows(code));
  }

  /** What the item is, and its image, where codes have no decoder. @param {Spot} spot */
  #ownImage(spot) {
    const { run } = this;
    const item = "item" in spot ? spot.item : null;
    const image = item === null ? null : run.picture(run.images, run.stimulus[item]);
    this.image.hidden = image === null;
    if (image) this.#paint(image, run.data.world.shape);
    if (item !== null) this.hint.textContent = `${name(run, item)}.`;
  }

  /** @param {Float32Array} image @param {number[]} shape */
  #paint(image, shape) {
    paint(this.canvas, image, { ...this.run.data.world, shape });
    this.image.src = this.canvas.toDataURL();
  }
}

/** @param {import("ratewarp/stage_run").StageRun} run @param {number} item */
function name(run, item) {
  return clipped(run.name(run.stimulus[item]), LONGEST);
}

/** @param {import("ratewarp/stage_run").StageRun} run @param {Spot} spot @param {boolean} guessed */
function said(run, spot, guessed) {
  const how = guessed ? "; read between images decoded beforehand, which is one more guess" : "";
  if ("item" in spot) return `Decoded from the code of ${name(run, spot.item)}${how}.`;
  return `Decoded from the mean of the ${NEIGHBOURS} nearest codes, nearer ones counting more: a guess, since a place on a map is not a whole code${how}.`;
}

/**
 * The code of an item, or for a place between items the mean of the codes that are nearest on the map, weighted
 * by one over their squared distance there.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {Spot} spot
 * @returns {Float32Array}
 */
export function codeAt({ codes, points, latents }, spot) {
  if ("item" in spot) return codes.slice(spot.item * latents, (spot.item + 1) * latents);
  /** @type {[number, number][]} squared distance and item, the nearest first */
  let nearest = [];
  for (let item = 0; item < points.length / 2; item++) {
    const distance = (points[2 * item] - spot.x) ** 2 + (points[2 * item + 1] - spot.y) ** 2;
    if (Number.isNaN(distance) || (nearest.length === NEIGHBOURS && distance >= nearest[NEIGHBOURS - 1][0])) continue;
    nearest = [...nearest, /** @type {[number, number]} */ ([distance, item])].sort((a, b) => a[0] - b[0]).slice(0, NEIGHBOURS);
  }
  const code = new Float32Array(latents);
  const all = nearest.reduce((sum, [distance]) => sum + 1 / (distance + LEAST), 0);
  for (const [distance, item] of nearest) {
    const share = 1 / (distance + LEAST) / all;
    for (let latent = 0; latent < latents; latent++) code[latent] += share * codes[item * latents + latent];
  }
  return code;
}

/** Colours of the codes on a map: as they are dressed, by distance from one, or by what a latent says. */

import { colourOf } from "ratewarp/colours";
import { distancesFrom } from "ratewarp/stage_run";

/**
 * @typedef {{colouring: import("ratewarp/colours").Colouring | undefined, values: ArrayLike<number> | null,
 *   from: number | null, lit: ((stimulus: number) => boolean) | null}} Dress
 *   values: a number of every item, to colour by; from: the item whose distances colour; lit: which are full
 */

const DARKEST = 0.12; // of the scale that is used, so that it is seen on a dark page, too

/** From near (0) to far (1). @param {number} part */
export function nearToFar(part) {
  return /** @type {any} */ (globalThis).d3.interpolateCividis(1 - (1 - DARKEST) * part);
}

/** From low (0) to high (1). @param {number} part */
export function ofLatent(part) {
  return /** @type {any} */ (globalThis).d3.interpolatePlasma(DARKEST + (0.95 - DARKEST) * part);
}

/**
 * Colour of every item.
 * @param {Int32Array} stimulus of every item
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {Dress} dress
 * @param {number | null} hovered an item whose distances come before all
 */
export function coloursOf(stimulus, detail, { colouring, values, from }, hovered) {
  const centre = hovered ?? from;
  if (centre !== null) return scaled(distancesFrom(detail, centre), nearToFar, 0);
  if (values) return scaled(values, ofLatent);
  return Array.from(stimulus, (one) => colourOf(colouring, one));
}

/** @param {ArrayLike<number>} values @param {(part: number) => string} colour @param {number} [lowest] */
function scaled(values, colour, lowest = Infinity) {
  let [low, high] = [lowest, -Infinity];
  for (let item = 0; item < values.length; item++) {
    if (values[item] < low) low = values[item];
    if (values[item] > high) high = values[item];
  }
  return Array.from(values, (one) => colour(high > low ? (one - low) / (high - low) : 0));
}

/**
 * Which share of the distances from an item the map does not keep, as stress is, of that item alone.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {number} item
 */
export function stressOf(detail, item) {
  const distances = distancesFrom(detail, item);
  const { points } = detail;
  let [off, all] = [0, 0];
  distances.forEach((distance, other) => {
    const shown = Math.hypot(points[2 * other] - points[2 * item], points[2 * other + 1] - points[2 * item + 1]);
    if (Number.isNaN(shown)) return;
    off += (shown - distance) ** 2;
    all += distance ** 2;
  });
  return all > 0 ? Math.sqrt(off / all) : 0;
}

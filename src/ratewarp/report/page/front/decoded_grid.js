/** Images that were decoded before (decoded_grids.py), and what lies between them. */

import { unpack } from "ratewarp/packed_arrays";

/** Distance from the plane, as a share of that from the mean code, up to which a code lies in it. */
const IN_PLANE = 1e-3;
/** Of numbers that were rounded, as a share of the range or of a standard deviation of the prior. */
const SLACK = 1e-4;

/**
 * In the plane, as far as it was decoded, an image is read between four. Elsewhere it is the mean code's, with
 * the change that each latent makes alone: right along every latent, a guess where several leave their mean,
 * which `knows` tells.
 * @param {any} data of decoded_grids.py
 * @returns {Promise<import("ratewarp/decoder").Decoder>}
 */
export async function makeGrid(data) {
  const { shape, along, plane, centre } = data;
  const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
  const [middle, walks, grid] = await Promise.all(
    [along.middle, along.images, plane?.images].map(async (one) => one && (await unpack(one)).values),
  );
  const steps = along.images.shape[1];
  const [low, high] = limits(middle, walks);
  const found = new Float32Array(size);

  /** Adds a share of an image of `images`. */
  function add(/** @type {Float32Array} */ images, place = 0, share = 0) {
    for (let at = 0, from = place * size; at < size; at++) found[at] += share * images[from++];
  }

  function sumAlong(/** @type {ArrayLike<number>} */ code) {
    found.set(middle);
    along.of.forEach((/** @type {number} */ latent, /** @type {number} */ place) => {
      const reach = along.reach[place];
      const [step, share] = between(code[latent] - centre[latent], -reach, reach, steps);
      add(walks, place * steps + step, 1 - share);
      add(walks, place * steps + step + 1, share);
      add(middle, 0, -1);
    });
    for (let at = 0; at < size; at++) found[at] = Math.min(high, Math.max(low, found[at]));
    return found;
  }

  function inPlane(/** @type {number[]} */ places) {
    const [rows, columns] = plane.images.shape;
    const [row, down] = between(places[0], plane.low[0], plane.high[0], rows);
    const [column, across] = between(places[1], plane.low[1], plane.high[1], columns);
    found.fill(0);
    add(grid, row * columns + column, (1 - down) * (1 - across));
    add(grid, row * columns + column + 1, (1 - down) * across);
    add(grid, (row + 1) * columns + column, down * (1 - across));
    add(grid, (row + 1) * columns + column + 1, down * across);
    return found;
  }

  const placeOf = (/** @type {ArrayLike<number>} */ code) => plane && placeInPlane(code, centre, plane);
  return {
    kind: "grid",
    shape,
    image(code) {
      const places = placeOf(code);
      return places ? inPlane(places) : sumAlong(code);
    },
    knows(code) {
      const moved = along.of.filter((/** @type {number} */ latent) => differ(code[latent], centre[latent]));
      return moved.length < 2 || placeOf(code) !== null;
    },
  };
}

/**
 * Where a code lies along both axes of the plane; null if it lies beside it or beyond its ends. Latents that the
 * axes do not heed are not in use.
 * @param {ArrayLike<number>} code @param {number[]} centre
 * @param {{axes: number[][], low: number[], high: number[]}} plane
 */
function placeInPlane(code, centre, { axes, low, high }) {
  const away = centre.map((mean, latent) => (axes[0][latent] || axes[1][latent] ? code[latent] - mean : 0));
  const places = axes.map((axis) => axis.reduce((sum, slope, latent) => sum + slope * away[latent], 0));
  const rest = away.map((one, latent) => one - places[0] * axes[0][latent] - places[1] * axes[1][latent]);
  const room = (/** @type {number} */ axis) => SLACK * (high[axis] - low[axis]);
  const inside = places.every((at, axis) => at >= low[axis] - room(axis) && at <= high[axis] + room(axis));
  return inside && Math.hypot(...rest) <= IN_PLANE * Math.hypot(...away) ? places : null;
}

/** Whether two numbers are more than rounding apart. */
function differ(one = 0, other = 0) {
  return Math.abs(one - other) > SLACK;
}

/** The grid point below a value, and which share of the way to the next one it is. */
function between(value = 0, low = 0, high = 0, steps = 2) {
  const at = high > low ? ((value - low) / (high - low)) * (steps - 1) : 0;
  const point = Math.min(steps - 2, Math.max(0, Math.floor(at)));
  return [point, Math.min(1, Math.max(0, at - point))];
}

/** @param {Float32Array[]} arrays @returns {[number, number]} */
function limits(...arrays) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of arrays) {
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

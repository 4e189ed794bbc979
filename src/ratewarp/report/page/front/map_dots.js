/**
 * Dots of a map, drawn pixel by pixel: without a graphics card, a canvas takes some three times as long for as many
 * circles.
 */

const STEPS = 8; // places of a dot's middle within a pixel, from left to right and from top to bottom
const OPAQUE = 255;

/** A dot as pixels, as offsets from its corner: those that it covers whole, and those of its rim with their share. */
/** @typedef {{whole: Int32Array, rim: Int32Array, share: Uint8Array}} Stamp */

export class MapDots {
  /**
   * @param {number} side of the square, pixels of the screen
   * @param {number} radius of a dot, likewise
   */
  constructor(side, radius) {
    this.side = side;
    this.radius = radius;
    this.reach = Math.ceil(radius) + 1;
    this.margin = 2 * this.reach + 1; // beyond every edge, so that dots are drawn whole
    this.width = side + 2 * this.margin;
    this.pixels = new Uint32Array(this.width ** 2); // alpha, blue, green, red
    /** @type {Stamp[]} by the place of the middle */
    this.stamps = [];
    /** @type {ImageData | undefined} */
    this.image = undefined;
  }

  clear() {
    this.pixels.fill(0);
  }

  /**
   * Draws a dot over those that are there; none that is nowhere or beyond the edges.
   * @param {number} x of its middle, pixels from the left edge
   * @param {number} y likewise from the top
   * @param {number} ink from `inkOf`
   */
  dot(x, y, ink) {
    const { pixels, width, reach, margin } = this;
    const [left, top] = [x + margin - reach, y + margin - reach];
    const [column, row] = [Math.floor(left), Math.floor(top)];
    const most = width - margin;
    if (!(column >= 0 && row >= 0 && column <= most && row <= most)) return;
    const { whole, rim, share } = this.#stamp(Math.floor(STEPS * (left - column)), Math.floor(STEPS * (top - row)));
    const start = row * width + column;
    const alpha = ink >>> 24;
    for (let one = 0; one < whole.length; one++) {
      const at = start + whole[one];
      pixels[at] = alpha === OPAQUE ? ink : mixed(pixels[at], ink, alpha);
    }
    for (let one = 0; one < rim.length; one++) {
      const at = start + rim[one];
      pixels[at] = mixed(pixels[at], ink, (alpha * share[one]) / OPAQUE);
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  put(context) {
    this.image ??= new ImageData(new Uint8ClampedArray(this.pixels.buffer), this.width, this.width);
    context.putImageData(this.image, -this.margin, -this.margin);
  }

  /** @param {number} across @param {number} down eighths of a pixel */
  #stamp(across, down) {
    const number = STEPS * down + across;
    this.stamps[number] ??= this.#stamped(this.reach + (across + 0.5) / STEPS, this.reach + (down + 0.5) / STEPS);
    return this.stamps[number];
  }

  /** A pixel is covered as far as its middle is within the rim. @param {number} x @param {number} y @returns {Stamp} */
  #stamped(x, y) {
    const size = 2 * this.reach + 1;
    const [whole, rim, share] = /** @type {number[][]} */ ([[], [], []]);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const covered = Math.min(1, this.radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y));
        const at = row * this.width + column;
        if (covered === 1) whole.push(at);
        else if (covered > 0) {
          rim.push(at);
          share.push(OPAQUE * covered);
        }
      }
    }
    return { whole: Int32Array.from(whole), rim: Int32Array.from(rim), share: Uint8Array.from(share) };
  }
}

/**
 * A colour with an opacity, as a number.
 * @param {{r: number, g: number, b: number}} colour parts from 0 to 255
 * @param {number} opacity from 0 to 1
 */
export function inkOf({ r, g, b }, opacity) {
  return ((Math.round(OPAQUE * opacity) << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

/** What is seen where an ink lies over another. @param {number} below @param {number} ink @param {number} alpha 0–255 */
function mixed(below, ink, alpha) {
  const through = ((below >>> 24) * (OPAQUE - alpha)) / OPAQUE;
  const all = alpha + through;
  if (all === 0) return 0;
  const part = alpha / all;
  const between = (/** @type {number} */ shift) => {
    const from = (below >>> shift) & 255;
    return Math.round(from + (((ink >>> shift) & 255) - from) * part) << shift;
  };
  return ((Math.round(all) << 24) | between(16) | between(8) | between(0)) >>> 0;
}

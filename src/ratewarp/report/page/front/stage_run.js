/** A run as the stage reads it: conditions by where they stand, details unpacked when they are asked for. */

import { makeDecoder } from "ratewarp/decoder";
import { unpack } from "ratewarp/packed_arrays";

const LEAST = 0.01; // nats: latents below it are not in use
const NOTHING = /** @type {import("ratewarp/packed_arrays").Packed} */ ({ kind: "u1", shape: [0], offset: 0, scale: 1, data: "eNoDAAAAAAE=" });
const MOST_LATENTS = 12; // of codes whose rates are not known, that are shown one by one

/**
 * @typedef {{of: string, which: number[]}} Lit  classes of a labelling, or values of a factor (as of `Colouring`)
 * @typedef {{model: string, place: number[], seed: number, stimulus: number | null, latent: number | null,
 *   colour: string | null, beside: string | null, lit: Lit | null, far: boolean, measures: number[] | null, heat: number[] | null}} Choice
 *   what is chosen on the stage; colour: null for the model's own classes; beside: the model at the side, null for the reference; far: colours are distances from the stimulus; measures: of which there are
 *   panels, null for the first ones; heat: measure and two axes of the view over two axes
 * @typedef {{points: Float32Array, codes: Float32Array, latents: number, stress: number,
 *   reconstructions: Float32Array, decoder: import("ratewarp/decoder").Decoder | null, rates: number[] | null, weights: number[], noun: string, unit: string, spread: number[], frequency: Float32Array,
 *   means: Float32Array, extent: number}} Detail  weights: of every latent its rate, or its share of the
 *   variance where rates are not known; noun: what latents are called; unit: of codes
 */

export class StageRun {
  /** @param {any} data as stage.py writes it */
  constructor(data) {
    this.data = data;
    /** @type {Map<string, Promise<Detail | null>>} */
    this.details = new Map();
    /** @type {Map<string, Promise<import("ratewarp/decoder").Decoder>>} */
    this.decoders = new Map();
    this.stimulus = new Int32Array(); // of every item
    this.images = /** @type {Float32Array} */ (new Float32Array());
    /** @type {Map<number, number>} stimulus → which picture */
    this.pictureOf = new Map();
    /** @type {Map<number, number>} stimulus → its first item */
    this.firstItem = new Map();
    /** @type {any[]} */
    this.factors = [];
    /** @type {any[]} */
    this.schemes = [];
    /** @type {Map<string, any>} */
    this.byPlace = new Map();
    for (const condition of data.conditions) {
      this.byPlace.set(key(condition.model, condition.place, condition.seed), condition);
    }
  }

  /** Unpacks what all conditions have in common. */
  async open() {
    const world = this.data.world;
    const [stimulus, images, pictured] = await Promise.all(
      [world.stimulus, world.images, world.pictured].map(unpack),
    );
    this.stimulus = Int32Array.from(stimulus.values);
    this.images = images.values;
    this.pictureOf = new Map(Array.from(pictured.values, (stimulus, place) => [stimulus, place]));
    this.stimulus.forEach((stimulus, item) => {
      if (!this.firstItem.has(stimulus)) this.firstItem.set(stimulus, item);
    });
    this.factors = await Promise.all(
      world.factors.map(async (/** @type {any} */ factor) => ({
        ...factor,
        ranks: Int32Array.from((await unpack(factor.ranks)).values),
      })),
    );
    this.schemes = await Promise.all(
      this.data.schemes.map(async (/** @type {any} */ scheme) => ({
        ...scheme,
        label: labelOf(scheme, this.data.schemes),
        of: Int32Array.from((await unpack(scheme.of)).values),
      })),
    );
    return this;
  }

  /**
   * The condition of a model at a place: one that does not vary along an axis is the same all along it.
   * @param {string} model
   * @param {number[]} place
   * @param {number} seed
   */
  condition(model, place, seed) {
    const exact = this.byPlace.get(key(model, place, seed));
    if (exact) return exact;
    return this.data.conditions.find(
      (/** @type {any} */ one) =>
        one.model === model &&
        one.seed === seed &&
        one.place.every((/** @type {number | null} */ at, /** @type {number} */ axis) => at === null || at === place[axis]),
    );
  }

  /** @param {Choice} choice */
  chosen(choice) {
    return this.condition(choice.model, choice.place, choice.seed);
  }

  /** What stands beside the chosen model. @param {Choice} choice */
  reference(choice) {
    return this.condition(choice.beside ?? referenceOf(this.data, choice.model), choice.place, choice.seed);
  }

  /** Unit of codes, behind a number. */
  get unit() {
    return this.data.of === "codes" ? "units of the codes" : "s.d. of the prior";
  }

  /**
   * Codes, map and images of a condition; null where the page has none.
   * @param {any} condition
   * @returns {Promise<Detail | null>}
   */
  detail(condition) {
    if (!condition?.detail) return Promise.resolve(null);
    let found = this.details.get(condition.id);
    if (!found) {
      found = this.#unpacked(condition);
      this.details.set(condition.id, found);
    }
    return found;
  }

  /**
   * What decodes codes of a condition; null where the page has nothing that does.
   * @param {any} condition
   * @returns {Promise<import("ratewarp/decoder").Decoder | null>}
   */
  decoder(condition) {
    const data = condition?.detail?.decoder;
    if (!data) return Promise.resolve(null);
    let found = this.decoders.get(condition.id);
    if (!found) {
      found = makeDecoder(data);
      this.decoders.set(condition.id, found);
    }
    return found;
  }

  /** @param {any} condition */
  async #unpacked(condition) {
    const packed = condition.detail;
    const [points, codes, reconstructions, frequency] = await Promise.all(
      [packed.points, packed.codes, packed.reconstructions ?? NOTHING, packed.frequency].map(unpack),
    );
    const latents = codes.shape[1];
    return {
      points: points.values,
      codes: codes.values,
      latents,
      stress: packed.stress,
      reconstructions: reconstructions.values,
      decoder: packed.reconstructions ? null : await this.decoder(condition),
      rates: packed.latent_rates,
      weights: packed.latent_rates ?? sharesOfVariance(codes.values, latents),
      noun: packed.latents_are ?? "latent",
      unit: this.unit,
      spread: packed.spread,
      frequency: frequency.values,
      means: meansOf(codes.values, latents, this.stimulus, this.data.world.stimuli),
      extent: reach(points.values),
    };
  }

  /** Number of pixels of an image, over all channels. */
  get pixels() {
    return this.data.world.shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
  }

  /**
   * What the code of a stimulus is decoded to; null where the page cannot tell. The next one takes its place.
   * @param {Detail} detail
   * @param {number} stimulus
   */
  reconstruction({ reconstructions, decoder, codes, latents }, stimulus) {
    const item = this.firstItem.get(stimulus);
    if (!decoder || item === undefined) return this.picture(reconstructions, stimulus);
    return decoder.image(codes.subarray(item * latents, (item + 1) * latents));
  }

  /**
   * Image of a stimulus, or what its code is decoded to; null where there is none.
   * @param {Float32Array} pictures
   * @param {number} stimulus
   */
  picture(pictures, stimulus) {
    const place = this.pictureOf.get(stimulus);
    if (place === undefined || !pictures.length) return null;
    return pictures.subarray(place * this.pixels, (place + 1) * this.pixels);
  }

  /**
   * What a stimulus is, in words.
   * @param {number} stimulus
   */
  name(stimulus) {
    const named = this.data.world.names?.[stimulus];
    if (named !== undefined) return named;
    if (!this.factors.length) return `stimulus ${stimulus}`;
    return this.factors
      .map((factor) => `${factor.name} ${shown(factor.values[factor.ranks[stimulus]])}`)
      .join(", ");
  }
}

/** The reference of a model; runs that are compared have each their own. @param {any} data @param {string} model @returns {string} */
export function referenceOf(data, model) {
  return data.models.find((/** @type {any} */ one) => one.name === model)?.reference ?? data.reference;
}

/** What classes mean; with whose they are, where others mean the same by other classes. @param {any} scheme @param {any[]} all */
function labelOf({ title, models }, all) {
  return all.filter((one) => one.title === title).length > 1 ? `${title} (${models.join(", ")})` : title;
}

/** @param {string} model @param {(number | null)[]} place @param {number} seed */
function key(model, place, seed) {
  return JSON.stringify([model, place, seed]);
}

/** @param {unknown} value */
export function shown(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
}

/**
 * Latents that say something, the most informative first.
 * @param {Detail} detail
 */
export function latentsInUse({ rates, weights }) {
  const used = Array.from(weights.keys()).filter((latent) => weights[latent] > (rates ? LEAST : 0));
  used.sort((a, b) => weights[b] - weights[a]);
  return rates ? used : used.slice(0, MOST_LATENTS);
}

/** How much of the code a latent is. @param {Detail} detail @param {number} latent */
export function weightOf({ rates, weights }, latent) {
  return rates ? `${rates[latent].toFixed(2)} nats` : `${(100 * weights[latent]).toFixed(0)} % of the variance`;
}

/** @param {Float32Array} codes @param {number} latents */
export function sharesOfVariance(codes, latents) {
  const number = codes.length / latents;
  const variances = Array.from({ length: latents }, (_, latent) => {
    const own = codes.filter((_, place) => place % latents === latent);
    const mean = own.reduce((a, b) => a + b, 0) / number;
    return own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / number;
  });
  const all = variances.reduce((a, b) => a + b, 0) || 1;
  return variances.map((one) => one / all);
}

/**
 * Mean codes of stimuli.
 * @param {Float32Array} codes
 * @param {number} latents
 * @param {Int32Array} stimulus
 * @param {number} stimuli
 */
export function meansOf(codes, latents, stimulus, stimuli) {
  const sums = new Float32Array(stimuli * latents);
  const counts = new Int32Array(stimuli);
  for (let item = 0; item < stimulus.length; item++) {
    counts[stimulus[item]]++;
    for (let latent = 0; latent < latents; latent++) {
      sums[stimulus[item] * latents + latent] += codes[item * latents + latent];
    }
  }
  return sums.map((sum, place) => sum / counts[Math.floor(place / latents)]);
}

/** Half the side of a square about 0 that holds all points. @param {Float32Array} points */
function reach(points) {
  let most = 0;
  for (const one of points) if (Math.abs(one) > most) most = Math.abs(one);
  return most || 1;
}

/**
 * Distances of all items from one, in the space of codes.
 * @param {Detail} detail
 * @param {number} item
 */
export function distancesFrom(detail, item) {
  const { codes, latents } = detail;
  const found = new Float32Array(codes.length / latents);
  for (let other = 0; other < found.length; other++) {
    let sum = 0;
    for (let latent = 0; latent < latents; latent++) {
      sum += (codes[other * latents + latent] - codes[item * latents + latent]) ** 2;
    }
    found[other] = Math.sqrt(sum);
  }
  return found;
}

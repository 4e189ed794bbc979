/** A walk along the latents: a slider each, and the image that the model makes of the code, live. */

import { makeDecoder } from "ratewarp/decoder";
import { paint } from "ratewarp/pictures";
import { latentsInUse } from "ratewarp/stage_run";

const REACH = 3; // standard deviations of the prior, either way
const STEPS = 7; // images of a strip

export class TraversalView {
  /** @param {HTMLElement} place @param {import("ratewarp/stage_run").StageRun} run */
  constructor(place, run) {
    this.run = run;
    this.place = place;
    /** @type {Map<string, Promise<import("ratewarp/decoder").Decoder>>} */
    this.decoders = new Map();
    /** @type {Float32Array | null} */
    this.code = null;
    /** @type {import("ratewarp/stage_run").Detail | null} */
    this.detail = null;
  }

  /** @param {any} condition */
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

  /**
   * @param {any} condition
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {number} item whose code the walk starts from
   */
  async show(condition, detail, item) {
    const ticket = (this.ticket = (this.ticket ?? 0) + 1);
    const decoder = await this.decoder(condition);
    if (ticket !== this.ticket) return;
    this.detail = decoder && detail;
    if (!decoder || !detail) {
      this.place.replaceChildren(words("p", "The page holds no decoder of this model.", "caption"));
      return;
    }
    this.code = detail.codes.slice(item * detail.latents, (item + 1) * detail.latents);
    this.start = Float32Array.from(this.code);
    this.canvas = document.createElement("canvas");
    this.canvas.className = "decoded";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Image decoded from the code that the sliders say");
    this.note = words("p", "", "caption");
    const main = words("div", "", "walk-image");
    main.append(this.canvas, this.note);
    const rows = latentsInUse(detail).map((latent) => this.#row(latent, detail, decoder));
    if (!rows.length) rows.push(words("p", "No latent is used at this capacity.", "caption"));
    const sliders = words("div", "", "walk-rows");
    sliders.append(...rows);
    this.place.replaceChildren(main, sliders);
    this.#decode(decoder);
  }

  /** @param {import("ratewarp/decoder").Decoder} decoder */
  #decode(decoder) {
    if (!this.code || !this.canvas || !this.note) return;
    const known = decoder.knows(this.code);
    paint(this.canvas, known ? decoder.image(this.code) : null, { ...this.run.data.world, shape: decoder.shape });
    this.note.textContent = known ? "decoded, live" : "no image so far from the code: put the other sliders back";
  }

  /** @param {number} latent @param {import("ratewarp/stage_run").Detail} detail @param {import("ratewarp/decoder").Decoder} decoder */
  #row(latent, detail, decoder) {
    const code = /** @type {Float32Array} */ (this.code);
    const row = words("div", "", "walk-row");
    const label = words("label", `latent ${latent + 1}, ${detail.rates[latent].toFixed(2)} nats`, "caption");
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -REACH, max: REACH, step: 0.02, value: code[latent] });
    label.append(slider);
    const strip = words("div", "", "pictures strip");
    for (let step = 0; step < STEPS; step++) {
      const at = -REACH + (2 * REACH * step) / (STEPS - 1);
      const other = Float32Array.from(code);
      other[latent] = at;
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      canvas.title = `latent ${latent + 1} at ${at.toFixed(1)}`;
      paint(canvas, decoder.knows(other) ? decoder.image(other) : null, { ...this.run.data.world, shape: decoder.shape });
      strip.append(canvas);
    }
    slider.addEventListener("input", () => {
      code[latent] = Number(slider.value);
      this.#decode(decoder);
    });
    row.append(label, strip);
    return row;
  }
}

/** @param {string} tag @param {string} text @param {string} [name] */
export function words(tag, text, name) {
  const found = document.createElement(tag);
  found.textContent = text;
  if (name) found.className = name;
  return found;
}

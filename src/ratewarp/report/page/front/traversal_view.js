/** A walk along the latents: a slider each, and the image that the model makes of the code, live. */

import { paint, paintStill } from "ratewarp/pictures";
import { toggleButton } from "ratewarp/selection";
import { WhenSeen } from "ratewarp/when_seen";
import { latentsInUse, weightOf } from "ratewarp/stage_run";
import { hold, words } from "ratewarp/words";

const REACH = 3; // standard deviations of the prior, either way
const STEPS = 7; // images of a strip
const GRID = "This decoder is too large for the page, or Python code: images were decoded beforehand, along every latent and in one plane, and are read between.";

/** @typedef {{row: HTMLElement, slider: HTMLInputElement}} Row */

export class TraversalView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {(latent: number) => void} choose
   */
  constructor(place, run, choose) {
    this.run = run;
    this.place = place;
    this.choose = choose;
    /** @type {Float32Array | null} */
    this.code = null;
    /** @type {import("ratewarp/stage_run").Detail | null} */
    this.detail = null;
    /** @type {import("ratewarp/decoder").Decoder | null} */
    this.decoder_ = null;
    this.asked = 0; // how often something was to be shown: the last is
    /** @type {number | null} */
    this.latent = null;
    /** @type {Row[]} shown again for every choice: new ones take longer */
    this.pool = [];
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    this.strips = new WhenSeen(place); // they are half of what a choice costs
    this.main = words("div", "", "walk-image");
    this.canvas = this.main.appendChild(document.createElement("canvas"));
    this.canvas.className = "decoded";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Image decoded from the code that the sliders say");
    this.note = this.main.appendChild(words("p", "", "caption"));
    this.from = this.main.appendChild(words("p", "", "caption"));
    this.how = this.main.appendChild(words("p", GRID, "caption"));
    this.sliders = words("div", "", "walk-rows");
  }

  /**
   * @param {any} condition
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {number} item whose code the walk starts from
   */
  async show(condition, detail, item) {
    const ticket = ++this.asked;
    const decoder = await this.run.decoder(condition);
    if (ticket !== this.asked) return;
    this.detail = decoder && detail;
    this.decoder_ = decoder;
    if (!decoder || !detail) {
      this.place.replaceChildren(words("p", "The page holds no decoder of this model.", "caption"));
      return;
    }
    this.start(detail.codes.slice(item * detail.latents, (item + 1) * detail.latents), "the code of the chosen stimulus");
  }

  /** A walk from a code. @param {Float32Array} code @param {string} from what it is the code of */
  start(code, from) {
    const { detail, decoder_: decoder } = this;
    if (!detail || !decoder) return;
    this.code = code;
    this.from.textContent = `from ${from}`;
    this.how.hidden = decoder.kind !== "grid";
    const latents = latentsInUse(detail);
    while (this.pool.length < latents.length) this.pool.push(this.#row());
    this.rows = new Map(latents.map((latent, number) => [latent, this.pool[number]]));
    for (const [latent, row] of this.rows) this.#fill(row, latent, detail);
    const shown = latents.length ? Array.from(this.rows.values(), (one) => one.row) : [words("p", "No latent is used at this capacity.", "caption")];
    hold(this.sliders, shown);
    hold(this.place, [this.main, this.sliders]);
    this.light(this.latent);
    this.#decode(decoder);
    const began = Float32Array.from(code);
    this.strips.forget();
    for (const [latent, { row }] of this.rows) {
      this.strips.doLater(() => this.#paintStrip(row, began, latent, decoder), String(latent));
    }
  }

  /** What the decoder makes of a code as one latent changes. @param {HTMLElement} row @param {Float32Array} code @param {number} latent @param {import("ratewarp/decoder").Decoder} decoder */
  #paintStrip(row, code, latent, decoder) {
    const other = Float32Array.from(code);
    const world = { ...this.run.data.world, shape: decoder.shape };
    row.querySelectorAll("img").forEach((picture, step) => {
      other[latent] = placeOf(step);
      paintStill(picture, decoder.image(other), world);
      picture.classList.toggle("guess", !decoder.knows(other));
    });
  }

  /** @param {number | null} latent that is chosen */
  light(latent) {
    this.latent = latent;
    for (const [own, { row }] of this.rows) {
      row.classList.toggle("faint", latent !== null && latent !== own);
      row.querySelector(".toggle")?.setAttribute("aria-pressed", String(latent === own));
    }
  }

  /** @param {import("ratewarp/decoder").Decoder} decoder */
  #decode(decoder) {
    if (!this.code) return;
    const known = decoder.knows(this.code);
    paint(this.canvas, decoder.image(this.code), { ...this.run.data.world, shape: decoder.shape });
    this.canvas.classList.toggle("guess", !known);
    this.note.textContent = decoder.kind === "layers" ? "decoded, live" : known ? "between images decoded beforehand" : "a guess, added up from images along single latents";
  }

  /** A slider and a strip of pictures, of no latent yet. @returns {Row} */
  #row() {
    const row = words("div", "", "walk-row");
    const label = words("div", "", "walk-latent");
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -REACH, max: REACH, step: 0.02 });
    label.append(slider);
    const strip = words("div", "", "pictures strip");
    for (let step = 0; step < STEPS; step++) {
      const picture = document.createElement("img");
      picture.alt = "";
      strip.append(picture);
    }
    row.append(label, strip);
    return { row, slider };
  }

  /** @param {Row} row @param {number} latent @param {import("ratewarp/stage_run").Detail} detail */
  #fill({ row, slider }, latent, detail) {
    row.querySelector(".toggle")?.remove();
    slider.before(latentButton(latent, detail, () => this.choose(latent)));
    slider.setAttribute("aria-label", `latent ${latent + 1}, in standard deviations of the prior`);
    slider.value = String(this.code?.[latent] ?? 0);
    slider.oninput = () => {
      if (!this.code || !this.decoder_) return;
      this.code[latent] = Number(slider.value);
      this.#decode(this.decoder_);
    };
    row.querySelectorAll("img").forEach((picture, step) => {
      picture.title = `latent ${latent + 1} at ${placeOf(step).toFixed(1)}`;
    });
  }
}

/** Where a picture of a strip stands on its latent. @param {number} step */
function placeOf(step) {
  return -REACH + (2 * REACH * step) / (STEPS - 1);
}

/**
 * Chooses a latent; a bar says how much of the code it is.
 * @param {number} latent @param {import("ratewarp/stage_run").Detail} detail @param {() => void} act
 */
export function latentButton(latent, detail, act) {
  const button = toggleButton(`${detail.noun} ${latent + 1}`, false, act);
  button.classList.add("latent");
  button.title = `Light up ${detail.noun} ${latent + 1}, ${weightOf(detail, latent)}, in every view`;
  button.dataset.latent = String(latent);
  const nats = words("span", weightOf(detail, latent), "nats");
  const bar = words("span", "", "bar");
  bar.style.width = `${(100 * detail.weights[latent]) / Math.max(...detail.weights)}%`;
  button.append(nats, bar);
  return button;
}

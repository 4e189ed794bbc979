/** What is chosen on the stage, in one place, and in the address so that a link brings it back. */

/** @template T */
export class State {
  /** @param {T} start */
  constructor(start) {
    this.now = start;
    /** @type {Set<(now: T, before: T) => void>} */
    this.listeners = new Set();
  }

  /** @param {Partial<T>} change */
  set(change) {
    const before = this.now;
    const same = Object.entries(change).every(
      ([name, value]) => JSON.stringify(value) === JSON.stringify(/** @type {any} */ (before)[name]),
    );
    if (same) return;
    this.now = { ...before, ...change };
    for (const listener of this.listeners) listener(this.now, before);
  }

  /** @param {(now: T, before: T) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }
}

/**
 * What is chosen, as the part of an address behind #.
 * @param {import("ratewarp/stage_run").Choice} choice
 */
export function toAddress(choice) {
  const parts = new URLSearchParams({
    model: choice.model,
    place: choice.place.join("."),
    seed: String(choice.seed),
    latent: String(choice.latent),
    colour: choice.colour,
  });
  if (choice.stimulus !== null) parts.set("stimulus", String(choice.stimulus));
  return parts.toString();
}

/**
 * The choice that an address stands for, where the run has it; else what was chosen.
 * @param {string} address
 * @param {import("ratewarp/stage_run").Choice} fallback
 * @param {any} data
 * @returns {import("ratewarp/stage_run").Choice}
 */
export function fromAddress(address, fallback, data) {
  const parts = new URLSearchParams(address);
  const whole = (/** @type {string} */ name, /** @type {number} */ most) => {
    const value = Number(parts.get(name) ?? NaN);
    return Number.isInteger(value) && value >= 0 && value < most ? value : null;
  };
  const places = (parts.get("place") ?? "none").split(".").map(Number);
  const fits =
    places.length === data.axes.length &&
    places.every((at, axis) => Number.isInteger(at) && at >= 0 && at < data.axes[axis].values.length);
  const model = parts.get("model") ?? "";
  const seed = Number(parts.get("seed") ?? NaN);
  return {
    model: data.models.some((/** @type {any} */ one) => one.name === model) ? model : fallback.model,
    place: fits ? places : fallback.place,
    seed: data.seeds.includes(seed) ? seed : fallback.seed,
    stimulus: whole("stimulus", data.world.stimuli),
    latent: whole("latent", 10_000) ?? fallback.latent,
    colour: parts.get("colour") ?? fallback.colour,
  };
}

/** What is chosen on the stage, in one place, and in the address so that a link brings it back. */

/** @template T */
export class State {
  /**
   * @param {T} start
   * @param {(now: T, before: T) => T} [entailed] what a change brings with it
   */
  constructor(start, entailed = (now) => now) {
    this.now = start;
    this.entailed = entailed;
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
    this.now = this.entailed({ ...before, ...change }, before);
    for (const listener of this.listeners) listener(this.now, before);
  }

  /** @param {(now: T, before: T) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }
}

/**
 * A latent is of one network: that of the same number in another one is not its like.
 * @param {import("ratewarp/stage_run").Choice} now
 * @param {import("ratewarp/stage_run").Choice} before
 * @returns {import("ratewarp/stage_run").Choice}
 */
export function withOwnLatent(now, before) {
  const network = (/** @type {import("ratewarp/stage_run").Choice} */ one) => JSON.stringify([one.model, one.place, one.seed]);
  return now.latent === before.latent && network(now) !== network(before) ? { ...now, latent: null } : now;
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
  });
  if (choice.latent !== null) parts.set("latent", String(choice.latent));
  if (choice.colour !== null) parts.set("colour", choice.colour);
  if (choice.beside !== null) parts.set("beside", choice.beside);
  if (choice.lit) parts.set("lit", [choice.lit.of, ...choice.lit.which].join("."));
  if (choice.far) parts.set("far", "1");
  if (choice.measures) parts.set("measures", choice.measures.join("."));
  if (choice.heat) parts.set("heat", choice.heat.join("."));
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
  const beside = parts.get("beside");
  const isModel = (/** @type {string | null} */ name) => data.models.some((/** @type {any} */ one) => one.name === name);
  const seed = Number(parts.get("seed") ?? NaN);
  return {
    model: isModel(model) ? model : fallback.model,
    place: fits ? places : fallback.place,
    seed: data.seeds.includes(seed) ? seed : fallback.seed,
    stimulus: whole("stimulus", data.world.stimuli),
    latent: whole("latent", 10_000),
    colour: parts.get("colour") ?? fallback.colour,
    beside: isModel(beside) ? beside : null,
    lit: litOf(parts.get("lit"), data),
    far: parts.get("far") === "1",
    measures: numbersOf(parts.get("measures"), 1000),
    heat: heatOf(parts.get("heat"), data),
  };
}

/** Numbers with dots between them; null if something else is among them. @param {string | null} text @param {number} most */
function numbersOf(text, most) {
  if (text === null) return null;
  const found = text === "" ? [] : text.split(".").map(Number);
  return found.every((one) => Number.isInteger(one) && one >= 0 && one < most) ? found : null;
}

/** @param {string | null} text @param {any} data @returns {import("ratewarp/stage_run").Lit | null} */
function litOf(text, data) {
  const [of, ...rest] = (text ?? "").split(".");
  const [kind, number] = of.split("-");
  const known = kind === "class" ? data.schemes[number]?.classes : kind === "factor" ? data.world.factors[number]?.values : undefined;
  const which = numbersOf(rest.join("."), known?.length ?? 0);
  return which?.length ? { of, which } : null;
}

/** Measure, axis across, axis down. @param {string | null} text @param {any} data */
function heatOf(text, data) {
  const found = numbersOf(text, 1000);
  const axes = data.axes.length;
  return found?.length === 3 && found[1] < axes && found[2] < axes && found[1] !== found[2] ? found : null;
}

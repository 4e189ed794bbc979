/** Colours of codes: by class, by the value of a factor, or by distance from a chosen one. */

/**
 * @typedef {{label: string, colour: string, number: number}} Entry  number: of the class, or of the factor's value
 * @typedef {{name: string, label: string, of: string[], ranks: ArrayLike<number>, entries: Entry[]}} Colouring
 *   of: colour of every stimulus; ranks: which class or value it has
 */

const GREY = "#9aa5b1";
const INK = "#1d2733"; // of models: that of text, which is light on a dark page
const MOST_ENTRIES = 8;

/**
 * Every way to colour stimuli: labellings, then factors.
 * @param {import("ratewarp/stage_run").StageRun} run
 * @returns {Colouring[]}
 */
export function colourings(run) {
  const { d3 } = globalThis;
  const schemes = (run.schemes ?? []).map((/** @type {any} */ scheme, /** @type {number} */ number) => ({
    name: `class-${number}`,
    label: scheme.label ?? scheme.title,
    of: Array.from(scheme.of, (/** @type {number} */ one) => scheme.colours[one]),
    ranks: scheme.of,
    entries: entries(scheme.classes, scheme.colours),
  }));
  const factors = (run.factors ?? []).map((/** @type {any} */ factor, /** @type {number} */ number) => {
    const last = Math.max(1, factor.values.length - 1);
    const colour = (/** @type {number} */ rank) =>
      factor.kind === "circular"
        ? d3.interpolateRainbow(rank / (last + 1))
        : factor.kind === "categorical"
          ? d3.schemeTableau10[rank % 10]
          : d3.interpolateViridis(rank / last);
    return {
      name: `factor-${number}`,
      label: factor.name,
      of: Array.from(factor.ranks, colour),
      ranks: factor.ranks,
      entries: entries(
        factor.values.map((/** @type {unknown} */ value) => String(value)),
        factor.values.map((/** @type {unknown} */ _, /** @type {number} */ rank) => colour(rank)),
      ),
    };
  });
  const all = [...schemes, ...factors];
  return all.length ? all : [{ name: "none", label: "none", of: [], ranks: [], entries: [] }];
}

/** @param {string[]} labels @param {string[]} colours @returns {Entry[]} */
function entries(labels, colours) {
  const every = labels.map((label, number) => ({ label, colour: colours[number], number }));
  if (every.length <= MOST_ENTRIES) return every;
  const some = Array.from({ length: 5 }, (_, place) => Math.round((place * (every.length - 1)) / 4));
  return some.map((place) => every[place]);
}

/** A colour that is seen on a light page and on a dark one. @param {string} colour */
export function onPaper(colour) {
  return colour === INK ? "var(--ink)" : colour;
}

/**
 * Colour of every stimulus; grey where nothing tells it.
 * @param {Colouring | undefined} colouring
 * @param {number} stimulus
 */
export function colourOf(colouring, stimulus) {
  return colouring?.of[stimulus] ?? GREY;
}

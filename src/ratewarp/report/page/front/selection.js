/** Classes that are chosen, in every view: which stimuli they are, and what choosing one more makes of it. */

/**
 * @typedef {import("ratewarp/stage_run").Lit} Lit
 * @typedef {import("ratewarp/colours").Colouring} Colouring
 */

/**
 * Whether a stimulus is of the chosen classes; null where none is chosen.
 * @param {Lit | null} lit
 * @param {Colouring[]} colourings
 * @returns {((stimulus: number) => boolean) | null}
 */
export function isLit(lit, colourings) {
  const known = lit && colourings.find((one) => one.name === lit.of);
  if (!lit || !known) return null;
  return (stimulus) => lit.which.includes(known.ranks[stimulus]);
}

/**
 * What is chosen after a choice of these classes: the same again chooses none.
 * @param {Lit | null} now
 * @param {string} of
 * @param {number[]} which
 * @returns {Lit | null}
 */
export function toggled(now, of, which) {
  const sorted = Array.from(new Set(which)).sort((a, b) => a - b);
  const same = now?.of === of && JSON.stringify(now.which) === JSON.stringify(sorted);
  return same ? null : { of, which: sorted };
}

/** Whether a class is among the chosen ones. @param {Lit | null} lit @param {string} of @param {number} number */
export function chosen(lit, of, number) {
  return lit?.of === of && lit.which.includes(number);
}

/**
 * A button that stays pressed while what it chooses is chosen.
 * @param {string} text
 * @param {boolean} pressed
 * @param {() => void} act
 */
export function toggleButton(text, pressed, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  button.textContent = text;
  button.setAttribute("aria-pressed", String(pressed));
  button.addEventListener("click", act);
  return button;
}

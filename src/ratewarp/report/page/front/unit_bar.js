/** The unit of codes, as a bar on a map. */

/**
 * One unit where that is neither wide nor narrow, else 1, 2 or 5 times a power of ten of it.
 * @param {number} one pixels of a unit
 * @param {number} side pixels of the map
 * @param {string} unit its name, of many
 */
export function unitBar(one, side, unit) {
  const fits = one > side / 50 && one < side - 24;
  const power = 10 ** Math.floor(Math.log10(side / 4 / one));
  const units = fits ? 1 : power * ([5, 2].find((times) => times * power * one <= side / 4) ?? 1);
  return { length: units * one, text: `${Number(units.toPrecision(1))} ${units === 1 ? unit.replace("units", "unit") : unit}` };
}

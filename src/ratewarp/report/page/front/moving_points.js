/** Points on their way from one map to another. */

/**
 * Where points are that have gone a share of the way; those that were nowhere before are where they go to.
 * @param {Float32Array} start
 * @param {Float32Array} end
 * @param {number} part from 0 to 1
 */
export function onTheWay(start, end, part) {
  if (part >= 1) return end;
  const found = new Float32Array(end.length);
  for (let at = 0; at < end.length; at++) {
    const from = start[at];
    found[at] = Number.isNaN(from) ? end[at] : from + (end[at] - from) * part;
  }
  return found;
}

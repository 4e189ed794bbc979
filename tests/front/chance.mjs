/** Random cases that are the same every time. */

const PIECES = [
  ..."aB7 é心💀\u202e\u0301",
  ...["&", "=", "#", "%", "%41", "%%", "+", "?", "/", ".", "..", ",", ";", ":", "|", '"', "'", "`", "\\", "$", "{{", "<", ">", "</script>"],
  ...["]]>", "<!--", "&amp;", "\n", "\r", "\t", "\u0000", "\u0007", "\u2028", "\ufeff", "\ufffe", "-", "@", "null", "undefined", "NaN", "__proto__"],
];

/** Mulberry32: numbers from 0 to 1. @param {number} seed */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number below `most`. @param {() => number} random @param {number} most */
export function below(random, most) {
  return Math.floor(random() * most);
}

/** Text that is hard to carry. @param {() => number} random */
export function hardText(random) {
  return Array.from({ length: below(random, 9) }, () => PIECES[below(random, PIECES.length)]).join("");
}

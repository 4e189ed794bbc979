/** Names of files that every system takes. */

const MOST = 40; // letters of a part

/**
 * Parts joined by underscores; what is neither letter, digit nor dot becomes a hyphen.
 * @param {string[]} parts
 * @param {string} ending such as "csv"
 */
export function fileName(parts, ending) {
  const cleaned = parts.map(clean).filter(Boolean);
  return `${cleaned.join("_") || "ratewarp"}.${ending}`;
}

/** @param {string} part */
function clean(part) {
  const letters = Array.from(part.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}.]+/gu, "-"));
  return letters.slice(0, MOST).join("").replace(/^[-.]+|[-.]+$/g, "");
}

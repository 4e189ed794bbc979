/** What is to be known of a condition before its pictures are believed: it diverged, missed its rate, or is missing. */

/**
 * @param {any} data
 * @param {any} condition undefined where the study has none at this place
 * @returns {{kind: "sound" | "off target" | "diverged" | "missing", text: string}}
 */
export function standing(data, condition) {
  if (!condition) return { kind: "missing", text: "the study has no such condition." };
  const text = data.condition_alerts?.[condition.id] ?? "";
  return { kind: !text ? "sound" : condition.status === "ok" ? "missing" : condition.status, text };
}

/**
 * Why a map is empty.
 * @param {any} data
 * @param {any} condition
 */
export function whyEmpty(data, condition) {
  const { kind, text } = standing(data, condition);
  if (kind === "sound" || kind === "off target") return "The page holds no codes of this model; its numbers are in the other panels.";
  return `${kind === "missing" ? "Nothing to show" : "No codes to show"}: ${text}`;
}

/** Whether pictures of a condition may be shown. @param {any} data @param {any} condition */
export function isShown(data, condition) {
  const { kind } = standing(data, condition);
  return kind === "sound" || kind === "off target";
}

/** A mark for names and places of sliders that need a second look. @param {string} kind */
export function markOf(kind) {
  return { sound: "", "off target": "⚠", diverged: "✕", missing: "∅" }[kind] ?? "⚠";
}

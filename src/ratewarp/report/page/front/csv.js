/** Tables as CSV (RFC 4180) that spreadsheets show and do not compute. */

/**
 * @typedef {string | number | null | undefined} Cell  a number that is not finite is missing
 * @typedef {{columns: string[], rows: Cell[][]}} Rows  columns: names with their units
 */

const DIGITS = 6; // as the data of the page have them
const COMPUTED = /^[=+\-@\t\r\n]/;
const QUOTED = /[",\r\n]/;

/** @param {Rows} table */
export function toCsv({ columns, rows }) {
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** @param {Cell} value */
function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : "";
  const text = value ?? "";
  const harmless = COMPUTED.test(text) ? `'${text}` : text;
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The rows behind a panel as a table, folded, made when it is opened. */

import { shown } from "ratewarp/stage_run";
import { words } from "ratewarp/words";

const MOST_ROWS = 200;

/**
 * @param {string} label of the panel
 * @param {() => import("ratewarp/csv").Rows} rows
 */
export function rowTable(label, rows) {
  const element = /** @type {HTMLDetailsElement} */ (words("details", "", "behind"));
  const place = words("div", "", "rows");
  place.tabIndex = 0;
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", `Table behind it: ${label}`);
  element.append(words("summary", "Table behind it"), place);
  /** Made anew where it is open, emptied where it is not. */
  const refresh = () => place.replaceChildren(...(element.open ? table(rows()) : []));
  element.addEventListener("toggle", refresh);
  return { element, refresh };
}

/** @param {import("ratewarp/csv").Rows} table */
function table({ columns, rows }) {
  if (!rows.length) return [words("p", "Nothing is drawn here.", "caption")];
  const found = document.createElement("table");
  const head = found.createTHead().insertRow();
  for (const column of columns) {
    const cell = words("th", column);
    cell.setAttribute("scope", "col");
    head.append(cell);
  }
  const body = found.createTBody();
  for (const row of rows.slice(0, MOST_ROWS)) body.insertRow().append(...row.map(cell));
  const left = rows.length - MOST_ROWS;
  return left > 0 ? [found, words("p", `${left.toLocaleString("en")} more rows are in the CSV.`, "caption")] : [found];
}

/** @param {import("ratewarp/csv").Cell} value */
function cell(value) {
  const missing = value === null || value === undefined || Number.isNaN(value);
  return words("td", missing ? "–" : shown(value), typeof value === "number" ? "value" : "");
}

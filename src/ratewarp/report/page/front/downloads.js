/** A small menu on a panel: its numbers, its picture, and a link to what is chosen. */

import { toCsv } from "ratewarp/csv";
import { fileName } from "ratewarp/file_names";
import { WIDTHS, pngFile, svgFile } from "ratewarp/journal_sizes";
import { panelDrawing } from "ratewarp/panel_drawing";
import { words } from "ratewarp/words";

/**
 * @typedef {{name: string, label: string, at: HTMLElement, rows: () => import("ratewarp/csv").Rows,
 *   legend?: () => import("ratewarp/panel_drawing").Legend, pictures?: boolean,
 *   canvas?: (side: number) => import("ratewarp/svg_markup").Drawn[]}} Panel
 *   name: in names of files; label: in words; at: the element that holds all of it; canvas: shapes of its map;
 *   pictures: false where it shows no drawing
 * @typedef {{parts: () => string[], address: () => string}} Chosen
 *   parts of names of files, and the address that brings the choice back
 */

/**
 * @param {Panel} panel
 * @param {Chosen} chosen
 */
export function downloadMenu(panel, chosen) {
  const menu = /** @type {HTMLDetailsElement} */ (words("details", "", "panel-menu"));
  const opener = words("summary", "");
  opener.append(arrow());
  opener.setAttribute("aria-label", `Save or share: ${panel.label}`);
  opener.title = "Save or share";
  const list = words("div", "", "menu");
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", `Save or share: ${panel.label}`);
  const status = words("p", "", "caption");
  status.setAttribute("role", "status");
  list.append(...choices(panel, chosen).map(([text, act]) => button(text, act, status)), status);
  menu.append(opener, list);
  closes(menu, opener, status);
  return menu;
}

/** An arrow onto a tray. */
function arrow() {
  const name = "http://www.w3.org/2000/svg";
  const mark = document.createElementNS(name, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true", class: "mark-of-menu" })) mark.setAttribute(key, value);
  const line = mark.appendChild(document.createElementNS(name, "path"));
  line.setAttribute("d", "M8 2v8M4.5 6.8 8 10.3l3.5-3.5M2.5 11.5v2h11v-2");
  return mark;
}

/** What can be taken along; each says afterwards what it did. @param {Panel} panel @param {Chosen} chosen @returns {[string, () => string | Promise<string>][]} */
function choices(panel, chosen) {
  const name = (/** @type {string} */ ending, /** @type {string[]} */ ...more) => fileName([...chosen.parts(), panel.name, ...more], ending);
  const drawing = () => panelDrawing(panel.at, { title: panel.label, legend: panel.legend?.() ?? [], canvas: panel.canvas });
  /** @type {[string, () => string | Promise<string>][]} */
  const pictures = [
    ["Drawing (SVG)", () => save(svgFile(drawing()), name("svg"))],
    .../** @type {[string, () => Promise<string>][]} */ (
      Object.entries(WIDTHS).map(([title, wide]) => [
        `PNG, ${title} (${wide} mm)`,
        async () => save(await pngFile(drawing(), wide), name("png", `${wide}mm`)),
      ])
    ),
  ];
  return [
    ["Numbers (CSV)", () => save(new Blob([toCsv(panel.rows())], { type: "text/csv;charset=utf-8" }), name("csv"))],
    ...(panel.pictures === false ? [] : pictures),
    ["Copy link", () => copy(chosen.address())],
  ];
}

/** @param {string} text @param {() => string | Promise<string>} act @param {HTMLElement} status */
function button(text, act, status) {
  const found = document.createElement("button");
  found.type = "button";
  found.textContent = text;
  found.addEventListener("click", async () => {
    status.textContent = "…";
    try {
      status.textContent = await act();
    } catch (problem) {
      status.textContent = problem instanceof Error && problem.message ? problem.message : "That did not work.";
    }
  });
  return found;
}

/** Closes with Escape, with a click beside it, and where the focus goes on. @param {HTMLDetailsElement} menu @param {HTMLElement} opener @param {HTMLElement} status */
function closes(menu, opener, status) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    opener.focus();
  });
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) menu.open = false;
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Node && !menu.contains(target)) menu.open = false;
  });
  menu.addEventListener("toggle", () => (status.textContent = ""));
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return `saved: ${name}`;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "link copied";
  } catch {
    // no leave to write there: the address is in the bar, too
    return "This browser lets no page copy: take the link from the address bar.";
  }
}

/** Light, dark, or as the system has it: chosen with a button and, where the browser lets pages, remembered. */

const KEPT = "ratewarp-theme";
const THEMES = ["system", "light", "dark"];
const WORDS = /** @type {Record<string, string>} */ ({ system: "as the system", light: "light", dark: "dark" });
const MARKS = /** @type {Record<string, string>} */ ({ system: "◐", light: "☀", dark: "☾" });

/** A button that goes from one to the next. @param {HTMLButtonElement | null} button */
export function themeButton(button) {
  if (!button) return;
  const show = () => {
    const now = chosen();
    button.textContent = `${MARKS[now]} Colours: ${WORDS[now]}`;
    button.title = `Change to ${WORDS[after(now)]}`;
  };
  button.addEventListener("click", () => {
    choose(after(chosen()));
    show();
  });
  show();
  button.hidden = false;
}

/**
 * Calls where colours change: by the button, by the system, and for paper. What is drawn on a canvas is to be drawn anew.
 * @param {() => void} listener
 */
export function whenColoursChange(listener) {
  new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", listener);
}

/** @returns {string} one of `THEMES` */
function chosen() {
  return document.documentElement.dataset.theme ?? "system";
}

/** @param {string} theme */
function after(theme) {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
}

/** @param {string} theme */
function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, theme);
  } catch {
    // pages from files may not keep anything: it holds until the page is closed
  }
}

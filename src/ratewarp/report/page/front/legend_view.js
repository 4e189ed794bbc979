/** What the colours of the maps mean; its classes are buttons that light up, and all that is lit is cleared here. */

import { nearToFar, ofLatent } from "ratewarp/map_colours";
import { chosen, toggleButton, toggled } from "ratewarp/selection";
import { clipped, words } from "ratewarp/words";

const LONGEST = 24; // letters of a label

export class LegendView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
   */
  constructor(place, state) {
    this.state = state;
    this.pointing = false;
    /** @type {{colouring: import("ratewarp/colours").Colouring, latent: number | null, full: string} | null} */
    this.shown = null;
    this.entries = place.appendChild(words("div", "", "entries"));
    const tools = place.appendChild(words("div", "", "tools"));
    const label = words("label", "", "choice");
    this.far = document.createElement("input");
    this.far.type = "checkbox";
    this.far.addEventListener("change", () => state.set({ far: this.far.checked }));
    label.append(this.far, "colour by distance from the chosen stimulus");
    this.clear = toggleButton("", false, () => state.set({ lit: null, latent: null }));
    this.clear.removeAttribute("aria-pressed");
    this.clear.className = "clear";
    tools.append(label, this.clear);
    document.addEventListener("keydown", (event) => this.#escape(event));
  }

  /** Escape clears, unless it closes something. @param {KeyboardEvent} event */
  #escape(event) {
    const { lit, latent } = this.state.now;
    if (event.key !== "Escape" || event.defaultPrevented || (lit === null && latent === null)) return;
    if (event.target instanceof Element && event.target.closest("dialog, details[open].panel-menu")) return;
    this.state.set({ lit: null, latent: null });
  }

  /**
   * @param {import("ratewarp/colours").Colouring} colouring
   * @param {number | null} shown the chosen latent, where it is in use
   * @param {string} full which classes are lit, in words
   */
  show(colouring, shown, full) {
    this.shown = { colouring, latent: shown, full };
    const { lit, latent, far } = this.state.now;
    this.far.checked = far;
    this.clear.hidden = lit === null && latent === null;
    this.clear.textContent = "clear highlights (Esc)";
    const focused = this.entries.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.number : undefined;
    if (far) this.entries.replaceChildren(...scale("distance from the chosen stimulus, in the codes of each map", nearToFar, "near", "far"));
    else if (shown !== null) this.entries.replaceChildren(...scale(`what latent ${shown + 1} of the model says, on both maps`, ofLatent, "low", "high"));
    else this.entries.replaceChildren(words("span", `${colouring.label}: `), ...colouring.entries.map((entry) => this.#entry(colouring, entry, lit)));
    if (full && (far || shown !== null)) this.entries.append(words("span", `in full colour: ${clipped(full, 2 * LONGEST)}`));
    if (latent !== null && shown === null) this.entries.append(words("span", `(latent ${latent + 1} is not in use here)`));
    if (focused !== undefined) /** @type {HTMLElement | null} */ (this.entries.querySelector(`[data-number="${focused}"]`))?.focus();
  }

  /** What the maps mean while one points at a code. @param {boolean} pointing */
  pointAt(pointing) {
    if (pointing === this.pointing) return;
    this.pointing = pointing;
    if (pointing) this.entries.replaceChildren(...scale("distance from the code pointed at, in the codes of each map", nearToFar, "near", "far"));
    else if (this.shown) this.show(this.shown.colouring, this.shown.latent, this.shown.full);
  }

  /** @param {import("ratewarp/colours").Colouring} colouring @param {import("ratewarp/colours").Entry} entry @param {import("ratewarp/stage_run").Lit | null} lit */
  #entry(colouring, { label, colour, number }, lit) {
    const button = toggleButton("", chosen(lit, colouring.name, number), () =>
      this.state.set({ lit: toggled(this.state.now.lit, colouring.name, [number]) }));
    const dot = button.appendChild(words("span", "", "dot"));
    dot.style.background = colour;
    button.append(clipped(label, LONGEST));
    button.title = `Light up ${label} in every view`;
    button.dataset.number = String(number);
    return button;
  }
}

/** A scale of colours in words. @param {string} title @param {(part: number) => string} colour @param {string} low @param {string} high */
function scale(title, colour, low, high) {
  const bar = words("span", "", "gradient");
  const stops = Array.from({ length: 9 }, (_, place) => colour(place / 8));
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return [words("span", `${title}: `), words("span", low), bar, words("span", high)];
}

/** Distances of classes: of the chosen model, of the reference, and what changed. */

const CELL = 34;
const MOST_CLASSES = 16;

export class DistancesView {
  /** @param {HTMLElement} place @param {import("ratewarp/stage_run").StageRun} run @param {(scheme: number, cell: number) => void} [choose] */
  constructor(place, run, choose) {
    this.run = run;
    this.place = place;
    this.choose = choose;
    /** @type {any} */
    this.scheme = null;
    /** @type {[string, number[][]][]} names and log distances of what is shown */
    this.shown = [];
  }

  /**
   * @param {any} scheme
   * @param {{name: string, detail: import("ratewarp/stage_run").Detail | null}} own
   * @param {{name: string, detail: import("ratewarp/stage_run").Detail | null}} reference
   */
  show(scheme, own, reference) {
    this.place.replaceChildren();
    [this.scheme, this.shown] = [scheme, []];
    if (!scheme || scheme.classes.length > MOST_CLASSES || !own.detail || !reference.detail) return;
    const sides = [own, reference].map((side) => logDistances(/** @type {any} */ (side.detail), scheme));
    const change = sides[0].map((row, a) => row.map((one, b) => one - sides[1][a][b]));
    this.shown = own.detail === reference.detail ? [[own.name, sides[0]]] : [[own.name, sides[0]], [reference.name, sides[1]], ["change", change]];
    const most = Math.max(...[...sides, change].flat(2).filter(Number.isFinite).map(Math.abs), 1e-6);
    for (const [name, values] of this.shown) this.#matrix(name, values, scheme, most);
  }

  /** @param {string} name @param {number[][]} values @param {any} scheme @param {number} most */
  #matrix(name, values, scheme, most) {
    const d3 = /** @type {any} */ (globalThis).d3;
    const number = values.length;
    const left = 60;
    const side = left + number * CELL + 4;
    const figure = this.place.appendChild(document.createElement("figure"));
    figure.appendChild(document.createElement("figcaption")).textContent = name;
    const svg = d3.select(figure).append("svg").attr("viewBox", `0 0 ${side} ${number * CELL + 22}`).attr("role", "img")
      .attr("aria-label", `Log distances of classes, ${name}`).style("max-width", `${side * 1.3}px`);
    const colour = (/** @type {number} */ value) => d3.interpolatePuOr(0.5 - (0.5 * value) / most);
    values.forEach((row, a) => {
      const label = clipped(scheme.classes[a]);
      svg.append("text").attr("class", "label").attr("x", left - 5).attr("y", (a + 0.6) * CELL).attr("text-anchor", "end").text(label);
      svg.append("text").attr("class", "label").attr("x", left + (a + 0.5) * CELL).attr("y", number * CELL + 14).attr("text-anchor", "middle").text(clipped(scheme.classes[a], 5));
      row.forEach((value, b) => {
        const cell = svg.append("rect").attr("x", left + b * CELL).attr("y", a * CELL).attr("width", CELL - 1).attr("height", CELL - 1)
          .attr("fill", Number.isFinite(value) ? colour(value) : "none");
        cell.append("title").text(`${scheme.classes[a]}, ${scheme.classes[b]}: ${Number.isFinite(value) ? value.toFixed(2) : "not defined"}`);
        if (number <= 6 && Number.isFinite(value)) {
          const dark = Math.abs(value) > 0.6 * most;
          svg.append("text").attr("class", "number").attr("x", left + (b + 0.5) * CELL).attr("y", (a + 0.62) * CELL).attr("text-anchor", "middle")
            .attr("fill", dark ? "#fff" : "#1d2733").text(value.toFixed(2));
        }
      });
    });
  }
}

/** @param {string} text @param {number} [most] */
function clipped(text, most = 9) {
  const letters = Array.from(text);
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

/**
 * Logarithm of the root mean square distance of mean codes of two classes, over that of all stimuli; over
 * pairs of different stimuli that occur.
 * @param {import("ratewarp/stage_run").Detail} detail
 * @param {any} scheme
 * @returns {number[][]}
 */
export function logDistances(detail, scheme) {
  const { means, latents, frequency } = detail;
  const number = scheme.classes.length;
  const counts = new Float64Array(number);
  const sums = new Float64Array(number * latents);
  const squares = new Float64Array(number);
  scheme.of.forEach((/** @type {number} */ own, /** @type {number} */ stimulus) => {
    if (!(frequency[stimulus] > 0)) return;
    counts[own]++;
    for (let latent = 0; latent < latents; latent++) {
      const one = means[stimulus * latents + latent];
      sums[own * latents + latent] += one;
      squares[own] += one * one;
    }
  });
  let [all, pairs] = [0, 0];
  const table = Array.from({ length: number }, (_, a) =>
    Array.from({ length: number }, (_, b) => {
      let crossed = 0;
      for (let latent = 0; latent < latents; latent++) crossed += sums[a * latents + latent] * sums[b * latents + latent];
      const sum = counts[b] * squares[a] + counts[a] * squares[b] - 2 * crossed;
      const many = a === b ? counts[a] * (counts[a] - 1) : counts[a] * counts[b];
      all += sum;
      pairs += many;
      return sum / many;
    }),
  );
  return table.map((row) => row.map((one) => 0.5 * Math.log(one / (all / pairs))));
}

/** The map by keyboard: arrows go from code to code, Enter chooses, and what is reached is said. */

import { distancesFrom } from "ratewarp/stage_run";
import { words } from "ratewarp/words";

const ASIDE = 3; // times as far is a step aside as one along
const TURNS = /** @type {Record<string, number[]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });

/** @param {import("ratewarp/map_view").MapView} map */
export function mapKeys(map) {
  const { canvas, calls, run } = map;
  const spoken = words("p", "", "spoken");
  spoken.setAttribute("aria-live", "polite");
  canvas.after(spoken);
  /** @type {number | null} the code that the arrows have reached */
  let at = null;
  const leave = () => {
    at = null;
    calls.hover(null);
  };
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("keydown", (event) => {
    if (!map.shownPoints || map.spot || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const turn = TURNS[event.key];
    if (turn) {
      at = towards(map.shownPoints, /** @type {Int32Array} */ (run.stimulus), at ?? map.item ?? 0, turn);
      calls.hover(at);
      spoken.textContent = told(map, at);
    } else if ((event.key === "Enter" || event.key === " ") && at !== null) {
      spoken.textContent = `chosen: ${run.name(/** @type {Int32Array} */ (run.stimulus)[at])}`;
      calls.choose(at);
    } else if (event.key === "Escape" && at !== null) {
      leave();
      spoken.textContent = "";
    } else return;
    event.preventDefault();
  });
}

/**
 * The nearest code of another stimulus in a direction of the map; the same code where there is none.
 * @param {Float32Array} points
 * @param {ArrayLike<number>} stimuli of every code
 * @param {number} from
 * @param {number[]} turn
 */
export function towards(points, stimuli, from, turn) {
  let [best, found] = [Infinity, from];
  for (let item = 0; item < points.length / 2; item++) {
    if (stimuli[item] === stimuli[from]) continue;
    const [x, y] = [points[2 * item] - points[2 * from], points[2 * item + 1] - points[2 * from + 1]];
    const along = x * turn[0] + y * turn[1];
    const far = along + ASIDE * (Math.abs(x * turn[1]) + Math.abs(y * turn[0]));
    if (along > 1e-9 && far < best) [best, found] = [far, item];
  }
  return found;
}

/** What a code is of, and how far it is from the chosen one. @param {import("ratewarp/map_view").MapView} map @param {number} item */
function told({ run, detail, item: chosen }, item) {
  const name = run.name(/** @type {Int32Array} */ (run.stimulus)[item]);
  if (!detail || chosen === null || chosen === item) return name;
  return `${name}; ${distancesFrom(detail, chosen)[item].toFixed(2)} ${run.unit} from the chosen code`;
}

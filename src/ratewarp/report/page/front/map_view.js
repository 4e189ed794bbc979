/** The map of codes: points that move as the choice moves, on a canvas; hover and choose. */

import { colourOf } from "ratewarp/colours";
import { distancesFrom } from "ratewarp/stage_run";
import { drawn } from "ratewarp/svg_markup";

const MOVE = 450; // milliseconds of a move
const NEAR = 14; // CSS pixels within which a point is meant
const BAR = "1 s.d. of the prior";
const INK = "#1d2733"; // on paper, whatever the page is shown in
const ROOM = 1.08; // of the square shown, over the reach of the points

/**
 * @typedef {{stimulus: number | null, near: boolean}} Hovered
 */

export class MapView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {{title: string, choose: (item: number) => void, hover: (item: number | null) => void}} calls
   */
  constructor(place, run, calls) {
    this.run = run;
    this.calls = calls;
    this.heading = place.appendChild(document.createElement("h3"));
    this.heading.textContent = calls.title;
    this.frame = place.appendChild(document.createElement("div"));
    this.frame.className = "map";
    this.canvas = this.frame.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.caption = place.appendChild(document.createElement("p"));
    this.caption.className = "caption";
    /** @type {import("ratewarp/stage_run").Detail | null} */
    this.detail = null;
    /** @type {import("ratewarp/colours").Colouring | undefined} */
    this.colouring = undefined;
    /** @type {number | null} */
    this.item = null;
    /** @type {number | null} */
    this.hovered = null;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.frame);
  }

  /**
   * Moves to the map of a condition.
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {string} title
   * @param {number} [extent] half the side of the square shown, in units of the codes
   */
  show(detail, title, extent) {
    this.heading.textContent = title;
    this.canvas.setAttribute("aria-label", `Map of codes, ${title}. Arrow keys choose a neighbouring code.`);
    this.caption.textContent = detail
      ? `distances kept but for a share of ${detail.stress.toFixed(2)} (stress)`
      : "The page holds no codes of this model; its numbers are in the other panels.";
    const before = this.shownPoints;
    const reachBefore = this.shownExtent ?? extent ?? detail?.extent ?? 1;
    this.detail = detail;
    if (!detail) {
      this.shownPoints = undefined;
      return this.draw();
    }
    const target = extent ?? detail.extent;
    if (!before || before.length !== detail.points.length || this.still) {
      this.shownPoints = detail.points;
      this.shownExtent = target;
      return this.draw();
    }
    const start = Float32Array.from(before);
    this.#tween((part) => {
      this.shownPoints = detail.points.map((end, i) => start[i] + (end - start[i]) * part);
      this.shownExtent = reachBefore + (target - reachBefore) * part;
    });
  }

  /** @param {import("ratewarp/colours").Colouring | undefined} colouring */
  colour(colouring) {
    this.colouring = colouring;
    this.draw();
  }

  /** @param {number | null} item */
  mark(item) {
    this.item = item;
    this.draw();
  }

  /** Colours all codes by their distance from one, or gives their colours back. @param {number | null} item */
  light(item) {
    this.hovered = item;
    this.draw();
  }

  draw() {
    const side = this.frame.clientWidth;
    if (!side) return;
    const density = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(side * density)) {
      this.canvas.width = this.canvas.height = Math.round(side * density);
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, side, side);
    if (!this.shownPoints || !this.detail) return;
    const [radius, colours] = [this.#radius(), this.#colours()];
    for (let item = 0; item < this.run.stimulus.length; item++) {
      const [x, y] = this.#at(item, side);
      if (Number.isNaN(x)) continue;
      context.fillStyle = colours[item];
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.fill();
    }
    for (const [item, wide] of /** @type {[number | null, number][]} */ ([[this.hovered, 1.5], [this.item, 2.5]])) {
      if (item === null) continue;
      const [x, y] = this.#at(item, side);
      context.strokeStyle = getComputedStyle(this.canvas).color;
      context.lineWidth = wide;
      context.beginPath();
      context.arc(x, y, radius + 4, 0, 7);
      context.stroke();
    }
    this.#bar(context, side);
  }

  /** The same as shapes. @param {number} side @returns {import("ratewarp/svg_markup").Drawn[]} */
  drawing(side) {
    if (!this.shownPoints || !this.detail) return [];
    const [r, colours] = [this.#radius(), this.#colours()];
    const circle = (/** @type {number} */ item, /** @type {Record<string, string | number>} */ style) => {
      const [cx, cy] = this.#at(item, side).map((one) => one.toFixed(2));
      return drawn("circle", { cx, cy, ...style });
    };
    const shown = Array.from(this.run.stimulus.keys()).filter((item) => !Number.isNaN(this.#at(item, side)[0]));
    const ring = { r: r + 4, fill: "none", stroke: INK, "stroke-width": 2.5 };
    return [
      ...shown.map((item) => circle(item, { r, fill: colours[item] })),
      ...(this.item !== null && shown.includes(this.item) ? [circle(this.item, ring)] : []),
      drawn("rect", { x: 12, y: side - 14, width: this.#deviation(side).toFixed(2), height: 2, fill: INK }),
      drawn("text", { x: 12, y: side - 20, "font-size": 11, fill: INK }, [BAR]),
    ];
  }

  #radius() {
    const number = this.run.stimulus.length;
    return number > 800 ? 2.2 : number > 300 ? 3 : 4;
  }

  /** @param {number} item @param {number} side @returns {[number, number]} */
  #at(item, side) {
    const points = /** @type {Float32Array} */ (this.shownPoints);
    const scale = side / 2 / ((this.shownExtent ?? 1) * ROOM);
    return [side / 2 + scale * points[2 * item], side / 2 - scale * points[2 * item + 1]];
  }

  #colours() {
    const d3 = /** @type {any} */ (globalThis).d3;
    const detail = /** @type {import("ratewarp/stage_run").Detail} */ (this.detail);
    if (this.hovered === null) {
      return Array.from(this.run.stimulus, (stimulus) => colourOf(this.colouring, stimulus));
    }
    const distances = distancesFrom(detail, this.hovered);
    const far = Math.max(...distances) || 1;
    return Array.from(distances, (one) => d3.interpolateCividis(1 - one / far));
  }

  /** One standard deviation of the prior, as a bar. @param {CanvasRenderingContext2D} context @param {number} side */
  #bar(context, side) {
    const length = this.#deviation(side);
    context.fillStyle = getComputedStyle(this.canvas).color;
    context.fillRect(12, side - 14, length, 2);
    context.font = "11px system-ui, sans-serif";
    context.fillText(BAR, 12, side - 20);
  }

  /** @param {number} side */
  #deviation(side) {
    return Math.min(side / 2 / ((this.shownExtent ?? 1) * ROOM), side - 24);
  }

  /** @param {(part: number) => void} step */
  #tween(step) {
    const start = performance.now();
    const run = (this.run_ = (this.run_ ?? 0) + 1);
    const frame = (/** @type {number} */ now) => {
      if (run !== this.run_) return;
      const part = Math.min(1, (now - start) / MOVE);
      step(part * part * (3 - 2 * part));
      this.draw();
      if (part < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #listen() {
    const nearest = (/** @type {PointerEvent} */ event) => {
      if (!this.shownPoints) return null;
      const box = this.canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      let best = NEAR ** 2;
      let found = null;
      for (let item = 0; item < this.run.stimulus.length; item++) {
        const [u, v] = this.#at(item, box.width);
        const distance = (u - x) ** 2 + (v - y) ** 2;
        if (distance < best) [best, found] = [distance, item];
      }
      return found;
    };
    this.canvas.addEventListener("pointermove", (event) => this.calls.hover(nearest(event)));
    this.canvas.addEventListener("pointerleave", () => this.calls.hover(null));
    this.canvas.addEventListener("pointerdown", (event) => {
      const item = nearest(event);
      if (item !== null) this.calls.choose(item);
    });
    this.canvas.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!turn || !this.shownPoints) return;
      event.preventDefault();
      this.calls.choose(this.#towards(turn));
    });
  }

  /** The nearest code in a direction of the map from the chosen one. @param {number[]} turn */
  #towards(turn) {
    const points = /** @type {Float32Array} */ (this.shownPoints);
    const from = this.item ?? 0;
    let [best, found] = [Infinity, from];
    for (let item = 0; item < this.run.stimulus.length; item++) {
      const [x, y] = [points[2 * item] - points[2 * from], points[2 * item + 1] - points[2 * from + 1]];
      const along = x * turn[0] + y * turn[1];
      const aside = Math.abs(x * turn[1]) + Math.abs(y * turn[0]);
      if (along > 1e-9 && along + 3 * aside < best) [best, found] = [along + 3 * aside, item];
    }
    return found;
  }
}

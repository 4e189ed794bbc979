/** The map of codes: points that move as the choice moves, on a canvas; hover and choose. */

import { coloursOf, stressOf } from "ratewarp/map_colours";
import { MapDots, inkOf } from "ratewarp/map_dots";
import { mapKeys } from "ratewarp/map_keys";
import { MapWalk } from "ratewarp/map_walk";
import { onTheWay } from "ratewarp/moving_points";
import { drawn } from "ratewarp/svg_markup";
import { whenColoursChange } from "ratewarp/theme";
import { unitBar } from "ratewarp/unit_bar";
import { WhenSeen } from "ratewarp/when_seen";

const MOVE = 450; // milliseconds of a move
const NEAR = 14; // CSS pixels within which a point is meant
const INK = "#1d2733"; // on paper, whatever the page is shown in
const ROOM = 1.08; // of the square shown, over the reach of the points
const FAINT = 0.13; // opacity of codes that are not of the chosen classes
const STEP = 1 / 24; // of the side, by which keys move over the map
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class MapView {
  /**
   * @param {HTMLElement} place
   * @param {import("ratewarp/stage_run").StageRun} run
   * @param {{title: string, choose: (item: number) => void, hover: (item: number | null) => void,
   *   walk: (code: import("ratewarp/map_walk").Spot) => void}} calls
   *   walk: for a place between codes that was chosen
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
    /** @type {import("ratewarp/map_colours").Dress} */
    this.dress_ = { colouring: undefined, values: null, from: null, lit: null };
    /** @type {{x: number, y: number} | null} a place between codes */
    this.spot = null;
    /** @type {number | null} */
    this.item = null;
    /** @type {number | null} */
    this.hovered = null;
    /** @type {string[] | null} as they are drawn; null when they are to be found anew */
    this.colours_ = null;
    this.inks = new Uint32Array(0); // the same for pixels
    /** @type {MapDots | undefined} */
    this.dots = undefined;
    /** @type {number[] | null} items in the order in which they are drawn, the same */
    this.order_ = null;
    /** @type {Float32Array | undefined} */
    this.shownPoints = undefined;
    /** @type {number | undefined} */
    this.shownExtent = undefined;
    this.moves = 0; // so that a move ends where the next one begins
    this.moving = false;
    this.walk = new MapWalk(this.frame, place, run);
    this.whenSeen = new WhenSeen(this.frame, undefined, true);
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#listen();
    // read when they change, not when it draws, which would lay out the page at once
    this.side = 0; // CSS pixels
    this.ink = "";
    new ResizeObserver(() => {
      this.side = this.frame.clientWidth;
      this.draw();
    }).observe(this.frame);
    whenColoursChange(() => {
      this.ink = "";
      this.draw();
    });
  }

  /**
   * Moves to the map of a condition; what stands still is drawn when it is dressed.
   * @param {import("ratewarp/stage_run").Detail | null} detail
   * @param {string} title
   * @param {{item: number, extent?: number, nothing: string, decoder: import("ratewarp/decoder").Decoder | null}} more
   *   item: the chosen one; extent: half the side of the square shown, in units of the codes; nothing: what is
   *   said without a map
   */
  show(detail, title, { item, extent, nothing, decoder }) {
    this.item = item;
    this.moves++; // whatever was moving stops
    this.moving = false;
    this.heading.textContent = title;
    this.canvas.setAttribute("aria-label", `Map of codes, ${title}. Arrow keys go from code to code, Enter chooses; with Shift, arrows go over the map.`);
    this.frame.dataset.empty = detail ? "" : nothing;
    this.spot = null;
    this.colours_ = this.order_ = null;
    this.walk.show(detail, decoder);
    const before = this.shownPoints;
    const reachBefore = this.shownExtent ?? extent ?? detail?.extent ?? 1;
    this.detail = detail;
    this.#say();
    if (!detail) {
      this.shownPoints = undefined;
      return this.draw();
    }
    const target = extent ?? detail.extent;
    const there = before === detail.points && target === this.shownExtent;
    if (!before || there || before.length !== detail.points.length || this.still || !this.whenSeen.seen) {
      this.shownPoints = detail.points;
      this.shownExtent = target;
      return;
    }
    this.#tween((part) => {
      this.shownPoints = onTheWay(before, detail.points, part);
      this.shownExtent = reachBefore + (target - reachBefore) * part;
    });
  }

  /** How much of the distances the plane keeps, of all and of those from the chosen code. */
  #say() {
    const { detail, item } = this;
    if (!detail) {
      this.caption.textContent = "";
      return;
    }
    const own = item === null || Number.isNaN(detail.points[2 * item]) ? "" : `; ${stressOf(detail, item).toFixed(2)} of those from the chosen code`;
    this.caption.textContent = `Stress ${detail.stress.toFixed(2)}: the share of distances that this plane cannot keep${own}.`;
  }

  /** @param {import("ratewarp/map_colours").Dress} dress */
  dress(dress) {
    this.dress_ = dress;
    this.colours_ = this.order_ = null;
    if (!this.moving) this.draw();
  }

  get colouring() {
    return this.dress_.colouring;
  }

  /** Colours all codes by their distance from one, or gives their colours back. @param {number | null} item */
  light(item) {
    if (item === this.hovered) return;
    this.hovered = item;
    this.colours_ = null;
    this.draw();
  }

  draw() {
    this.whenSeen.do(() => this.#paint(), "draw");
  }

  #paint() {
    this.side ||= this.frame.clientWidth;
    this.ink ||= getComputedStyle(this.canvas).color;
    const { side, ink } = this;
    if (!side) return;
    const density = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(side * density)) {
      this.canvas.width = this.canvas.height = Math.round(side * density);
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, side, side);
    if (!this.shownPoints || !this.detail) return;
    const radius = this.#radius();
    this.#drawDots(context, density * radius, density * this.#scale(side));
    for (const [item, wide] of /** @type {[number | null, number][]} */ ([[this.hovered, 1.5], [this.item, 2.5]])) {
      if (item === null) continue;
      const [x, y] = this.#at(item, side);
      context.strokeStyle = ink;
      context.lineWidth = wide;
      context.beginPath();
      context.arc(x, y, radius + 4, 0, 7);
      context.stroke();
    }
    this.#cross(context, side);
    this.#drawBar(context, side);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} radius @param {number} scale pixels of a unit of codes */
  #drawDots(context, radius, scale) {
    const { width } = this.canvas;
    if (this.dots?.side !== width || this.dots.radius !== radius) this.dots = new MapDots(width, radius);
    const { dots } = this;
    const points = /** @type {Float32Array} */ (this.shownPoints);
    this.#colours();
    dots.clear();
    for (const item of this.#order()) {
      dots.dot(width / 2 + scale * points[2 * item], width / 2 - scale * points[2 * item + 1], this.inks[item]);
    }
    dots.put(context);
  }

  /** Whether an item is of the chosen classes, or none is chosen. @param {number} item */
  #full(item) {
    return this.dress_.lit?.(this.run.stimulus[item]) ?? true;
  }

  /** Items on the map; those of the chosen classes last, on top. */
  #order() {
    if (this.order_) return this.order_;
    const { points } = /** @type {import("ratewarp/stage_run").Detail} */ (this.detail);
    const shown = Array.from(this.run.stimulus.keys()).filter((item) => !Number.isNaN(points[2 * item]));
    this.order_ = this.dress_.lit ? [...shown.filter((item) => !this.#full(item)), ...shown.filter((item) => this.#full(item))] : shown;
    return this.order_;
  }

  /** Where keys have gone between codes. @param {CanvasRenderingContext2D} context @param {number} side */
  #cross(context, side) {
    if (!this.spot) return;
    const scale = this.#scale(side);
    const [x, y] = [side / 2 + scale * this.spot.x, side / 2 - scale * this.spot.y];
    context.strokeStyle = this.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x - 7, y);
    context.lineTo(x + 7, y);
    context.moveTo(x, y - 7);
    context.lineTo(x, y + 7);
    context.stroke();
  }

  /** The same as shapes. @param {number} side @returns {import("ratewarp/svg_markup").Drawn[]} */
  drawing(side) {
    if (!this.shownPoints || !this.detail) return [];
    const [r, colours] = [this.#radius(), this.#colours()];
    const circle = (/** @type {number} */ item, /** @type {Record<string, string | number>} */ style) => {
      const [cx, cy] = this.#at(item, side).map((one) => one.toFixed(2));
      return drawn("circle", { cx, cy, ...style });
    };
    const shown = this.#order();
    const ring = { r: r + 4, fill: "none", stroke: INK, "stroke-width": 2.5 };
    return [
      ...shown.map((item) => circle(item, { r, fill: colours[item], ...(this.#full(item) ? {} : { "fill-opacity": FAINT }) })),
      ...(this.item !== null && shown.includes(this.item) ? [circle(this.item, ring)] : []),
      drawn("rect", { x: 12, y: side - 14, width: this.#bar(side).length.toFixed(2), height: 2, fill: INK }),
      drawn("text", { x: 12, y: side - 20, "font-size": 11, fill: INK }, [this.#bar(side).text]),
    ];
  }

  #radius() {
    const number = this.run.stimulus.length;
    return number > 800 ? 2.2 : number > 300 ? 3 : 4;
  }

  /** @param {number} item @param {number} side @returns {[number, number]} */
  #at(item, side) {
    const points = /** @type {Float32Array} */ (this.shownPoints);
    const scale = this.#scale(side);
    return [side / 2 + scale * points[2 * item], side / 2 - scale * points[2 * item + 1]];
  }

  /** CSS pixels of one unit of codes. @param {number} side */
  #scale(side) {
    return side / 2 / ((this.shownExtent ?? 1) * ROOM);
  }

  #colours() {
    const detail = /** @type {import("ratewarp/stage_run").Detail} */ (this.detail);
    if (this.colours_) return this.colours_;
    const { d3 } = /** @type {any} */ (globalThis);
    this.colours_ = coloursOf(this.run.stimulus, detail, this.dress_, this.hovered);
    this.inks = Uint32Array.from(this.colours_, (colour, item) => inkOf(d3.rgb(colour), this.#full(item) ? 1 : FAINT));
    return this.colours_;
  }

  /** The unit of codes, as a bar. @param {CanvasRenderingContext2D} context @param {number} side */
  #drawBar(context, side) {
    const { length, text } = this.#bar(side);
    context.fillStyle = this.ink;
    context.fillRect(12, side - 14, length, 2);
    context.font = "11px system-ui, sans-serif";
    context.fillText(text, 12, side - 20);
  }

  /** @param {number} side */
  #bar(side) {
    return unitBar(this.#scale(side), side, this.run.unit);
  }

  /** @param {(part: number) => void} step */
  #tween(step) {
    const start = performance.now();
    const move = ++this.moves;
    this.moving = true;
    const frame = (/** @type {number} */ now) => {
      if (move !== this.moves) return;
      const part = Math.min(1, (now - start) / MOVE);
      this.moving = part < 1;
      step(part * part * (3 - 2 * part));
      this.draw();
      if (part < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** The item within reach of a pointer, and where the pointer is on the map. @param {PointerEvent} event */
  #under(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const scale = ((this.shownExtent ?? 1) * ROOM * 2) / box.width;
    let [best, item] = [NEAR ** 2, /** @type {number | null} */ (null)];
    for (let other = 0; other < this.run.stimulus.length; other++) {
      const [u, v] = this.#at(other, box.width);
      const distance = (u - x) ** 2 + (v - y) ** 2;
      if (distance < best) [best, item] = [distance, other];
    }
    return { item, place: { x: (x - box.width / 2) * scale, y: (box.height / 2 - y) * scale } };
  }

  /** Shows what is decoded at an item or a place. @param {import("ratewarp/map_walk").Spot | null} spot */
  #look(spot) {
    const x = spot && ("item" in spot ? /** @type {Float32Array} */ (this.shownPoints)[2 * spot.item] : spot.x);
    this.walk.look(spot, (x ?? 0) < 0);
  }

  #listen() {
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.shownPoints) return;
      const { item, place } = this.#under(event);
      this.calls.hover(item);
      this.#look(item === null ? place : { item });
    });
    for (const end of ["pointerleave", "pointercancel"]) {
      this.canvas.addEventListener(end, () => {
        this.calls.hover(null);
        this.#look(null);
      });
    }
    this.canvas.addEventListener("pointerdown", (event) => {
      if (!this.shownPoints) return;
      const { item, place } = this.#under(event);
      if (item !== null) this.calls.choose(item);
      else this.calls.walk(place);
    });
    mapKeys(this);
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("blur", () => this.#put(null));
  }

  /** With Shift, arrows go over the map, to where no code need be. @param {KeyboardEvent} event */
  #key(event) {
    if (!this.shownPoints) return;
    if (event.key === "Enter" && this.spot) this.calls.walk(this.spot);
    if (event.key === "Escape" && this.spot) {
      event.preventDefault();
      this.#put(null);
    }
    const turn = /** @type {Record<string, number[]>} */ (ARROWS)[event.key];
    if (!turn || !event.shiftKey) return;
    event.preventDefault();
    const [x, y] = [0, 1].map((axis) => this.spot?.[axis ? "y" : "x"] ?? this.shownPoints?.[2 * (this.item ?? 0) + axis] ?? 0);
    const step = 2 * STEP * (this.shownExtent ?? 1);
    this.#put({ x: x + step * turn[0], y: y + step * turn[1] });
  }

  /** @param {{x: number, y: number} | null} spot */
  #put(spot) {
    this.spot = spot;
    this.#look(spot);
    this.draw();
  }
}

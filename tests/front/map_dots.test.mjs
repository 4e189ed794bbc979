/** Dots of a map, pixel by pixel. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MapDots, inkOf } from "ratewarp/map_dots";

const BLUE = { r: 10, g: 60, b: 200 };
const ORANGE = { r: 230, g: 150, b: 0 };
const SIDE = 40;

/** Parts of every pixel of the square. @param {MapDots} dots */
function pixels({ pixels: all, width, margin, side }) {
  const found = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const one = all[(y + margin) * width + x + margin];
      found.push({ x, y, r: one & 255, g: (one >>> 8) & 255, b: (one >>> 16) & 255, alpha: (one >>> 24) / 255 });
    }
  }
  return found;
}

/** @param {[number, number, number][]} placed @param {number} [radius] */
function drawn(placed, radius = 2.2) {
  const dots = new MapDots(SIDE, radius);
  dots.clear();
  for (const [x, y, ink] of placed) dots.dot(x, y, ink);
  return pixels(dots);
}

const sum = (/** @type {number[]} */ values) => values.reduce((all, one) => all + one, 0);

test("a dot has the area of its circle, and its middle", () => {
  for (const radius of [1.5, 2.2, 4, 8.8]) {
    for (const [x, y] of [[20, 20], [17.3, 22.9], [20.5, 19.06], [14.99, 25.01]]) {
      const found = drawn([[x, y, inkOf(BLUE, 1)]], radius);
      const area = sum(found.map(({ alpha }) => alpha));
      assert.ok(Math.abs(area / (Math.PI * radius ** 2) - 1) < 0.05, `${area} of ${radius}`);
      assert.ok(Math.abs(sum(found.map((one) => one.alpha * (one.x + 0.5))) / area - x) < 0.08);
      assert.ok(Math.abs(sum(found.map((one) => one.alpha * (one.y + 0.5))) / area - y) < 0.08);
      assert.ok(found.every(({ r, g, b, alpha }) => alpha === 0 || (r === 10 && g === 60 && b === 200)));
    }
  }
});

test("inks lie over each other as they do in optics", () => {
  const over = (/** @type {number[]} */ [top, a], /** @type {number[]} */ [bottom, b]) =>
    a + b * (1 - a) ? (top * a + bottom * b * (1 - a)) / (a + b * (1 - a)) : 0;
  for (const [first, second] of [[1, 1], [1, 0.13], [0.13, 1], [0.5, 0.5], [0.13, 0.13]]) {
    const both = drawn([[18.2, 20.4, inkOf(BLUE, first)], [20.6, 21, inkOf(ORANGE, second)]]);
    const [below, above] = [drawn([[18.2, 20.4, inkOf(BLUE, first)]]), drawn([[20.6, 21, inkOf(ORANGE, second)]])];
    for (const [place, one] of both.entries()) {
      const [a, b] = [above[place].alpha, below[place].alpha];
      assert.ok(Math.abs(one.alpha - (a + b * (1 - a))) < 2.1 / 255);
      if (one.alpha < 0.05) continue; // a colour of nothing
      for (const part of /** @type {const} */ (["r", "g", "b"])) {
        assert.ok(Math.abs(one[part] - over([above[place][part], a], [below[place][part], b])) < 6, `${part} ${one[part]}`);
      }
    }
  }
});

test("what is at an edge is cut there, and what is beyond or nowhere is not drawn", () => {
  const ink = inkOf(BLUE, 1);
  const half = sum(drawn([[0, 20, ink]]).map(({ alpha }) => alpha));
  assert.ok(Math.abs(half / (Math.PI * 2.2 ** 2) - 0.5) < 0.05);
  const corner = sum(drawn([[SIDE, SIDE, ink]]).map(({ alpha }) => alpha));
  assert.ok(Math.abs(corner / (Math.PI * 2.2 ** 2) - 0.25) < 0.05);
  for (const [x, y] of [[NaN, 3], [3, NaN], [-50, 3], [3, 1e9], [SIDE + 60, SIDE + 60], [Infinity, -Infinity]]) {
    assert.ok(drawn([[x, y, ink]]).every(({ alpha }) => alpha === 0));
  }
});

test("clearing leaves nothing", () => {
  const dots = new MapDots(SIDE, 3);
  dots.dot(20, 20, inkOf(ORANGE, 1));
  dots.clear();
  assert.ok(pixels(dots).every(({ alpha }) => alpha === 0));
});

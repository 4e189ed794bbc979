/** Points on their way from one map to another. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { onTheWay } from "ratewarp/moving_points";

const start = Float32Array.of(0, 4, NaN, NaN, 1, 1);
const end = Float32Array.of(8, 0, 3, -3, NaN, NaN);

test("points go straight, and all are there at the end", () => {
  assert.deepEqual(Array.from(onTheWay(start, end, 0)), [0, 4, 3, -3, NaN, NaN]);
  assert.deepEqual(Array.from(onTheWay(start, end, 0.25)), [2, 3, 3, -3, NaN, NaN]);
  assert.equal(onTheWay(start, end, 1), end);
});

test("what was on its way when another map was chosen goes there from where it is", () => {
  const half = onTheWay(start, end, 0.5);
  assert.deepEqual(Array.from(onTheWay(half, start, 0.5)), [2, 3, NaN, NaN, 1, 1]);
});

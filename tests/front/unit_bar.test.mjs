/** The bar of a map: a round number of units, neither wide nor narrow. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { unitBar } from "ratewarp/unit_bar";

test("one unit where it fits", () => {
  assert.deepEqual(unitBar(60, 400, "prior standard deviations"), { length: 60, text: "1 prior standard deviations" });
  assert.equal(unitBar(60, 400, "units").text, "1 unit");
});

test("of any other scale 1, 2 or 5 times a power of ten, up to a quarter of the side", () => {
  for (const scale of [1e-6, 3e-4, 0.7, 7, 395, 2e3, 9e7]) {
    const { length, text } = unitBar(scale, 400, "units");
    const units = Number(text.split(" ")[0]);
    assert.ok([1, 2, 5].includes(Number(units.toExponential(0).split("e")[0])), text);
    assert.ok(Math.abs(length / scale / units - 1) < 1e-9);
    assert.ok(length > 40 - 1e-9 && length <= 100 + 1e-9, `${length}`);
  }
});

/** Colours of codes, and the entries of their legend. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { colourOf, colourings, onPaper } from "ratewarp/colours";
import d3 from "ratewarp/d3";

globalThis.d3 = d3;
const values = (/** @type {number} */ number) => Array.from({ length: number }, (_, one) => one / 10);

test("classes have the colours that Python gave them", () => {
  const scheme = { title: "kind", classes: ["a", "<b>"], colours: ["#111111", "#222222"], of: Int32Array.of(1, 0, 1) };
  const [found] = colourings({ schemes: [scheme], factors: [] });
  assert.deepEqual(found.of, ["#222222", "#111111", "#222222"]);
  assert.deepEqual(found.entries, [{ label: "a", colour: "#111111", number: 0 }, { label: "<b>", colour: "#222222", number: 1 }]);
  assert.equal(found.ranks, scheme.of);
  assert.equal(colourOf(found, 1), "#111111");
  assert.equal(colourOf(found, 3), colourOf(undefined, 0), "what has no class is grey");
});

test("values in order go from one end of a scale to the other", () => {
  const factor = { name: "x", kind: "ordered", values: values(5), ranks: Int32Array.of(0, 4, 2) };
  const [found] = colourings({ schemes: [], factors: [factor] });
  assert.deepEqual(found.of, [0, 1, 0.5].map(d3.interpolateViridis));
});

test("around a circle no two values have one colour", () => {
  const factor = { name: "angle", kind: "circular", values: values(8), ranks: Int32Array.from(values(8).keys()) };
  const [found] = colourings({ schemes: [], factors: [factor] });
  assert.equal(new Set(found.of).size, 8);
});

test("kinds have colours that are told apart, again after ten", () => {
  const factor = { name: "kind", kind: "categorical", values: values(11), ranks: Int32Array.from(values(11).keys()) };
  const [found] = colourings({ schemes: [], factors: [factor] });
  assert.equal(new Set(found.of.slice(0, 10)).size, 10);
  assert.equal(found.of[10], found.of[0]);
});

test("a legend has every value, or of many some from the first to the last", () => {
  const labels = (/** @type {number} */ number) => {
    const factor = { name: "x", kind: "ordered", values: values(number), ranks: Int32Array.of(0) };
    return colourings({ schemes: [], factors: [factor] })[0].entries.map(({ label }) => label);
  };
  assert.deepEqual(labels(3), ["0", "0.1", "0.2"]);
  assert.equal(labels(8).length, 8);
  assert.deepEqual(labels(9), ["0", "0.2", "0.4", "0.6", "0.8"]);
  assert.deepEqual(labels(101), ["0", "2.5", "5", "7.5", "10"]);
  assert.deepEqual(labels(1), ["0"]);
});

test("where nothing tells stimuli apart there is one way to colour them", () => {
  assert.deepEqual(colourings({ schemes: [], factors: [] }), [{ name: "none", label: "none", of: [], ranks: [], entries: [] }]);
});

test("the colour of ink is light on a dark page", () => {
  assert.deepEqual(["#1d2733", "#ff0000"].map(onPaper), ["var(--ink)", "#ff0000"]);
});

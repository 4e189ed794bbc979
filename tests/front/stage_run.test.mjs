/** A run: which condition stands where, and what is unpacked of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { StageRun, shown } from "ratewarp/stage_run";

// packed by Python: see test_modules.py
const { data, expected } = JSON.parse(readFileSync("run.json", "utf8"));
const hostile = '","seed":0],"\\';

test("a condition is found by model, place and seed", async () => {
  const run = await new StageRun(data).open();
  for (const one of data.conditions) {
    const place = one.place.map((/** @type {number | null} */ at) => at ?? 1);
    assert.equal(run.condition(one.model, place, one.seed), one);
  }
  assert.equal(run.condition("fixed", [0], 1), run.condition("fixed", [1], 1), "it is the same all along the axis");
  assert.equal(run.condition("nobody", [0], 0), undefined);
  assert.equal(run.condition("m", [0], 9), undefined);
  assert.equal(run.condition("m", [5], 0), undefined);
  const choice = { model: "m", place: [1], seed: 0, stimulus: null, latent: 0, colour: "", beside: null };
  assert.equal(run.chosen(choice), data.conditions[1]);
  assert.equal(run.reference(choice)?.model, hostile);
  assert.equal(run.reference({ ...choice, model: "fixed" })?.model, "m", "a model may have a reference of its own");
  assert.equal(run.reference({ ...choice, beside: "fixed" })?.model, "fixed", "another may stand beside it");
});

test("details are unpacked once, when they are asked for", async () => {
  const run = await new StageRun(data).open();
  const detail = run.detail(data.conditions[0]);
  assert.equal(run.detail(data.conditions[0]), detail);
  const found = await detail;
  assert.ok(found);
  assert.deepEqual(Array.from(found.codes), expected.codes);
  assert.equal(found.latents, 2);
  assert.deepEqual(Array.from(found.means), expected.means.map((one) => one ?? NaN), "of a stimulus without codes: none");
  assert.ok(Number.isNaN(found.points[2]));
  assert.ok(Math.abs(found.extent - 4) < 1e-4);
  assert.equal(await run.detail(data.conditions[1]), null, "the page has no room for this one");
  assert.equal(await run.detail(undefined), null);
});

test("images are those of their stimuli", async () => {
  const run = await new StageRun(data).open();
  assert.equal(run.pixels, 2);
  assert.deepEqual(Array.from(run.picture(run.images, 2) ?? []), [4, 5]);
  assert.deepEqual(Array.from(run.picture(run.images, 0) ?? []), [0, 1]);
  assert.equal(run.picture(run.images, 1), null);
  assert.equal(run.firstItem.get(2), 1);
});

test("a stimulus is named by its factors", async () => {
  const run = await new StageRun(data).open();
  assert.equal(run.name(2), "size 0.3333, kind <b>");
  assert.equal((await new StageRun({ ...data, world: { ...data.world, factors: [] } }).open()).name(2), "stimulus 2");
  assert.deepEqual([0.1 + 0.2, 12345.6, -0, "0.10", null].map(shown), ["0.3", "12350", "0", "0.10", "null"]);
});

test("what a code is decoded to is read where it is stored, and made where a decoder is", async () => {
  const run = await new StageRun(data).open();
  const detail = await run.detail(data.conditions[0]);
  assert.ok(detail);
  assert.equal(detail.decoder, null);
  assert.deepEqual(Array.from(run.reconstruction(detail, 2) ?? []), [2, 3]);
  assert.equal(run.reconstruction(detail, 1), null);
  const live = { ...detail, decoder: { kind: "layers", shape: [1, 2, 1], image: (code) => Float32Array.from(code), knows: () => true } };
  assert.deepEqual(Array.from(run.reconstruction(live, 2) ?? []), [4, 2], "of its first image");
  assert.equal(run.reconstruction(live, 1), null, "no image has a code of it");
});

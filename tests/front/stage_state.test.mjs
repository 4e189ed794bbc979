/** What is chosen: who is told, and what an address brings back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { State, fromAddress, toAddress, withOwnLatent } from "ratewarp/stage_state";
import { below, chance, hardText } from "./chance.mjs";

const FALLBACK = { model: "fallback", place: [0, 0], seed: 3, stimulus: null, latent: null, colour: "class-0", beside: null, lit: null, far: false, measures: null, heat: null };

/** @param {() => number} random */
function someRun(random) {
  const axes = Array.from({ length: below(random, 4) }, () => ({ values: Array.from({ length: 1 + below(random, 12) }, (_, at) => at) }));
  const names = new Set(["fallback", ...Array.from({ length: 5 }, () => hardText(random))]);
  const schemes = Array.from({ length: below(random, 3) }, () => ({ classes: ["a", "b", "c"] }));
  const factors = Array.from({ length: below(random, 3) }, () => ({ values: [1, 2] }));
  return { axes, schemes, models: Array.from(names, (name) => ({ name })), seeds: [0, 3, 2 ** 31], world: { stimuli: 1 + below(random, 2000), factors } };
}

/** @param {() => number} random @param {ReturnType<typeof someRun>} data */
function someLit(random, data) {
  if (random() < 0.3) return null;
  if (data.schemes.length) return { of: `class-${data.schemes.length - 1}`, which: random() < 0.5 ? [2] : [0, 1] };
  return data.world.factors.length ? { of: "factor-0", which: [1] } : null;
}

/** @param {() => number} random @param {ReturnType<typeof someRun>} data */
function someChoice(random, data) {
  return {
    model: data.models[below(random, data.models.length)].name,
    place: data.axes.map((axis) => below(random, axis.values.length)),
    seed: data.seeds[below(random, data.seeds.length)],
    stimulus: random() < 0.3 ? null : below(random, data.world.stimuli),
    latent: random() < 0.3 ? null : below(random, 50),
    colour: hardText(random),
    beside: random() < 0.5 ? null : data.models[below(random, data.models.length)].name,
    lit: someLit(random, data),
    far: random() < 0.5,
    measures: random() < 0.5 ? null : Array.from({ length: below(random, 4) }, () => below(random, 9)),
    heat: random() < 0.5 || data.axes.length < 2 ? null : [below(random, 9), 1, 0],
  };
}

test("an address brings back what was chosen, whatever things are called", () => {
  const random = chance(1);
  for (let round = 0; round < 2000; round++) {
    const data = someRun(random);
    const choice = someChoice(random, data);
    const address = toAddress(choice);
    assert.match(address, /^[\x21-\x7e]*$/);
    // as a browser keeps it behind #
    const kept = new URL(`file:///page.html#${address}`).hash.slice(1);
    assert.deepEqual(fromAddress(kept, { ...FALLBACK, place: data.axes.map(() => 0) }, data), choice);
  }
});

test("an address of anything else gives a choice that the run has", () => {
  const random = chance(2);
  for (let round = 0; round < 2000; round++) {
    const data = someRun(random);
    const fallback = someChoice(random, data);
    const parts = ["model", "place", "seed", "stimulus", "latent", "colour", "beside", "lit", "far", "measures", "heat", hardText(random)];
    const address = parts.map((name) => `${name}=${hardText(random)}`).join("&");
    const found = fromAddress(address, fallback, data);
    assert.ok(data.models.some((one) => one.name === found.model));
    assert.equal(found.place.length, data.axes.length);
    for (const [axis, at] of found.place.entries()) assert.ok(Number.isInteger(at) && data.axes[axis].values[at] !== undefined);
    assert.ok(found.beside === null || data.models.some((one) => one.name === found.beside));
    assert.ok(data.seeds.includes(found.seed));
    assert.ok(found.stimulus === null || (Number.isInteger(found.stimulus) && found.stimulus < data.world.stimuli && found.stimulus >= 0));
    assert.ok(found.latent === null || (Number.isInteger(found.latent) && found.latent >= 0));
    assert.deepEqual([found.lit, found.far, found.heat], [null, false, null]);
  }
});

test("of an address that says little, the rest stays", () => {
  const data = { axes: [{ values: [1, 2] }], models: [{ name: "fallback" }, { name: "m" }], seeds: [3], schemes: [{ classes: ["a", "b"] }], world: { stimuli: 5, factors: [{ values: [1, 2, 3] }] } };
  const fallback = { ...FALLBACK, place: [1], stimulus: 2 };
  assert.deepEqual(fromAddress("model=m", fallback, data), { ...fallback, model: "m", stimulus: null });
  assert.deepEqual(fromAddress("", fallback, data), { ...fallback, stimulus: null });
  for (const wrong of ["place=2", "place=-1", "place=0.0", "place=1.5", "place=x", "seed=4", "seed=", "latent=-1", "latent=1e9", "lit=class-0", "lit=class-0.2", "lit=class-1.0", "lit=factor-0.3", "lit=place-0.0", "lit=class-0.0.x", "far=yes", "measures=-1", "heat=0.0.0", "heat=0.0.1", "heat=1"]) {
    assert.deepEqual(fromAddress(wrong, { ...fallback, stimulus: null }, data), { ...fallback, stimulus: null }, wrong);
  }
});

test("listeners are told of changes, and of nothing else", () => {
  const state = new State({ model: "a", place: [1, 2], stimulus: null });
  /** @type {any[]} */
  const told = [];
  state.listen((now, before) => told.push([now, before]));
  const first = state.now;
  state.set({});
  state.set({ model: "a" });
  state.set({ place: [1, 2] });
  assert.equal(state.now, first);
  assert.deepEqual(told, []);
  state.set({ place: [1, 3], model: "a" });
  assert.deepEqual(told, [[{ model: "a", place: [1, 3], stimulus: null }, { model: "a", place: [1, 2], stimulus: null }]]);
  assert.equal(told[0][0], state.now);
  assert.deepEqual(first.place, [1, 2], "what was before stays as it was");
  state.set({ stimulus: 0 });
  state.set({ stimulus: null });
  assert.deepEqual(told.slice(1).map(([now]) => now.stimulus), [0, null]);
});

test("a listener may choose, and the last choice is known to all", () => {
  const state = new State({ at: 0 });
  /** @type {number[]} */
  const seen = [];
  state.listen((now) => {
    if (now.at < 3) state.set({ at: now.at + 1 });
  });
  state.listen((now) => seen.push(now.at));
  state.set({ at: 1 });
  assert.equal(state.now.at, 3);
  assert.ok(seen.includes(3));
});

test("a latent that was chosen is of its own network", () => {
  const state = new State({ ...FALLBACK, latent: 2 }, withOwnLatent);
  state.set({ stimulus: 5 });
  assert.equal(state.now.latent, 2);
  for (const change of [{ model: "other" }, { place: [1, 0] }, { seed: 4 }]) {
    state.set({ latent: 2 });
    state.set(change);
    assert.equal(state.now.latent, null);
  }
  state.set({ model: "fallback", latent: 1 });
  assert.equal(state.now.latent, 1, "one that is chosen with its network stays");
});

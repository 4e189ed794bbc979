/** The stage: everything that is shown follows what is chosen. */

import { colourings } from "ratewarp/colours";
import { isShown, markOf, standing, whyEmpty } from "ratewarp/condition_words";
import { Controls } from "ratewarp/controls";
import { DistancesView } from "ratewarp/distances_view";
import { HeatView } from "ratewarp/heat_view";
import { GuideView } from "ratewarp/guide_view";
import { IndicesView } from "ratewarp/indices_view";
import { leaveOut } from "ratewarp/left_out";
import { LegendView } from "ratewarp/legend_view";
import { codeAt } from "ratewarp/map_walk";
import { MapView } from "ratewarp/map_view";
import { inflated } from "ratewarp/packed_arrays";
import { PlaneView } from "ratewarp/plane_view";
import { isLit } from "ratewarp/selection";
import { furnish } from "ratewarp/stage_panels";
import { StageRun, latentsInUse, referenceOf } from "ratewarp/stage_run";
import { State, fromAddress, toAddress, withOwnLatent } from "ratewarp/stage_state";
import { StimulusView } from "ratewarp/stimulus_view";
import { TraversalView } from "ratewarp/traversal_view";
import { TuningView } from "ratewarp/tuning_view";
import { WhenSeen, catchUp } from "ratewarp/when_seen";
import { WarpsView } from "ratewarp/warps_view";
import { words } from "ratewarp/words";

/**
 * @typedef {import("ratewarp/stage_run").Choice} Choice
 * @typedef {import("ratewarp/stage_run").Detail} Detail
 */

const WHAT = /** @type {(keyof Choice)[]} */ (["model", "beside", "place", "seed", "stimulus"]); // what other pictures are of
const NARROW = 640; // CSS pixels, as in page.css
const REST = 500; // milliseconds without another choice; maps have moved by then
const whenIdle = (/** @type {() => void} */ act) => (globalThis.requestIdleCallback ?? setTimeout)(act, { timeout: REST });
const place = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(name));

class Stage {
  /** @param {StageRun} run */
  constructor(run) {
    this.run = run;
    this.colours = colourings(run);
    this.state = new State(fromAddress(location.hash.slice(1), this.#first(), run.data), withOwnLatent);
    this.resting = 0; // a timer
    this.turns = 0; // how often something else was chosen
    this.shows = 0; // how often another choice was to be shown: the last is
    /** @type {{detail: Detail | null, other: Detail | null, item: number}} what is shown */
    this.at = { detail: null, other: null, item: 0 };
    leaveOut(run);
    this.views = this.#views();
    this.later = this.#later();
    this.heat = new HeatView(place("heat"), run, this.state);
    const section = place("heat").closest("section");
    if (section && !this.heat.possible) section.remove();
    this.refresh = furnish(run, this.state, { ...this.views, heat: this.heat, indices: new IndicesView(document.getElementById("indices"), run.data) });
  }

  /** What is chosen at first. @returns {Choice} */
  #first() {
    const { data } = this.run;
    const others = data.models.filter((/** @type {any} */ one) => one.name !== (one.reference ?? data.reference));
    return {
      model: (others[0] ?? data.models[0]).name,
      place: data.axes.map((/** @type {any} */ axis) => (axis.numbers ? axis.values.indexOf(Math.max(...axis.values)) : 0)),
      seed: data.seeds[0],
      stimulus: null,
      latent: null,
      colour: null,
      beside: null,
      lit: null,
      far: false,
      measures: null,
      heat: null,
    };
  }

  #views() {
    const { run, state } = this;
    const choose = (/** @type {number} */ item) => state.set({ stimulus: run.stimulus[item] });
    const hover = (/** @type {number | null} */ item) => {
      for (const map of [own, reference]) map.light(item);
      legend.pointAt(item !== null);
    };
    const light = (/** @type {import("ratewarp/stage_run").Lit | null} */ lit) => state.set({ lit });
    const latent = (/** @type {number} */ one) => state.set({ latent: state.now.latent === one ? null : one });
    const go = (/** @type {any} */ condition) => this.#go(condition);
    const walk = (/** @type {import("ratewarp/map_walk").Spot} */ spot) => {
      if (this.at.detail) traversal.start(codeAt(this.at.detail, spot), "a place of the map: a mean of the codes that are nearest there");
    };
    const own = new MapView(place("map-own"), run, { title: "", choose, hover, walk });
    const reference = new MapView(place("map-reference"), run, { title: "", choose, hover, walk: () => undefined });
    const controls = new Controls(place("controls"), run, state, this.colours);
    new GuideView(document.getElementById("guide"), run, (condition, latent, task) => {
      const scheme = run.schemes.findIndex((/** @type {any} */ one) => one.name === task);
      const lit = scheme < 0 ? null : { of: `class-${scheme}`, which: [1] };
      this.#go(condition, { colour: null, lit, latent, far: false, beside: null });
      place(innerWidth > NARROW ? "about" : "legend").scrollIntoView();
    });
    const legend = new LegendView(place("legend"), state);
    const plane = new PlaneView(place("plane"), run, go);
    const warps = new WarpsView(place("warp-panels"), run, go, state);
    const stimulus = new StimulusView(place("stimulus"), run, { choose: (one) => state.set({ stimulus: one }), light });
    const traversal = new TraversalView(place("traversal"), run, latent);
    const tuning = new TuningView(place("tuning"), run, latent);
    const distances = new DistancesView(place("distances"), run, light);
    return { own, reference, controls, legend, plane, warps, stimulus, traversal, tuning, distances };
  }

  /** What waits until it is on the screen. */
  #later() {
    const later = (/** @type {string} */ name) => new WhenSeen(place(name), () => this.refresh());
    return { warps: later("warp-panels"), stimulus: later("stimulus"), tuning: later("tuning"), distances: later("distances") };
  }

  /** Which labelling is that of a model; -1 for none. @param {string} model */
  #scheme(model) {
    return this.run.schemes.findIndex((/** @type {any} */ one) => one.models.includes(model));
  }

  /** Chooses a condition; along axes on which it does not vary all stays as it is. @param {any} condition @param {Partial<Choice>} [more] */
  #go({ model, seed, place }, more = {}) {
    const { now } = this.state;
    this.state.set({ ...more, model, seed, place: place.map((/** @type {number | null} */ at, /** @type {number} */ axis) => at ?? now.place[axis]) });
  }

  /** Shows what another choice is, or lights what is shown already. @param {Choice} now @param {Choice} before */
  follow(now, before) {
    this.turns++;
    document.documentElement.dataset.stage = "moving";
    if (WHAT.some((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))) {
      this.show(now);
      return;
    }
    this.light(now);
    this.#measures(this.run.chosen(now), now);
    this.refresh();
    this.#rest();
  }

  /** @param {Choice} now */
  async show(now) {
    const { run, views, state } = this;
    const { data } = run;
    const show = ++this.shows;
    place("stage").setAttribute("aria-busy", "true");
    const [condition, base] = [run.chosen(now), run.reference(now)];
    const beside = now.beside ?? referenceOf(data, now.model);
    const isReference = beside === referenceOf(data, now.model);
    views.plane.show(condition);
    this.#measures(condition, now);
    this.#tell(condition, base);
    const [detail, other] = await Promise.all([condition, base].map((one) => (isShown(data, one) ? run.detail(one) : null)));
    const [decoder, theirs] = await Promise.all([condition, base].map((one) => run.decoder(one)));
    if (show !== this.shows) return;
    const item = run.firstItem.get(now.stimulus ?? middleStimulus(run)) ?? 0;
    this.at = { detail, other, item };
    const extent = Math.max(detail?.extent ?? 0, other?.extent ?? 0) || undefined;
    views.own.show(detail, title(now.model, condition), { item, extent, nothing: whyEmpty(data, condition), decoder });
    views.reference.show(other, title(isReference && beside !== "reference" ? `${beside} (reference)` : beside, base), { item, extent, nothing: whyEmpty(data, base), decoder: theirs });
    const sides = [{ name: now.model, detail }, { name: beside, detail: other }];
    this.later.stimulus.do(() => views.stimulus.show(item, now.model === beside ? sides.slice(0, 1) : sides), "show");
    this.later.tuning.do(() => views.tuning.show(detail, run.stimulus[item]), "show");
    this.later.distances.do(() => this.#distances(now, sides), "show");
    const walking = views.traversal.show(condition, detail, item);
    this.light(state.now);
    await walking;
    this.refresh();
    performance.clearMarks("stage-shown");
    performance.mark("stage-shown"); // benchmarks/page.py waits for it
    if (show !== this.shows) return;
    place("stage").setAttribute("aria-busy", "false");
    if (show > 1) this.#rest();
    else this.#settle();
  }

  /** Once a choice rests, writes it into the address: browsers refuse addresses that change too often. */
  #rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      history.replaceState(null, "", `#${toAddress(this.state.now)}`);
      this.#settle();
    }, REST);
  }

  /** Brings up to date what is not on the screen, and makes ready what may come next. */
  #settle() {
    const { turns } = this;
    whenIdle(() => {
      if (turns !== this.turns) return;
      catchUp();
      document.documentElement.dataset.stage = "ready";
      this.#unpackNear(this.state.now);
    });
  }

  /** @param {any} condition @param {Choice} now */
  #measures(condition, now) {
    this.later.warps.do(() => this.views.warps.show(condition, now));
    this.heat.show(now);
  }

  /** Unpacks what one step of a slider would show. @param {Choice} now */
  #unpackNear(now) {
    const { run } = this;
    for (const [axis, { values }] of run.data.axes.entries()) {
      for (const at of [now.place[axis] - 1, now.place[axis] + 1]) {
        if (at < 0 || at >= values.length) continue;
        const near = { ...now, place: now.place.with(axis, at) };
        for (const one of [run.chosen(near), run.reference(near)]) {
          run.detail(one);
          run.decoder(one);
        }
      }
    }
  }

  /** @param {Choice} now @param {{name: string, detail: Detail | null}[]} sides */
  #distances(now, sides) {
    const { schemes } = this.run;
    const scheme = schemes[this.#scheme(now.model)] ?? schemes[0];
    this.views.distances.show(scheme, sides[0], sides[1]);
    place("distances-title").textContent = scheme ? `Distances of classes: ${scheme.title}` : "Distances of classes";
  }

  /** Lights up classes and a latent in every view, and colours the maps. @param {Choice} now */
  light(now) {
    const { views, colours, at } = this;
    const { detail, other, item } = at;
    const own = `class-${this.#scheme(now.model)}`; // what a model is asked, or what it sees more often
    const colouring = [now.colour, own].map((name) => colours.find((one) => one.name === name)).find(Boolean) ?? colours[0];
    const lit = isLit(now.lit, colours);
    const latent = detail && now.latent !== null && latentsInUse(detail).includes(now.latent) ? now.latent : null;
    const values = detail && latent !== null ? detail.codes.filter((_, place) => place % detail.latents === latent) : null;
    const from = now.far ? item : null;
    if (detail) views.own.dress({ colouring, values, from, lit });
    if (other) views.reference.dress({ colouring, values, from, lit });
    views.legend.show(colouring, latent, nameOfLit(now.lit, colours));
    views.traversal.light(latent);
    this.later.tuning.do(() => views.tuning.light(latent, lit, colourOfLit(now.lit, colours)), "light");
    this.later.stimulus.do(() => views.stimulus.light(now.lit, lit), "light");
    this.later.distances.do(() => views.distances.light(now.lit), "light");
  }

  /** The sentences of a condition; before all, what keeps it or its reference from being believed. @param {any} condition @param {any} base */
  #tell(condition, base) {
    const { data } = this.run;
    const alerts = (condition === base ? [condition] : [condition, base]).map((one) => ({ one, ...standing(data, one) })).filter(({ kind }) => kind !== "sound");
    place("standing").replaceChildren(...alerts.map(({ one, kind, text }) =>
      words("p", `${markOf(kind)} ${one?.model ?? "This place"}${one && one !== condition ? " (at the side)" : ""}: ${text}`, "alert")));
    const told = standing(data, condition).kind === "diverged" ? [] : (data.sentences?.[condition?.id] ?? []);
    const { model, beside } = this.state.now;
    const reference = referenceOf(data, model);
    const apart = beside !== null && beside !== reference ? ` Maps, stimulus and distances stand beside ${beside}; sentences and measures compare with ${reference}.` : "";
    place("about").textContent = (data.models.find((/** @type {any} */ one) => one.name === model)?.about ?? "") + apart;
    place("sentences").replaceChildren(...told.map((/** @type {string} */ text) => words("li", text)));
  }
}

/** @param {import("ratewarp/stage_run").Lit | null} lit @param {import("ratewarp/colours").Colouring[]} colours */
function colourOfLit(lit, colours) {
  const entries = colours.find((one) => one.name === lit?.of)?.entries;
  return entries?.find((one) => one.number === lit?.which[0])?.colour ?? "currentColor";
}

/** @param {import("ratewarp/stage_run").Lit | null} lit @param {import("ratewarp/colours").Colouring[]} colours */
function nameOfLit(lit, colours) {
  const found = colours.find((one) => one.name === lit?.of);
  const labels = found?.entries.filter((one) => lit?.which.includes(one.number)).map((one) => one.label) ?? [];
  return labels.length ? `${found?.label}: ${labels.join(", ")}` : "";
}

/** @param {string} name @param {any} condition */
function title(name, condition) {
  const rate = condition?.rate_nats;
  return rate === undefined || rate === null ? name : `${name}, ${Number(rate.toPrecision(3))} nats`;
}

/** A stimulus from the middle of all, to begin with. @param {StageRun} run */
function middleStimulus({ stimulus }) {
  return stimulus[Math.floor(stimulus.length / 2)];
}

async function main() {
  const data = await inflated(JSON.parse(/** @type {string} */ (place("stage-data").textContent)));
  const run = await new StageRun(data).open();
  place("stage").hidden = false;
  const stage = new Stage(run);
  const { state } = stage;
  state.listen((now, before) => stage.follow(now, before));
  addEventListener("hashchange", () => state.set(fromAddress(location.hash.slice(1), state.now, data)));
  await stage.show(state.now);
  performance.mark("stage-ready");
}

main();

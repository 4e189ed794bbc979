/** The stage: everything that is shown follows what is chosen. */

import { colourings } from "ratewarp/colours";
import { Controls } from "ratewarp/controls";
import { DistancesView } from "ratewarp/distances_view";
import { MapView } from "ratewarp/map_view";
import { PlaneView } from "ratewarp/plane_view";
import { furnish } from "ratewarp/stage_panels";
import { StageRun } from "ratewarp/stage_run";
import { State, fromAddress, toAddress } from "ratewarp/stage_state";
import { StimulusView } from "ratewarp/stimulus_view";
import { TraversalView } from "ratewarp/traversal_view";
import { TuningView } from "ratewarp/tuning_view";
import { WarpsView } from "ratewarp/warps_view";

const place = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(name));

async function main() {
  const data = JSON.parse(/** @type {string} */ (place("stage-data").textContent));
  const run = await new StageRun(data).open();
  const colours = colourings(run);
  const others = data.models.filter((/** @type {any} */ one) => one.name !== data.reference);
  const first = {
    model: (others[0] ?? data.models[0]).name,
    place: data.axes.map((/** @type {any} */ axis) => (axis.numbers ? axis.values.indexOf(Math.max(...axis.values)) : 0)),
    seed: data.seeds[0],
    stimulus: null,
    latent: 0,
    colour: colours[0].name,
  };
  const state = new State(fromAddress(location.hash.slice(1), first, data));
  const stage = place("stage");
  stage.hidden = false;
  const choose = (/** @type {number} */ item) => state.set({ stimulus: run.stimulus[item] });
  const go = (/** @type {any} */ condition) =>
    state.set({
      model: condition.model,
      seed: condition.seed,
      place: condition.place.map((/** @type {number | null} */ at, /** @type {number} */ axis) => at ?? state.now.place[axis]),
    });
  const hover = (/** @type {number | null} */ item) => maps.forEach((map) => map.light(item));
  const own = new MapView(place("map-own"), run, { title: "", choose, hover });
  const reference = new MapView(place("map-reference"), run, { title: "", choose, hover });
  const maps = [own, reference];
  new Controls(place("controls"), run, state, colours);
  const plane = new PlaneView(place("plane"), run, go);
  const warps = new WarpsView(place("warp-panels"), run, go);
  const stimulus = new StimulusView(place("stimulus"), run, (one) => state.set({ stimulus: one }));
  const traversal = new TraversalView(place("traversal"), run);
  const tuning = new TuningView(place("tuning"), run);
  const distances = new DistancesView(place("distances"), run);
  const refresh = furnish(run, state, { own, reference, stimulus, traversal, tuning, distances, warps });

  /** @param {import("ratewarp/stage_run").Choice} now */
  async function show(now) {
    const [condition, base] = [run.chosen(now), run.reference(now)];
    plane.show(condition);
    warps.show(condition);
    const [detail, other] = await Promise.all([run.detail(condition), run.detail(base)]);
    if (state.now !== now) return;
    const item = run.firstItem.get(now.stimulus ?? middleStimulus(run)) ?? 0;
    const extent = Math.max(detail?.extent ?? 0, other?.extent ?? 0) || undefined;
    const colouring = colours.find((one) => one.name === now.colour) ?? colours[0];
    own.show(detail, title(now.model, condition), extent);
    reference.show(other, title(`${data.reference} (reference)`, base), extent);
    for (const map of maps) {
      map.colour(colouring);
      map.mark(item);
    }
    legend(colouring);
    const sides = [{ name: now.model, detail }, { name: data.reference, detail: other }];
    stimulus.show(item, now.model === data.reference ? sides.slice(0, 1) : sides);
    tuning.show(detail, run.stimulus[item]);
    const scheme = run.schemes?.find((/** @type {any} */ one) => one.models.includes(now.model)) ?? run.schemes?.[0];
    distances.show(scheme, sides[0], sides[1]);
    place("distances-title").textContent = scheme ? `Distances of classes: ${scheme.title}` : "Distances of classes";
    place("sentences").replaceChildren(...sentences(condition));
    await traversal.show(condition, detail, item);
    refresh();
  }

  /** @param {any} condition */
  function sentences(condition) {
    return (data.sentences?.[condition?.id] ?? []).map((/** @type {string} */ text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    });
  }

  /** @param {import("ratewarp/colours").Colouring} colouring */
  function legend(colouring) {
    const entries = colouring.entries.map(({ label, colour }) => {
      const entry = document.createElement("span");
      const dot = entry.appendChild(document.createElement("span"));
      dot.className = "dot";
      dot.style.background = colour;
      const short = Array.from(label).length > 24 ? `${Array.from(label).slice(0, 23).join("")}…` : label;
      entry.append(short);
      entry.title = label;
      return entry;
    });
    const name = document.createElement("span");
    name.textContent = `${colouring.label}: `;
    place("legend").replaceChildren(name, ...entries);
  }

  state.listen((now) => {
    history.replaceState(null, "", `#${toAddress(now)}`);
    show(now);
  });
  addEventListener("hashchange", () => state.set(fromAddress(location.hash.slice(1), state.now, data)));
  await show(state.now);
  document.documentElement.dataset.stage = "ready";
  performance.mark("stage-ready");
}

/** @param {string} name @param {any} condition */
function title(name, condition) {
  const rate = condition?.rate_nats;
  return rate === undefined || rate === null ? name : `${name}, ${Number(rate.toPrecision(3))} nats`;
}

/** A stimulus from the middle of all, to begin with. @param {import("ratewarp/stage_run").StageRun} run */
function middleStimulus(run) {
  return run.stimulus[Math.floor(run.stimulus.length / 2)];
}

main();

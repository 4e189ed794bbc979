/** What every panel of the stage gets: a menu to save it, and a table of the numbers behind it. */

import { downloadMenu } from "ratewarp/downloads";
import { distanceRows, heatRows, mapRows, measureRows, neighbourRows, planeRows, tuningRows, walkRows } from "ratewarp/panel_rows";
import { rowTable } from "ratewarp/row_table";
import { shown } from "ratewarp/stage_run";
import { toAddress } from "ratewarp/stage_state";

const INK = "#1d2733"; // on paper
const PUBLISHED = { label: "published", colour: INK, sign: /** @type {const} */ ("cross") };

/**
 * @typedef {{own: import("ratewarp/map_view").MapView, reference: import("ratewarp/map_view").MapView,
 *   stimulus: import("ratewarp/stimulus_view").StimulusView, traversal: import("ratewarp/traversal_view").TraversalView,
 *   tuning: import("ratewarp/tuning_view").TuningView, distances: import("ratewarp/distances_view").DistancesView,
 *   indices: import("ratewarp/indices_view").IndicesView, warps: import("ratewarp/warps_view").WarpsView, heat: import("ratewarp/heat_view").HeatView}} Views
 */

/**
 * @param {import("ratewarp/stage_run").StageRun} run
 * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
 * @param {Views} views
 * @returns {() => void} to be called when the views show something else
 */
export function furnish(run, state, views) {
  const chosen = {
    parts: () => partsOf(run.data, state.now),
    address: () => `${location.href.split("#")[0]}#${toAddress(state.now)}`,
  };
  const tables = panelsOf(run, state, views).map((panel) => {
    panel.at.querySelector("h3, h4")?.after(downloadMenu(panel, chosen));
    const table = rowTable(panel.label, panel.rows);
    (panel.at.querySelector(".notes") ?? panel.at).append(table.element);
    panel.at.addEventListener("input", table.refresh);
    return table;
  });
  return () => {
    for (const table of tables) table.refresh();
  };
}

/**
 * @param {import("ratewarp/stage_run").StageRun} run
 * @param {import("ratewarp/stage_state").State<import("ratewarp/stage_run").Choice>} state
 * @param {Views} views
 * @returns {import("ratewarp/downloads").Panel[]}
 */
function panelsOf(run, state, { own, reference, stimulus, traversal, tuning, distances, indices, warps, heat }) {
  const { data } = run;
  const models = () => data.models.map((/** @type {any} */ one) => ({ label: one.name, colour: one.colour }));
  const model = () => state.now.model;
  const optimalCodes = () => ({ label: `optimal codes, ${model()}`, colour: models().find((/** @type {any} */ one) => one.label === model())?.colour ?? INK, sign: /** @type {const} */ ("dashes") });
  const bound = data.bound.length ? [{ label: "least possible", colour: INK, sign: /** @type {const} */ ("line") }] : [];
  const map = (/** @type {import("ratewarp/map_view").MapView} */ view) => ({
    rows: () => mapRows(run, view.detail),
    legend: () => view.colouring?.entries ?? [],
    canvas: (/** @type {number} */ side) => view.drawing(side),
  });
  const panels = [
    { name: "map", label: "map of the model", at: around("map-own"), ...map(own) },
    { name: "reference-map", label: "map of the reference", at: around("map-reference"), ...map(reference) },
    { name: "plane", label: "rate and distortion", at: around("plane"), rows: () => planeRows(data), legend: () => [...models(), ...bound] },
    { name: "stimulus", label: "the chosen stimulus", at: around("stimulus"), rows: () => neighbourRows(run, stimulus.item, stimulus.sides), pictures: false },
    { name: "walk", label: "walk along the latents", at: around("traversal"), rows: () => walkRows(traversal.detail, traversal.code), pictures: false },
    { name: "tuning", label: "tuning", at: around("tuning"), rows: () => tuningRows(tuning.detail, tuning.factors) },
    { name: "distances", label: "distances of classes", at: around("distances"), rows: () => distanceRows(distances.scheme, distances.shown) },
    { name: "indices", label: "indices", at: around("indices"), rows: () => indices.rows() },
    ...(heat.possible ? [{ name: "axes", label: "over two axes", at: around("heat"), rows: () => heatRows(heat) }] : []),
    ...warps.panels.map(({ measure, title, frame, rows, optimal, published }) => ({
      name: measure, label: title, at: frame, rows: () => measureRows(data, rows, optimal, published),
      legend: () => [...models(), ...(optimal.some((/** @type {any} */ one) => one.model === model()) ? [optimalCodes()] : []), ...(published.length ? [PUBLISHED] : [])],
    })),
  ];
  return panels.filter(({ at }) => at && !at.hidden);
}

/** The panel in which a view stands. @param {string} name */
function around(name) {
  return /** @type {HTMLElement} */ (document.getElementById(name)?.closest("section"));
}

/** Study, model and where it stands, as parts of names of files. @param {any} data @param {import("ratewarp/stage_run").Choice} now */
function partsOf(data, now) {
  const places = data.axes.map((/** @type {any} */ axis, /** @type {number} */ number) => `${shown(axis.values[now.place[number]])}${axis.unit ? `-${axis.unit}` : ""}`);
  return [data.study, now.model, ...places, ...(data.seeds.length > 1 ? [`seed-${now.seed}`] : [])];
}

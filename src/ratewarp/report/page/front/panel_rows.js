/** The numbers behind every panel, as rows. */

import { latentsInUse } from "ratewarp/stage_run";
import { nearestStimuli } from "ratewarp/stimulus_view";
import { courseOf } from "ratewarp/tuning_view";

/**
 * @typedef {import("ratewarp/csv").Cell} Cell
 * @typedef {import("ratewarp/csv").Rows} Rows
 * @typedef {import("ratewarp/stage_run").StageRun} StageRun
 * @typedef {import("ratewarp/stage_run").Detail} Detail
 */


/** Rows of a panel that shows nothing. @type {Rows} */
export const NOTHING = { columns: [], rows: [] };

/**
 * Every code on a map: where it lies there, and the code itself.
 * @param {StageRun} run
 * @param {Detail | null} detail
 * @returns {Rows}
 */
export function mapRows(run, detail) {
  if (!detail) return NOTHING;
  const { points, codes, latents } = detail;
  const stimulus = /** @type {Int32Array} */ (run.stimulus);
  const items = Array.from(stimulus.keys()).filter((item) => !Number.isNaN(points[2 * item]));
  return {
    columns: [
      ...stimulusColumns(run),
      ...["x", "y"].map((axis) => `map ${axis} (${detail.unit})`),
      ...Array.from({ length: latents }, (_, latent) => `${detail.noun} ${latent + 1} (${detail.unit})`),
    ],
    rows: items.map((item) => [
      ...stimulusCells(run, stimulus[item]),
      ...points.subarray(2 * item, 2 * item + 2),
      ...codes.subarray(item * latents, (item + 1) * latents),
    ]),
  };
}

/** Every model with its rate and distortion, then the points of the bounds. @param {any} data @returns {Rows} */
export function planeRows(data) {
  const models = data.conditions.map((/** @type {any} */ one) => [
    "trained model", ...conditionCells(one, data), one.distortion, one.semantic_distortion,
  ]);
  const empty = data.axes.map(() => null);
  const bounds = data.bound.flatMap((/** @type {any} */ curve) =>
    curve.rate.map((/** @type {number} */ rate, /** @type {number} */ place) => [
      "bound", curve.models.join("; "), ...empty, null, null, rate, null, curve.distortion[place],
    ]),
  );
  return {
    columns: ["kind", ...conditionColumns(data), `distortion (${data.unit})`, `distortion of the stimulus (${data.unit})`],
    rows: [...models, ...bounds],
  };
}

/**
 * Of every latent in use, the mean code over the values of every factor.
 * @param {Detail | null} detail
 * @param {any[]} factors
 * @returns {Rows}
 */
export function tuningRows(detail, factors) {
  if (!detail) return NOTHING;
  const rows = latentsInUse(detail).flatMap((latent) =>
    factors.flatMap((factor) => {
      const { mean, low, high } = courseOf(detail, latent, factor);
      return factor.values.map((/** @type {Cell} */ value, /** @type {number} */ rank) =>
        [latent + 1, detail.weights[latent], factor.name, value, mean[rank], low[rank], high[rank]]);
    }),
  );
  return {
    columns: [detail.noun, weightName(detail), "factor", "value", ...["mean", "lowest", "highest"].map((one) => `${one} code (${detail.unit})`)],
    rows,
  };
}

/**
 * Log distances of pairs of classes, a column a matrix.
 * @param {any} scheme
 * @param {[string, number[][]][]} matrices
 * @returns {Rows}
 */
export function distanceRows(scheme, matrices) {
  if (!matrices.length) return NOTHING;
  /** @type {string[]} */
  const classes = scheme.classes;
  return {
    columns: ["class", "other class", ...matrices.map(([name]) => `${name} (natural log of distance over that of all stimuli)`)],
    rows: classes.flatMap((one, a) => classes.map((other, b) => [one, other, ...matrices.map(([, values]) => values[a][b])])),
  };
}

/**
 * A measure of every model, with its interval; then that of optimal codes and what is published, which their kind
 * and model tell, at their rate or capacity.
 * @param {any} data
 * @param {{condition: any, value: number, low: number | null, high: number | null, task: string}[]} measured
 * @param {any[]} [optimal] curves over rate
 * @param {any[]} [published] numbers at capacities
 * @returns {Rows}
 */
export function measureRows(data, measured, optimal = [], published = []) {
  const others = optimal.length + published.length > 0;
  const place = (/** @type {(number | null)[]} */ at) => data.axes.map((/** @type {any} */ axis, /** @type {number} */ number) => axis.values[at[number] ?? -1]);
  const capacity = (/** @type {number} */ one) => data.axes.map((/** @type {any} */ axis) => (axis.unit === "nats" ? one : null));
  const rows = [
    ...measured.map(({ condition, task, value, low, high }) => ["trained model", ...conditionCells(condition, data), task, value, low, high]),
    ...optimal.flatMap((one) => one.rate.map((/** @type {number} */ rate, /** @type {number} */ at) =>
      ["optimal codes", one.model, ...place(one.place), null, null, rate, one.task, one.value[at], null, null])),
    ...published.map((one) => ["published", one.model, ...capacity(one.at), null, null, null, one.task, one.value, null, null]),
  ];
  const columns = ["kind", ...conditionColumns(data), "task", "value", "low end of the interval", "high end of the interval"];
  return others ? { columns, rows } : { columns: columns.slice(1), rows: rows.map((row) => row.slice(1)) };
}

/** The cells of the view over two axes. @param {import("ratewarp/heat_view").HeatView} heat @returns {Rows} */
export function heatRows(heat) {
  const [number, across, down] = heat.choice;
  const { axes, phases } = heat.run.data;
  const { title, phases: named } = heat.measures[number];
  return {
    columns: [axes[across].label, axes[down].label, title, "seeds"],
    rows: heat.cells.map(({ x, y, value, seeds }) => [axes[across].values[x], axes[down].values[y], named ? phases.names[value] : value, seeds]),
  };
}

/**
 * The stimuli whose codes are nearest to the chosen one, of the model and of the reference.
 * @param {StageRun} run
 * @param {number} item
 * @param {{name: string, detail: Detail | null}[]} sides
 * @returns {Rows}
 */
export function neighbourRows(run, item, sides) {
  const rows = sides.flatMap(({ name, detail }) =>
    (detail ? nearestStimuli(run, detail, item) : []).map(([stimulus, distance], place) =>
      [name, place + 1, distance, ...stimulusCells(run, stimulus)]),
  );
  return { columns: ["codes of", "neighbour", `distance (${run.unit})`, ...stimulusColumns(run)], rows };
}

/** Where the walk is, latent by latent. @param {Detail | null} detail @param {ArrayLike<number> | null} code @returns {Rows} */
export function walkRows(detail, code) {
  if (!detail || !code) return NOTHING;
  return {
    columns: ["latent", weightName(detail), `position (${detail.unit})`],
    rows: latentsInUse(detail).map((latent) => [latent + 1, detail.weights[latent], code[latent]]),
  };
}

/** @param {Detail} detail */
function weightName({ rates }) {
  return rates ? "rate (nats)" : "share of the variance";
}

/** @param {StageRun} run */
function stimulusColumns(run) {
  const factors = (run.factors ?? []).map((/** @type {any} */ one) => one.name);
  return ["stimulus", ...factors, ...(run.schemes ?? []).map((/** @type {any} */ one) => `class: ${one.title}`)];
}

/** @param {StageRun} run @param {number} stimulus @returns {Cell[]} */
function stimulusCells(run, stimulus) {
  const factors = (run.factors ?? []).map((/** @type {any} */ one) => one.values[one.ranks[stimulus]]);
  return [stimulus, ...factors, ...(run.schemes ?? []).map((/** @type {any} */ one) => one.classes[one.of[stimulus]])];
}

/** @param {any} data @returns {string[]} */
function conditionColumns(data) {
  const axes = data.axes.map((/** @type {any} */ axis) => (axis.unit ? `${axis.label} (${axis.unit})` : axis.label));
  return ["model", ...axes, "seed", "status", "rate (nats)"];
}

/** A model that does not vary along an axis has no value there. @param {any} condition @param {any} data @returns {Cell[]} */
function conditionCells({ model, place, seed, status, rate_nats }, data) {
  const at = data.axes.map((/** @type {any} */ axis, /** @type {number} */ number) => axis.values[place[number]]);
  return [model, ...at, seed, status, rate_nats];
}

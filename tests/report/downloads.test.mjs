/** What is taken along from a panel: numbers as CSV, drawings as SVG and PNG, names of files. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { toCsv } from "ratewarp/csv";
import { fileName } from "ratewarp/file_names";
import { svgFile, withDensity } from "ratewarp/journal_sizes";
import { inLines } from "ratewarp/panel_drawing";
import { distanceRows, mapRows, measureRows, neighbourRows, planeRows, tuningRows, walkRows } from "ratewarp/panel_rows";
import { drawn, toMarkup } from "ratewarp/svg_markup";

test("text is quoted only where it must be, and lines end as RFC 4180 says", () => {
  const rows = [['say "no"', "a, b"], ["two\nlines", "plain"], [" kept ", null]];
  assert.equal(toCsv({ columns: ["a", "b (nats)"], rows }), 'a,b (nats)\r\n"say ""no""","a, b"\r\n"two\nlines",plain\r\n kept ,\r\n');
});

test("text that a spreadsheet would compute does not begin as it did, numbers stay numbers", () => {
  const texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "fine = fine"];
  const lines = toCsv({ columns: ["=A1"], rows: texts.map((one) => [one]) });
  assert.equal(lines, `'=A1\r\n'=1+1\r\n'+1\r\n'-1\r\n'@SUM(A1)\r\n'\t=1\r\n"'\r=1"\r\n"'\n=1"\r\nfine = fine\r\n`);
  assert.equal(toCsv({ columns: ["n"], rows: [[-1.5, Math.fround(0.1), 1e-9, 0, NaN, Infinity, undefined]] }), "n\r\n-1.5,0.1,1e-9,0,,,\r\n");
});

test("a file of hostile text is read back as it was", () => {
  const text = ['=HYPERLINK("http://a","b")', '"', ",", "\r\n", "a\u2028b", "é", ";=1", "x".repeat(1e4)];
  writeFileSync("hostile.csv", toCsv({ columns: text, rows: [text] }));
  writeFileSync("hostile.json", JSON.stringify(text));
});

test("an SVG holds text as text, and nothing that runs or asks for more", () => {
  const hostile = '</text></svg><script>alert(1)</script><a href="javascript:alert(1)">\u0000\ud800&amp;]]>';
  const markup = toMarkup(
    drawn("svg", { xmlns: "http://www.w3.org/2000/svg", onload: "alert(1)", href: "http://a.example", style: "fill: red" }, [
      drawn("script", {}, ["alert(1)"]),
      drawn("foreignObject", {}, ["x"]),
      drawn("text", { fill: '"><script>', stroke: "url(http://a.example)", "font-size": 11 }, [hostile]),
      drawn("title", {}, [hostile]),
    ]),
  );
  assert.doesNotMatch(markup, /<script|<foreign|onload|<a |href="|style|url\(|\u0000|\ud800/);
  assert.match(markup, /^<svg xmlns="[^"]+"><text fill="&quot;&gt;&lt;script&gt;" font-size="11">&lt;\/text&gt;&lt;\/svg&gt;/);
  assert.match(markup, /&amp;amp;\]\]&gt;<\/text>/);
  writeFileSync("hostile.svg", markup);
});

test("an SVG is as wide as a column, or two", async () => {
  const svg = drawn("svg", { viewBox: "0 0 300 150" });
  assert.match(await svgFile({ svg, width: 300, height: 150 }).text(), /width="85mm" height="42.50mm"/);
  assert.match(await svgFile({ svg, width: 1000, height: 500 }).text(), /width="174mm" height="87.00mm"/);
});

test("a PNG says its density", () => {
  writeFileSync("dense.png", withDensity(readFileSync("plain.png")));
});

test("names of files are those that every system takes", () => {
  assert.equal(fileName(["demo", "E1M1", "0.3-nats", "plane"], "csv"), "demo_E1M1_0.3-nats_plane.csv");
  assert.equal(fileName(["../../etc", 'a<b>:"|?*\\c', "größe 心", "\u0000"], "svg"), "etc_a-b-c_größe-心.svg");
  assert.equal(fileName(["..", "/"], "png"), "ratewarp.png");
  assert.equal(fileName(["w".repeat(5000)], "png").length, 44);
});

test("words are laid out in lines, and cut where there is no room", () => {
  assert.deepEqual(inLines("one two three", 8, 3), ["one two", "three"]);
  assert.deepEqual(inLines("one two three", 8, 1), ["one two…"]);
  assert.deepEqual(inLines("w".repeat(50), 5, 2), ["wwww…"]);
  assert.deepEqual(inLines("", 5, 2), []);
});

const detail = {
  points: Float32Array.of(0, 0, 1, 0, NaN, NaN),
  codes: Float32Array.of(0, 0, 3, 4, 6, 8),
  means: Float32Array.of(0, 0, 3, 4, 6, 8),
  frequency: Float32Array.of(0.5, 0.5, 0.5),
  latents: 2,
  rates: [0.001, 1.5],
  weights: [0.001, 1.5],
  noun: "latent",
  unit: "s.d. of the prior",
};
const factor = { name: "size", values: [10, "=big"], ranks: [0, 1, 1] };
const scheme = { title: "kind", classes: ["a", "b"], of: [0, 1, 1] };
const conditions = [
  { model: "m", place: [1], seed: 0, status: "ok", rate_nats: 2, distortion: 0.1, semantic_distortion: null },
  { model: "n", place: [null], seed: 1, status: "diverged", rate_nats: null, distortion: null, semantic_distortion: null },
];
const data = {
  unit: "squared error per pixel",
  axes: [{ label: "capacity", unit: "nats", values: [3, 0.3] }],
  conditions,
  bound: [{ models: ["m", "n"], rate: [0, 1], distortion: [0.5, 0.2] }],
};
const run = { stimulus: Int32Array.of(0, 1, 2), factors: [factor], schemes: [scheme], data, unit: "s.d. of the prior" };

test("rows of a map are the codes that are on it", () => {
  const { columns, rows } = mapRows(run, detail);
  assert.deepEqual(columns.slice(0, 4), ["stimulus", "size", "class: kind", "map x (s.d. of the prior)"]);
  assert.deepEqual(rows, [[0, 10, "a", 0, 0, 0, 0], [1, "=big", "b", 1, 0, 3, 4]]);
  assert.deepEqual(mapRows(run, null).rows, []);
});

test("rows of the plane are all models, then the bounds", () => {
  const { columns, rows } = planeRows(data);
  assert.deepEqual(columns.slice(0, 6), ["kind", "model", "capacity (nats)", "seed", "status", "rate (nats)"]);
  assert.deepEqual(rows, [
    ["trained model", "m", 0.3, 0, "ok", 2, 0.1, null],
    ["trained model", "n", undefined, 1, "diverged", null, null, null],
    ["bound", "m; n", null, null, null, 0, null, 0.5],
    ["bound", "m; n", null, null, null, 1, null, 0.2],
  ]);
  for (const row of rows) assert.equal(row.length, columns.length);
});

test("rows of tuning, of the walk, of neighbours, distances and measures", () => {
  assert.deepEqual(tuningRows(detail, [factor]).rows, [[2, 1.5, "size", 10, 0, 0, 0], [2, 1.5, "size", "=big", 6, 4, 8]]);
  assert.deepEqual(walkRows(detail, Float32Array.of(0, 2)).rows, [[2, 1.5, 2]]);
  assert.deepEqual(walkRows(detail, null).rows, []);
  const sides = [{ name: "m", detail }, { name: "n", detail: null }];
  assert.deepEqual(neighbourRows(run, 0, sides).rows, [["m", 1, 5, 1, "=big", "b"], ["m", 2, 10, 2, "=big", "b"]]);
  assert.deepEqual(distanceRows(scheme, [["m", [[0, 1], [2, NaN]]]]).rows, [["a", "a", 0], ["a", "b", 1], ["b", "a", 2], ["b", "b", NaN]]);
  assert.deepEqual(distanceRows(null, []).rows, []);
  const measured = [{ condition: conditions[0], task: "t", value: 1, low: 0, high: 2 }];
  assert.deepEqual(measureRows(data, measured).rows, [["m", 0.3, 0, "ok", 2, "t", 1, 0, 2]]);
});

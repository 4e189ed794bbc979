/** Texts that are hard to carry, in files: written here, read by Python in test_modules.py. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { toCsv } from "ratewarp/csv";
import { fileName } from "ratewarp/file_names";
import { inLines } from "ratewarp/panel_drawing";
import { drawn, toMarkup } from "ratewarp/svg_markup";
import { below, chance, hardText } from "./chance.mjs";

test("tables", () => {
  const random = chance(3);
  const tables = Array.from({ length: 300 }, () => {
    const width = 2 + below(random, 3);
    const row = () => Array.from({ length: width }, () => hardText(random));
    const [columns, rows] = [row(), Array.from({ length: below(random, 5) }, row)];
    return { columns, rows, csv: toCsv({ columns, rows }) };
  });
  writeFileSync("tables.json", JSON.stringify(tables));
});

test("drawings", () => {
  const random = chance(4);
  const drawings = Array.from({ length: 300 }, () => {
    const [text, fill] = [hardText(random), hardText(random)];
    const shape = drawn("g", { [hardText(random)]: "x", fill }, [drawn("text", {}, [text]), drawn(hardText(random), {}, ["lost"])]);
    return { text, fill, svg: toMarkup(drawn("svg", { xmlns: "http://www.w3.org/2000/svg" }, [shape])) };
  });
  writeFileSync("drawings.json", JSON.stringify(drawings));
});

test("names of files hold nothing that a system refuses", () => {
  const random = chance(5);
  for (let round = 0; round < 2000; round++) {
    const name = fileName(Array.from({ length: below(random, 4) }, () => hardText(random)), "csv");
    assert.match(name, /^[\p{L}\p{M}\p{N}_.-]+\.csv$/u);
    assert.doesNotMatch(name, /^[.-]/);
    assert.ok(name.length < 200);
  }
});

test("lines of words are no longer than there is room, and lose nothing but what is cut", () => {
  const random = chance(6);
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: below(random, 6) }, () => hardText(random)).join(" ");
    const [letters, most] = [2 + below(random, 20), 1 + below(random, 4)];
    const lines = inLines(text, letters, most);
    assert.ok(lines.length <= most);
    for (const line of lines) assert.ok(Array.from(line).length <= letters + 2);
    const words = text.split(/\s+/).filter(Boolean);
    if (!lines.some((line) => line.includes("…"))) assert.deepEqual(lines.join(" ").split(" ").filter(Boolean), words);
  }
});

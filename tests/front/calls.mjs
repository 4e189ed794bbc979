/** Functions of the modules, called with arguments from a file; see `called` of tests/node.py. */

import { readFileSync, writeFileSync } from "node:fs";
import d3 from "ratewarp/d3";

globalThis.d3 = d3;
const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, i8: Int32Array };

function revived(_, value) {
  if (value?.$number !== undefined) return Number(value.$number);
  if (value?.$array !== undefined) return ARRAYS[value.$array].from(value.values);
  return value;
}

/** As JSON that Python reads: with NaN and Infinity. */
function told(value) {
  if (value === undefined || value === null) return "null";
  if (typeof value === "number") return String(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (typeof value[Symbol.iterator] === "function") return `[${Array.from(value, told).join(",")}]`;
  return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${told(one)}`).join(",")}}`;
}

const [, , from, to] = process.argv;
const results = [];
for (const [module, name, args] of JSON.parse(readFileSync(from, "utf8"), revived)) {
  const functions = await import(`ratewarp/${module}`);
  results.push(await functions[name](...args));
}
writeFileSync(to, told(results));

/** What the page makes of codes: reads cases from a file, writes images, whether they are known, and times. */

import { readFileSync, writeFileSync } from "node:fs";
import { makeDecoder } from "ratewarp/decoder";

const [, , from, to] = process.argv;
const found = [];
for (const { data, codes } of JSON.parse(readFileSync(from, "utf8"))) {
  const decoder = await makeDecoder(data);
  const images = codes.map((code) => Array.from(decoder.image(Float32Array.from(code))));
  const start = performance.now();
  for (const code of codes) decoder.image(code);
  const milliseconds = (performance.now() - start) / codes.length;
  const known = codes.map((code) => decoder.knows(code));
  found.push({ shape: decoder.shape, images, known, milliseconds });
}
writeFileSync(to, JSON.stringify(found));

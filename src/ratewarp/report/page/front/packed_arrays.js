/** What Python packed: arrays (packed_arrays.py) and large parts of the data (deflated.py), in base64. */

/**
 * @typedef {{kind: "u1" | "u2", shape: number[], offset: number, scale: number, data: string}} Packed
 * @typedef {{values: Float32Array, shape: number[]}} Unpacked
 */

/**
 * Numbers of a packed array; NaN where they are missing.
 * @param {Packed} packed
 * @returns {Promise<Unpacked>}
 */
export async function unpack(packed) {
  const buffer = await inflate(packed.data).arrayBuffer();
  const steps = packed.kind === "u1" ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const missing = packed.kind === "u1" ? 255 : 65535;
  const values = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) {
    values[i] = steps[i] === missing ? NaN : packed.offset + packed.scale * steps[i];
  }
  return { values, shape: packed.shape };
}

/**
 * Data with the parts that were deflated.
 * @param {Record<string, any>} data
 * @returns {Promise<any>}
 */
export async function inflated(data) {
  const parts = Object.entries(data).map(async ([name, part]) =>
    [name, typeof part?.deflated === "string" ? await inflate(part.deflated).json() : part]);
  return Object.fromEntries(await Promise.all(parts));
}

/** @param {string} base64 */
function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}

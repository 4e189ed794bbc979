/** Arrays that Python packed (packed_arrays.py): whole numbers, deflated, in base64. */

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
  const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const steps = packed.kind === "u1" ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const missing = packed.kind === "u1" ? 255 : 65535;
  const values = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) {
    values[i] = steps[i] === missing ? NaN : packed.offset + packed.scale * steps[i];
  }
  return { values, shape: packed.shape };
}

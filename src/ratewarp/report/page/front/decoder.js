/** Decoders in the page: from a code to the image, live. `decoders.py` writes their layers as data. */

import { makeGrid } from "ratewarp/decoded_grid";
import { unpack } from "ratewarp/packed_arrays";

/**
 * @typedef {import("ratewarp/packed_arrays").Packed} Packed
 * @typedef {{kind: "layers" | "grid", shape: number[], image: (code: ArrayLike<number>) => Float32Array,
 *   knows: (code: ArrayLike<number>) => boolean}} Decoder
 *   shape: of images, which are in the order height, width, channels; each takes the place of the one before;
 *   knows: whether the image of a code is that of the decoder, and no guess
 * @typedef {(values: Float32Array) => Float32Array} Layer
 *   the numbers it gives lie in an array of its own, which the next call fills anew
 */

/** Slope of a leaky ReLU below 0. */
const LEAK = 0.01;

/** @type {Record<string, (x: number) => number>} */
const NONLINEARITIES = {
  identity: (x) => x,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  relu: (x) => Math.max(x, 0),
  "leaky relu": (x) => (x > 0 ? x : LEAK * x),
  gelu: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
};

/** @type {Record<string, (data: any) => Layer | Promise<Layer>>} */
const LAYERS = { dense, "transposed convolution": transposed, nonlinearity };

/**
 * What decodes codes of a condition: its decoder, or else images that were decoded before.
 * @param {any} data of decoders.py or decoded_grids.py
 * @returns {Promise<Decoder>}
 */
export async function makeDecoder(data) {
  if (data.kind === "grid") return makeGrid(data);
  /** @type {Layer[]} */
  const layers = await Promise.all(data.layers.map((/** @type {any} */ one) => LAYERS[one.kind](one)));
  const input = new Float32Array(data.latents);
  const image = (/** @type {ArrayLike<number>} */ code) => {
    input.set(code);
    return layers.reduce((values, layer) => layer(values), input);
  };
  return { kind: "layers", shape: data.shape, image, knows: () => true };
}

/** @param {{weight: Packed, bias: Packed}} data weight: outputs × inputs @returns {Promise<Layer>} */
async function dense(data) {
  const [weight, bias] = await parameters(data);
  const [outputs, inputs] = data.weight.shape;
  const found = new Float32Array(outputs);
  return (values) => {
    for (let output = 0; output < outputs; output++) {
      found[output] = bias[output] + dot(values, 0, weight, output * inputs, inputs);
    }
    return found;
  };
}

/**
 * Position o of the small image meets position stride · o − padding + k of the large one through tap k; what
 * falls outside is left out.
 * @param {{weight: Packed, bias: Packed, small: number[], large: number[], stride: number[],
 *   padding: number[]}} data weight: taps down × taps across × channels × filters
 * @returns {Promise<Layer>}
 */
async function transposed(data) {
  const [weight, bias] = await parameters(data);
  const [tapsDown, tapsAcross, channels, filters] = data.weight.shape;
  const { small, large, stride, padding } = data;
  const found = new Float32Array(large[0] * large[1] * channels);

  /** @param {Float32Array} values */
  function addTap(values, from = 0, to = 0, tap = 0) {
    for (let channel = 0; channel < channels; channel++) {
      found[to + channel] += dot(values, from, weight, (tap * channels + channel) * filters, filters);
    }
  }

  return (values) => {
    for (let at = 0; at < found.length; at++) found[at] = bias[at % channels];
    for (let row = 0; row < small[0]; row++) {
      for (let column = 0; column < small[1]; column++) {
        const from = (row * small[1] + column) * filters;
        for (let tap = 0; tap < tapsDown * tapsAcross; tap++) {
          const down = stride[0] * row - padding[0] + Math.floor(tap / tapsAcross);
          const across = stride[1] * column - padding[1] + (tap % tapsAcross);
          if (down < 0 || down >= large[0] || across < 0 || across >= large[1]) continue;
          addTap(values, from, (down * large[1] + across) * channels, tap);
        }
      }
    }
    return found;
  };
}

/**
 * In the array it is given, which is that of the layer before.
 * @param {{name: string}} data
 * @returns {Layer}
 */
function nonlinearity(data) {
  const of = NONLINEARITIES[data.name];
  return (values) => {
    for (let at = 0; at < values.length; at++) values[at] = of(values[at]);
    return values;
  };
}

/**
 * Sum of products of so many numbers of both arrays; as four sums, on which a processor works at once.
 * @param {Float32Array} left @param {number} from @param {Float32Array} right @param {number} at
 * @param {number} length
 */
function dot(left, from, right, at, length) {
  let a = 0; // each by itself: taken from an array, they would be objects, and ten times as slow
  let b = 0;
  let c = 0;
  let d = 0;
  let step = 0;
  for (; step + 3 < length; step += 4) {
    a += left[from + step] * right[at + step];
    b += left[from + step + 1] * right[at + step + 1];
    c += left[from + step + 2] * right[at + step + 2];
    d += left[from + step + 3] * right[at + step + 3];
  }
  for (; step < length; step++) a += left[from + step] * right[at + step];
  return a + b + c + d;
}

/** @param {{weight: Packed, bias: Packed}} data */
async function parameters(data) {
  return [(await unpack(data.weight)).values, (await unpack(data.bias)).values];
}

/** Pictures of stimuli, painted as the figures of Python paint them. */

const INK = [29, 39, 51];

/** On which still pictures are painted. @type {HTMLCanvasElement | undefined} */
let board;

/** Addresses of pictures that are shown again and again, by what they are of. @type {Map<number, string>} */
const kept = new Map();

/**
 * A picture that stays as it is. It is no canvas: a browser without a graphics card draws each of those anew in
 * every frame in which anything on the page moves.
 * @param {Float32Array | null} image
 * @param {{shape: number[], paint: string}} world
 * @param {string} words what it is, for those who do not see it; "" where that is said beside it
 * @param {number} [stimulus] whose own image it is, which is then painted once; not said for what models make
 */
export function stillPicture(image, world, words, stimulus) {
  const found = document.createElement("img");
  found.alt = words;
  const known = stimulus === undefined ? undefined : kept.get(stimulus);
  if (known) Object.assign(found, { decoding: "sync", src: known });
  else paintStill(found, image, world);
  if (stimulus !== undefined) kept.set(stimulus, found.src);
  return found;
}

/** @param {HTMLImageElement} picture @param {Float32Array | null} image @param {{shape: number[], paint: string}} world */
export function paintStill(picture, image, world) {
  board ??= document.createElement("canvas");
  paint(board, image, world);
  picture.decoding = "sync";
  picture.src = board.toDataURL();
}

/**
 * Paints an image into a canvas, a pixel a pixel; CSS makes it larger. Responses are bars.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array | null} image
 * @param {{shape: number[], paint: string}} world
 */
export function paint(canvas, image, world) {
  const [height, width, channels] = world.shape;
  if (world.paint === "responses") return paintResponses(canvas, image, height);
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (!image) return;
  const pixels = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [red, green, blue] = colourOfPixel(image, pixel, channels, world.paint);
    pixels.data.set([red, green, blue, 255], 4 * pixel);
  }
  context.putImageData(pixels, 0, 0);
}

/** @param {Float32Array} image @param {number} pixel @param {number} channels @param {string} how */
function colourOfPixel(image, pixel, channels, how) {
  if (how === "colour") {
    return [0, 1, 2].map((channel) => 255 * clipped(image[pixel * channels + channel]));
  }
  let value = 0;
  for (let channel = 0; channel < channels; channel++) value += image[pixel * channels + channel] / channels;
  value = clipped(value);
  return how === "ink" ? INK.map((ink) => 255 - (255 - ink) * value) : [255 * value, 255 * value, 255 * value];
}

/** @param {number} value */
function clipped(value) {
  return Math.min(1, Math.max(0, value));
}

/** @param {HTMLCanvasElement} canvas @param {Float32Array | null} responses @param {number} neurons */
function paintResponses(canvas, responses, neurons) {
  canvas.width = 160;
  canvas.height = 100;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (!responses) return;
  const highest = Math.max(...responses) || 1;
  context.fillStyle = "#2b6ca3";
  responses.forEach((response, neuron) => {
    const tall = (96 * response) / highest;
    context.fillRect((160 * neuron) / neurons, 100 - tall, Math.max(1, 160 / neurons - 0.5), tall);
  });
}

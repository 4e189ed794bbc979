/** What benchmarks/page.py does on a page, and when all that it changes has been drawn. */

/** The end of the next frame: what is queued behind its painting. */
function frame() {
  return new Promise((done) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(0);
    }),
  );
}

/** Called when the stage has shown a choice. */
let heard = () => undefined;
const mark = performance.mark.bind(performance);
performance.mark = (name, options) => {
  // observers of marks may hear of it only after the frame in which it is drawn
  if (name === "stage-shown") heard();
  return mark(name, options);
};

/** Whether a choice was made, once the stage has shown it. @param {() => void} act what chooses */
function shown(act) {
  return new Promise((done) => {
    heard = () => done(true);
    act();
    if (document.getElementById("stage").getAttribute("aria-busy") !== "true") done(false);
  });
}

/** Milliseconds of what an act changes; null where it chose nothing else. @param {() => void} act @param {boolean} chooses */
async function timed(act, chooses = true) {
  const start = performance.now();
  if (!chooses) act();
  else if (!(await shown(act))) return null;
  await frame();
  return performance.now() - start;
}

const map = () => document.querySelector("#map-own canvas");
const press = (/** @type {string} */ key) => map().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const empty = () => Boolean(document.querySelector("#map-own .map")?.dataset.empty);

const events = {
  /** @param {number} round one way and back @param {number} number of the slider */
  slider(round, number = 0) {
    const input = document.querySelectorAll("#controls input[type=range]")[number];
    const [now, most] = [Number(input.value), Number(input.max)];
    const turn = Math.floor(round / Math.max(1, most)) % 2 ? 1 : -1;
    const next = Math.min(most, Math.max(0, now + turn));
    return timed(() => {
      input.value = String(next);
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  },
  /** @param {number} round */
  model(round) {
    const inputs = document.querySelectorAll("#controls input[name=model]");
    return timed(() => inputs[round % inputs.length].click());
  },
  /** Another code, found by keys and then chosen. @param {number} round */
  stimulus(round) {
    if (empty()) return null;
    for (let step = 0; step < 3; step++) press(["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"][(round + step) % 4]);
    return timed(() => press("Enter"));
  },
  /** From the middle of the map outwards. @param {number} round */
  hover(round) {
    if (empty()) return null;
    const box = map().getBoundingClientRect();
    const [turn, away] = [2.4 * round, 0.02 * round];
    const at = { clientX: box.left + box.width * (0.5 + away * Math.cos(turn)), clientY: box.top + box.height * (0.5 + away * Math.sin(turn)) };
    return timed(() => map().dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true })), false);
  },
};

/** Milliseconds between frames while maps move. @param {number} round */
async function frames(round) {
  const input = document.querySelector("#controls input[type=range]");
  input.value = String(Math.max(0, Number(input.value) + (round % 2 ? 1 : -1)));
  await shown(() => input.dispatchEvent(new Event("input", { bubbles: true })));
  const times = [];
  await new Promise((done) => {
    const look = (now) => {
      times.push(now);
      if (now - times[0] < 430) requestAnimationFrame(look);
      else done();
    };
    requestAnimationFrame(look);
  });
  return times.slice(1).map((time, at) => time - times[at]);
}

async function conditions() {
  const { inflated } = await import("ratewarp/packed_arrays");
  return (await inflated(JSON.parse(document.getElementById("stage-data").textContent))).conditions;
}

/** Conditions whose codes the page decodes itself. */
async function decoders() {
  return (await conditions()).filter((one) => one.detail?.decoder?.layers).map((one) => one.id);
}

/** Images of codes. @param {string} id of the condition @param {number[][]} codes */
async function decode(id, codes) {
  const { makeDecoder } = await import("ratewarp/decoder");
  const decoder = await makeDecoder((await conditions()).find((one) => one.id === id).detail.decoder);
  return codes.map((code) => Array.from(decoder.image(code)));
}

window.bench = { ...events, frames, decoders, decode };

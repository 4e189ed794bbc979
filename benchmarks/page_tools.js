/** What benchmarks/page.py does on a page, and when all that it changes has been drawn. */

const REST = 700; // milliseconds before an event, in which maps come to rest

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

/** The stage says when it has shown a choice. @param {number} start */
async function shown(start) {
  while (!performance.getEntriesByName("stage-shown").some((mark) => mark.startTime >= start)) {
    await new Promise((done) => setTimeout(done, 0));
  }
}

/** Milliseconds of what an act changes; null where a choice was meant, and it chose nothing. @param {() => void} act @param {boolean} chooses */
async function timed(act, chooses = true) {
  await new Promise((done) => setTimeout(done, REST));
  const before = location.hash;
  const start = performance.now();
  act();
  if (chooses && location.hash === before) return null;
  if (chooses) await shown(start);
  await frame();
  return performance.now() - start;
}

const map = () => document.querySelector("#map-own canvas");

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
  /** @param {number} round */
  stimulus(round) {
    const key = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"][round % 6];
    return timed(() => map().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
  },
  /** From the middle of the map outwards. @param {number} round */
  hover(round) {
    const box = map().getBoundingClientRect();
    const [turn, away] = [2.4 * round, 0.02 * round];
    const at = { clientX: box.left + box.width * (0.5 + away * Math.cos(turn)), clientY: box.top + box.height * (0.5 + away * Math.sin(turn)) };
    return timed(() => map().dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true })), false);
  },
};

/** Milliseconds between frames while maps move. @param {number} round */
async function frames(round) {
  const input = document.querySelector("#controls input[type=range]");
  await new Promise((done) => setTimeout(done, REST));
  const next = Number(input.value) + (round % 2 ? 1 : -1) || 0;
  input.value = String(Math.max(0, next));
  const start = performance.now();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await shown(start);
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

window.bench = { ...events, frames };

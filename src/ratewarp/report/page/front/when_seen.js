/**
 * Work that waits until what it is for is on the screen, or until what is more urgent is drawn; of what waits for
 * the same, only the last is done.
 */

/** @type {Set<WhenSeen>} */
const all = new Set();

export class WhenSeen {
  /**
   * @param {Element} element
   * @param {() => void} [after] what follows work that had to wait
   * @param {boolean} [seen] whether it is taken to be on the screen until the browser says
   */
  constructor(element, after = () => undefined, seen = false) {
    this.after = after;
    this.seen = seen;
    this.asked = false; // for the next frame
    /** @type {Map<string, () => void>} */
    this.waiting = new Map();
    const look = (/** @type {IntersectionObserverEntry[]} */ entries) => {
      this.seen = entries[entries.length - 1].isIntersecting;
      if (this.seen) this.catchUp();
    };
    new IntersectionObserver(look).observe(element);
    addEventListener("beforeprint", () => this.catchUp()); // paper shows all
    all.add(this);
  }

  /**
   * @param {() => void} act
   * @param {string} [what] it does; where several wait, the last first comes last
   */
  do(act, what = "") {
    if (this.seen && !this.waiting.size) return act();
    this.#wait(act, what);
  }

  /** @param {() => void} act @param {string} what */
  #wait(act, what) {
    this.waiting.delete(what);
    this.waiting.set(what, act);
  }

  /**
   * The same after the next frame; of several such pieces one a frame.
   * @param {() => void} act
   * @param {string} what it does
   */
  doLater(act, what) {
    this.#wait(act, what);
    this.#nextFrame();
  }

  #nextFrame() {
    if (!this.seen || this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => setTimeout(() => this.#one()));
  }

  #one() {
    this.asked = false;
    const [first] = this.waiting;
    if (!first) return;
    const [what, act] = first;
    this.waiting.delete(what);
    act();
    if (this.waiting.size) this.#nextFrame();
  }

  /** Drops what waits. */
  forget() {
    this.waiting.clear();
  }

  catchUp() {
    if (!this.waiting.size) return;
    const acts = [...this.waiting.values()];
    this.waiting.clear();
    for (const act of acts) act();
    this.after();
  }
}

/** Does what waits, such as when nothing else is to be done. */
export function catchUp() {
  for (const one of all) one.catchUp();
}

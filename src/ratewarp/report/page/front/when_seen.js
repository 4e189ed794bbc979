/** Work that waits until what it is for is on the screen; of what waits for the same, only the last is done. */

/** @type {Set<WhenSeen>} */
const all = new Set();

export class WhenSeen {
  /**
   * @param {Element} element
   * @param {() => void} [after] what follows work that had to wait
   */
  constructor(element, after = () => undefined) {
    this.after = after;
    this.seen = false;
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
    this.waiting.delete(what);
    this.waiting.set(what, act);
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

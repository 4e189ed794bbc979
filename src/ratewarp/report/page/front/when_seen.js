/** Work that waits until what it is for is on the screen, or nearly; of what waits, only the last is done. */

const NEARLY = "25%"; // of the window, beyond its edges

export class WhenSeen {
  /** @param {Element} element */
  constructor(element) {
    this.seen = false;
    /** @type {(() => void) | null} */
    this.waiting = null;
    const look = (/** @type {IntersectionObserverEntry[]} */ entries) => {
      this.seen = entries[entries.length - 1].isIntersecting;
      if (this.seen) this.#act();
    };
    new IntersectionObserver(look, { rootMargin: NEARLY }).observe(element);
    addEventListener("beforeprint", () => this.#act()); // paper shows all
  }

  /** @param {() => void} act */
  do(act) {
    this.waiting = act;
    if (this.seen) this.#act();
  }

  #act() {
    const act = this.waiting;
    this.waiting = null;
    act?.();
  }
}

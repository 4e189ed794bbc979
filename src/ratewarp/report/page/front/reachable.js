/** What scrolls, and nothing else, can be reached with the keyboard. */

/** @param {Iterable<Element>} places */
export function reachable(places) {
  const watch = new ResizeObserver((sized) => {
    for (const { target } of sized) {
      const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
      if (scrolls) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const one of places) watch.observe(one);
}

/** What scrolls, and nothing else, can be reached with the keyboard. */

/** @param {Iterable<Element>} places */
export function reachable(places) {
  const watch = new ResizeObserver((sized) => {
    for (const { target } of sized) look(target);
  });
  for (const one of places) {
    watch.observe(one);
    one.addEventListener("contentvisibilityautostatechange", () => requestAnimationFrame(() => look(one)));
  }
}

/** @param {Element} place */
function look(place) {
  // what is far from the screen is not laid out: whether it scrolls is not known, and most do
  const unknown = place.firstElementChild?.checkVisibility({ contentVisibilityAuto: true }) === false;
  const scrolls = unknown || place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
  if (scrolls) place.setAttribute("tabindex", "0");
  else place.removeAttribute("tabindex");
}

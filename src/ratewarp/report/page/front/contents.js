/** The contents: which section is read is marked; on a narrow screen they are a menu. */

const WIDE = "(min-width: 1200px)"; // as in page.css
const LINE = "-12% 0px -80% 0px"; // a section is read from when its heading passes the upper part of the window

/** @param {HTMLElement | null} nav */
export function contents(nav) {
  const menu = nav?.querySelector("details");
  if (!nav || !menu) return;
  const links = [...nav.querySelectorAll("a")];
  follow(links);
  const wide = matchMedia(WIDE);
  const fit = () => (menu.open = wide.matches);
  wide.addEventListener("change", fit);
  fit();
  nav.addEventListener("click", ({ target }) => {
    if (!wide.matches && target instanceof HTMLAnchorElement) menu.open = false;
  });
  nav.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || wide.matches || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!wide.matches && target instanceof Node && !nav.contains(target)) menu.open = false;
  });
}

/** Marks the link to the section that is read. @param {HTMLAnchorElement[]} links */
function follow(links) {
  const linkOf = new Map(links.map((link) => [document.getElementById(decodeURIComponent(link.hash.slice(1))), link]));
  const headings = [...linkOf.keys()].filter((one) => one !== null);
  const mark = () => {
    const line = innerHeight * 0.2;
    const shown = headings.filter((one) => one.getClientRects().length > 0);
    const passed = shown.filter((one) => one.getBoundingClientRect().top <= line);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const now = linkOf.get(atEnd ? (shown.at(-1) ?? null) : (passed.at(-1) ?? shown[0] ?? null));
    for (const link of links) {
      if (link !== now) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "true");
        keepInSight(link);
      }
    }
  };
  const observer = new IntersectionObserver(mark, { rootMargin: LINE });
  const ends = new IntersectionObserver(mark);
  for (const heading of headings) {
    observer.observe(heading);
    ends.observe(heading); // the stage appears later than the rest
  }
  const footer = document.querySelector("footer");
  if (footer) ends.observe(footer);
  new ResizeObserver(mark).observe(document.body); // such as when the stage appears
  mark();
}

/** Scrolls the list of contents alone, where it is longer than the window. @param {HTMLElement} link */
function keepInSight(link) {
  const list = link.closest("ol");
  if (!list) return;
  const [box, frame] = [link.getBoundingClientRect(), list.getBoundingClientRect()];
  if (box.top < frame.top) list.scrollTop -= frame.top - box.top;
  if (box.bottom > frame.bottom) list.scrollTop += box.bottom - frame.bottom;
}

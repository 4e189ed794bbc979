/** Text on the page: always as text, and cut where there is little room. */

/** An element that holds a text. @param {string} tag @param {string} text @param {string} [name] of its class */
export function words(tag, text, name) {
  const found = document.createElement(tag);
  found.textContent = text;
  if (name) found.className = name;
  return found;
}

/** A text of no more than so many letters. @param {string} text @param {number} most */
export function clipped(text, most) {
  const letters = Array.from(text);
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

/** Lets an element have these children and no others; those that it has already stay as they are. @param {Element} element @param {Element[]} children */
export function hold(element, children) {
  const same = element.children.length === children.length && children.every((one, place) => element.children[place] === one);
  if (!same) element.replaceChildren(...children);
}

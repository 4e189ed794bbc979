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

/** Buttons that copy or save a text of the page: `data-copy` and `data-save` say which element has it. */

/** @param {ParentNode} page */
export function taking(page) {
  for (const place of page.querySelectorAll(".taking")) {
    const status = place.querySelector("[role=status]");
    for (const button of place.querySelectorAll("button")) {
      button.addEventListener("click", async () => {
        const said = await act(button);
        if (status) status.textContent = said;
      });
    }
    /** @type {HTMLElement} */ (place).hidden = false;
  }
}

/** What was done, in words. @param {HTMLButtonElement} button @returns {Promise<string>} */
async function act({ dataset }) {
  const source = document.getElementById(dataset.copy ?? dataset.save ?? "");
  const text = source?.textContent ?? "";
  if (dataset.save) return saveText(text, dataset.name ?? "text.txt");
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    // no leave to write there: it is marked, so that the reader can copy it
    if (source) mark(source);
    return "This browser lets no page copy: the text is marked, press Ctrl+C.";
  }
}

/** @param {string} text @param {string} name */
function saveText(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return `saved: ${name}`;
}

/** Unfolds and marks a text. @param {HTMLElement} source */
function mark(source) {
  const folded = source.closest("details");
  if (folded) folded.open = true;
  getSelection()?.selectAllChildren(source);
}

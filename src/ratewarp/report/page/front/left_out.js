/** Panels that have nothing to show of what the page is of. */

/** @param {import("ratewarp/stage_run").StageRun} run */
export function leaveOut(run) {
  const { data } = run;
  const ofCodes = data.of === "codes";
  const shown = /** @type {Record<string, boolean>} */ ({
    "map-reference": !ofCodes || data.models.length > 1,
    plane: !ofCodes,
    traversal: !ofCodes,
    tuning: !ofCodes || run.factors.length > 0,
    distances: !ofCodes || run.schemes.length > 0,
    "warp-panels": !ofCodes,
    indices: (data.indices ?? []).length > 0,
  });
  for (const [name, there] of Object.entries(shown)) {
    const section = document.getElementById(name)?.closest("section");
    if (section && !there) section.hidden = true;
  }
}

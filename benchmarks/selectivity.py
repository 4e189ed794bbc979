"""Whether the three indices measure three things: distortions planted at graded strength, alone and together.

    python benchmarks/selectivity.py OUT ["pure noise"]

With a second argument, only the cells of that name. Writes OUT/selectivity.csv (one row a cell: mean change
of an index from the reference, its mean standard error, their ratio, and the share of simulated data sets in
which it was detected, its 95 % interval being off 0), of the number that `ratewarp measure` prints first
(without trial noise where there is such a form), of the data sets in which it is defined (`undefined`: the
share of others, which count as not detected; no mean where most are undefined); and, for all cells,
OUT/selectivity.png and .pdf.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import t

from ratewarp.geometry import planted_codes
from ratewarp.geometry.measuring import Finding, Representation, Settings, measure_codes
from ratewarp.report.style import MODEL_COLOURS, MUTED, figure_style

OF_CLASSES = ("prototypization", "orthogonalization", "free_orthogonalization")
OF_FREQUENCY = ("specialization", "resolution_ratio")
INDICES = ("prototypization", "specialization", "orthogonalization")
STRENGTHS: dict[str, tuple[float, ...]] = {
    "prototypization": (0.05, 0.1, 0.2, 0.4, 0.8),
    "specialization": (0.1, 0.2, 0.4, 0.7, 1.0),
    "orthogonalization": (0.1, 0.2, 0.4, 0.7, 1.0),
}
TOGETHER = {"prototypization": 0.4, "specialization": 0.7, "orthogonalization": 0.7}
SETTINGS: dict[str, dict[str, Any]] = {  # what differs from 144 stimuli, 8 items each, 5 latents, noise 0.2
    "standard": {},
    "few stimuli": {"side": 6},
    "two items": {"items": 2},
    "two latents": {"latents": 2},
    "many latents": {"latents": 20},
    "much noise": {"noise": 0.5},
}
NOISE: dict[str, float] = {}  # codes and reference that know nothing of the stimuli
REPEATS = 100


def changes(
    setting: dict[str, Any], strengths: dict[str, float], seed: int
) -> dict[str, tuple[float, float, bool]]:
    """Change of every index from the reference, its standard error, and whether its interval is off 0, in one
    simulated data set.
    """
    planted = planted_codes(**setting, **({} if strengths is NOISE else strengths), seed=seed)
    known = (planted.stimuli, planted.factors, planted.frequency)
    pair = (planted.codes, planted.reference)
    if strengths is NOISE:
        pair = tuple(
            np.random.default_rng([seed, side]).standard_normal(codes.shape)
            for side, codes in enumerate(pair)
        )
    own, reference = (Representation(codes, *known) for codes in pair)
    settings = Settings(permutations=0, measures=(*OF_CLASSES, *OF_FREQUENCY))
    found: dict[str, Finding] = {}
    for one in measure_codes(own, {"class": planted.classes}, reference, settings):
        found.setdefault(one.measure, one)  # the form without trial noise comes first
    stimuli = len(planted.factors)
    parts = {index: found[f"{index}_change"] for index in INDICES}
    errors = {index: (one.high - one.low) / 2 / t.ppf(0.975, stimuli - 1) for index, one in parts.items()}
    return {index: (one.value, errors[index], one.low > 0 or one.high < 0) for index, one in parts.items()}


def rows(only: str | None = None) -> list[dict[str, Any]]:
    """Every cell, or those of one name: setting, planted strengths, index."""
    cells: list[tuple[str, str, float, dict[str, float]]] = []
    for name in SETTINGS:
        cells.append((name, "none", 0.0, {}))
        cells += [(name, planted, one, {planted: one}) for planted in INDICES for one in STRENGTHS[planted]]
        cells.append((name, "all three", 1.0, TOGETHER))
        cells.append((name, "pure noise", 0.0, NOISE))
    cells = [cell for cell in cells if only in (None, cell[1])]
    out = []
    for place, (name, planted, strength, strengths) in enumerate(cells):
        print(f"{place + 1} of {len(cells)}: {name}, {planted} {strength:g}", flush=True)
        runs = [changes(SETTINGS[name], strengths, seed) for seed in range(REPEATS)]
        for index in INDICES:
            values, errors, detected = (np.array([run[index][part] for run in runs]) for part in range(3))
            known = np.isfinite(values) & np.isfinite(errors)
            change, error, spread = np.nan, np.nan, np.nan
            if known.sum() > REPEATS // 2:
                change, error = values[known].mean(), errors[known].mean()
                spread = values[known].std(ddof=1)
            numbers = {"change": change, "standard_error": error, "ratio": change / error, "spread": spread}
            counts = {"detected": detected.mean(), "undefined": 1 - known.mean(), "repeats": REPEATS}
            out.append(
                {
                    "setting": name,
                    "planted": planted,
                    "strength": strength,
                    "index": index,
                    **numbers,
                    **counts,
                }
            )
    return out


def draw(table: pd.DataFrame) -> plt.Figure:
    """Ratio of change to standard error against strength: a column a planted distortion, a line an index."""
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), sharey="row", layout="constrained")
    for row, setting in enumerate(("standard", "few stimuli")):
        for column, planted in enumerate(INDICES):
            place = axes[row, column]
            chosen = table[(table["setting"] == setting) & table["planted"].isin(["none", planted])]
            for index, colour, marker in zip(INDICES, MODEL_COLOURS[1:], "osD", strict=False):
                own = chosen[chosen["index"] == index].sort_values("strength")
                place.plot(
                    own["strength"], own["ratio"], color=colour, marker=marker, ms=4.5, lw=1.3, label=index
                )
            place.axhspan(-1, 1, color=MUTED, alpha=0.15, lw=0, label="within 1 standard error")
            place.axhline(5, color=MUTED, lw=0.8, ls="--", label="5 standard errors")
            place.set(xlabel=f"planted {planted}", ylabel="change / standard error" if column == 0 else "")
            place.set_title(f"{'144' if setting == 'standard' else '36'} stimuli")
            place.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(fontsize="x-small")
    return figure


def main(out: Path, only: str | None = None) -> None:
    """Simulates, writes the table, draws."""
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows(only))
    table.to_csv(out / "selectivity.csv", index=False, float_format="%.4g")
    if only is not None:
        return
    with figure_style():
        figure = draw(table)
        for suffix in ("png", "pdf"):
            figure.savefig(out / f"selectivity.{suffix}")
    for setting, planted in product(SETTINGS, ("none", *INDICES, "all three", "pure noise")):
        chosen = table[(table["setting"] == setting) & (table["planted"] == planted)]
        strongest = chosen[chosen["strength"] == chosen["strength"].max()]
        print(
            f"{setting:>14} {planted:>18}",
            "  ".join(f"{r['index'][:5]} {r['ratio']:+6.1f}" for r in strongest.to_dict("records")),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

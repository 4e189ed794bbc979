"""A panel of one number of several sets: every set, their mean and its interval; along the third axis where
there is one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from ratewarp._checks import RequestError
from ratewarp.codes.measurement import FORMS
from ratewarp.codes.several import Several
from ratewarp.geometry import MEASURES
from ratewarp.geometry.representation import PLACES
from ratewarp.report.measured_panels import INDICES, short
from ratewarp.report.style import MODEL_COLOURS, MUTED

ALPHA = 0.05  # p below which a mean is marked
_TITLES = {measure.name: measure.title for measure in MEASURES}
_FORMS = {"removed": ", without trial noise", "included": ", with trial noise", "": ""}
_MARKED = 12  # places up to which each has a marker and its name
_LETTERS = 30  # of all names of places that stand side by side
_LONGEST = 14  # letters of the name of a place
_MEAN = MODEL_COLOURS[1]
_FOUND = MODEL_COLOURS[2]


class Number(NamedTuple):
    """Which number of the tables.

    Attributes:
        measure: its name.
        task: the labelling it is of; empty for none.
    """

    measure: str
    task: str


class SetsPanel(NamedTuple):
    """What a panel shows.

    Attributes:
        number: which it is.
        values: of every set, a column a place of the third axis.
        over: rows of `Several.group`, a place each.
        third: name of the third axis, or None.
        places: its values.
        form: of trial noise.
        level: probability that the intervals should cover.
    """

    number: Number
    values: Float[np.ndarray, "sets places"]
    over: pd.DataFrame
    third: str | None
    places: tuple[Any, ...]
    form: str
    level: float

    @property
    def is_tested(self) -> bool:
        """Whether 0 is what nothing would give."""
        return bool(self.over["p"].notna().any())


def sets_panel(found: Several, number: Number, trial_noise: str | None = None) -> SetsPanel:
    """What the panel of a number shows; without trial noise where there is such a number, if not said.

    Raises:
        RequestError: no such number, or no set has it.
    """
    found.values(
        number.measure, number.task, trial_noise=trial_noise
    )  # refuses a number that is not in the table
    every = _singles(found)
    rows = every[(every["measure"] == number.measure) & (every["task"] == number.task)]
    forms = [one for one in FORMS if one in set(rows["trial_noise"]) and trial_noise in (None, one)]
    if not forms:
        raise RequestError(f"measure: no set has {number.measure!r}; the column note of .table says why")
    rows = pd.DataFrame(rows[rows["trial_noise"] == forms[0]])
    if found.third is not None:
        rows = rows.set_index(found.third).reindex(list(found.places)).reset_index()
    values = found.values(number.measure, number.task, trial_noise=forms[0]).to_numpy()
    return SetsPanel(number, values, rows, found.third, found.places, forms[0], found.level)


def numbers_of(found: Several) -> list[Number]:
    """Indices that sets have, each followed by its change, those of a task together; all single numbers where
    there is no index.
    """
    rows = _singles(found)
    every = [Number(*row) for row in rows[["measure", "task"]].drop_duplicates().itertuples(index=False)]
    indices = [one for one in every if one.measure.removesuffix("_change") in INDICES]
    tasks, measures = list(dict.fromkeys(one.task for one in every)), list(_TITLES)

    def place(one: Number) -> tuple[int, int, bool]:
        base = one.measure.removesuffix("_change")
        order = measures.index(base) if base in measures else len(measures)
        return tasks.index(one.task), order, base != one.measure

    return sorted(indices or every, key=place)


def draw_over_sets(axes: Axes, shown: SetsPanel) -> None:
    """The panel: lines along the third axis, or dots beside their mean."""
    if shown.third is None:
        _draw_dots(axes, shown)
    else:
        _draw_lines(axes, shown)
    if shown.is_tested:
        axes.axhline(0, color=MUTED, lw=0.7, zorder=0)
    change = shown.number.measure.endswith("_change")
    axes.set_ylabel(("change from reference" if change else "value") + _FORMS.get(shown.form, ""))
    axes.set_title(_title(shown.number))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)


def key_to(shown: SetsPanel) -> str:
    """What is drawn how, in words."""
    mean = f"mean of {len(shown.values)} sets, {shown.level:.0%} interval"
    if shown.third is None:
        return f"dots: single sets\ndiamond: {mean}"
    return (
        f"thin: single sets; thick, band: {mean}\nsquares: p < {ALPHA}, corrected over {short(shown.third)}"
    )


def _draw_dots(axes: Axes, shown: SetsPanel) -> None:
    values, (row,) = shown.values[:, 0], shown.over.to_dict("records")
    beside = np.linspace(-0.3, 0.3, len(values))  # in the order of sets, so that none hides another
    axes.plot(beside, values, marker="o", ms=3.5, mew=0, ls="", color=MUTED, alpha=_opacity(len(values)))
    axes.plot([1, 1], [row["low"], row["high"]], color=_MEAN, lw=1.6, solid_capstyle="butt")
    axes.plot([1], [row["mean"]], marker="D", ms=4.5, ls="", color=_MEAN)
    axes.set_xticks([0, 1], labels=[f"{int(row['sets'])} sets", "mean"])
    axes.set(xlim=(-0.6, 1.5), xlabel=_said_of(row["p"]) if shown.is_tested else "")
    axes.tick_params(axis="x", length=0)


def _draw_lines(axes: Axes, shown: SetsPanel) -> None:
    at = _positions(shown.places)
    order = np.argsort(at, kind="stable")
    x, over = at[order], shown.over.iloc[order]
    few = len(x) <= _MARKED
    alpha = _opacity(len(shown.values))
    axes.plot(x, shown.values[:, order].T, color=MUTED, lw=0.7, alpha=alpha, marker="." if few else "", ms=3)
    axes.fill_between(x, over["low"], over["high"], color=_MEAN, alpha=0.2, lw=0)
    if len(x) == 1:  # where a band has no width
        axes.vlines(x, over["low"], over["high"], color=_MEAN, lw=1.6)
    axes.plot(x, over["mean"], color=_MEAN, lw=1.6, marker="o" if few else "", ms=3.5)
    below = axes.get_xaxis_transform()  # heights as shares of the panel
    found = x[(over["p_adjusted"] < ALPHA).to_numpy()]
    axes.plot(found, np.full(len(found), 0.03), "s", ms=2.6, mew=0, color=_FOUND, transform=below, zorder=3)
    axes.margins(y=0.08)
    _name_places(axes, shown)


def _positions(places: tuple[Any, ...]) -> np.ndarray:
    """Where places stand: numbers at their values, names side by side."""
    numbers = np.asarray(places)
    return numbers.astype(float) if numbers.dtype.kind in "iuf" else np.arange(len(places), dtype=float)


def _name_places(axes: Axes, shown: SetsPanel) -> None:
    axes.set_xlabel(short(str(shown.third)))
    if np.asarray(shown.places).dtype.kind in "iuf":
        return
    every = -(-len(shown.places) // _MARKED)
    names = [short(str(place), _LONGEST) for place in shown.places[::every]]
    slanted: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(
        range(0, len(shown.places), every),
        labels=names,
        **(slanted if sum(map(len, names)) > _LETTERS else {}),
    )


def _title(number: Number) -> str:
    base = number.measure.removesuffix("_change")
    name = _TITLES.get(base, base.replace("_", " "))
    own = number.task in ("", base, "frequency")
    return name if own else f"{name}\n{short(number.task)}"


def _said_of(p: float) -> str:
    return f"mean ≠ 0: p {f'= {p:.3f}' if p >= 0.0005 else '< 0.001'}" if p == p else ""


def _opacity(sets: int) -> float:
    """Of a single set: less where there are many."""
    return float(np.clip(5 / sets, 0.2, 0.6))


def _singles(found: Several) -> pd.DataFrame:
    """Rows of `group` that are no entries of anything."""
    return pd.DataFrame(found.group[(found.group[[*PLACES]] == "").all(axis=1)])

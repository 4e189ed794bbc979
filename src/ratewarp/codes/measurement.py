"""Measures of codes that a user brings, labelled: `ratewarp.measure`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Int

from ratewarp._checks import RequestError, did_you_mean, refuse
from ratewarp.codes.arguments import (
    as_array,
    as_ids,
    check_whole,
    factors_of,
    frequency_of,
    reference_order,
    runs_of,
    tasks_of,
    units_of,
)
from ratewarp.codes.corrections import corrected
from ratewarp.codes.dissimilarities import Subject
from ratewarp.codes.given import Given, what_came
from ratewarp.codes.ids import rows_by_id
from ratewarp.codes.keeping import save
from ratewarp.codes.kinds import Kind, bring
from ratewarp.codes.notebook_table import as_html, one_line
from ratewarp.codes.run_effects import without_run_effects
from ratewarp.geometry import MEASURES
from ratewarp.geometry.measuring import PLACES, Finding, Representation, Settings, measure_codes
from ratewarp.geometry.specialization import check_noise

_BEFORE, _AFTER = ("measure", "task", "trial_noise"), ("value", "se", "low", "high", "p", "n", "note")
FORMS = ("removed", "", "included")  # the first there is counts where none is asked for
_MOST_PERMUTATIONS = 10**6
_MOST_RESAMPLES = 10**5


@dataclass(frozen=True)
class Measurement:
    """What was measured of one set of codes.

    Attributes:
        table: one row a number: measure, task, trial_noise ("removed" from the number or "included" in it;
            empty where nothing is known of it, or the measure is of the codes as they are given), class and
            other (names of the classes of an entry of a matrix), latent, value, se (standard error), low and
            high (ends of the interval), p (of an index, the permutation test; of a change, the two-sided test
            that goes with its interval), p_adjusted (Holm, within each of three families: permutation tests
            of indices, changes of indices, entries of matrices), n (units resampled), note. Empty cells where
            there is no test, no interval or no value.
        classes: names of the classes of every task, in order of their number.
        codes: as measured, one row per item.
        labels: class of every item, 0 … classes − 1, by task.
        units: what was resampled, "stimuli" or "items".
        number: how many of them there are.
        level: probability that the intervals should cover.
        kept: of "codes" and "reference", where they were made of dissimilarities: share of these that codes
            can have.
        given: what came with the codes, item by item.
    """

    table: pd.DataFrame
    classes: Mapping[str, tuple[str, ...]]
    codes: Float[np.ndarray, "items latents"]
    labels: Mapping[str, Int[np.ndarray, " items"]]
    units: str
    number: int
    level: float
    given: Given
    kept: Mapping[str, float] = field(default_factory=dict)

    def value(self, measure: str, task: str = "", *, trial_noise: str | None = None) -> float:
        """One number of the table; NaN where it is not defined. Of a matrix, see `class_distance`.

        Arguments:
            measure: its name.
            task: the labelling it is of; empty for none.
            trial_noise: "removed" or "included"; without trial noise where there is such a number, if not
                given.

        Raises:
            RequestError: no such measure of this task in the table.
        """
        rows = [
            row for row in self.table.to_dict("records") if pd.isna([row[place] for place in PLACES]).all()
        ]
        found = {(row["measure"], row["task"], row["trial_noise"]): row["value"] for row in rows}
        forms = FORMS if trial_noise is None else (trial_noise,)
        for form in forms:
            if (measure, task, form) in found:
                return float(found[measure, task, form])
        others = [(other, form) for name, other, form in found if name == measure]
        if not others:
            near = did_you_mean(str(measure), [name for name, *_ in found])
            raise RequestError(f"measure: none is named {measure!r} of task {task!r}.{near}")
        known = ", ".join(
            f"{other!r}" + (f" with trial noise {form}" if form else "") for other, form in others
        )
        of = "" if trial_noise is None else f" with trial noise {trial_noise!r}"
        raise RequestError(f"measure: none is named {measure!r} of task {task!r}{of}; it is of {known}")

    def class_distance(
        self, task: str, *, change: bool | None = None, trial_noise: str | None = None
    ) -> xr.DataArray:
        """Distances of the classes of a task, relative to that of all stimuli, logarithms, with the names of
        the classes; `low` and `high` are coordinates.

        Arguments:
            task: the labelling.
            change: their change from the reference; if there is a reference, where not given.
            trial_noise: as in `value`.

        Raises:
            RequestError: no such task, or no reference to change from.
        """
        names = {"class_distance_change": True, "class_distance": False}
        forms = FORMS if trial_noise is None else (trial_noise,)
        every = [
            row for row in self.table.to_dict("records") if row["task"] == task and row["measure"] in names
        ]
        for name, of_change in names.items():
            for form in forms:
                rows = [row for row in every if (row["measure"], row["trial_noise"]) == (name, form)]
                entries = [row for row in rows if not pd.isna(row["class"])]
                if change in (None, of_change) and entries:
                    return _matrix(entries, self.classes[task])
        why = every[0]["note"] if every else "it needs labels of that name, and its change a reference"
        raise RequestError(f"task: no distances of the classes of {task!r}; {why}")

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the measurement to a new file, whose suffix says the format.

        Arguments:
            path: csv, json or parquet: the table, in json with the names of the classes and what was measured
                (in parquet that is in the metadata). nc: labelled arrays for `xarray.open_dataset`: single
                numbers by measure, task and trial_noise, matrices with the names of classes. html: the page
                of `ratewarp.stage`.

        Raises:
            RequestError: another suffix, or the file exists.
            RatewarpError: the file cannot be written, or parquet is asked for without pyarrow.
        """
        save(self, path)

    def plot(self) -> tuple[Any, Any]:
        """The whole figure of `ratewarp measure --figure`; for its panels one by one see `ratewarp.plot`.

        Returns:
            The figure of matplotlib, and its axes by name: "indices", and those of every task.
        """
        import ratewarp  # figures stand above codes; the package's own door loads them where they are wanted

        return ratewarp.plot.measurement(self)

    def __repr__(self) -> str:
        return one_line(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def _matrix(rows: list[dict[Any, Any]], names: tuple[str, ...]) -> xr.DataArray:
    """Entries of a symmetric matrix, with the names of its classes."""
    found = {
        pair: row for row in rows for pair in ((row["class"], row["other"]), (row["other"], row["class"]))
    }
    parts = {
        part: np.array([[found[a, b][part] for b in names] for a in names])
        for part in ("value", "low", "high")
    }
    axes = ("class", "other")
    ends = {part: (axes, parts[part]) for part in ("low", "high")}
    coordinates = {"class": list(names), "other": list(names), **ends}
    return xr.DataArray(parts["value"], dims=axes, coords=coordinates, name=rows[0]["measure"])


def measure(
    codes: Any,
    labels: Any = None,
    *,
    factors: Any = None,
    stimuli: Any = None,
    reference: Any = None,
    frequency: Any = None,
    noise: Any = None,
    ids: Any = None,
    reference_ids: Any = None,
    reference_noise: Any = None,
    runs: Any = None,
    images: Any = None,
    kind: Kind | None = None,
    reference_kind: Kind | None = None,
    subject: Subject | None = None,
    reference_subject: Subject | None = None,
    extra: bool = False,
    interval: Literal["jackknife", "bca", "percentile"] = "jackknife",
    resamples: int = Settings.resamples,
    permutations: int = Settings.permutations,
    level: float = Settings.level,
    seed: int = 0,
) -> Measurement:
    """Measures any codes: dimensions, prototypization, orthogonalization, specialization and distortion
    against a reference.

    Arrays may be NumPy's, JAX's, PyTorch's, pandas' or xarray's. What is measured depends on what is given:
    see the cards in the documentation. Intervals are over stimuli where items of a stimulus repeat, else over
    items; more than 1,000 are drawn in blocks.

    Arguments:
        codes: (items, latents): posterior means, activations, firing rates, …; one row per item.
        labels: class of every item, numbers or names; or a table or mapping with one such column a task.
        factors: (items, factors) numbers, or one row per stimulus where `stimuli` is given; a table or
            mapping with one column per factor.
        stimuli: stimulus of every item, numbers or names. If not given, items with equal factors are items of
            one stimulus.
        reference: (items, latents of its own): codes of the same items to measure distortion against.
        frequency: of every item's stimulus, or one number per stimulus (in increasing order of stimulus);
            positive, up to a factor.
        noise: (items, latents): variance of every code about its row, such as a posterior variance.
        ids: name of every row of `codes`; the index of a DataFrame is not used.
        reference_ids: name of every row of `reference`, which is brought into the order of `ids`.
        reference_noise: variance of every reference code about its row; the change of effective prototypes
            needs it where `noise` is given.
        runs: run (block, session) of every item, numbers or names, where responses of a run may differ as a
            whole from those of another: what a run adds to all of its items is estimated beside the stimuli,
            and taken off codes and reference. Stimuli must repeat, and runs have stimuli in common.
        images: what the stimuli look like, for a page (`ratewarp.stage`): (items or stimuli, height, width),
            or (…, channels) with 1 or 3 channels; whole numbers from 0 to 255, or real ones from 0 to 1.
        kind: what `codes` are: "codes"; or "distances" or "squared distances" of stimuli, a symmetric matrix
            or a vector of pairs, of which codes are made by classical scaling. Such codes have no axes of
            their own, and what asks about these is left out. Codes if not given; but what looks like
            dissimilarities is refused until it is said.
        reference_kind: what `reference` is, likewise; if not given, the same where it looks like
            dissimilarities.
        subject: which of the dissimilarities of several subjects, counted from 0, or "mean" for their mean.
        reference_subject: likewise of the reference; the same if not given.
        extra: also what is slow: disentanglement, completeness and informativeness (DCI), some seconds per
            thousand items.
        interval: how intervals are made; see `ratewarp.geometry.infer`. Orthogonalization, specialization and
            the resolution ratio keep the jackknife: bootstraps cover them too little or too much.
        resamples: bootstrap draws, 100 to 100,000, for the two intervals that need them.
        permutations: for tests of indices, at most 1,000,000; 0 for none.
        level: probability that intervals should cover, between 0 and 1.
        seed: of draws and permutations.

    Returns:
        The measurement: a table, and matrices with the names of classes.

    Raises:
        RequestError: an argument is wrong; the message names it.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> kind = np.repeat(["cat", "dog"], 40)
        >>> codes = rng.standard_normal((80, 3)) + 4 * (kind == "dog")[:, None]
        >>> found = measure(codes, kind, permutations=200)
        >>> round(found.value("prototypization", "labels"), 1)
        0.8
    """
    values, other, kept = bring(
        as_array(codes, "codes"),
        None if reference is None else as_array(reference, "reference"),
        kind=kind,
        reference_kind=reference_kind,
        subject=subject,
        reference_subject=reference_subject,
    )
    for argument, given in (("codes", noise), ("reference", reference_noise)):
        if argument in kept and given is not None:
            name = "noise" if argument == "codes" else "reference_noise"
            raise RequestError(f"{name}: it is of codes, and {argument} are dissimilarities")
    check_whole("seed", seed)
    check_whole("permutations", permutations, _MOST_PERMUTATIONS)
    check_whole("resamples", resamples, _MOST_RESAMPLES)
    other_noise = None
    for argument, given in (("reference_ids", reference_ids), ("reference_noise", reference_noise)):
        if given is not None and other is None:
            refuse(argument, "given together with a reference", "no reference")
    if ids is not None:
        rows_by_id(as_ids(ids, len(values), "ids"), "ids")
    if other is not None:
        order = reference_order(len(other), len(values), ids, reference_ids)
        if reference_noise is not None:
            other_noise = check_noise(as_array(reference_noise, "reference_noise"), other.shape)[order]
        other = other[order]
    names, tasks = tasks_of(labels, len(values))
    units, number = units_of(stimuli, factors, len(values))
    if runs is not None:
        of_runs = runs_of(runs, len(values))
        values = without_run_effects(values, units, of_runs)
        other = None if other is None else without_run_effects(other, units, of_runs)
    table = factors_of(factors, units, number)
    weights = None if frequency is None else frequency_of(frequency, units, number)
    spread = None if noise is None else check_noise(as_array(noise, "noise"), values.shape)
    own = Representation(values, units, table, weights, spread)
    theirs = None if other is None else Representation(other, units, table, weights, other_noise)
    if extra and table is None:
        raise RequestError("extra: disentanglement needs factors")
    if extra and "codes" in kept:
        raise RequestError("extra: disentanglement is of latents, and dissimilarities have none of their own")
    without = _of_axes(kept)
    wanted = tuple(one.name for one in MEASURES if one.asked_of != "runs") if extra else None
    settings = Settings(resamples, permutations, level, seed, interval, wanted, test_changes=True)
    rows = [row for row in measure_codes(own, tasks, theirs, settings) if row.measure not in without]
    return Measurement(
        _table(rows, names),
        names,
        values,
        tasks,
        "stimuli" if number < len(values) else "items",
        number,
        level,
        what_came(
            units,
            number,
            stimuli=stimuli,
            ids=ids,
            factors=factors,
            reference=other,
            frequency=weights,
            images=images,
        ),
        kept,
    )


def _of_axes(kept: Mapping[str, float]) -> set[str]:
    """Measures that ask about single latents, which codes made of dissimilarities have no claim to; of a
    reference so made, the changes from it.
    """
    names = {one.name for one in MEASURES if "rotation" not in one.keeps}
    changes = {f"{name}_change" for name in names}
    return (names | changes if "codes" in kept else set()) | (changes if "reference" in kept else set())


def _table(rows: list[Finding], names: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(
        [_row(one, names.get(one.task, ())) for one in rows], columns=[*_BEFORE, *PLACES, *_AFTER]
    )
    place = int(table.columns.get_loc("p")) + 1  # type: ignore[arg-type]
    table.insert(place, "p_adjusted", corrected(table))
    return table


def _row(finding: Finding, names: tuple[str, ...]) -> dict[str, Any]:
    """A number as a row, with names for numbers of classes."""
    row = finding._asdict()
    place = row.pop("place")
    return {**row, **{axis: one if axis == "latent" else names[one] for axis, one in place.items()}}

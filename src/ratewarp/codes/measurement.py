"""Measures of codes that a user brings, labelled: `ratewarp.measure`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Int

from ratewarp._checks import RequestError, did_you_mean, refuse, shorten
from ratewarp.codes.corrections import corrected
from ratewarp.codes.dissimilarities import Subject
from ratewarp.codes.ids import order_by_id, rows_by_id
from ratewarp.codes.keeping import save
from ratewarp.codes.kinds import Kind, bring
from ratewarp.codes.notebook_table import as_html, one_line
from ratewarp.geometry import MEASURES
from ratewarp.geometry.code_checks import check_codes
from ratewarp.geometry.measuring import PLACES, Finding, Representation, Settings, measure_codes
from ratewarp.geometry.specialization import check_frequency, check_noise

_BEFORE, _AFTER = ("measure", "task", "trial_noise"), ("value", "se", "low", "high", "p", "n", "note")
FORMS = ("removed", "", "included")  # the first there is counts where none is asked for
_MANY_CLASSES = 200
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
    """

    table: pd.DataFrame
    classes: Mapping[str, tuple[str, ...]]
    codes: Float[np.ndarray, "items latents"]
    labels: Mapping[str, Int[np.ndarray, " items"]]
    units: str
    number: int
    level: float
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
                numbers by measure, task and trial_noise, matrices with the names of classes.

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
    kind: Kind | None = None,
    reference_kind: Kind | None = None,
    subject: Subject | None = None,
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
        kind: what `codes` are: "codes"; or "distances" or "squared distances" of stimuli, a symmetric matrix
            or a vector of pairs, of which codes are made by classical scaling. Such codes have no axes of
            their own, and what asks about these is left out. Codes if not given; but what looks like
            dissimilarities is refused until it is said.
        reference_kind: what `reference` is, likewise; if not given, the same where it looks like
            dissimilarities.
        subject: which of the dissimilarities of several subjects, counted from 0, or "mean" for their mean.
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
        _array(codes, "codes"),
        None if reference is None else _array(reference, "reference"),
        kind=kind,
        reference_kind=reference_kind,
        subject=subject,
    )
    for argument, given in (("codes", noise), ("reference", reference_noise)):
        if argument in kept and given is not None:
            name = "noise" if argument == "codes" else "reference_noise"
            raise RequestError(f"{name}: it is of codes, and {argument} are dissimilarities")
    _check_whole("seed", seed)
    _check_whole("permutations", permutations, _MOST_PERMUTATIONS)
    _check_whole("resamples", resamples, _MOST_RESAMPLES)
    other_noise = None
    for argument, given in (("reference_ids", reference_ids), ("reference_noise", reference_noise)):
        if given is not None and other is None:
            refuse(argument, "given together with a reference", "no reference")
    if ids is not None:
        rows_by_id(_ids(ids, len(values), "ids"), "ids")
    if other is not None:
        order = _order(len(other), len(values), ids, reference_ids)
        if reference_noise is not None:
            other_noise = check_noise(_array(reference_noise, "reference_noise"), other.shape)[order]
        other = other[order]
    names, tasks = _labels(labels, len(values))
    units, number = _units(stimuli, factors, len(values))
    table = _factors(factors, units, number)
    weights = None if frequency is None else _frequency(frequency, units, number)
    spread = None if noise is None else check_noise(_array(noise, "noise"), values.shape)
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


def _array(values: Any, argument: str) -> np.ndarray:
    """Any array-like as NumPy's, without importing where it comes from."""
    if hasattr(values, "detach"):  # PyTorch
        values = values.detach().cpu()
        if str(getattr(values, "dtype", "")) == "torch.bfloat16":  # NumPy has no such numbers
            values = values.float()
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        refuse(argument, "without masked values", f"{int(np.ma.count_masked(values))} masked")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        refuse(argument, "a rectangular array", shorten(values))
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.ndim == 0:
        refuse(argument, "an array", shorten(values))
    if array.dtype.kind == "V":
        refuse(argument, "an array of numbers or names", f"records, dtype {array.dtype}")
    _check_alike(
        array if isinstance(values, np.ndarray) or array.dtype.kind not in "SUO" else values, argument
    )
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(cast(Any, array), "utf-8")
        except UnicodeDecodeError:
            refuse(argument, "text in UTF-8", "other bytes")
    if array.dtype == object:  # a table of numbers, or of names, can still be one or the other
        try:
            array = np.array(array.tolist())
        except ValueError:
            refuse(argument, "a rectangular array of one type", "an array of Python objects")
        if array.dtype == object:
            refuse(argument, "an array of numbers or names", "an array of Python objects")
    return array


def _check_alike(values: Any, argument: str) -> None:
    """Refuses missing values, and numbers among names, which NumPy would turn into names."""
    array = np.asarray(values)
    if array.dtype.kind in "SU" and not isinstance(values, np.ndarray):
        array = np.asarray(values, dtype=object)
    if array.dtype.kind == "M" or array.dtype == object:
        flat = array.ravel()
        if (missing := np.flatnonzero(pd.isna(flat))).size:
            refuse(argument, "without missing values", f"{missing.size}, first at place {missing[0]}")
        texts = [isinstance(one, str | bytes) for one in flat]
        if any(texts) and not all(texts):
            refuse(
                argument,
                "all names or all numbers",
                f"{flat[texts.index(False)]!r} at place {texts.index(False)} among names",
            )


def _columns(values: Any, argument: str) -> dict[str, np.ndarray]:
    """Columns by name: of a table or mapping, or of an array, under the name of the argument."""
    if isinstance(values, pd.DataFrame | Mapping):
        return {str(name): _array(values[name], f"{argument}[{name!r}]") for name in values}
    array = _array(values, argument)
    if array.ndim == 1:
        return {argument: array}
    if array.ndim != 2 or not array.shape[1]:
        refuse(argument, "one column or several", f"shape {array.shape}")
    return (
        {f"{argument}{column}": array[:, column] for column in range(array.shape[1])}
        if array.shape[1] > 1
        else {argument: array[:, 0]}
    )


def _labels(labels: Any, items: int) -> tuple[dict[str, tuple[str, ...]], dict[str, np.ndarray]]:
    """Names of the classes, and class of every item, by task."""
    if labels is None:
        return {}, {}
    names, tasks = {}, {}
    for task, column in _columns(labels, "labels").items():
        place = "labels" if task == "labels" else f"labels {task!r}"
        if column.shape != (items,):
            refuse(place, f"one label for each of the {items} items", f"shape {column.shape}")
        if column.dtype.kind == "c":
            refuse(place, "whole numbers or names", f"complex numbers, dtype {column.dtype}")
        if np.issubdtype(column.dtype, np.floating):
            odd = np.flatnonzero(~(np.isfinite(column) & (column == np.round(column))))
            if odd.size:
                came = f"{column[odd[0]]} in row {odd[0]}"
                refuse(place, "whole numbers or names (numbers that vary continuously are factors)", came)
        classes, tasks[task] = np.unique(column, return_inverse=True)
        if len(classes) > _MANY_CLASSES:
            refuse(place, f"of at most {_MANY_CLASSES} classes", f"{len(classes)} classes")
        names[task] = tuple(
            f"{int(one)}" if np.issubdtype(classes.dtype, np.floating) else str(one) for one in classes
        )
    return names, tasks


def _units(stimuli: Any, factors: Any, items: int) -> tuple[np.ndarray, int]:
    """Stimulus of every item, 0 …, and how many there are."""
    if stimuli is not None:
        column = _array(stimuli, "stimuli")
        if column.shape != (items,):
            refuse("stimuli", f"one for each of the {items} items", f"shape {column.shape}")
        if np.issubdtype(column.dtype, np.floating) and not np.isfinite(column).all():
            refuse("stimuli", "numbers or names without NaN", "NaN or infinity")
        found, units = np.unique(column, return_inverse=True)
        return _several(units, len(found), "stimuli")
    if factors is not None:
        table = _factor_rows(factors)
        if len(table) != items:
            refuse(
                "factors", f"one row for each of the {items} items (or give `stimuli`)", f"{len(table)} rows"
            )
        found, units = np.unique(table, axis=0, return_inverse=True)
        return _several(units.reshape(-1), len(found), "factors")
    return np.arange(items), items


def _several(units: np.ndarray, number: int, argument: str) -> tuple[np.ndarray, int]:
    if number < 2:
        refuse(argument, "different for at least two items: intervals are over stimuli", "one stimulus")
    return units, number


def _factor_rows(factors: Any) -> Float[np.ndarray, "rows factors"]:
    columns = _columns(factors, "factors")
    if not columns:
        refuse("factors", "at least one column", "none")
    if len({len(column) for column in columns.values()}) != 1:
        refuse("factors", "columns of one length", {name: len(column) for name, column in columns.items()})
    return check_codes(np.stack(list(columns.values()), axis=1), argument="factors")


def _factors(factors: Any, units: np.ndarray, number: int) -> Float[np.ndarray, "units factors"] | None:
    return (
        None if factors is None or number < 2 else _by_unit(_factor_rows(factors), units, number, "factors")
    )


def _frequency(frequency: Any, units: np.ndarray, number: int) -> Float[np.ndarray, " units"]:
    values = _array(frequency, "frequency")
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        refuse(
            "frequency",
            "one number for each item or stimulus, not complex",
            f"shape {values.shape}, dtype {values.dtype}",
        )
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        refuse("frequency", "positive and finite", f"{values[bad]} in row {bad}")
    return check_frequency(_by_unit(values, units, number, "frequency"), number)


def _by_unit(values: np.ndarray, units: np.ndarray, number: int, argument: str) -> np.ndarray:
    """Rows per stimulus, from rows per stimulus or rows per item."""
    if len(values) == number and number != len(units):
        return values
    if values.ndim < 1 or len(values) != len(units):
        refuse(
            argument,
            f"one row for each of the {len(units)} items or {number} stimuli",
            f"shape {values.shape}",
        )
    out = np.empty((number, *values.shape[1:]), values.dtype)
    out[units] = values
    if (out[units] != values).any():
        unit = int(units[np.argmax((out[units] != values).reshape(len(units), -1).any(axis=1))])
        refuse(argument, "the same for all items of a stimulus", f"several values for stimulus number {unit}")
    return out


def _order(rows: int, items: int, ids: Any, reference_ids: Any) -> np.ndarray:
    """The reference's rows in the order of the codes'."""
    if (ids is None) != (reference_ids is None):
        raise RequestError("ids and reference_ids must be given together: rows are matched by them")
    if ids is None:
        if rows != items:
            raise RequestError(f"codes and reference must hold the same items; got {items} and {rows} rows")
        return np.arange(rows)
    own, theirs = _ids(ids, items, "ids"), _ids(reference_ids, rows, "reference_ids")
    return order_by_id(own, theirs, "ids", "reference_ids", both=True)


def _check_whole(argument: str, value: Any, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        refuse(argument, "a whole number, 0 or more", value)
    if most is not None and value > most:
        refuse(argument, f"at most {most:,}", value)


def _ids(values: Any, rows: int, argument: str) -> np.ndarray:
    array = _array(values, argument)
    if array.shape != (rows,):
        refuse(argument, f"one id for each of the {rows} rows", f"shape {array.shape}")
    return array

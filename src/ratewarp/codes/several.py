"""Several sets of codes at once, such as those of subjects, sessions, layers or time points: measures of
each, and statistics over them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp._progress import Progress
from ratewarp._threads import threads
from ratewarp.codes.keeping_several import save_several
from ratewarp.codes.kinds import is_of_pairs
from ratewarp.codes.measurement import FORMS, Measurement, measure
from ratewarp.codes.notebook_table import several_as_html, several_in_one_line
from ratewarp.geometry.over_sets import mean_over_sets, sign_flips
from ratewarp.geometry.representation import PLACES

_KEYS = ["measure", "task", "trial_noise", *PLACES]  # what says which number a row of a set is
_COLUMNS = ("set", *_KEYS, "value", "mean", "se", "low", "high", "p", "p_adjusted", "n", "note", "sets")
_SHARES = ("prototypization", "kernel_prototypization")  # 0 by chance on average; an effect is above it
_CHANCE_ZERO = (*_SHARES, "category_effect", "frequency_effect")
_OWN = ("reference", "noise", "reference_noise")  # arguments that may have a third axis, as codes do


@dataclass(frozen=True)
class Several:
    """What was measured of several sets of codes.

    Attributes:
        table: one row a number of one set: `set`, the third axis where there is one, then the columns of
            `Measurement.table`.
        group: one row a number over sets: mean over the sets that have it, se and interval (Student's t over
            sets), `sets`, how many these are; p of a mean of 0 by turning the signs of sets, where 0 is what
            nothing would give (two-sided; of shares of variance, upwards), and p_adjusted, corrected over
            the third axis (largest t).
        sets: their names.
        third: name of the third axis, or None.
        places: values of the third axis.
        level: probability that the intervals should cover.
    """

    table: pd.DataFrame
    group: pd.DataFrame
    sets: tuple[str, ...]
    third: str | None
    places: tuple[Any, ...]
    level: float

    def values(self, measure: str, task: str = "", *, trial_noise: str | None = None) -> pd.DataFrame:
        """One number of every set, a row a set, a column a place of the third axis; without trial noise where
        there is such a number, if it is not said which.

        Raises:
            RequestError: no such measure of this task.
        """
        every = [row for row in self.table.to_dict("records") if pd.isna([row[one] for one in PLACES]).all()]
        rows = [row for row in every if (row["measure"], row["task"]) == (measure, task)]
        if not rows:
            refuse_name(
                "measure",
                "measure",
                measure,
                sorted({row["measure"] for row in every if row["task"] == task}),
            )
        forms = [form for form in FORMS if form in {row["trial_noise"] for row in rows}]
        form = forms[0] if trial_noise is None else trial_noise
        if form not in forms:
            refuse_name("trial_noise", "form", form, forms)
        values = np.full((len(self.sets), len(self.places)), np.nan)
        for row in rows:
            if row["trial_noise"] == form:
                place = 0 if self.third is None else self.places.index(row[self.third])
                values[self.sets.index(row["set"]), place] = row["value"]
        columns = pd.Index(self.places, name=self.third) if self.third is not None else pd.Index([measure])
        return pd.DataFrame(values, pd.Index(self.sets, name="set"), columns)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes both tables to a new file, whose suffix says the format.

        Arguments:
            path: csv or parquet: `group`; `table` stands beside it in a second new file, FILE-sets.csv. json:
                both, as `group` and `sets`. nc: labelled arrays, in two groups of these names, for
                `xarray.open_dataset(FILE, group="group")`.

        Raises:
            RequestError: another suffix, or one of the files exists.
            RatewarpError: a file cannot be written, or parquet is asked for without pyarrow.
        """
        save_several(self, path)

    def plot(self) -> tuple[Any, Any]:
        """The whole figure of `ratewarp measure FOLDER --figure`: a panel an index; for single panels see
        `ratewarp.plot.over_sets`.

        Returns:
            The figure of matplotlib, and its axes by measure, or "measure task".

        Raises:
            RequestError: no number has a mean.
        """
        import ratewarp  # as in `Measurement.plot`

        return ratewarp.plot.several(self)

    def __repr__(self) -> str:
        return several_in_one_line(self)

    def _repr_html_(self) -> str:
        return several_as_html(self)


def measure_several(
    sets: Mapping[str, Any] | Sequence[Any] | np.ndarray,
    labels: Any = None,
    *,
    third: str = "time",
    places: Sequence[Any] | None = None,
    permutations: int = 0,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    **known: Any,
) -> Several:
    """Measures several sets of codes, and what they have in common.

    Arguments:
        sets: by name, or in order: codes of each, (items, latents), or (items, latents, places) where each
            has a third axis such as time, along which they are measured place by place; with `kind`, a matrix
            of dissimilarities, or the vector of its pairs; or a mapping of arguments of `measure` with its
            `codes`, where labels and the like differ between sets.
        labels: as in `measure`, for all sets that have none of their own.
        third: name of the third axis.
        places: its values; numbered from 0 if not given.
        permutations: for tests of every single set; none by default, since the tests over sets are others.
        workers: processes; one a core if not given.
        progress: called with where it stands.
        known: other arguments of `measure`, for all sets; `reference`, `noise` and `reference_noise` may have
            the third axis, too.

    Returns:
        Measures of every set, and statistics over them.

    Raises:
        RequestError: fewer than two sets, third axes of different lengths, a `third` that is a
            column of the tables, or what `measure` raises, with the
            name of the set.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> kind = np.arange(40) % 2
        >>> subjects = {f"s{n}": rng.standard_normal((40, 3)) + 2 * kind[:, None] for n in range(6)}
        >>> found = measure_several(subjects, kind, workers=1)
        >>> over = found.group.set_index("measure").loc["prototypization"]
        >>> round(float(over["mean"]), 1), float(over["p"])  # 1 of 64 ways to turn signs
        (0.5, 0.015625)
    """
    given = _named(sets)
    requests: dict[str, dict[str, Any]] = {
        name: {"labels": labels, **known, **_arguments(one)} for name, one in given.items()
    }
    if len(requests) < 2:
        refuse("sets", "at least two", len(requests))
    numbers = {name: _third_axis(name, one) for name, one in requests.items()}
    if len(set(numbers.values())) != 1:
        refuse("sets", "of third axes of one length, or none", numbers)
    (number,) = set(numbers.values())
    if third in _COLUMNS:
        refuse("third", f"another name than those of columns ({', '.join(_COLUMNS)})", third)
    along = tuple(range(number or 1)) if places is None else tuple(places)
    if len(along) != (number or 1):
        refuse("places", f"one for each of the {number or 1} places of the third axis", len(along))
    if len(set(along)) != len(along):
        refuse("places", "all different", along)
    jobs = [
        (name, place, {**_at(request, place if number else None), "permutations": permutations})
        for name, request in requests.items()
        for place in range(number or 1)
    ]
    tables, level = [], 0.95
    for done, ((name, place, _), found) in enumerate(zip(jobs, _measured(jobs, workers), strict=True), 1):
        head = {"set": name, **({third: along[place]} if number else {})}
        tables.append(found.table.assign(**head)[[*head, *found.table.columns]])
        level = found.level
        if progress is not None:
            progress(Progress("measuring", done, len(jobs)))
    table = pd.concat(tables, ignore_index=True)
    name = third if number else None
    return Several(table, _group(table, tuple(requests), name, level), tuple(requests), name, along, level)


def _named(sets: Any) -> dict[str, Any]:
    if isinstance(sets, Mapping):
        return {str(name): one for name, one in sets.items()}
    try:
        return {str(number): one for number, one in enumerate(sets)}
    except TypeError:
        refuse("sets", "sets of codes by name or in order", type(sets).__name__)


def _arguments(one: Any) -> dict[str, Any]:
    """Arguments of `measure` of one set."""
    return dict(one) if isinstance(one, Mapping) and "codes" in one else {"codes": one}


def _third_axis(name: str, request: Mapping[str, Any]) -> int:
    """How many places the third axis of a set has; 0 where it has none."""
    shape = np.shape(request["codes"])
    if len(shape) == 1 and is_of_pairs(request.get("kind")):
        return 0  # the pairs of one matrix
    if len(shape) not in (2, 3):
        refuse(f"codes of {name!r}", "(items, latents) or (items, latents, places)", f"shape {shape}")
    return shape[2] if len(shape) == 3 else 0


def _at(request: Mapping[str, Any], place: int | None) -> dict[str, Any]:
    """The arguments of one place of the third axis."""
    if place is None:
        return dict(request)
    found = dict(request)
    for argument in ("codes", *_OWN):
        values = request.get(argument)
        if values is not None and np.ndim(values) == 3:
            found[argument] = np.asarray(values)[:, :, place]
    return found


def _one(job: tuple[str, int, dict[str, Any]]) -> Measurement:
    name, _, arguments = job
    try:
        with threads(1):
            return measure(**arguments)
    except RequestError as error:
        raise RequestError(f"{name}: {error}") from None


def _measured(jobs: list[tuple[str, int, dict[str, Any]]], workers: int | None) -> Iterator[Measurement]:
    """What is found of every job, in order."""
    most = min(workers or os.cpu_count() or 1, len(jobs))
    if most == 1:
        yield from map(_one, jobs)
        return
    # processes of their own: a fork of one that has loaded JAX may wait for ever
    workers_of = Parallel(most, backend="loky", return_as="generator")
    yield from cast(Iterator[Measurement], workers_of(delayed(_one)(job) for job in jobs))


def _group(table: pd.DataFrame, sets: tuple[str, ...], third: str | None, level: float) -> pd.DataFrame:
    """Statistics over sets of every number."""
    keys = [*([third] if third is not None else []), *_KEYS]
    shown = table[table["value"].notna()]
    named = shown.copy()
    for place in PLACES:  # groups have no missing labels
        named[place] = ["" if pd.isna(one) else one for one in shown[place]]
    number = named.groupby(keys, sort=False).ngroup().to_numpy()
    labels = named.loc[:, keys].drop_duplicates().reset_index(drop=True)
    values = np.full((len(sets), len(labels)), np.nan)
    values[[sets.index(name) for name in named["set"]], number] = np.asarray(named["value"], dtype=float)
    found = mean_over_sets(values, level)
    p, adjusted = _tests(labels, values)
    numbers = {"mean": found.value, "se": found.se, "low": found.low, "high": found.high, "sets": found.sets}
    return labels.assign(**numbers, p=p, p_adjusted=adjusted)


def _tests(labels: pd.DataFrame, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p of every number that is 0 where there is nothing, and corrected over the third axis."""
    p, adjusted = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    tested = [name.endswith("_change") or name in _CHANCE_ZERO for name in labels["measure"]]
    chosen = np.flatnonzero(tested)
    if chosen.size:
        keys = [tuple(row) for row in labels.iloc[chosen][_KEYS].itertuples(index=False)]
        numbered = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        family = np.array([numbered[key] for key in keys])
        upwards = labels["measure"].iloc[chosen].isin(_SHARES).to_numpy()
        p[chosen], adjusted[chosen] = sign_flips(values[:, chosen], family, upwards=upwards)
    return p, adjusted

"""Several runs beside each other: what differs between their studies, and between their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ratewarp._checks import refuse
from ratewarp.geometry import MEASURES
from ratewarp.geometry.representation import PLACES
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import stored_study

_OF_MODELS = ("rate_nats", "distortion", "semantic_distortion", "efficiency")
_LEFT_OUT = ("name", "title", "description")  # of a study; they change nothing that is trained
_ABSENT = "–"


def run_names(runs: Sequence[RunDirectory]) -> list[str]:
    """A name for every run: that of its folder, with folders above it where several are alike.

    Raises:
        RequestError: a run is given twice.
    """
    paths = [run.path.resolve() for run in runs]
    for path, times in Counter(paths).items():
        if times > 1:
            refuse("runs", "each given once", f"{path.name} given {times} times")
    depth = 1
    names = [path.name for path in paths]
    while len(set(names)) < len(names):
        depth += 1
        names = [str(Path(*path.parts[-depth:])) for path in paths]
    return names


def study_differences(runs: Sequence[RunDirectory]) -> pd.DataFrame:
    """What differs between the studies of runs.

    Returns:
        One row a key of the resolved study file (`recipe.steps`, `models.E1M1.frequency`), a column a run.
    """
    flat = [_flat({key: one for key, one in run.study.items() if key not in _LEFT_OUT}) for run in runs]
    keys = list(dict.fromkeys(key for one in flat for key in one))
    rows = {key: [one.get(key, _ABSENT) for one in flat] for key in keys}
    differing = {key: values for key, values in rows.items() if len(set(values)) > 1}
    table = pd.DataFrame.from_dict(differing, orient="index", columns=pd.Index(run_names(runs)))
    return table.rename_axis("key").reset_index()


def _flat(value: Any, key: str = "") -> dict[str, str]:
    """A study as one text a key."""
    if isinstance(value, Mapping) and value:
        parts = [_flat(one, f"{key}.{name}" if key else str(name)) for name, one in value.items()]
        return {name: text for part in parts for name, text in part.items()}
    return {key: str(value)}


def compare_runs(runs: Sequence[RunDirectory]) -> pd.DataFrame:
    """Numbers of several runs beside each other, means over seeds.

    Arguments:
        runs: two or more, whose tables are written. They may be of different sources.

    Returns:
        One row a model, place on the axes, measure and task that two runs or more have in common; columns:
        `model`, the axes, `measure`, `task`, a column a run with the mean over its seeds; of two runs also
        `difference` (second − first), and `se`, its standard error over seeds where both have two or more
        (Welch), else NaN.

    Raises:
        RequestError: fewer than two runs, or one given twice.

    Examples:
        >>> from ratewarp import open_run
        >>> compare_runs([open_run("runs/short"), open_run("runs/long")])  # doctest: +SKIP
    """
    if len(runs) < 2:
        refuse("runs", "two runs or more", f"{len(runs)}")
    names = run_names(runs)
    keys = [*dict.fromkeys(key for run in runs for key in _keys(run))]
    tables = [_numbers(run, keys) for run in runs]
    labels = ["model", *keys, "measure", "task"]
    seeds = [table.groupby(labels, dropna=False, sort=False)["value"] for table in tables]
    means = pd.concat(
        [pd.DataFrame({name: one.mean()}) for name, one in zip(names, seeds, strict=True)], axis=1
    )
    found = means[means.notna().sum(axis=1) >= 2]
    if len(runs) == 2:
        errors = [(one.var() / one.count()).reindex(found.index).to_numpy() for one in seeds]
        found = found.assign(difference=found[names[1]] - found[names[0]], se=np.sqrt(np.sum(errors, axis=0)))
    return found.reset_index()


def _keys(run: RunDirectory) -> list[str]:
    """Axes of the study of a run, as columns of its tables."""
    study = stored_study(run.study, run.path)
    return [key for axis in study.crossed for key in axis.keys]


def _numbers(run: RunDirectory, keys: Sequence[str]) -> pd.DataFrame:
    """Every single number of a run, a row each."""
    models = run.table("models").query("status != 'diverged'")
    wide = models.reindex(columns=["model", *keys, *_OF_MODELS])
    numbers = wide.melt(id_vars=["model", *keys], var_name="measure", value_name="value").assign(task="")
    geometry = run.table("geometry")
    shown = [name for one in MEASURES if one.figures for name in (one.name, one.shown)]
    single = geometry["measure"].isin(shown) & geometry[[*PLACES]].isna().all(axis=1)
    measured = pd.DataFrame(geometry[single]).reindex(columns=["model", *keys, "measure", "task", "value"])
    tasks = run.table("tasks").rename(columns={"representation": "model", "f1": "value"})
    heads = tasks.assign(measure="f1 (" + tasks["regime"].astype(str) + ")")
    parts = [numbers, measured, heads.reindex(columns=numbers.columns)]
    every = pd.concat([part for part in parts if len(part)], ignore_index=True)
    every["task"] = every["task"].fillna("").astype(str)
    return every.dropna(subset=["value"])

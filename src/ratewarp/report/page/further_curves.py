"""Distortion and F1 of heads as curves of a stage, with the publication's numbers where a model is trained
exactly as the publication trained it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from ratewarp.report.views import RunView
from ratewarp.results.paper import published_distortion, published_f1
from ratewarp.studies import Condition, Setting, load_study

_TRAINED = ("source", "frequency", "tasks", "network", "likelihood", "recipe", "training_images")
_HEADS = {
    "f1_trained": ("F1 of heads trained with the model", ("joint", "simultaneous")),
    "f1_read": ("F1 of heads on frozen codes", ("disjoint", "transfer")),
}


def further_curves(view: RunView) -> list[dict[str, Any]]:
    """Distortion and F1 of every condition, as `measured_curves` has measures, without intervals.

    Returns:
        As there, with `published`: rows of model, capacity in nats and value; empty where the models of the
        run are trained on other data, by another recipe or as other networks.
    """
    alike = _trained_as_published(view.conditions)
    return [_distortion(view, alike), *_f1(view, alike)]


def _distortion(view: RunView, alike: set[tuple[str, float]]) -> dict[str, Any]:
    rows = view.table("models").query("status not in ('diverged', 'missing')").to_dict("records")
    return {
        "measure": "distortion",
        "title": f"Distortion: {view.study.likelihood.UNIT}",
        "task": "",
        "log": False,
        "rows": [[row["condition"], row["distortion"], None, None] for row in rows],
        "published": _published(published_distortion(), "model", "distortion", alike),
    }


def _f1(view: RunView, alike: set[tuple[str, float]]) -> Iterator[dict[str, Any]]:
    """A curve a kind of head and task; F1 is the mean over batches of 32, as the publication has it."""
    theirs = published_f1()
    for measure, (title, regimes) in _HEADS.items():
        table = _of(view.table("tasks"), regimes)
        for task, own in table.groupby("task", sort=False):
            rows = own.to_dict("records")
            known = pd.DataFrame(_of(theirs, regimes).query("task == @task"))
            yield {
                "measure": measure,
                "title": title,
                "task": task,
                "log": False,
                "rows": [[row["condition"], row["f1_batches"], None, None] for row in rows],
                "published": _published(known, "representation", "f1", alike),
            }


def _of(table: pd.DataFrame, regimes: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(table[table["regime"].isin(regimes)])


def _published(
    table: pd.DataFrame, model: str, column: str, alike: set[tuple[str, float]]
) -> list[list[Any]]:
    rows = [[row[model], row["capacity_nats"], row[column]] for row in table.to_dict("records")]
    return [row for row in rows if (row[0], row[1]) in alike]


def _trained_as_published(conditions: Sequence[Condition]) -> set[tuple[str, float]]:
    """Models and capacities (nats) whose training is that of the built-in study `paper`; seeds, and how many
    images are measured, may differ.
    """
    theirs = {
        (one.model, one.capacity_nats): _training(one.setting) for one in load_study("paper").conditions
    }
    return {
        (one.model, one.capacity_nats)
        for one in conditions
        if one.capacity_nats is not None
        and theirs.get((one.model, one.capacity_nats)) == _training(one.setting)
    }


def _training(setting: Setting) -> tuple[Any, ...]:
    return tuple(getattr(setting, name) for name in _TRAINED)

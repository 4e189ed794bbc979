"""The publication's qualitative statements as checks computed from the numbers of a run's codes. No input or
output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

Row = dict[str, Any]


class _Look(NamedTuple):
    """A number of the geometry table at the lowest or highest published capacity; of a matrix, an entry."""

    model: str
    measure: str
    task: str
    capacity_nats: float
    entry: int | None = None  # on the diagonal


_LOW, _HIGH = 0.3, 10.0
_Difference = list[tuple[int, _Look]]  # signs and numbers


def _differences() -> Iterator[tuple[str, dict[str, _Difference]]]:
    """The publication's statements, each with the differences that it says are positive."""
    for task in ("E2M1", "E2M2", "E2M3", "E2M4"):
        collapse: _Difference = [
            (1, _Look(task, "prototypization", task, _LOW)),
            (-1, _Look(task, "prototypization", task, _HIGH)),
        ]
        yield (
            f"low capacity collapses the codes of {task} onto category prototypes",
            {
                "share of variance between categories, 0.3 minus 10 nats": collapse,
                "the same minus the baseline's, 0.3 nats": [
                    (1, _Look(task, "prototypization_change", task, _LOW))
                ],
            },
        )
    apart = "distances among frequent minus among rare stimuli, against the baseline, 0.3 nats"
    resolution: _Difference = [(1, _Look("E1M1", "resolution_ratio_change", "frequency", _LOW))]
    yield (
        "skewed frequency (E1M1) gives frequent stimuli more resolution at low capacity",
        {
            apart: _spread_of_frequent("E1M1"),
            "resolution of frequent over rare stimuli, minus the baseline's, 0.3 nats": resolution,
        },
    )
    yield (  # its frequent stimuli have rare neighbours only, so that their resolution cannot say it
        "skewed frequency (E1M2) spreads frequent stimuli at low capacity",
        {
            apart: _spread_of_frequent("E1M2"),
        },
    )
    dimensions = "participation ratio minus the baseline's, 10 nats"
    yield (
        "skewed frequency (E1M1) recruits extra dimensions at high capacity",
        {dimensions: _more_dimensions("E1M1")},
    )
    for task in ("E2M1", "E2M2"):
        yield (
            f"a task ({task}) turns a latent axis to itself",
            {
                f"alignment of the task's axis minus the baseline's, {capacity:g} nats": [
                    (1, _Look(task, "orthogonalization_change", task, capacity))
                ]
                for capacity in (_LOW, _HIGH)
            },
        )
    share: _Difference = [(1, _Look("E2M5", "prototypization_change", "E2M1", _LOW))]
    axis: _Difference = [(1, _Look("E2M5", "orthogonalization_change", "E2M1", _LOW))]
    yield (
        "effects coexist in E2M5",
        {
            "share of variance between the classes of E2M1 minus the baseline's, 0.3 nats": share,
            "alignment of the axis of E2M1 minus the baseline's, 0.3 nats": axis,
            dimensions: _more_dimensions("E2M5"),
        },
    )


def _spread_of_frequent(model: str) -> _Difference:
    return [
        (sign, _Look(model, "class_distortion", "frequency", _LOW, one)) for sign, one in ((1, 1), (-1, 0))
    ]


def _more_dimensions(model: str) -> _Difference:
    return [
        (1, _Look(model, "participation_ratio", "", _HIGH)),
        (-1, _Look("baseline", "participation_ratio", "", _HIGH)),
    ]


def paper_statements(geometry: list[Row], trained: set[tuple[str, float, int]]) -> Iterator[Row]:
    """Every statement; it holds if all its differences are positive for every seed.

    Arguments:
        geometry: rows of the table of that name.
        trained: model, capacity and seed of what was measured.

    Yields:
        `statement`, `inside` (None where the models that it speaks of were not all trained from any seed),
        and `evidence` in words.
    """
    seeds = {seed for *_, seed in trained}
    for statement, differences in _differences():
        looks = [look for parts in differences.values() for _, look in parts]
        wanted = {(model, look.capacity_nats) for look in looks for model in (look.model, "baseline")}
        found = {text: _by_seed(geometry, parts) for text, parts in differences.items()}
        comparable = any({(*cell, seed) for cell in wanted} <= trained for seed in seeds)
        holds = all(values and min(values) > 0 for values in found.values()) if comparable else None
        none = "no number" if comparable else "not in this run"
        numbers = {
            text: ", ".join(f"{value:+.3f}" for value in values) or none for text, values in found.items()
        }
        yield {
            "statement": statement,
            "inside": holds,
            "evidence": "; ".join(f"{text}: {said}" for text, said in numbers.items()),
        }


def _by_seed(geometry: list[Row], parts: _Difference) -> list[float]:
    """Signed sum of numbers, one per seed; none if the run lacks any."""
    columns: list[dict[int, float]] = []
    for sign, look in parts:
        columns.append({row["seed"]: sign * row["value"] for row in geometry if _is_of(row, look)})
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    return [sum(column[seed] for column in columns) for seed in seeds]


def _is_of(row: Row, look: _Look) -> bool:
    places = {"class": look.entry, "other": look.entry} if look.entry is not None else {}
    wanted = {
        "model": look.model,
        "measure": look.measure,
        "task": look.task,
        "capacity_nats": look.capacity_nats,
        **places,
    }
    return all(_equal(row[key], value) for key, value in wanted.items())


def _equal(found: Any, wanted: Any) -> bool:
    """Whether a cell is as wanted; an empty cell is read as NaN."""
    return bool(pd.isna(found)) if wanted == "" else bool(found == wanted)

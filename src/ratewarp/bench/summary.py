"""What a comparison's timings say: medians over rounds, ratios within rounds, shares of the ceiling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from ratewarp.bench.roster import Entry

Turns = Sequence[dict[str, Any]]


def summarize(turns: Turns, entries: Sequence[Entry], operations: int) -> dict[str, Any]:
    """Figures of every contestant, ratios between them, and the ceiling.

    Arguments:
        turns: every timing, with `round` and `contestant`.
        entries: the contestants that took all their turns.
        operations: floating-point operations of one model-step.
    """
    times = {entry.name: _milliseconds(turns, entry.name) for entry in entries if entry.kind == "training"}
    ceiling = _ceiling(turns, entries)
    contestants = {
        entry.name: {
            "what": entry.what,
            "members": entry.members,
            "processes": entry.processes,
            "ms_per_model_step": median_and_range(times[entry.name]),
            "cores_used": median(turn["cpu_seconds"] / turn["seconds"] for turn in _of(turns, entry.name)),
            **_rates(operations, median(times[entry.name]), ceiling),
            # a peak never falls: the last is the highest
            "peak_bytes": _of(turns, entry.name)[-1]["peak_bytes"],
        }
        for entry in entries
        if entry.kind == "training"
    }
    ratios = {
        one: {
            other: median_and_range(a / b for a, b in zip(times[one], times[other], strict=True))
            for other in times
        }
        for one in times
    }
    return {"contestants": contestants, "ratios": ratios, "ceiling": ceiling}


def median_and_range(values: Iterable[float]) -> dict[str, float]:
    """Median, least and most.

    Examples:
        >>> median_and_range([3.0, 1.0, 2.0])
        {'median': 2.0, 'low': 1.0, 'high': 3.0}
    """
    values = list(values)
    return {"median": median(values), "low": min(values), "high": max(values)}


def _of(turns: Turns, name: str) -> list[dict[str, Any]]:
    return [turn for turn in turns if turn["contestant"] == name]


def _milliseconds(turns: Turns, name: str) -> list[float]:
    """Milliseconds per model-step of a contestant, by round."""
    return [1000 * turn["seconds"] / turn["model_steps"] for turn in _of(turns, name)]


def _ceiling(turns: Turns, entries: Sequence[Entry]) -> dict[str, Any]:
    """Best rate of every product over all rounds, 10⁹ operations a second, and the best of squares and of
    layers' sizes.
    """
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.kind == "ceiling":
            found[entry.name] = {"what": entry.what}
            for kind in ("squares_gflops", "layers_gflops"):
                rates = [turn[kind] for turn in _of(turns, entry.name)]
                found[entry.name][kind] = {
                    product: max(one[product] for one in rates) for product in rates[0]
                }
    best = {
        kind: max((rate for one in found.values() for rate in one[kind].values()), default=None)
        for kind in ("squares_gflops", "layers_gflops")
    }
    return {
        "squares_gflops": best["squares_gflops"],
        "layers_gflops": best["layers_gflops"],
        "by_library": found,
    }


def _rates(operations: int, milliseconds: float, ceiling: dict[str, Any]) -> dict[str, float | None]:
    """Operations that count, 10⁹ a second, and their share of what the machine can do."""
    rate = operations / milliseconds / 1e6
    shares = {
        kind: rate / ceiling[f"{kind}_gflops"] if ceiling[f"{kind}_gflops"] else None
        for kind in ("squares", "layers")
    }
    return {"gflops": rate, "share_of_ceiling": shares["squares"], "share_at_layer_sizes": shares["layers"]}

"""Measures of the factors that generate the items: disentanglement, without intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ratewarp._checks import RequestError
from ratewarp.geometry.disentanglement import disentanglement, mutual_information_gap
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.representation import Finding, undefined
from ratewarp.geometry.workbench import Workbench


def find_mutual_information_gap(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    name = "mutual_information_gap"
    yield from _scores(bench, name, lambda codes, factors: {name: mutual_information_gap(codes, factors)})


def find_dci(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """Disentanglement, completeness, informativeness."""
    yield from _scores(
        bench,
        "dci",
        lambda *arrays: {f"dci_{name}": one for name, one in disentanglement(*arrays)._asdict().items()},
    )


def _scores(bench: Workbench, name: str, score: Callable[..., dict[str, float]]) -> Iterator[Finding]:
    own = bench.own
    if own.factors is None:
        return
    try:
        found = score(own.codes, own.factors[own.units])
    except RequestError as error:
        yield undefined(name, "", str(error))
        return
    for part, value in found.items():
        yield Finding(part, "", value, math.nan, math.nan, math.nan, 0, "no interval")

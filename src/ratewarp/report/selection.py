"""Which models and capacities figures show of a study with too many to tell apart, never silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

MOST_MODELS = 12  # as many as colours with markers, and rows of small panels, can tell apart
MOST_LEVELS = 6  # rows of maps
MOST_FIGURES = 12  # of single models: up to a megabyte of the page each
MOST_MAPPED = 1600  # codes of a map, whose time and memory go with the square of their number

One = TypeVar("One")


class Selection(NamedTuple):
    """Models that are shown, in the order of the study.

    Attributes:
        names: of the models.
        note: which they are of how many, for figures and the page; empty where all are shown.
    """

    names: list[str]
    note: str = ""


def thinned(things: Sequence[One], most: int) -> list[One]:
    """At most so many of some things, evenly spread over their order, the first and the last among them.

    Examples:
        >>> thinned("abcdefg", 3), thinned("ab", 3), thinned("abc", 1)
        (['a', 'd', 'g'], ['a', 'b'], ['a'])
    """
    if len(things) <= most:
        return list(things)
    if most == 1:
        return [things[0]]
    places = [round(i * (len(things) - 1) / (most - 1)) for i in range(most)]
    return [things[place] for place in places]


def some_models(names: Sequence[str], reference: str, most: int) -> Selection:
    """The reference, and as many others as there is room for, evenly spread over the order of the study.

    Examples:
        >>> some_models(["a", "b", "c", "d", "e"], "c", 3)
        Selection(names=['a', 'c', 'e'], note='3 of 5 models: c, and others evenly spread over the study')
        >>> some_models(["a", "b"], "a", 3)
        Selection(names=['a', 'b'], note='')
    """
    if len(names) <= most:
        return Selection(list(names))
    others = thinned([name for name in names if name != reference], most - 1) if most > 1 else []
    chosen = [name for name in names if name in {reference, *others}]
    told = f"{reference}, and others evenly spread over the study" if others else f"{reference} alone"
    return Selection(chosen, f"{len(chosen)} of {len(names)} models: {told}")

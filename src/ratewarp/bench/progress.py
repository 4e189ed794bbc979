"""Where a comparison stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What is being done, and how much of the planned time it takes up.

    Attributes:
        doing: what is being done now, in words.
        done: planned seconds behind us.
        total: planned seconds of all of it.
    """

    doing: str
    done: float
    total: float

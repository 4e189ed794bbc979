"""Where a run stands, for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        doing: what is being done now, in words.
        done: how much of it is done: model-steps of this call, conditions and models measured, or figures
            drawn.
        total: how much there is, in the same unit.
    """

    doing: str
    done: int
    total: int

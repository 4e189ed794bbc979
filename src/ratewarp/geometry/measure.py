"""What every measure says of itself: the contract of an entry of `MEASURES`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp.geometry.representation import Finding
from ratewarp.geometry.stimulus_space import Space
from ratewarp.geometry.workbench import Workbench

Figure = Literal["warps", "normative", "measured"]


class Scheme(NamedTuple):
    """A labelling of items.

    Attributes:
        task: its name.
        classes: class of every item, 0 … classes − 1.
    """

    task: str
    classes: Int[np.ndarray, " items"]


class Optimal(NamedTuple):
    """Codes of stimuli, one each, and what is known of them: what a measure of an optimal code is made from.

    Attributes:
        codes: one row per stimulus.
        labels: class of every stimulus; all 0 for measures that are of no labelling.
        space: where every stimulus stands.
        frequency: of every stimulus.
    """

    codes: Float[np.ndarray, "stimuli points"]
    labels: Int[np.ndarray, " stimuli"]
    space: Space
    frequency: Float[np.ndarray, " stimuli"]


@dataclass(frozen=True)
class Measure:
    """One measure of codes.

    Attributes:
        name: in tables; its change from a reference is called by the name and `_change`.
        title: on figures, in a few words.
        of: what it is measured of, once for all codes or once a labelling: `codes`, `task`, `frequency` or
            `factors`. One of `frequency` needs frequencies that differ, and factors.
        find: the numbers, with intervals and tests as the bench says; `undefined` ones with their reason.
        bounds: least and largest value.
        keeps: what changes no number: `shift`, `scale` and `rotation` of the codes, `order` of their latents.
        needs_reference: whether there is nothing to measure without a reference.
        change: whether its change from a reference is found, too.
        optimum: the number of an optimal code, for normative codes; None where it is not told of them. May
            raise `RequestError` where it is not defined.
        figures: on which figures it stands.
        panel: heading of its panel there, which says whether the number or its change is shown.
        scale: of the axis on figures.
        trial_noise: whether there is a form without trial noise and one with it; otherwise it is of the
            codes as they are given.
        slow: whether it is left out unless asked for.
        asked_of: whether it is measured of the models of a run, of codes that a user brings, or of both.
    """

    name: str
    title: str
    of: Literal["codes", "task", "frequency", "factors"]
    find: Callable[[Workbench, Scheme], Iterator[Finding]]
    bounds: tuple[float, float] = (-math.inf, math.inf)
    keeps: frozenset[str] = frozenset({"shift", "scale", "rotation", "order"})
    needs_reference: bool = False
    change: bool = False
    optimum: Callable[[Optimal], float] | None = None
    figures: tuple[Figure, ...] = ()
    panel: str = ""
    scale: Literal["linear", "log"] = "linear"
    trial_noise: bool = True
    slow: bool = False
    asked_of: Literal["runs", "codes", "both"] = "both"

    @property
    def shown(self) -> str:
        """Name in tables of what its panels show."""
        return f"{self.name}_change" if self.change and "change" in self.panel else self.name

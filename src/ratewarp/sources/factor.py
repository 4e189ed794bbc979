"""Factors: the generative coordinates of a source."""

from __future__ import annotations

from keyword import iskeyword
from typing import Literal, NamedTuple

import numpy as np

from ratewarp._checks import refuse, refuse_name, shorten

KINDS = ("ordered", "circular", "categorical", "covariate")


class Factor(NamedTuple):
    """One coordinate of a source.

    Attributes:
        name: as expressions and tables call it.
        values: that it takes: numbers, or texts for a categorical one.
        kind: `ordered`, `circular` (values repeat after `period`), `categorical` (values have no order), or
            `covariate`: numbers that rules may name, and no coordinate of the stimuli.
        period: of a circular factor, in the unit of its values.

    Examples:
        >>> Factor("shape", ("heart", "square"), "categorical").table
        array(['heart', 'square'], dtype='<U6')
    """

    name: str
    values: tuple[float | str, ...]
    kind: Literal["ordered", "circular", "categorical", "covariate"] = "ordered"
    period: float | None = None

    @property
    def table(self) -> np.ndarray:
        """Its values as an array: numbers, or text."""
        return np.array(self.values)


def check_factor(factor: Factor, place: str) -> None:
    """Refuses a factor that contradicts itself; `place` names it in messages.

    Raises:
        RequestError: no name, no values, values that occur twice or are of the wrong type, or a kind or
            period that does not fit.
    """
    if not isinstance(factor.name, str) or not factor.name.isidentifier() or iskeyword(factor.name):
        refuse(f"{place}.name", "a name of letters, digits and _, which expressions can use", factor.name)
    if factor.kind not in KINDS:
        refuse_name(f"{place}.kind", "kind of factor", factor.kind, KINDS)
    if not isinstance(factor.values, tuple) or not factor.values:
        refuse(f"{place}.values", "a tuple of one value or more", factor.values)
    texts = [isinstance(value, str) for value in factor.values]
    numbers = all(isinstance(value, int | float) for value in factor.values)
    if not numbers and not (factor.kind == "categorical" and all(texts)):
        refuse(f"{place}.values", "numbers, or texts alone for a categorical factor", factor.values)
    if len(set(factor.values)) < len(factor.values):
        twice = next(value for value in factor.values if factor.values.count(value) > 1)
        refuse(f"{place}.values", "different from each other", f"{shorten(twice)} twice")
    if not all(texts) and not np.isfinite(np.array(factor.values, dtype=float)).all():
        refuse(f"{place}.values", "finite", factor.values)
    period = factor.period
    sound = period is None or (isinstance(period, int | float) and 0 < period < np.inf)
    if (factor.kind == "circular") != (period is not None) or not sound:
        refuse(f"{place}.period", "positive for a circular factor, and not given for another", period)

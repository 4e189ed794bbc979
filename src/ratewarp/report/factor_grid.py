"""How stimuli lie on the grid of their factors, for figures that show them by these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from ratewarp.report.style import category_colours, cyclic_colours, scale_colours
from ratewarp.sources import Factor, Source, coordinates_of

MOST_FACTORS = 6  # that figures show, each in a panel
_FULL = 0.8  # share of the combinations of two factors that occur where these are drawn as a plane
_DECIMALS, _MOST_DECIMALS = 3, 12  # of values in words
_TRUE = 0.02  # share by which they may be rounded
_LETTERS = 15  # of one factor and its value that have room over a small image


class FactorGrid(NamedTuple):
    """Factors of a run's stimuli.

    Attributes:
        names: of the factors.
        values: of every stimulus, as numbers.
        ranks: place of each value among those that its factor takes.
        kinds: of the factors.
        periods: of those that are circular.
        words: the values that each factor takes, rising, as figures write them.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "stimuli factors"]
    ranks: Int[np.ndarray, "stimuli factors"]
    kinds: tuple[str, ...]
    periods: tuple[float | None, ...]
    words: tuple[tuple[str, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor takes."""
        return tuple(map(len, self.words))

    @property
    def is_plane(self) -> bool:
        """Whether there are two factors, of each combination of their values one stimulus at most, and of
        nearly all combinations one.
        """
        two = len(self.names) == 2 and min(self.sizes) > 1
        return two and self.are_apart and len(self.ranks) >= _FULL * float(np.prod(self.sizes))

    @property
    def are_apart(self) -> bool:
        """Whether no two stimuli have the same values."""
        return len(np.unique(self.ranks, axis=0)) == len(self.ranks)

    @property
    def shown(self) -> range:
        """Factors that figures have room for."""
        return range(min(len(self.names), MOST_FACTORS))

    @property
    def note(self) -> str:
        """Which factors have no panel; empty where all have one."""
        left_out = self.names[MOST_FACTORS:]
        return f"not shown by factor: {', '.join(left_out)}" if left_out else ""

    @property
    def order(self) -> Int[np.ndarray, " stimuli"]:
        """Stimuli in order of the first factor, then of the second, and so on."""
        return np.lexsort(self.ranks.T[::-1]) if self.names else np.arange(len(self.ranks))

    def laid_out(self, numbers: Float[np.ndarray, " stimuli"]) -> Float[np.ndarray, "rows columns"]:
        """One number per stimulus, first factor down and second across, NaN where no stimulus is; in one row,
        in order of the factors, where that is no plane.
        """
        if not self.is_plane:
            return numbers[self.order].reshape(1, -1)
        plane = np.full(self.sizes, np.nan)
        plane[tuple(self.ranks.T)] = numbers
        return plane

    def word(self, stimulus: int, factor: int) -> str:
        """The value that a stimulus has of a factor."""
        return self.words[factor][self.ranks[stimulus, factor]]

    def described(self, stimulus: int) -> str:
        """All values of a stimulus in words."""
        return ", ".join(f"{name} = {self.word(stimulus, f)}" for f, name in enumerate(self.names))

    def title(self, stimulus: int, index: int, lines: int = 3) -> str:
        """Values of a stimulus over a small image, a line each, in at most so many lines; its `index` where
        there are no factors.
        """
        told = [shortened(n, self.word(stimulus, f)) for f, n in enumerate(self.names)]
        if len(told) > lines:
            told = [*told[: lines - 1], f"and {len(told) - lines + 1} more"]
        return "\n".join(told) or f"stimulus {index}"

    def colours(self, factor: int) -> list[str]:
        """A colour for every value that a factor takes: steps of a scale, around a circle, or plain ones for
        values without order.
        """
        if self.kinds[factor] == "categorical":
            return category_colours(self.sizes[factor])
        if self.kinds[factor] == "circular":
            return cyclic_colours(np.unique(self.values[:, factor]) / (self.periods[factor] or 1.0))
        return scale_colours(self.sizes[factor])

    def stimulus_colours(self, factor: int) -> np.ndarray:
        """The same for every stimulus."""
        return np.array(self.colours(factor))[self.ranks[:, factor]]


def factor_grid(record: xr.Dataset, source: Source) -> FactorGrid:
    """The factors of a stored condition, whose source says of which kind they are."""
    values = record["factor_value"].values.astype(float)
    factors = tuple(coordinates_of(source).values())
    found = [np.unique(column, return_inverse=True) for column in values.T]
    return FactorGrid(
        tuple(map(str, record["factor"].values)),
        values,
        np.array([ranks for _, ranks in found], int).T if found else np.zeros(values.shape, int),
        tuple(factor.kind for factor in factors),
        tuple(factor.period for factor in factors),
        tuple(_words(factor, taken) for factor, (taken, _) in zip(factors, found, strict=True)),
    )


def _words(factor: Factor, taken: np.ndarray) -> tuple[str, ...]:
    if factor.table.dtype.kind == "U":
        return tuple(str(factor.table[int(one)]) for one in taken)
    return written(taken)


def written(numbers: Float[np.ndarray, " values"]) -> tuple[str, ...]:
    """Numbers that differ, with as few decimals as tell them apart and are true to two percent, at least
    three.

    Examples:
        >>> written(np.array([0.0, 1 / 3, 2 / 3])), written(np.array([1000.0, 1234.0, 1234.5]))
        (('0', '0.333', '0.667'), ('1000', '1234', '1234.5'))
    """
    for decimals in range(_DECIMALS, _MOST_DECIMALS):
        near = np.round(numbers, decimals)
        words = tuple(f"{one:.10g}" for one in near.tolist())
        if len(set(words)) == len(words) and (np.abs(near - numbers) <= _TRUE * np.abs(numbers)).all():
            return words
    return tuple(map(str, numbers.tolist()))


def shortened(name: str, value: str) -> str:
    """A factor and its value, the longer of both cut where they have no room.

    Examples:
        >>> shortened("x_LC", "12"), shortened("spatial_frequency", "4")
        ('x_LC = 12', 'spatial_fr… = 4')
    """
    room = _LETTERS - 3
    name = cut(name, max(room - len(value), room // 2))
    return f"{name} = {cut(value, room - len(name))}"


def cut(text: str, letters: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def cut_list(texts: Sequence[str], letters: int) -> str:
    """Texts with commas, or the first and the last where all are too long.

    Examples:
        >>> cut_list(["cat", "dog"], 20), cut_list(list("abcdefgh"), 10)
        ('cat, dog', 'a … h')
    """
    whole = ", ".join(texts)
    if len(whole) <= letters or len(texts) < 2:
        return cut(whole, letters)
    return f"{cut(texts[0], letters // 2 - 1)} … {cut(texts[-1], letters // 2 - 1)}"

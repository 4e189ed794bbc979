"""Axes: keys that the models of a study are crossed over, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratewarp._checks import RequestError, refuse, refuse_name

# axes that every study may have; `capacities_nats` and `seeds` are short for them
CAPACITY, SEED = "capacity_nats", "seed"

MAX_VALUES = 100_000
# of values that are computed: further ones are rounded otherwise on other machines, and ids would differ
_DIGITS = 6
_FORMS = ("range", "log", "random")
_LARGEST = 1e300  # of the ends of an axis


@dataclass(frozen=True)
class Axis:
    """Keys that move together, one key as a rule.

    Attributes:
        keys: paths with dots (`recipe.task_weight`), or names of parameters of the study's expressions.
        values: at every place of the axis, a value for each key.
    """

    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]

    @property
    def name(self) -> str:
        """As it stands in the study."""
        return ", ".join(self.keys)

    def at(self, place: int) -> dict[str, Any]:
        """Key → value at a place."""
        return dict(zip(self.keys, self.values[place], strict=True))


def read_axis(name: str, written: Any) -> Axis:
    """An axis as a study has it.

    Arguments:
        name: a key, or keys with commas between them that move together.
        written: a list of values (for several keys, of lists with one value for each), `{range: [first, last,
            count]}` (evenly spaced), `{log: [first, last, count]}` (by equal factors), or `{random: {between:
            [low, high], count: …, seed: 0, log: false}}` (drawn uniformly, or uniformly in the logarithm).
                Computed values are rounded to six digits.

    Raises:
        RequestError: naming the axis, what is required and what came.

    Examples:
        >>> read_axis("recipe.task_weight", {"log": [0.01, 1, 3]}).values
        ((0.01,), (0.1,), (1.0,))
        >>> read_axis("recipe.steps, recipe.learning_rate", [[100, 0.01], [1000, 0.001]]).at(1)
        {'recipe.steps': 1000, 'recipe.learning_rate': 0.001}
    """
    place, keys = f"axes.{name}", tuple(key.strip() for key in name.split(","))
    if not all(keys) or len(set(keys)) < len(keys):
        refuse(place, "a key, or different keys with commas between them", name)
    if isinstance(written, Mapping):
        if len(keys) > 1:
            refuse(place, "a list, with a list of one value for each key at every place", written)
        values = tuple((value,) for value in _computed(place, written))
    elif isinstance(written, Sequence) and not isinstance(written, str):
        values = tuple(_together(place, keys, one) for one in written)
    else:
        refuse(place, f"a list of values, or a table with one of the keys {', '.join(_FORMS)}", written)
    if not values:
        refuse(place, "not empty", written)
    if len({repr(one) for one in values}) < len(values):
        raise RequestError(
            f"{place}: values must differ from each other; got"
            f" {[one[0] if len(one) == 1 else list(one) for one in values]}"
        )
    return Axis(keys, values)


def _together(place: str, keys: Sequence[str], written: Any) -> tuple[Any, ...]:
    if len(keys) == 1:
        return (written,)
    if not isinstance(written, Sequence) or isinstance(written, str) or len(written) != len(keys):
        refuse(place, f"a list of {len(keys)} values at every place, one for each key", written)
    return tuple(written)


def _computed(place: str, written: Mapping[str, Any]) -> list[float]:
    if len(written) != 1:
        refuse(place, f"a list of values, or a table with one of the keys {', '.join(_FORMS)}", dict(written))
    ((form, wanted),) = written.items()
    if form not in _FORMS:
        refuse_name(place, "form of an axis", str(form), _FORMS)
    if form == "random":
        return _drawn(f"{place}.{form}", wanted)
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or len(wanted) != 3:
        refuse(f"{place}.{form}", "[first, last, count]", wanted)
    first, last, count = wanted
    _check_ends(f"{place}.{form}", first, last, positive=form == "log")
    space = np.geomspace if form == "log" else np.linspace
    return _rounded(space(float(first), float(last), _count(f"{place}.{form}", count)))


def _drawn(place: str, wanted: Any) -> list[float]:
    known = ("between", "count", "seed", "log")
    if not isinstance(wanted, Mapping) or not {"between", "count"} <= set(wanted):
        refuse(place, "a table with the keys between, count, and if need be seed and log", wanted)
    for key in wanted:
        if key not in known:
            refuse_name(place, "key", str(key), known)
    between, seed, log = wanted["between"], wanted.get("seed", 0), wanted.get("log", False)
    if not isinstance(between, Sequence) or isinstance(between, str) or len(between) != 2:
        refuse(f"{place}.between", "[low, high]", between)
    if not isinstance(log, bool):
        refuse(f"{place}.log", "true or false", log)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        refuse(f"{place}.seed", "a whole number from 0 to 2147483647", seed)
    _check_ends(f"{place}.between", *between, positive=log)
    shares = np.random.default_rng(seed).random(_count(f"{place}.count", wanted["count"]))
    ends = [float(end) for end in between]
    low, high = np.log(ends) if log else ends
    drawn = low + (high - low) * shares
    return _rounded(np.exp(drawn) if log else drawn)


def _check_ends(place: str, first: Any, last: Any, *, positive: bool) -> None:
    for end in (first, last):
        if (
            isinstance(end, bool)
            or not isinstance(end, int | float)
            or not abs(end) <= _LARGEST
            or (positive and end <= 0)
        ):
            refuse(place, f"from one {'positive ' if positive else ''}number to another", end)
    if first == last:
        refuse(place, "from one number to another", [first, last])


def _count(place: str, count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= MAX_VALUES:
        refuse(place, f"a count of 2 to {MAX_VALUES:,} values", count)
    return count


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]

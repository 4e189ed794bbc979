"""Checks of probabilities, distortions and labels that users bring: what comes out is safe."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse

SUM_TOLERANCE = 1e-6  # how far from 1 probabilities may sum; they are divided by their sum


def check_array(
    values: object, argument: str, requirement: str, dimensions: int | None = None
) -> Float[np.ndarray, "..."]:
    """`values` as a finite float64 array of so many dimensions, or `RequestError`."""
    try:
        array = np.asarray(values)
    except ValueError:
        refuse(argument, requirement, values)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        refuse(argument, requirement, f"dtype {array.dtype}")
    if (dimensions is not None and array.ndim != dimensions) or array.size == 0:
        refuse(argument, requirement, f"shape {array.shape}")
    if not np.all(np.isfinite(array)):
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        refuse(argument, requirement, f"{array[first]} at {first}")
    return array.astype(np.float64)


def check_probabilities(values: object, *, argument: str = "p") -> Float[np.ndarray, " stimuli"]:
    """`values` as probabilities that sum to 1 exactly, or `RequestError`."""
    requirement = f"finite, non-negative probabilities that sum to 1 (to {SUM_TOLERANCE:g})"
    p = check_array(values, argument, requirement, 1)
    if p.min() < 0:
        refuse(argument, requirement, f"{p.min():g} at {int(p.argmin())}")
    if abs(p.sum() - 1) > SUM_TOLERANCE:
        refuse(argument, requirement, f"a sum of {p.sum():.9g}")
    return p / p.sum()


def check_distortions(
    values: object, stimuli: int, *, argument: str = "cost"
) -> Float[np.ndarray, "stimuli points"]:
    """`values` as a matrix of distortions with one row per stimulus, or `RequestError`."""
    requirement = (
        f"a matrix of finite, non-negative distortions with one row for each of the {stimuli} stimuli"
    )
    matrix = check_array(values, argument, requirement, 2)
    if len(matrix) != stimuli:
        refuse(argument, requirement, f"shape {matrix.shape}")
    if matrix.min() < 0:
        where = tuple(int(i) for i in np.unravel_index(matrix.argmin(), matrix.shape))
        refuse(argument, requirement, f"{matrix.min():g} at {where}")
    return matrix


def check_classes(values: object, *, argument: str = "labels") -> Int[np.ndarray, " stimuli"]:
    """`values` as class numbers from 0, one per stimulus, or `RequestError`."""
    requirement = "one class number (0, 1, …) for each stimulus"
    labels = check_array(values, argument, requirement, 1)
    if labels.min() < 0 or np.any(labels != np.round(labels)):
        refuse(argument, requirement, values)
    return labels.astype(np.int64)


def check_rates(values: object) -> Float[np.ndarray, " rates"]:
    """`values` as rates in nats, or `RequestError`."""
    requirement = "a list of rates in nats, finite and non-negative"
    rates = check_array(values, "rates", requirement, 1)
    if rates.min() < 0:
        refuse("rates", requirement, float(rates.min()))
    return rates


def check_whole(value: object, argument: str, least: int) -> int:
    """`value` as a whole number of at least so many, or `RequestError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        refuse(argument, f"a whole number of at least {least}", value)
    return int(value)


def check_number(value: object, argument: str, *, above: float | None = None, least: float = 0) -> float:
    """`value` as a finite number above or at least the given limit, or `RequestError`."""
    requirement = f"a number above {above:g}" if above is not None else f"a number of at least {least:g}"
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        refuse(argument, requirement, value)
    if not np.isfinite(number) or (number < least if above is None else number <= above):
        refuse(argument, requirement, value)
    return number

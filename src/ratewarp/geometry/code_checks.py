"""Checks of arrays that users bring: what comes out is safe to compute with."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import RequestError, refuse

_EXACT = 2**53


def check_codes(codes: object, *, argument: str = "codes") -> Float[np.ndarray, "items latents"]:
    """`codes` as a float64 array of (items, latents), or `RequestError`."""
    array = _as_array(codes, argument)
    if array.dtype == object or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        refuse(argument, "an array of real numbers", f"dtype {array.dtype}")
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 1:
        refuse(argument, "two-dimensional (items, latents) with at least 2 items", f"shape {array.shape}")
    if np.issubdtype(array.dtype, np.integer) and max(abs(int(array.min())), abs(int(array.max()))) > _EXACT:
        refuse(
            argument,
            "whole numbers of at most 2^53, which are exact as floats",
            max(int(array.max()), int(array.min()), key=abs),
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float64)
    if not np.all(np.isfinite(array)):
        bad = int(np.argmin(np.isfinite(array).all(axis=1)))
        refuse(argument, "finite", f"NaN or infinity, first in row {bad}")
    return array


def check_labels(labels: object, items: int, *, argument: str = "classes") -> Int[np.ndarray, " items"]:
    """`labels` as integers, one per item, or `RequestError`."""
    array = _as_array(labels, argument)
    if array.shape != (items,):
        refuse(argument, f"one label for each of the {items} items", f"shape {array.shape}")
    if not (np.issubdtype(array.dtype, np.integer) or array.dtype == bool):
        refuse(argument, "integers", f"dtype {array.dtype}")
    return array.astype(np.int64)


def _as_array(values: object, argument: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError:
        refuse(argument, "a rectangular array", values)


def check_same_items(codes: np.ndarray, reference: np.ndarray) -> None:
    if len(codes) != len(reference):
        raise RequestError(
            f"codes and reference must hold the same items; got {len(codes)} and {len(reference)} rows"
        )

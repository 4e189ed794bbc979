"""Columns of images of one's own: which are used, and as what kind of factor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from ratewarp._checks import RequestError, did_you_mean, refuse
from ratewarp.sources.factor import Factor
from ratewarp.sources.image_files import ImageSet
from ratewarp.sources.tasks import MAX_CLASSES

_WORDS = frozenset({"min", "max", "abs"})  # of expressions


class Column(NamedTuple):
    """A column as a factor, and which of its values every image has."""

    factor: Factor
    places: Int[np.ndarray, " images"]


def choose_columns(
    images: ImageSet,
    labels: Sequence[str],
    factors: Sequence[str],
    circular: Mapping[str, float],
    covariates: Sequence[str],
) -> list[tuple[str, str, float | None]]:
    """Name, kind of factor and period of every column that is used.

    Raises:
        RequestError: a column that there is not, that is named twice, or of text where numbers are needed.
    """
    given = {
        "labels": [(name, "categorical", None) for name in labels],
        "factors": [(name, "ordered", None) for name in factors],
        "circular": [(name, "circular", period) for name, period in circular.items()],
        "covariates": [(name, "covariate", None) for name in covariates],
    }
    chosen = [one for some in given.values() for one in some]
    if not chosen:
        return [
            (name, "categorical" if values.dtype.kind == "U" else "ordered", None)
            for name, values in images.columns.items()
            if values.dtype.kind != "U" or len(np.unique(values)) <= MAX_CLASSES
        ]
    for key, some in given.items():
        for name, kind, _ in some:
            _check_column(key, name, kind, images)
    return chosen


def _check_column(key: str, name: str, kind: str, images: ImageSet) -> None:
    if name not in images.columns:
        known = ", ".join(images.columns) or "none"
        near = did_you_mean(name, list(images.columns))
        raise RequestError(f"source.{key}: {images.path} has no column {name!r}.{near} Columns: {known}")
    if kind != "categorical" and images.columns[name].dtype.kind == "U":
        refuse(f"source.{key}", "columns of numbers; one of text is a label", f"{name!r}, of text")


def complete_rows(
    images: ImageSet, chosen: Sequence[tuple[str, str, float | None]], skip_bad: bool
) -> Int[np.ndarray, " rows"]:
    """Images of which every column that is used is known.

    Raises:
        RequestError: there are others, and they are not to be left out.
    """
    complete = np.ones(images.count, bool)
    for name, _, _ in chosen:
        values = images.columns[name]
        missing = values == "" if values.dtype.kind == "U" else np.isnan(values.astype(float))
        if missing.any() and not skip_bad:
            raise RequestError(
                f"source: {name!r} is missing for {int(missing.sum()):,} of {images.count:,} images, such as"
                f" {images.name_of(int(np.argmax(missing)))}; fill it in, use other columns, or leave these"
                " images out with skip_bad: true"
            )
        complete &= ~missing
    return np.flatnonzero(complete)


def read_column(name: str, kind: Any, values: np.ndarray, period: float | None) -> Column:
    """A column as a factor of this kind."""
    distinct, places = np.unique(values, return_inverse=True)
    plain = tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in distinct.tolist())
    return Column(Factor(identifier(name), plain, kind, period), places)


def identifier(name: str) -> str:
    """A column's name as one that expressions can use.

    Examples:
        >>> identifier("digit class"), identifier("1st"), identifier("class")
        ('digit_class', '_1st', 'class_')
    """
    found = re.sub(r"\W", "_", name) or "_"
    found = f"_{found}" if found[0].isdigit() else found
    return f"{found}_" if iskeyword(found) or found in _WORDS else found


def strata(columns: Sequence[Column], images: int) -> Int[np.ndarray, " images"]:
    """Combinations of labels, numbered; one for all where there is no label."""
    labels = [column.places for column in columns if column.factor.kind == "categorical"]
    if not labels:
        return np.zeros(images, int)
    return np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)[1].reshape(-1)

"""What a set of images is like, found in one pass before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Num

from ratewarp._checks import refuse
from ratewarp._progress import Progress
from ratewarp.sources.image_files.column_findings import ColumnFound, Crossing, column_found, crossing
from ratewarp.sources.image_files.image_set import ImageSet
from ratewarp.sources.image_files.scaling import Scaling, scaling

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_BLOCK = 2**24  # bytes read at a time
_MOST_TOGETHER = 4096  # images
_SAMPLED = 2_000_000  # real numbers of which percentiles are computed
_FLAT = 0.01  # of the range of all numbers: an image whose own range is smaller is near-constant
_SHOWN = 20  # pairs and images that are named


class Duplicates(NamedTuple):
    """Images that are equal to an earlier one, number for number.

    Attributes:
        images: how many.
        pairs: the earlier one and the other, by name; of the first 20.
        disagreeing: how many of them have other values in a column of labels or factors.
    """

    images: int
    pairs: tuple[tuple[str, str], ...]
    disagreeing: int


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        count: images.
        shape: height, width, channels.
        dtype: of stored numbers.
        looked_at: images whose numbers were looked at, all of them if not asked otherwise.
        lowest: smallest stored number.
        highest: largest stored number.
        percentiles: percent → number; of real numbers, of two million drawn ones where there are more.
        scaling: which stored number becomes 0 and 1.
        columns: what each holds.
        crossing: which combinations of labels and factors occur; None without any.
        duplicates: equal images.
        near_constant: number of images whose range is below a hundredth of that of all.
        near_constant_names: of the first 20.
        left_out: what was left out → why.
        not_used: what else the file holds.
    """

    count: int
    shape: tuple[int, int, int]
    dtype: str
    looked_at: int
    lowest: float
    highest: float
    percentiles: Mapping[int, float]
    scaling: Scaling
    columns: tuple[ColumnFound, ...]
    crossing: Crossing | None
    duplicates: Duplicates
    near_constant: int
    near_constant_names: tuple[str, ...]
    left_out: Mapping[str, str]
    not_used: tuple[str, ...]

    def named(self, role: str) -> tuple[str, ...]:
        """Columns of a role."""
        return tuple(column.name for column in self.columns if column.role == role)


def inspect_images(
    images: ImageSet,
    *,
    sample: int | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Inspection:
    """Looks at every image once.

    Arguments:
        images: that were opened.
        sample: look at the numbers of so many images only, drawn at random; columns are always looked at
            whole.
        seed: of that draw.
        progress: told how far it is.

    Raises:
        RequestError: `sample` is below 1.
        RatewarpError: the file cannot be read any more.
    """
    if sample is not None and sample < 1:
        refuse("sample", "a number of images, 1 or more", sample)
    rows = np.arange(images.count)
    if sample is not None and sample < images.count:
        rows = np.sort(np.random.default_rng(seed).choice(images.count, sample, replace=False))
    seen = _look(images, rows, progress)
    columns = tuple(column_found(name, values) for name, values in images.columns.items())
    roles = {column.name: column.role for column in columns}
    crossed = {name: images.columns[name] for name, role in roles.items() if role in ("label", "factor")}
    lowest, highest = float(seen.lows.min()), float(seen.highs.max())
    flat = rows[seen.highs - seen.lows <= _FLAT * (highest - lowest)]
    return Inspection(
        images.count,
        images.shape,
        str(images.dtype),
        len(rows),
        lowest,
        highest,
        seen.percentiles(),
        scaling(images.dtype, lowest, highest, responses=images.shape[1:] == (1, 1), whole=seen.whole),
        columns,
        crossing(crossed),
        _duplicates(images, rows, seen.digests, crossed),
        len(flat),
        tuple(images.name_of(int(row)) for row in flat[:_SHOWN]),
        images.left_out,
        images.not_used,
    )


class _Seen:
    """What one pass over images gathers."""

    def __init__(self, images: ImageSet, count: int):
        self.lows, self.highs = np.empty(count), np.empty(count)
        self.digests = np.empty((count, 2), np.uint64)
        few = images.dtype.kind == "u"
        self.whole = True
        self.counts = np.zeros(2 ** (8 * images.dtype.itemsize), np.int64) if few else None
        self.each = max(1, min(prod(images.shape), _SAMPLED // count))
        self.drawn: list[np.ndarray] = []
        self.rng = np.random.default_rng(0)

    def add(self, start: int, block: Num[np.ndarray, "images height width channels"]) -> None:
        """The next images."""
        flat = np.ascontiguousarray(block).reshape(len(block), -1)
        here = slice(start, start + len(block))
        self.lows[here], self.highs[here] = flat.min(axis=1), flat.max(axis=1)
        digests = b"".join(blake2b(row.data, digest_size=16).digest() for row in flat)
        self.digests[here] = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        if self.counts is not None:
            self.counts += np.bincount(flat.ravel(), minlength=len(self.counts))
        else:
            self.whole = self.whole and bool((flat == np.round(flat)).all())
            places = self.rng.integers(0, flat.shape[1], (len(flat), self.each))
            every = self.each == flat.shape[1]
            self.drawn.append(flat if every else np.take_along_axis(flat, places, axis=1))

    def percentiles(self) -> dict[int, float]:
        """Percent → number."""
        if self.counts is None:
            drawn = np.concatenate([part.ravel() for part in self.drawn])
            return dict(zip(PERCENTILES, np.percentile(drawn, PERCENTILES).tolist(), strict=True))
        below = np.cumsum(self.counts)
        places = np.searchsorted(below, np.array(PERCENTILES) / 100 * below[-1])
        return dict(zip(PERCENTILES, places.astype(float).tolist(), strict=True))


def _look(images: ImageSet, rows: Int[np.ndarray, " images"], progress: Callable[[Progress], None]) -> _Seen:
    seen = _Seen(images, len(rows))
    size = prod(images.shape) * images.dtype.itemsize
    step = max(1, min(_MOST_TOGETHER, _BLOCK // size))
    for start in range(0, len(rows), step):
        progress(Progress("inspecting images", start, len(rows)))
        seen.add(start, images.read(rows[start : start + step]))
    progress(Progress("inspecting images", len(rows), len(rows)))
    return seen


def _duplicates(
    images: ImageSet, rows: np.ndarray, digests: np.ndarray, columns: Mapping[str, np.ndarray]
) -> Duplicates:
    """Equal images, by their digests of 128 bits."""
    order = np.lexsort((np.arange(len(rows)), digests[:, 1], digests[:, 0]))
    sorted_digests = digests[order]
    equal = np.concatenate([[False], (sorted_digests[1:] == sorted_digests[:-1]).all(axis=1)])
    first = np.maximum.accumulate(np.where(equal, 0, np.arange(len(rows))))
    pairs = np.stack([rows[order[first[equal]]], rows[order[equal]]], axis=1)
    pairs = pairs[np.argsort(pairs[:, 1], kind="stable")]
    differ = np.zeros(len(pairs), bool)
    for values in columns.values():
        a, b = values[pairs[:, 0]], values[pairs[:, 1]]
        differ |= (a != b) & ~((a != a) & (b != b))
    named: Any = [tuple(images.name_of(int(row)) for row in pair) for pair in pairs[:_SHOWN]]
    return Duplicates(len(pairs), tuple(named), int(differ.sum()))

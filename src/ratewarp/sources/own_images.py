"""Images of one's own as a source: every image is a stimulus, described by columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from jaxtyping import Int, Num
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ratewarp._checks import RequestError, refuse
from ratewarp._explain import explain
from ratewarp._progress import Progress
from ratewarp.sources.factor import Factor
from ratewarp.sources.holding_out import held_out, image_hashes
from ratewarp.sources.image_files import ImageSet, open_images
from ratewarp.sources.image_files.scaling import scaling
from ratewarp.sources.own_columns import Column, choose_columns, complete_rows, read_column, strata
from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.stored import Stored
from ratewarp.sources.tasks import MAX_CLASSES

_BLOCK = 2**26  # bytes read at once
_FEWEST = 8  # images, so that there is something to hold out and something to train on

Finite = Annotated[float, Field(allow_inf_nan=False)]


class ImageOptions(BaseModel):
    """What `ImageFiles` is told, and a study file under `source`.

    Attributes:
        images: path of the file or folder.
        table: path of a table with columns, in the order of the images or, for a folder, with a column of
            file names.
        array: name of the array that holds the images, where a file holds several.
        labels: columns that are categories.
        factors: columns that are ordered numbers.
        circular: columns that repeat, with their period.
        covariates: columns that only rules name.
        range: numbers of real images that become 0 and 1; 0 and 1 if not given. Whole numbers are divided by
            the largest of their type, 255 or 65,535; counts of neurons (N × 1, whole numbers) stay as they
            are.
        held_out: share of the images that are held out.
        most_held_out: how many at most.
        skip_bad: leave out images that cannot be used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: Path
    table: Path | None = None
    array: str | None = None
    labels: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    circular: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    covariates: tuple[str, ...] = ()
    range: tuple[Finite, Finite] | None = None
    held_out: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.2
    most_held_out: Annotated[int, Field(ge=2, le=20_000)] = 2000
    skip_bad: bool = False

    @model_validator(mode="after")
    def _check(self) -> ImageOptions:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range must be two numbers, the first smaller; got {list(self.range)}")
        used = [*self.labels, *self.factors, *self.circular, *self.covariates]
        if len(set(used)) < len(used):
            twice = next(name for name in used if used.count(name) > 1)
            raise ValueError(f"columns must each have one use; got {twice!r} twice")
        return self


class ImageFiles:
    """Images in a file or a folder, each a stimulus of its own, for `Study(source=ImageFiles("faces/"))` or,
    in a study file, `source: {images: faces/}`.

    Columns, one value an image, come with the images or from a table. Labels are categorical factors, each of
    them a task, too; factors are ordered numbers; circular ones repeat after a period; covariates are numbers
    that rules of frequencies and tasks may name, and no coordinate of the stimuli. Without any of these four,
    columns of text are labels and columns of numbers factors.

    A share of the images is held out: models are measured on these and trained on the others. Of every
    combination of labels the same share is held out, equal images are on one side, and which they are is
    settled by hashes of the images (`holding_out`).
    """

    def __init__(
        self,
        images: str | Path,
        *,
        progress: Callable[[Progress], None] = lambda _: None,
        **options: Any,
    ):
        """Opens the images and looks at each of them once.

        Arguments:
            images: path of the file or folder.
            progress: told how far it is.
            options: as of `ImageOptions`.

        Raises:
            RequestError: an option, images or columns that cannot be used; see `open_images`.
        """
        try:
            self.options = ImageOptions(images=Path(images), **options)
        except ValidationError as error:
            raise RequestError(explain(error, ImageOptions, "source")) from None
        asked = self.options
        opened = open_images(
            asked.images, table=asked.table, images=asked.array, skip_bad=asked.skip_bad, progress=progress
        )
        used = choose_columns(opened, asked.labels, asked.factors, asked.circular, asked.covariates)
        rows = complete_rows(opened, used, asked.skip_bad)
        self._images = opened if len(rows) == opened.count else opened.only(rows)
        if self._images.count < _FEWEST:
            refuse("source.images", f"at least {_FEWEST} images", self._images.count)
        self._columns = tuple(
            read_column(name, kind, self._images.columns[name], period) for name, kind, period in used
        )
        scan = _scan(self._images, progress)
        self.pixels = _kind_of_pixels(self._images, scan, asked.range)
        self._held_out = held_out(
            scan.hashes,
            strata(self._columns, self._images.count),
            share=asked.held_out,
            most=asked.most_held_out,
        )
        if len(self._held_out) < 2:
            refuse("source.held_out", "such that two images or more are held out", f"{len(self._held_out)}")
        self.digest = _digest(scan, self._columns, (asked.range, asked.held_out, asked.most_held_out))

    def __reduce__(self) -> tuple[Any, ...]:
        """Opened anew in another process."""
        return _opened_again, (self.options,)

    @property
    def name(self) -> str:
        return self.options.images.resolve().stem[:200] or "images"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._images.shape

    @property
    def factors(self) -> tuple[Factor, ...]:
        return tuple(column.factor for column in self._columns)

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        columns = [column.places for column in self._columns]
        return np.stack(columns, axis=1) if columns else np.zeros((self._images.count, 0), int)

    @property
    def tasks(self) -> Mapping[str, str]:
        """Every label, named as it is."""
        labels = [f for f in self.factors if f.kind == "categorical" and 2 <= len(f.values) <= MAX_CLASSES]
        return {factor.name: factor.name for factor in labels}

    @property
    def stored(self) -> Stored:
        return Stored(self._held_out, self._read)

    def _read(self, stimuli: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images height width channels"]:
        images = self._images.read(np.asarray(stimuli, np.int64))
        if self.pixels == "real" and self.options.range is not None:
            low, high = self.options.range
            images = (images - low) / (high - low)
        return np.asarray(images, PIXELS[self.pixels].dtype)


def _opened_again(options: ImageOptions) -> ImageFiles:
    return ImageFiles(**options.model_dump())


@dataclass(frozen=True)
class _Scan:
    """One look at all images: a hash each, their least and largest number, and whether all are whole."""

    hashes: np.ndarray
    lowest: float
    highest: float
    whole: bool


def _scan(images: ImageSet, progress: Callable[[Progress], None]) -> _Scan:
    hashes, lowest, highest, whole = [], np.inf, -np.inf, True
    size = max(1, _BLOCK // (prod(images.shape) * images.dtype.itemsize))
    for first in range(0, images.count, size):
        block = images.read(np.arange(first, min(first + size, images.count)))
        hashes.append(image_hashes(block))
        lowest, highest = min(lowest, float(block.min())), max(highest, float(block.max()))
        whole = whole and (block.dtype.kind == "u" or bool((block == np.round(block)).all()))
        progress(Progress("looking at the images", first + len(block), images.count))
    return _Scan(np.concatenate(hashes), lowest, highest, whole)


def _kind_of_pixels(images: ImageSet, scan: _Scan, limits: tuple[float, float] | None) -> str:
    if limits is not None:
        said = f"{scan.lowest:g} to {scan.highest:g}"
        if images.dtype.kind == "u":
            refuse("source.range", "left out: whole numbers are divided by the largest of their type", limits)
        if scan.lowest < limits[0] or scan.highest > limits[1]:
            refuse("source.range", f"such that all numbers of the images lie within it, {said}", list(limits))
        return "real"
    responses = images.shape[1:] == (1, 1)
    rule = scaling(images.dtype, scan.lowest, scan.highest, responses=responses, whole=scan.whole)
    if rule.zero is None:
        came = f"images of {scan.lowest:g} to {scan.highest:g} without it"
        refuse("source.range", "[low, high], the numbers of real images that become 0 and 1", came)
    return rule.pixels


def _digest(scan: _Scan, columns: Sequence[Column], options: object) -> str:
    """Hash of all images, of what is known of them, and of how they are used."""
    content = sha256(scan.hashes.tobytes())
    for column in columns:
        content.update(repr(column.factor).encode())
        content.update(column.places.astype(np.int64).tobytes())
    content.update(repr(options).encode())
    return content.hexdigest()[:16]

"""A set of images in a file or a folder, read as they are asked for, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int, Num

from ratewarp._checks import RatewarpError, refuse
from ratewarp.formats.reading import why
from ratewarp.sources.image_files.image_rules import as_kept
from ratewarp.sources.image_files.rows import Rows


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size, numbered from 0; `open_images` makes one.

    Attributes:
        path: of the file or folder.
        count: number of images.
        shape: height, width and channels of an image.
        dtype: of their numbers, as they are stored: uint8, uint16, float32 or float64. Truth values are 0 and
            1 of uint8; whole numbers of other types are floats.
        columns: name → one value per image: numbers, NaN where missing; or text, empty where missing.
        names: file of every image, as a path from the folder; None where they stand in one file.
        left_out: file, or row of the file, that was left out → why.
        not_used: what else the file holds, in words.
    """

    path: Path
    count: int
    shape: tuple[int, int, int]
    dtype: np.dtype
    columns: Mapping[str, np.ndarray]
    names: Sequence[str] | None
    left_out: Mapping[str, str]
    not_used: tuple[str, ...] = ()
    stored: Rows = field(kw_only=True, repr=False)
    kept: Int[np.ndarray, " images"] = field(kw_only=True, repr=False)

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images height width channels"]:
        """Images in the order that is asked for; several threads may ask at once.

        Arguments:
            rows: numbers of images, 0 to `count` − 1; one may occur twice.

        Raises:
            RequestError: a number that no image has.
            RatewarpError: the file cannot be read any more.
        """
        if len(rows) and (rows.min() < 0 or rows.max() >= self.count):
            refuse("rows", f"numbers from 0 to {self.count - 1}", f"{rows.min()} to {rows.max()}")
        try:
            found = self.stored.read(self.kept[rows])
        except RatewarpError:
            raise
        except Exception as error:  # readers of other packages raise whatever they like
            raise RatewarpError(f"{self.path} cannot be read any more ({why(error)})") from error
        return as_kept(found, self.dtype).reshape(len(rows), *self.shape)

    def only(self, rows: Int[np.ndarray, " chosen"]) -> ImageSet:
        """Some of its images, numbered anew."""
        return replace(
            self,
            count=len(rows),
            columns={name: values[rows] for name, values in self.columns.items()},
            names=None if self.names is None else [self.names[row] for row in rows.tolist()],
            kept=self.kept[rows],
        )

    def name_of(self, row: int) -> str:
        """What messages call an image: its file, or its row in the file, from 0."""
        return place_of(self.names, row if self.names is not None else int(self.kept[row]))


def place_of(names: Sequence[str] | None, row: int) -> str:
    """File of an image, or its row."""
    return f"row {row}" if names is None else names[row]

"""Opens a set of images, whatever holds it: all that is wrong with it is said at once, before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, refuse
from ratewarp._files import exists, is_folder
from ratewarp._progress import Progress
from ratewarp.formats.limits import check_place
from ratewarp.formats.reading import readable
from ratewarp.sources.image_files.array_files import (
    ArrayFile,
    open_hdf5,
    open_netcdf,
    open_npy,
    open_npz,
    open_zarr,
)
from ratewarp.sources.image_files.choosing import described_by, images_in
from ratewarp.sources.image_files.columns import of_arrays
from ratewarp.sources.image_files.factor_tables import by_name, in_order
from ratewarp.sources.image_files.folder_files import checked_rows, list_folder
from ratewarp.sources.image_files.image_rules import image_shape, kept_as
from ratewarp.sources.image_files.image_set import ImageSet, place_of
from ratewarp.sources.image_files.pixel_tables import read_pixels
from ratewarp.sources.image_files.rows import HeldRows, Rows
from ratewarp.sources.image_files.soundness import unsound_rows

FOLDER_COLUMN = "label"  # the folders in a folder of images; `class` could be no name in an expression
_TOO_LARGE = "save the images uncompressed, as npy or HDF5, which are read a part at a time"
_SHOWN = 5  # images named in a message
_ARRAY_FILES: dict[str, Callable[[Path], ArrayFile]] = {
    ".npy": open_npy,
    ".npz": open_npz,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".nc": open_netcdf,
    ".zarr": open_zarr,
}
_TABLES = (".csv", ".tsv")
_ZARR = (".zgroup", ".zarray", "zarr.json")


class _Found(NamedTuple):
    """What a reader found: rows, some of which may be wrong."""

    rows: Rows
    columns: dict[str, np.ndarray]
    wrong: dict[int, str]
    names: tuple[str, ...] | None = None
    strays: Mapping[str, str] = {}
    not_used: tuple[str, ...] = ()


def open_images(
    path: str | Path,
    *,
    table: str | Path | None = None,
    images: str | None = None,
    skip_bad: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ImageSet:
    """The images in a file (npy, npz, HDF5, Zarr, NetCDF, a table of pixels) or a folder (PNG, JPEG, TIFF).

    Files of a folder are decoded once, and arrays that are compressed or hold floats read once, so that
    whatever is wrong is found here.

    Arguments:
        path: of the file or folder.
        table: of what is known of every image, csv, tsv or parquet: a row an image in their order, or, for a
            folder, with a column of file names.
        images: name of the array that holds the images, where a file holds several.
        skip_bad: leave out images that cannot be used, instead of refusing all.
        progress: told how far it is.

    Raises:
        RequestError: no such file; an unknown or damaged one; images of a size or kind that cannot be used,
            or not of one size; numbers that are not finite; a table that does not fit. With `skip_bad`, what
            is wrong with single images only where no image is left.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/own.npz", images=np.zeros((9, 8, 8), np.uint8), angle=np.arange(9))
        ...     found = open_images(f"{folder}/own.npz")
        >>> found.count, found.shape, list(found.columns)
        (9, (8, 8, 1), ['angle'])
    """
    place = Path(path)
    found = _opened(place, None if table is None else Path(table), images, progress)
    return _without_wrong(place, found, skip_bad)


def _opened(
    path: Path, table: Path | None, images: str | None, progress: Callable[[Progress], None]
) -> _Found:
    suffix = path.suffix.lower()
    of_one_file = {*_ARRAY_FILES, *_TABLES} - {".zarr"}
    if (
        is_folder(path) and suffix in of_one_file
    ):  # a link may lead to a folder that takes long to look through
        refuse(str(path), f"a file, as its suffix {suffix} says", "a folder")
    if is_folder(path) and suffix != ".zarr" and not any(exists(path / name) for name in _ZARR):
        _no_array(path, images, "a folder of images")
        return _of_folder(path, table, progress)
    reader = open_zarr if is_folder(path) else _ARRAY_FILES.get(suffix)
    if reader is None and suffix not in _TABLES:
        known = (*_ARRAY_FILES, *_TABLES)
        if not exists(path):
            raise RequestError(f"{path}: no such file or folder")
        raise RequestError(
            f"{path}: unknown format {suffix or '(no suffix)'!r}.{did_you_mean(suffix, known)} Known:"
            f" {', '.join(known)}, and folders of PNG, JPEG and TIFF files"
        )
    check_place(path, folder=reader is open_zarr, most=float("inf"))
    with readable(path, too_large=_TOO_LARGE):
        if reader is None:
            _no_array(path, images, "a table of pixels")
            found = _of_pixels(path)
        else:
            found = _of_arrays(path, reader(path), images, progress)
    return found if table is None else _described(found, path, table)


def _no_array(path: Path, images: str | None, kind: str) -> None:
    if images is not None:
        refuse("images", f"given for a file of several arrays; {path} is {kind}", images)


def _of_folder(path: Path, table: Path | None, progress: Callable[[Progress], None]) -> _Found:
    listed = list_folder(path)
    if not listed.names:
        name, why = next(iter(listed.wrong.items()))
        raise RequestError(f"{path} holds no image file that can be read: {name} {why}")
    matched = None if table is None else by_name(table, listed.names)  # before all files are decoded
    rows, wrong = checked_rows(path, listed.names, progress)
    columns: dict[str, np.ndarray] = {}
    if any("/" in name for name in listed.names):
        columns[FOLDER_COLUMN] = np.array([name.rpartition("/")[0].split("/")[0] for name in listed.names])
    if matched is None:
        return _Found(rows, columns, wrong, listed.names, listed.wrong)
    strays = {
        **listed.wrong,
        **{name: why for name, why in matched.without.items() if name not in listed.wrong},
    }
    return _Found(rows, columns | matched.columns, matched.wrong | wrong, listed.names, strays)


def _of_pixels(path: Path) -> _Found:
    read = read_pixels(path)
    return _Found(HeldRows(read.images), read.columns.values, read.columns.wrong | read.wrong)


def _of_arrays(
    path: Path, file: ArrayFile, images: str | None, progress: Callable[[Progress], None]
) -> _Found:
    if images is not None and images in file.refused:
        raise RequestError(f"{path}: {images!r} {file.refused[images]}")
    chosen = images_in(str(path), file.shapes, images)
    argument = str(path) if path.suffix.lower() == ".npy" else f"{path}: {chosen}"
    shape = file.shapes[chosen]
    image_shape(argument, shape)
    if not shape[0]:
        refuse(argument, "one image or more", f"shape {shape}")
    rows = file.rows(chosen)
    kept_as(argument, rows.dtype)
    arrays, not_used = described_by(file, chosen, shape[0], str(path))
    columns = of_arrays(arrays)
    return _Found(rows, columns.values, columns.wrong | unsound_rows(rows, progress), not_used=not_used)


def _described(found: _Found, path: Path, table: Path) -> _Found:
    """With the columns of a table that has a row an image."""
    matched = in_order(table, found.rows.count)
    if twice := [name for name in matched.columns if name in found.columns]:
        raise RequestError(f"{table}: {path} has a column {twice[0]!r}, too; give one of them another name")
    columns = found.columns | matched.columns
    return found._replace(columns=columns, wrong=matched.wrong | found.wrong)


def _without_wrong(path: Path, found: _Found, skip_bad: bool) -> ImageSet:
    rows, names = found.rows, found.names
    left_out = {**found.strays, **{place_of(names, row): found.wrong[row] for row in sorted(found.wrong)}}
    if left_out and not skip_bad:
        raise RequestError(_said(path, rows.count, left_out))
    good = np.array([row for row in range(rows.count) if row not in found.wrong], dtype=np.int64)
    if not len(good):
        raise RequestError(f"{path}: no image is left; {_listed(left_out)}")
    return ImageSet(
        path,
        len(good),
        image_shape(str(path), (rows.count, *rows.row)),
        kept_as(str(path), rows.dtype),
        {name: values[good] for name, values in found.columns.items()},
        None if names is None else [names[row] for row in good.tolist()],
        left_out,
        found.not_used,
        stored=rows,
        kept=good,
    )


def _said(path: Path, count: int, wrong: Mapping[str, str]) -> str:
    return (
        f"{path}: {len(wrong):,} of {count:,} images cannot be used: {_listed(wrong)}. Mend or remove"
        f" {'it' if len(wrong) == 1 else 'them'}, or leave out what is wrong with --skip-bad (skip_bad: true)"
    )


def _listed(wrong: Mapping[str, str]) -> str:
    shown = [f"{name} {why}" for name, why in list(wrong.items())[:_SHOWN]]
    more = len(wrong) - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more" if more > 0 else "")

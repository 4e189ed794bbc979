"""The command `ratewarp inspect`: what a set of images is like, before anything is trained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratewarp._checks import RatewarpError, escaped, refuse
from ratewarp._files import can_be_made, write_new
from ratewarp.cli.printing import JsonOption, progress_bar

if TYPE_CHECKING:
    from ratewarp.sources.image_files.column_findings import ColumnFound
    from ratewarp.sources.image_files.inspection import Inspection

_VALUES = 8  # of a column that are printed
_NAMED = 5  # images


def inspect(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Images: a folder of PNG, JPEG or TIFF files, or npy, npz, h5, hdf5, nc, zarr, csv, tsv.",
        ),
    ],
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is known of every image: csv, tsv or parquet."),
    ] = None,
    images: Annotated[
        str | None, typer.Option(metavar="NAME", help="Array that holds the images; found if not given.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out images that cannot be used, and say which.")
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Look at the numbers of so many images only, drawn at random."),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw some images onto one page, a new png file.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Write a study file to start from, a new yaml file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at images of your own before anything is trained: what they are, what is known of them, what is
    wrong with them.
    """
    for name, file, suffixes in (("sheet", sheet, (".png",)), ("study", study, (".yaml", ".yml"))):
        if file is not None and (file.suffix.lower() not in suffixes or not can_be_made(file)):
            refuse(
                name, f"a {suffixes[0][1:]} file that does not exist yet, in a folder that does", str(file)
            )

    from ratewarp.sources.image_files import open_images
    from ratewarp.sources.image_files.inspection import inspect_images

    with progress_bar() as (show, say):
        opened = open_images(data, table=table, images=images, skip_bad=skip_bad, progress=show)
        found = inspect_images(opened, sample=sample, progress=show)
        if sheet is not None:
            from ratewarp.report.contact_sheet import contact_sheet

            _save(sheet, contact_sheet(opened, found))
            say(f"sheet: {escaped(sheet)}")
        if study is not None:
            _save(study, _starter(study, data, table, images, skip_bad, found).encode())
            say(f"study: {escaped(study)}")
    print(json.dumps(as_dict(found)) if as_json else "\n".join(map(escaped, _words(data, found))))


def _starter(
    study: Path, data: Path, table: Path | None, array: str | None, skip_bad: bool, found: Inspection
) -> str:
    from ratewarp.studies.starter import Given, starter_study

    places = [None if path is None else _beside(study, path) for path in (data, table)]
    return starter_study(data.resolve().stem, found, Given(str(places[0]), places[1], array, skip_bad))


def _beside(study: Path, path: Path) -> str:
    """A path as the study file says it: from its own folder, unless it was given from the root."""
    if path.is_absolute():
        return path.as_posix()
    with suppress(ValueError):  # on another drive
        return Path(os.path.relpath(path.absolute(), study.absolute().parent)).as_posix()
    return path.absolute().as_posix()


def _save(file: Path, content: bytes) -> None:
    try:
        write_new(file, content)
    except OSError as error:
        raise RatewarpError(f"cannot write {file}: {error.strerror}") from error


def as_dict(found: Inspection) -> dict[str, Any]:
    """What was found, for programs."""
    cross = found.crossing
    return {
        "images": found.count,
        "shape": list(found.shape),
        "dtype": found.dtype,
        "looked_at": found.looked_at,
        "lowest": found.lowest,
        "highest": found.highest,
        "percentiles": {str(percent): number for percent, number in found.percentiles.items()},
        "scaling": found.scaling._asdict(),
        "columns": [
            {**column._asdict(), "frequencies": [list(pair) for pair in column.frequencies.items()]}
            for column in found.columns
        ],
        "crossing": None if cross is None else cross._asdict(),
        "duplicates": found.duplicates._asdict(),
        "near_constant": found.near_constant,
        "near_constant_names": list(found.near_constant_names),
        "left_out": dict(found.left_out),
        "not_used": list(found.not_used),
    }


def _words(data: Path, found: Inspection) -> Iterator[str]:
    """What was found, line by line."""
    height, width, channels = found.shape
    size = f"{height} responses" if width == 1 else f"{height} × {width} pixels"
    of = "" if width == 1 else f", {channels} channel{'s' * (channels > 1)}"
    yield f"{data}: {found.count:,} images of {size}{of}, {found.dtype}"
    if found.looked_at < found.count:
        yield f"of numbers and equal images, {found.looked_at:,} images drawn at random were looked at"
    yield f"numbers: {found.lowest:g} to {found.highest:g}; scaling: {found.scaling.words}"
    listed = ", ".join(f"{percent}% {number:.4g}" for percent, number in found.percentiles.items())
    yield f"percentiles: {listed}"
    yield from map(_column_words, found.columns)
    yield from _crossing_words(found)
    yield from _trouble(found)


def _column_words(column: ColumnFound) -> str:
    """Role, range, values with how often they occur."""
    within = "" if column.lowest is None else f", {column.lowest:g} to {column.highest:g}"
    missing = f", {column.missing:,} missing" if column.missing else ""
    text = f"{column.role} {column.name}: {column.distinct:,} values of {column.kind}{within}{missing}"
    if column.role not in ("label", "factor"):
        return text
    shown = list(column.frequencies.items())[:_VALUES]
    values = [f"{value if isinstance(value, str) else f'{value:g}'} ({number:,})" for value, number in shown]
    return f"{text}: {', '.join(values)}{', …' * (column.distinct > len(shown))}"


def _crossing_words(found: Inspection) -> Iterator[str]:
    cross = found.crossing
    if cross is None or len(cross.columns) < 2 or not cross.occurring:
        return
    share = cross.occurring / cross.possible
    whole = "a complete grid" if cross.occurring == cross.possible else f"{share:.2%}"
    each = f"{cross.fewest:,}" if cross.fewest == cross.most else f"{cross.fewest:,} to {cross.most:,}"
    yield (
        f"combinations of {', '.join(cross.columns)}: {cross.occurring:,} of {cross.possible:,} occur"
        f" ({whole}), with {each} image{'s' * (cross.most > 1)} each"
    )


def _trouble(found: Inspection) -> Iterator[str]:
    """What may be wrong."""
    same = found.duplicates
    if same.images:
        pairs = "; ".join(f"{other} = {one}" for one, other in same.pairs[:_NAMED])
        more = "; …" * (same.images > _NAMED)
        differ = f", {same.disagreeing:,} of them with other labels or factors" if same.disagreeing else ""
        yield f"equal to an earlier image: {same.images:,}{differ}: {pairs}{more}"
    if found.near_constant:
        names = ", ".join(found.near_constant_names[:_NAMED])
        yield f"near-constant: {found.near_constant:,}: {names}{', …' * (found.near_constant > _NAMED)}"
    if found.left_out:
        shown = [f"{name} {why}" for name, why in list(found.left_out.items())[:_NAMED]]
        more = "; …" * (len(found.left_out) > _NAMED)
        yield f"left out: {len(found.left_out):,}: {'; '.join(shown)}{more}"
    if found.not_used:
        yield f"not used: {', '.join(found.not_used[:_NAMED])}{', …' * (len(found.not_used) > _NAMED)}"

"""Tables: csv, tsv and parquet, as columns of numbers or names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError
from ratewarp.formats.content import Content, UnreadableError, as_names
from ratewarp.formats.limits import check_unpacked

UNNAMED = "Unnamed:"  # what pandas calls columns without a name
_NAMELESS = "a column without a name, such as row names"
MOSTLY = 0.5  # share of numbers above which a column is one of numbers, with something wrong in it
_CELL = 8  # bytes of a number
_PIECE = 2**24  # bytes read at a time
_MANY = 1000  # columns


def read_csv(path: Path) -> Content:
    """Columns of a csv or tsv file."""
    return _content(csv_frame(path))


def csv_frame(path: Path) -> pd.DataFrame:
    """A csv or tsv file as pandas reads it; columns are numbered where its first row is one of numbers."""
    separator = separator_of(path)
    check_text(path, separator)
    decimal = _decimal(path) if separator == ";" else "."
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = _header(stream, separator)
        if _are_values(names, decimal):
            stream.seek(0)
            names = [str(place) for place in range(len(names))]
        return pd.read_csv(stream, sep=separator, header=None, names=names, low_memory=False, decimal=decimal)


def separator_of(path: Path) -> str:
    """What stands between cells: a tab, or a comma, or a semicolon where the first line has as many."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = _first_line(path)
    return ";" if first.count(b";") >= max(first.count(b","), 1) else ","


def _first_line(path: Path) -> bytes:
    with path.open("rb") as stream:
        return next(filter(None, (line.strip() for line in iter(lambda: stream.readline(_PIECE), b""))), b"")


def _decimal(path: Path) -> str:
    """What stands before decimals where cells are parted by semicolons."""
    with path.open("rb") as stream:
        stream.readline(_PIECE)
        return "," if b"," in stream.readline(_PIECE) + _first_line(path) else "."


def _are_values(names: list[str], decimal: str) -> bool:
    """Whether a first row holds values, all numbers and not only whole ones that rise, which may be names."""
    plain = [_without_number(name, set(names)).replace(decimal, ".") for name in names]
    if not all(is_number(name) for name in plain):
        return False
    numbers = np.array([float(name) for name in plain])
    return bool((numbers != np.round(numbers)).any() or (np.diff(numbers) <= 0).any())


def read_parquet(path: Path) -> Content:
    """Columns of a parquet file."""
    return _content(parquet_frame(path))


def parquet_frame(path: Path) -> pd.DataFrame:
    """A parquet file as pandas reads it."""
    from pyarrow.parquet import read_metadata  # pyright: ignore[reportMissingImports]

    told = read_metadata(path)
    check_unpacked(str(path), told.num_rows * told.num_columns * _CELL, path.stat().st_size)
    return pd.read_parquet(path)


def _header(stream: IO[str], separator: str) -> list[str]:
    """Names of the columns; repeated and missing ones as pandas would make them, too slowly for many."""
    first = next(filter(None, csv.reader(stream, delimiter=separator)), None)
    if first is None:
        raise UnreadableError("holds no rows")
    names: list[str] = []
    taken, times = set(first), Counter[str]()
    for place, given in enumerate(first):
        plain = given or f"{UNNAMED} {place}"
        name, number = plain, times[plain]
        while number > 0:
            times[plain] = number + 1
            name = f"{plain}.{number}"
            number = number + 1 if name in taken else times[name]
        times[name] += 1
        taken.add(name)
        names.append(name)
    return names


def check_text(path: Path, separator: str) -> None:
    """Refuses binary data, and a long first line over many short ones, whose cells would be filled up."""
    columns = rows = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            if b"\0" in piece:
                raise UnreadableError("is not a text file in UTF-8")
            first = piece if rows == 0 else b""
            columns += first.split(b"\n", 1)[0].count(separator.encode())
            rows += piece.count(b"\n")
    check_unpacked(str(path), (columns + 1) * rows * _CELL, path.stat().st_size)


def _content(table: pd.DataFrame) -> Content:
    if len(table) == 0:
        raise UnreadableError("holds no rows")
    names = [str(name) for name in table.columns]
    nameless = {name: _NAMELESS for name in names if name.startswith(UNNAMED)}
    places = {name: place for place, name in enumerate(names) if name not in nameless}
    _check_header(list(places))
    numbers = _numbers(table)
    others = [name for name, place in places.items() if place not in numbers]
    mostly = {name for name in others if _are_numbers(table.iloc[:, places[name]])}
    numeric = frozenset(places) - (set(others) - mostly)

    def one(key: str) -> np.ndarray:
        place = places[key]
        return numbers[place]() if place in numbers else _plain_column(table.iloc[:, place])

    shapes = {name: (len(table),) for name in places}
    return Content(shapes, one, tabular=True, refused=nameless, numeric=numeric)


def _numbers(table: pd.DataFrame) -> dict[int, Callable[[], np.ndarray]]:
    """Columns of numbers by place, and how to get them.

    Many come out of one matrix a type, since a Series for each would take minutes.
    """
    kinds: dict[str, list[int]] = {}
    for place, dtype in enumerate(table.dtypes):
        if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
            kinds.setdefault(dtype.str, []).append(place)
    if table.shape[1] < _MANY:
        every = [place for places in kinds.values() for place in places]
        return {place: lambda place=place: table.iloc[:, place].to_numpy() for place in every}
    alike = any(len(places) == table.shape[1] for places in kinds.values())
    whole = table if alike else table.copy()  # which lays columns of a type side by side
    found: dict[int, Callable[[], np.ndarray]] = {}
    for places in kinds.values():
        matrix = (whole if alike else whole.iloc[:, places]).to_numpy()
        for column, place in enumerate(places):
            found[place] = lambda matrix=matrix, column=column: matrix[:, column]
    return found


def _check_header(names: list[str]) -> None:
    """Refuses a first row of numbers rather than names; whole numbers that rise along it may be names."""
    known = set(names)
    plain = [_without_number(name, known) for name in names]
    numbers = [float(name) for name in plain if is_number(name)]
    if any(not number.is_integer() for number in numbers) or (np.diff(numbers) <= 0).any():
        came = ", ".join(plain[:4])
        raise UnreadableError(f"cannot be read: the first row must hold the names of the columns; got {came}")


def _without_number(name: str, known: set[str]) -> str:
    """A name that came twice, as it stood: repeated ones are numbered."""
    plain = re.sub(r"\.\d+$", "", name)
    return plain if plain in known else name


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _are_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, or mostly numbers."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return not pd.api.types.is_bool_dtype(column.dtype)
    known = column.dropna().astype(str)
    return len(known) > 0 and float(known.map(is_number).mean()) > MOSTLY


def _plain_column(column: pd.Series) -> np.ndarray:
    """Numbers or names; a column of numbers with something else in it is an error, not names."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy()
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise RequestError(
            f"column {column.name!r} must be complete; row {missing[0]} is empty, counted from 0"
        )
    texts = column.astype(str)
    numbers = texts.map(is_number).to_numpy()
    if MOSTLY < numbers.mean() < 1:
        row = int(np.argmin(numbers))
        where = f"row {row}, counted from 0, of a column of numbers is {texts.iloc[row]!r}"
        raise RequestError(f"column {column.name!r} must hold numbers or names; {where}")
    return as_names(str(column.name), texts.tolist())

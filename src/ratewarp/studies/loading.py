"""Study files: built-in ones by name, users' by path, and changes given on the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, refuse, shorten
from ratewarp._files import MAX_STUDY_BYTES, is_file, parse_mapping, read_text
from ratewarp._progress import Progress
from ratewarp._yaml import read_yaml
from ratewarp.networks import GivenNetwork
from ratewarp.sources import GivenSource, Source, factors_of
from ratewarp.studies.code import replaced, with_code
from ratewarp.studies.differences import changed, merge, nested
from ratewarp.studies.image_files import with_images
from ratewarp.studies.study import Study

_MAX_PARTS = 20  # of a key given on the command line


def builtin_names() -> list[str]:
    """Names of the studies that come with the package.

    Examples:
        >>> "demo" in builtin_names()
        True
    """
    return sorted(
        path.name.removesuffix(".yaml")
        for path in files("ratewarp.studies").joinpath("builtin").iterdir()
        if path.name.endswith(".yaml")
    )


def load_study(
    name_or_path: str | Path,
    changes: Sequence[str] = (),
    *,
    allow_code: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Study:
    """Reads a study.

    Arguments:
        name_or_path: name of a built-in study, or path of a YAML file.
        changes: `key=value` texts laid over it, keys with dots, values in YAML: `recipe.steps=500`.
        allow_code: whether to import and run the Python code that it names as `source` or `network` by
            `{import: module:name}`; a module is looked for beside the study file first.
        progress: told how far the images are looked at that it names as `source` by `{images: PATH}`.

    Returns:
        The study, checked.

    Raises:
        RequestError: no such study or file, not YAML, a key or value that does not fit, images that cannot be
            used, or code that is not allowed or fails.

    Examples:
        >>> load_study("demo", ["capacities_nats=[1]", "recipe.steps=100"]).capacities_nats
        (1.0,)
    """
    text, folder = _text(str(name_or_path))
    data = parse_mapping(text, str(name_or_path))
    for change in changes:
        data = merge(data, _nested(change))
    data = with_images(with_code(data, folder, allow_code), folder, progress)
    return Study(**_with_tables(data, folder, data.get("source", "corridors")))


def resolved(study: Study) -> dict[str, Any]:
    """The study as plain data with every default written out."""
    return json.loads(study.model_dump_json(fallback=_plain))


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's; what was given from Python by its description."""
    if hasattr(value, "description"):
        return value.description()
    return value.item() if isinstance(value, np.generic) else str(value)


def stored_study(data: Mapping[str, Any], folder: Path) -> Study:
    """The study of a run directory, from its `study.yaml`; what was given from Python is as described there.

    Raises:
        RequestError: it is no study.
        RatewarpError: a file that goes with it cannot be read.
    """
    described = {
        "source": lambda value: GivenSource.described(value, folder),
        "network": GivenNetwork.described,
    }
    return Study(**replaced(data, described, lambda value: value.get("kind") == "given"))


def _text(name_or_path: str) -> tuple[str, Path]:
    """Contents of the study file, and the folder its own paths are relative to."""
    if name_or_path in builtin_names():
        return files("ratewarp.studies").joinpath("builtin", f"{name_or_path}.yaml").read_text(), Path()
    path = Path(name_or_path)
    if not is_file(path):
        near = did_you_mean(name_or_path, builtin_names())
        raise RequestError(
            f"no study file '{name_or_path}', nor a built-in study of that name.{near} Built in:"
            f" {', '.join(builtin_names())}"
        )
    return read_text(path, MAX_STUDY_BYTES), path.parent


def _nested(change: str) -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}."""
    key, separator, value = change.partition("=")
    parts = key.split(".")
    if not separator or not all(parts):
        refuse("--set", "key=value, such as recipe.steps=500", change)
    if len(parts) > _MAX_PARTS:
        refuse("--set", f"a key of at most {_MAX_PARTS} names with dots between them", change)
    return nested(parts, read_yaml(value, f"--set {shorten(key)[1:-1]}=…"))


def _with_tables(data: Any, folder: Path, source: Any) -> Any:
    """`data` with every `frequency: {file: table.csv}` replaced by the numbers in that file, of the stimuli
    of `source`, as written.
    """
    if not isinstance(data, Mapping):
        return data
    read = {key: _with_tables(value, folder, source) for key, value in data.items()}
    choice = read.get("frequency")
    if isinstance(choice, Mapping) and set(choice) == {"file"}:
        path = folder / str(choice["file"])
        if not is_file(path):
            raise RequestError(f"frequency: cannot read {path}: no such file")
        read["frequency"] = _frequency_table(path, changed({"source": source}, {}, "study").source)
    return read


def _frequency_table(path: Path, source: Source) -> list[float]:
    """Numbers of a CSV file with one column per factor and one called `frequency`, in the order of the
    stimuli.
    """
    factors = factors_of(source)
    try:
        rows = list(csv.DictReader(read_text(path).splitlines()))
    except csv.Error as error:
        raise RequestError(f"{path} is not a CSV file: {error}") from None
    wanted = [*factors, "frequency"]
    if not rows or set(wanted) - set(rows[0]):
        refuse(
            str(path),
            f"a CSV file with the columns {', '.join(wanted)}",
            list(rows[0]) if rows else "no rows",
        )
    readers: dict[str, Callable[[str], Any]] = {
        name: str if values.dtype.kind == "U" else float for name, values in factors.items()
    }
    table: dict[tuple[Any, ...], float] = {}
    for number, row in enumerate(rows, start=2):
        try:
            place = tuple(read(row[name]) for name, read in readers.items())
            table[place] = float(row["frequency"])
        except (TypeError, ValueError):
            refuse(
                f"{path} line {number}",
                "numbers, or texts of factors whose values are texts",
                {name: row[name] for name in wanted},
            )
    stimuli = list(
        zip(*(map(readers[name], values.tolist()) for name, values in factors.items()), strict=True)
    )
    missing, others = [place for place in stimuli if place not in table], sorted(table.keys() - set(stimuli))
    wrong = [
        f"{word} for {_described(factors, some[0])}"
        for word, some in (("none", missing), ("one", others))
        if some
    ]
    if wrong or len(table) < len(rows):
        refuse(
            str(path),
            "one row for every stimulus, and no others",
            wrong[0] if wrong else "a stimulus given twice",
        )
    return [table[place] for place in stimuli]


def _described(names: Iterable[str], place: Sequence[Any]) -> str:
    """Factor values in words."""
    return ", ".join(
        f"{name} = {f'{value:g}' if isinstance(value, float) else value}"
        for name, value in zip(names, place, strict=True)
    )

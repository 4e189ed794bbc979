"""Python code that a study file names: imported only where the user allows it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ratewarp._checks import RequestError, did_you_mean, refuse, shorten
from ratewarp.networks import GivenNetwork
from ratewarp.sources import GivenSource

IMPORT, OPTIONS = "import", "options"


def with_code(data: Mapping[str, Any], folder: Path, allowed: bool) -> dict[str, Any]:
    """`data` with every `{import: module:name, options: {…}}` that stands as a source or a network replaced
    by what it names.

    Arguments:
        data: a study, as written.
        folder: of the study file, where modules are looked for first.
        allowed: whether code may run.

    Raises:
        RequestError: code is named and not allowed, cannot be imported, or is no source or network.
    """

    def source(value: Mapping[str, Any]) -> GivenSource:
        return GivenSource(_made("source", value, folder, allowed))

    def network(value: Mapping[str, Any]) -> GivenNetwork:
        return GivenNetwork(_made("network", value, folder, allowed), str(value[IMPORT]))

    return replaced(data, {"source": source, "network": network}, lambda value: IMPORT in value)


def replaced(
    data: Any, makers: Mapping[str, Callable[[Any], Any]], asked: Callable[[Mapping[str, Any]], bool]
) -> Any:
    """`data` with every mapping that is `asked` for, under a key of `makers` or in a list there, replaced by
    what is made of it.
    """

    def one(key: str, value: Any) -> Any:
        if isinstance(value, Mapping) and key in makers and asked(value):
            return makers[key](value)
        if isinstance(value, list):
            return [one(key, entry) for entry in value]
        return replaced(value, makers, asked)

    return {key: one(str(key), value) for key, value in data.items()} if isinstance(data, Mapping) else data


def _made(key: str, value: Mapping[str, Any], folder: Path, allowed: bool) -> Any:
    """The object that is named; a class or function is called with the options, unless it is itself what is
    wanted.
    """
    path, options = value[IMPORT], value.get(OPTIONS, {})
    if unknown := set(value) - {IMPORT, OPTIONS}:
        name = min(map(str, unknown))
        raise RequestError(
            f"unknown key '{key}.{name}'.{did_you_mean(name, (IMPORT, OPTIONS))} Known keys: {IMPORT},"
            f" {OPTIONS}"
        )
    if not isinstance(path, str) or path.count(":") != 1 or not isinstance(options, Mapping):
        refuse(f"{key}.{IMPORT}", "module:name, with options as a mapping from argument to value", value)
    if not allowed:
        raise RequestError(
            f"{key}.{IMPORT} names Python code, {shorten(path)}, which runs only where you allow it: read"
            " it, then give --allow-code"
            " (allow_code=True from Python)"
        )
    found = _imported(key, path, folder)
    wanted = (
        key == "network" and not hasattr(found, "build")
        if inspect.isclass(found)
        else not inspect.isfunction(found)
    )
    if wanted and not options:
        return found
    try:
        return found(**options)
    except Exception as error:  # whatever the user's code raises
        raise RequestError(
            f"{key}.{IMPORT}: {path} cannot be called with {shorten(dict(options))}: {shorten(error)}"
        ) from error


def _imported(key: str, path: str, folder: Path) -> Any:
    module, name = path.split(":")
    _forget(module.split(".")[0], folder)
    sys.path.insert(0, str(folder.absolute()))
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # whatever the user's code raises
        raise RequestError(
            f"{key}.{IMPORT}: {path} cannot be imported: {type(error).__name__}: {shorten(error)}"
        ) from error
    finally:
        sys.path.remove(str(folder.absolute()))
    if not hasattr(loaded, name):
        own = [one for one in dir(loaded) if not one.startswith("_")]
        raise RequestError(f"{key}.{IMPORT}: {module} has no '{name}'.{did_you_mean(name, own)}")
    return getattr(loaded, name)


def _forget(package: str, folder: Path) -> None:
    """Lets what stands in the folder be read anew: else another study's module of that name would do, or this
    one as it was before.
    """
    importlib.invalidate_caches()
    if package != __name__.split(".")[0] and (
        (folder / f"{package}.py").exists() or (folder / package).is_dir()
    ):
        for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            del sys.modules[name]

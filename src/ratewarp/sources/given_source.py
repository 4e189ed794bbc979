"""A source that is given from Python: any object with the members of `Source`, checked, and described so that
a run keeps it.

A run directory stores the description, the mean images and large tables; from these everything but training
is done again without the object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from jaxtyping import Array, Float, Int, Key, Num
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema
from safetensors.numpy import load, save

from ratewarp._checks import RatewarpError, RequestError, did_you_mean, refuse, refuse_name
from ratewarp._described import KIND, core_schema_of, json_schema_of
from ratewarp.sources.factor import Factor
from ratewarp.sources.given_checks import (
    checked_factors,
    checked_rules,
    checked_shape,
    checked_stimuli,
    checked_stored,
    checked_task_sets,
    checked_text,
)
from ratewarp.sources.given_trial import checked_means, tried
from ratewarp.sources.own_images import ImageOptions
from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.source import Source
from ratewarp.sources.stored import Stored

ARRAYS_FILE = "source.safetensors"

_TOLD = ("name", "image_shape", "pixels", "factors", "stimuli")
_NEEDED = (*_TOLD, "mean_images", "sample")
_OPTIONAL: Mapping[str, Any] = {"frequencies": {}, "tasks": {}, "task_sets": {}, "independent_pixels": False}
_UNTOLD = ("object", "stimuli", "stored", "_means")  # of its members, in its digest
_MOST_WRITTEN = 10_000  # entries of a table in the study file; a larger one is an array beside it


class GivenSource:
    """An object given as a source, with what a `Source` may leave out filled in.

    Attributes:
        object: what was given; None for one that a run directory describes.
    """

    _kept: np.ndarray | None = None  # held-out images, of one that a run directory describes

    def __init__(self, source: Any):
        """Checks an object.

        Raises:
            RequestError: a member is missing or is not what `Source` says, or its images are not those it
                declares.
        """
        if isinstance(source, type):
            refuse("source", f"an object: {source.__name__}(…) instead of its class", source)
        stored = getattr(source, "stored", None)
        for member in _NEEDED if stored is None else _TOLD:
            if not hasattr(source, member):
                own = [name for name in dir(source) if not name.startswith("_")]
                raise RequestError(
                    f"source.{member} is missing in {type(source).__name__}.{did_you_mean(member, own)}"
                )
        self.object = source
        self._set(
            {
                **{name: getattr(source, name) for name in _TOLD},
                **{n: getattr(source, n, d) for n, d in _OPTIONAL.items()},
            },
            stored,
        )
        self._means = checked_means(source, self) if self.stored is None else None
        images = tried(self)
        self.digest = str(getattr(source, "digest", "") or _digest(self, images))

    @classmethod
    def described(cls, described: Mapping[str, Any], folder: Path) -> GivenSource:
        """The source that a run directory describes: it draws no images."""
        self = cls.__new__(cls)
        try:
            self.object, self.digest = None, str(described["digest"])
            digest = str(described["arrays_sha256"])
            arrays = _stored_arrays(folder / ARRAYS_FILE, digest) if digest else {}
            factors = tuple(_factor(factor, arrays) for factor in described["factors"])
            stimuli = arrays["stimuli"] if "stimuli" in arrays else np.array(described["stimuli"], int)
            table = stimuli.reshape(len(stimuli), len(factors))
            stored = Stored(arrays["held_out"], self._read_kept) if "held_out" in arrays else None
            self._set({**described, "factors": factors, "stimuli": table}, stored)
        except (KeyError, TypeError, ValueError) as error:
            said = f"source is not as a run directory describes one of kind '{KIND}'"
            raise RequestError(f"{said}: {type(error).__name__}: {error}") from error
        self._means, self._kept = arrays.get("mean_images"), arrays.get("held_out_images")
        return self

    def _set(self, members: Mapping[str, Any], stored: Any) -> None:
        self.name = checked_text(members["name"], "name")
        self.image_shape = checked_shape(members["image_shape"])
        if members["pixels"] not in list(PIXELS):
            refuse_name("source.pixels", "kind of pixels", members["pixels"], PIXELS)
        self.pixels: str = members["pixels"]
        self.factors = checked_factors(members["factors"])
        self.stimuli = checked_stimuli(members["stimuli"], self.factors, stored=stored is not None)
        self.stored = checked_stored(stored, len(self.stimuli))
        self.frequencies, self.tasks = (
            checked_rules(members[name], name) for name in ("frequencies", "tasks")
        )
        self.task_sets = checked_task_sets(members["task_sets"])
        self.independent_pixels = bool(members["independent_pixels"])

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"] | None:
        chosen = np.arange(len(self.stimuli)) if stimuli is None else stimuli
        if self.stored is not None:
            return PIXELS[self.pixels].host_numbers(self.stored.read(chosen))
        return None if self._means is None else self._means[chosen]

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> Num[Array, "images height width channels"]:
        if self.object is None:
            self._refuse_images()
        return self.object.sample(stimuli, keys=keys)

    def _read_kept(self, stimuli: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Images of held-out stimuli, which a run directory keeps."""
        assert self.stored is not None
        held_out = self.stored.held_out
        places = np.minimum(np.searchsorted(held_out, stimuli), len(held_out) - 1)
        if self._kept is None or not np.array_equal(held_out[places], stimuli):
            self._refuse_images()
        return self._kept[places]

    def _refuse_images(self) -> NoReturn:
        raise RequestError(
            f"the source '{self.name}' is a Python object, or files, of which a run directory keeps no"
            " images to train on; to train, run the study file that names it, or call ratewarp.run with the"
            " study that holds it"
        )

    @property
    def identity(self) -> dict[str, str]:
        """What counts where two sources are compared."""
        return {"kind": KIND, "name": self.name, "digest": self.digest}

    def description(self) -> dict[str, Any]:
        """What a run directory keeps of it besides arrays."""
        arrays = self._arrays()
        return {
            **self.identity,
            "image_shape": list(self.image_shape),
            "pixels": self.pixels,
            "independent_pixels": self.independent_pixels,
            "factors": [
                {**factor._asdict(), "values": [] if _values_of(factor) in arrays else list(factor.values)}
                for factor in self.factors
            ],
            "stimuli": [] if "stimuli" in arrays else self.stimuli.tolist(),
            "frequencies": dict(self.frequencies),
            "tasks": dict(self.tasks),
            "task_sets": {name: list(tasks) for name, tasks in self.task_sets.items()},
            "arrays_sha256": sha256(save(arrays)).hexdigest() if arrays else "",
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        """Mean images, or stored ones that are held out, and what is too much for a study file."""
        arrays: dict[str, np.ndarray] = {}
        if self.stored is None and self._means is not None:
            arrays["mean_images"] = self._means
        if self.stored is not None:
            arrays["held_out"] = self.stored.held_out
            arrays["held_out_images"] = self.stored.read(self.stored.held_out)
        if self.stimuli.size > _MOST_WRITTEN or self.stored is not None:
            arrays["stimuli"] = self.stimuli
        for factor in self.factors:
            if len(factor.values) > _MOST_WRITTEN and factor.table.dtype.kind != "U":
                arrays[_values_of(factor)] = factor.table
        return {name: np.ascontiguousarray(array) for name, array in arrays.items()}

    def arrays(self) -> bytes:
        """Its arrays as a file; empty where there are none."""
        arrays = self._arrays()
        return save(arrays) if arrays else b""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GivenSource) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def __repr__(self) -> str:
        return f"GivenSource({self.name!r}, {self.digest!r})"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """As a value of a study: an object, or what a run directory described; in files its description."""
        return core_schema_of(_given, cls.description)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = json_schema_of("source")
        return {"anyOf": [described, ImageOptions.model_json_schema(mode="validation")]}


def kept_files(source: Source) -> dict[str, bytes]:
    """Files that a run directory keeps of a source beside its description: name → contents."""
    content = source.arrays() if isinstance(source, GivenSource) else b""
    return {ARRAYS_FILE: content} if content else {}


def _given(value: Any) -> GivenSource:
    if isinstance(value, GivenSource):
        return value
    if isinstance(value, Mapping):
        raise ValueError("must be a Python object where it is of kind 'given'; a study file cannot hold one")
    return GivenSource(value)


def _digest(own: GivenSource, images: np.ndarray) -> str:
    """Hash of what an object says of itself, of its means, and of images drawn with fixed keys."""
    told = {name: value for name, value in own.__dict__.items() if name not in _UNTOLD}
    content = sha256(json.dumps(told, sort_keys=True, default=str).encode())
    for array in (own.stimuli, own._means, images):
        if array is not None:
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:16]


def _factor(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Factor:
    factor = Factor(**{**described, "values": tuple(described["values"])})
    values = arrays.get(_values_of(factor))
    return factor if values is None else factor._replace(values=tuple(values.tolist()))


def _values_of(factor: Factor) -> str:
    """Name of the array with the values of a factor."""
    return f"values.{factor.name}"


def _stored_arrays(file: Path, digest: str) -> dict[str, np.ndarray]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RatewarpError(f"cannot read {file}: {error.strerror}") from error
    if sha256(content).hexdigest() != digest:
        raise RatewarpError(f"{file} is damaged or was changed: it does not match its SHA-256 in study.yaml")
    return load(content)

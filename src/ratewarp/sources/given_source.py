"""A source that is given from Python: any object with the members of `Source`, checked, and described so that
a run keeps it.

A run directory stores the description and the mean images; from these everything but training is done again
without the object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema
from safetensors.numpy import load, save

from ratewarp._checks import RatewarpError, RequestError, did_you_mean, refuse, refuse_name, shorten
from ratewarp._cores import use_every_core
from ratewarp._described import KIND, core_schema_of, json_schema_of
from ratewarp.sources.factor import Factor, check_factor
from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.source import Source

ARRAYS_FILE = "source.safetensors"

_NEEDED = ("name", "image_shape", "pixels", "factors", "stimuli", "mean_images", "sample")
_OPTIONAL: Mapping[str, Any] = {"frequencies": {}, "tasks": {}, "task_sets": {}, "independent_pixels": False}
_LARGEST_SIDE, _MOST_CHANNELS, _MOST_STIMULI = 1024, 16, 1_000_000
# images drawn to see whether the object does what it says, and of how many stimuli at most
_TRIED, _TRIED_STIMULI = 2048, 32
_TRIED_PIXELS, _TRIED_LEAST, _EACH_LEAST = 2**24, 128, 16  # fewer of large images, and then of fewer stimuli
# mean square of (sample mean − mean image) over its variance; 1 on average where they belong together
_FAR = 16.0
_ALIKE = 1e-4  # of the range of the pixels: two draws that differ by less on average differ by rounding


class GivenSource:
    """An object given as a source, with what a `Source` may leave out filled in.

    Attributes:
        object: what was given; None for one that a run directory describes.
    """

    def __init__(self, source: Any):
        """Checks an object.

        Raises:
            RequestError: a member is missing or is not what `Source` says, or its images are not those it
                declares.
        """
        if isinstance(source, type):
            refuse("source", f"an object: {source.__name__}(…) instead of its class", source)
        for member in _NEEDED:
            if not hasattr(source, member):
                own = [name for name in dir(source) if not name.startswith("_")]
                raise RequestError(
                    f"source.{member} is missing in {type(source).__name__}.{did_you_mean(member, own)}"
                )
        self.object = source
        self._set(
            {
                **{name: getattr(source, name) for name in _NEEDED[:5]},
                **{n: getattr(source, n, d) for n, d in _OPTIONAL.items()},
            }
        )
        self._means = _checked_means(source, self)
        images = _try(self)
        self.digest = str(getattr(source, "digest", "") or _digest(self, images))

    @classmethod
    def described(cls, described: Mapping[str, Any], folder: Path) -> GivenSource:
        """The source that a run directory describes: it draws no images."""
        self = cls.__new__(cls)
        try:
            self.object, self.digest, self._means = None, str(described["digest"]), None
            factors = tuple(
                Factor(**{**factor, "values": tuple(factor["values"])}) for factor in described["factors"]
            )
            stimuli = np.array(described["stimuli"], int).reshape(len(described["stimuli"]), len(factors))
            self._set({**described, "factors": factors, "stimuli": stimuli})
            means = str(described["means_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            said = f"source is not as a run directory describes one of kind '{KIND}'"
            raise RequestError(f"{said}: {type(error).__name__}: {error}") from error
        if means:
            self._means = _stored_means(folder / ARRAYS_FILE, means)
        return self

    def _set(self, members: Mapping[str, Any]) -> None:
        self.name = _text(members["name"], "name")
        self.image_shape = _shape(members["image_shape"])
        if members["pixels"] not in list(PIXELS):
            refuse_name("source.pixels", "kind of pixels", members["pixels"], PIXELS)
        self.pixels: str = members["pixels"]
        self.factors = _factors(members["factors"])
        self.stimuli = _stimuli(members["stimuli"], self.factors)
        self.frequencies, self.tasks = (_rules(members[name], name) for name in ("frequencies", "tasks"))
        self.task_sets = _task_sets(members["task_sets"])
        self.independent_pixels = bool(members["independent_pixels"])

    def mean_images(self) -> Float[np.ndarray, "stimuli height width channels"] | None:
        return self._means

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> Num[Array, "images height width channels"]:
        if self.object is None:
            raise RequestError(
                f"the source '{self.name}' is a Python object, of which a run directory keeps no images; to"
                " train, call ratewarp.run with"
                " the study that holds it"
            )
        return self.object.sample(stimuli, keys=keys)

    @property
    def identity(self) -> dict[str, str]:
        """What counts where two sources are compared."""
        return {"kind": KIND, "name": self.name, "digest": self.digest}

    def description(self) -> dict[str, Any]:
        """What a run directory keeps of it besides the mean images."""
        return {
            **self.identity,
            "image_shape": list(self.image_shape),
            "pixels": self.pixels,
            "independent_pixels": self.independent_pixels,
            "factors": [{**factor._asdict(), "values": list(factor.values)} for factor in self.factors],
            "stimuli": self.stimuli.tolist(),
            "frequencies": dict(self.frequencies),
            "tasks": dict(self.tasks),
            "task_sets": {name: list(tasks) for name, tasks in self.task_sets.items()},
            "means_sha256": sha256(self.arrays()).hexdigest() if self._means is not None else "",
        }

    def arrays(self) -> bytes:
        """Its mean images as a file; empty where there are none."""
        return b"" if self._means is None else save({"mean_images": np.ascontiguousarray(self._means)})

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
        return json_schema_of("source")


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


def _text(value: Any, member: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        refuse(f"source.{member}", "a text of 1 to 200 characters", value)
    return value


def _shape(value: Any) -> tuple[int, int, int]:
    sizes: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else ()
    sound = len(sizes) == 3 and all(isinstance(size, int | np.integer) and size >= 1 for size in sizes)
    if not sound or max(sizes[:2]) > _LARGEST_SIDE or sizes[2] > _MOST_CHANNELS:
        refuse(
            "source.image_shape",
            f"(height, width, channels), at most {_LARGEST_SIDE}, {_LARGEST_SIDE} and {_MOST_CHANNELS}",
            value,
        )
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _factors(value: Any) -> tuple[Factor, ...]:
    if not isinstance(value, tuple | list) or not all(isinstance(factor, Factor) for factor in value):
        refuse("source.factors", "a tuple of ratewarp.sources.Factor", value)
    factors = tuple(_plain_values(factor) for factor in value)
    for place, factor in enumerate(factors):
        check_factor(factor, f"source.factors.{place}")
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        refuse("source.factors", "of different names", names)
    return factors


def _plain_values(factor: Factor) -> Factor:
    """With numbers of Python where those of NumPy came, which no file holds."""
    values = factor.values.tolist() if isinstance(factor.values, np.ndarray) else factor.values
    if not isinstance(values, tuple | list):
        return factor
    *values, period = (
        value.item() if isinstance(value, np.generic) else value for value in (*values, factor.period)
    )
    return factor._replace(values=tuple(values), period=period)


def _stimuli(value: Any, factors: tuple[Factor, ...]) -> Int[np.ndarray, "stimuli factors"]:
    table = _array(value, "stimuli")
    if table.ndim != 2 or table.shape[1] != len(factors) or not 2 <= len(table) <= _MOST_STIMULI:
        rows, columns = f"2 to {_MOST_STIMULI:,} stimuli", f"the {len(factors)} factors"
        wanted = f"a table with a row for each of {rows} and a column for each of {columns}"
        refuse("source.stimuli", wanted, f"shape {table.shape}")
    if table.shape[1] and table.dtype.kind not in "iu":
        refuse(
            "source.stimuli", "of whole numbers: which of its values each factor has", f"type {table.dtype}"
        )
    for factor, column in zip(factors, table.T, strict=True):
        if column.min() < 0 or column.max() >= len(factor.values):
            wanted = f"0 to {len(factor.values) - 1} in the column of {factor.name}, places in its values"
            refuse("source.stimuli", wanted, f"{column.min()} to {column.max()}")
    if factors and len(np.unique(table, axis=0)) < len(table):
        rows, counts = np.unique(table, axis=0, return_counts=True)
        refuse("source.stimuli", "rows that differ from each other", f"{rows[counts > 1][0].tolist()} twice")
    return table.astype(int)


def _rules(value: Any, member: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(one, str) for pair in value.items() for one in pair
    ):
        refuse(f"source.{member}", "a mapping from name to expression", value)
    return dict(value)


def _task_sets(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or not all(isinstance(tasks, tuple | list) for tasks in value.values()):
        refuse("source.task_sets", "a mapping from name to names of tasks", value)
    return {str(name): tuple(map(str, tasks)) for name, tasks in value.items()}


def _array(value: Any, member: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        refuse(f"source.{member}", "an array, with rows of one length", value)


def _reason(error: Exception) -> str:
    """What the user's code raised, in one line."""
    return shorten(str(error).splitlines()[0] if str(error) else type(error).__name__)


def _checked_means(source: Any, own: GivenSource) -> np.ndarray | None:
    try:
        found = source.mean_images() if callable(source.mean_images) else source.mean_images
    except Exception as error:  # whatever the user's code raises
        raise RequestError(f"source.mean_images() cannot be called: {_reason(error)}") from error
    if found is None:
        return None
    means, wanted = _array(found, "mean_images()"), (len(own.stimuli), *own.image_shape)
    if means.shape != wanted or means.dtype.kind not in "fiu":
        refuse(
            "source.mean_images()",
            f"an array of numbers of shape {wanted}, or None",
            f"{means.dtype} of shape {means.shape}",
        )
    means = means.astype(float)
    low, high = (limit / (PIXELS[own.pixels].largest or 1) for limit in PIXELS[own.pixels].limits)
    if not np.isfinite(means).all() or means.min() < low or means.max() > high:
        refuse(
            "source.mean_images()",
            f"finite and {low:g} to {high:g}, the numbers of {own.pixels} pixels",
            _extent(means),
        )
    return means


def _extent(array: np.ndarray) -> str:
    return f"{np.min(array):g} to {np.max(array):g}"


def _try(own: GivenSource) -> np.ndarray:
    """Draws images and checks them; returns them by stimulus."""
    use_every_core()  # not after the first computation, which this may be
    pixels, shape = PIXELS[own.pixels], own.image_shape
    total = int(np.clip(_TRIED_PIXELS // prod(shape), _TRIED_LEAST, _TRIED))
    chosen = np.unique(
        np.linspace(0, len(own.stimuli) - 1, min(_TRIED_STIMULI, total // _EACH_LEAST)).astype(int)
    )
    stimuli = np.repeat(chosen, total // len(chosen))
    keys = jax.random.split(jax.random.key(0), len(stimuli))
    images = _drawn(own, stimuli, keys)
    if images.shape != (len(stimuli), *shape):
        refuse(
            "source.sample",
            f"images of shape {(len(stimuli), *shape)} for {len(stimuli)} stimuli",
            f"shape {images.shape}",
        )
    if images.dtype != pixels.dtype:
        refuse("source.sample", f"images of type {pixels.dtype}, as for {own.pixels} pixels", images.dtype)
    low, high = pixels.limits
    if not np.isfinite(images).all() or images.min() < low or images.max() > high:
        refuse("source.sample", f"pixels of {low:g} to {high:g}, as for {own.pixels} pixels", _extent(images))
    turned = _drawn(own, stimuli[::-1], keys[::-1])[::-1]
    if np.abs(images - turned, dtype=float).mean() > _ALIKE * float(np.ptp(images)):
        refuse(
            "source.sample",
            "the same image for the same stimulus and key, whichever others are drawn with it",
            "different ones",
        )
    by_stimulus = images.reshape(len(chosen), -1, *shape)
    _check_against_means(own, chosen, by_stimulus)
    return by_stimulus


def _drawn(own: GivenSource, stimuli: np.ndarray, keys: Key[Array, " images"]) -> np.ndarray:
    """Images from a program that is traced anew."""
    try:
        return np.asarray(jax.jit(lambda stimuli, keys: own.sample(stimuli, keys=keys))(stimuli, keys))
    except Exception as error:  # whatever the user's code raises
        raise RequestError(
            "source.sample cannot be called with stimuli and keys inside jax.jit, as it must:"
            f" {_reason(error)}"
        ) from error


def _check_against_means(own: GivenSource, chosen: np.ndarray, images: np.ndarray) -> None:
    """Refuses mean images that are further from samples than chance puts them.

    Chance, of images whose pixels may go together: a multiple of the standard error, what an event leaves out
    that is too rare to be among the images drawn, and the rounding of 8-bit pixels.
    """
    declared = own.mean_images()
    if declared is None:
        return
    pixels, each = PIXELS[own.pixels], images.shape[1]
    numbers = images / (pixels.largest or 1.0)
    off = numbers.mean(axis=1) - declared[chosen]
    variance = numbers.var(axis=1, ddof=1) / each
    unseen = max(float(np.ptp(numbers)), 1e-9) * _FAR / (len(chosen) * each)
    rounding = 1 / pixels.largest if pixels.largest else 0.0
    if np.sum(off**2) > _FAR * np.sum(variance) + off.size * (unseen + rounding) ** 2:
        worst = int(chosen[np.argmax(np.sum(off**2, axis=(1, 2, 3)))])
        came = (
            f"a mean over {each} images of stimulus {worst} that is off by {np.abs(off).max():.3g} at a pixel"
        )
        refuse("source.mean_images()", "the means of what source.sample draws", came)


def _digest(own: GivenSource, images: np.ndarray) -> str:
    """Hash of what an object says of itself, of its means, and of images drawn with fixed keys."""
    told = {
        name: value for name, value in own.__dict__.items() if name not in ("object", "stimuli", "_means")
    }
    content = sha256(json.dumps(told, sort_keys=True, default=str).encode())
    for array in (own.stimuli, own.mean_images(), images):
        if array is not None:
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:16]


def _stored_means(file: Path, digest: str) -> np.ndarray:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RatewarpError(f"cannot read {file}: {error.strerror}") from error
    if sha256(content).hexdigest() != digest:
        raise RatewarpError(f"{file} is damaged or was changed: it does not match its SHA-256 in study.yaml")
    return load(content)["mean_images"]

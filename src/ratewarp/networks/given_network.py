"""A network that is given from Python: an object that builds Equinox modules, or such a module's class,
checked before it is trained.

A run directory keeps its name, its latents and a hash of its code: enough for everything but training.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import prod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from ratewarp._checks import RequestError, refuse, shorten
from ratewarp._described import KIND, core_schema_of, json_schema_of
from ratewarp.networks.network import ImageShape, Networks

_TRIED = 3  # images it is tried on
_ADDRESS = re.compile(" at 0x[0-9a-f]+")  # in the names of functions; another in each process


class GivenNetwork:
    """An object given as a network.

    Attributes:
        object: what was given: it has `latents`, and `build(image_shape, *, key)` or, if it is a class of
            Equinox modules, is called so itself; None for one that a run directory describes.
        name: what messages call it.
        latents: dimensions of the code.
        digest: of its code and configuration, or its own member `digest`.
    """

    def __init__(self, given: Any, name: str = ""):
        """Takes an object.

        Raises:
            RequestError: it lacks a member, or its code cannot be read and it has no `digest`.
        """
        sound = (
            issubclass(given, eqx.Module)
            if inspect.isclass(given)
            else callable(getattr(given, "build", None))
        )
        if not sound:
            came = f"the class {given.__name__}" if inspect.isclass(given) else type(given).__name__
            refuse(
                "network",
                "a network of this package, an object with build(image_shape, *, key), or a class of Equinox"
                " modules",
                came,
            )
        latents = getattr(given, "latents", None)
        if isinstance(latents, bool) or not isinstance(latents, int) or not 1 <= latents <= 1024:
            refuse("network.latents", "a whole number of 1 to 1024", latents)
        self.object, self.latents = given, latents
        self.name = name or str(
            getattr(given, "name", "") or (given if inspect.isclass(given) else type(given)).__name__
        )
        self.digest = str(getattr(given, "digest", "") or _digest_of_code(given))

    @classmethod
    def described(cls, described: Mapping[str, Any]) -> GivenNetwork:
        """The network that a run directory describes: it cannot be built."""
        self = cls.__new__(cls)
        try:
            self.object, self.name, self.latents = None, str(described["name"]), int(described["latents"])
            self.digest = str(described["digest"])
        except (KeyError, TypeError, ValueError) as error:
            said = f"network is not as a run directory describes one of kind '{KIND}'"
            raise RequestError(f"{said}: {type(error).__name__}: {error}") from error
        return self

    def build(self, image_shape: ImageShape, *, key: Key[Array, ""]) -> Networks:
        if self.object is None:
            raise RequestError(
                f"the network '{self.name}' is Python code, which a run directory does not keep; to build"
                " it, call ratewarp.run with the"
                " study that holds it"
            )
        make: Any = self.object if inspect.isclass(self.object) else self.object.build
        return make(image_shape, key=key)

    def check(self, image_shape: ImageShape) -> None:
        """Builds it, and tries it on a few images.

        Raises:
            RequestError: it cannot be built or called, is not deterministic, needs a key or keeps a state, or
                gives numbers of the wrong shape or type, or that are not finite.
        """
        if self.object is not None:
            _try(self, image_shape)

    @property
    def identity(self) -> dict[str, str | int]:
        """What counts where two networks are compared."""
        return {"kind": KIND, "name": self.name, "latents": self.latents, "digest": self.digest}

    def description(self) -> dict[str, str | int]:
        """What a run directory keeps of it."""
        return self.identity

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GivenNetwork) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash((self.name, self.latents, self.digest))

    def __repr__(self) -> str:
        return f"GivenNetwork({self.name!r}, {self.digest!r})"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """As a value of a study: an object; in files its description."""
        return core_schema_of(_given, cls.description)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return json_schema_of("network")


def _given(value: Any) -> GivenNetwork:
    if isinstance(value, GivenNetwork):
        return value
    if isinstance(value, Mapping):
        raise ValueError(
            "must be a Python object where it is of kind 'given'; a study file names code by"
            " {import: module:name}"
        )
    return GivenNetwork(value)


def _digest_of_code(given: Any) -> str:
    code = given if inspect.isclass(given) else type(given)
    try:
        text = "".join(inspect.getsource(one) for one in code.__mro__ if one.__module__ == code.__module__)
    except (OSError, TypeError):
        why = f"since the code of {code.__name__} cannot be read"
        said = f"network.digest must be given, {why}: any text that changes when the code does"
        raise RequestError(said) from None
    configuration = (
        ""
        if inspect.isclass(given)
        else _ADDRESS.sub("", str(sorted(getattr(given, "__dict__", {}).items())))
    )
    return sha256(f"{text}{configuration}".encode()).hexdigest()[:16]


@lru_cache(maxsize=64)  # models of a study mostly share their network; what is refused is tried again
def _try(network: GivenNetwork, image_shape: ImageShape) -> None:
    """Builds a network twice, and calls it on a few images."""
    networks, again = (
        _told("build", lambda: network.build(image_shape, key=jax.random.key(0))) for _ in range(2)
    )
    _check_leaves(networks, again)
    images = jax.random.uniform(jax.random.key(1), (_TRIED, *image_shape))
    encode = eqx.filter_jit(lambda module, batch: module.encode(batch))
    decode = eqx.filter_jit(lambda module, batch: module.decode(batch))
    codes = _told("encode", lambda: encode(networks, images))
    if not isinstance(codes, tuple) or len(codes) != 2:
        came = type(codes).__name__
        refuse("network.encode", "a function that returns a pair, mean and log variance", came)
    for word, one in zip(("mean", "log variance"), codes, strict=True):
        _check_numbers(f"network.encode: the {word}", one, (_TRIED, network.latents))
    decoded = _told("decode", lambda: decode(networks, codes[0]))
    _check_numbers("network.decode", decoded, (_TRIED, *image_shape))


def _told(member: str, call: Any) -> Any:
    """What a user's function returns; what it raises, in one sentence."""
    try:
        return call()
    except RequestError:
        raise
    except Exception as error:  # whatever the user's code raises
        reason = shorten(str(error).splitlines()[0] if str(error) else type(error).__name__)
        needs = (
            "build(image_shape, *, key)"
            if member == "build"
            else f"{member} with a batch alone, inside jax.jit"
        )
        raise RequestError(f"network.{member} cannot be called as {needs}: {reason}") from error


def _check_leaves(networks: Any, again: Any) -> None:
    arrays, others = map(_arrays_in, (networks, again))
    if any(
        isinstance(leaf, eqx.nn.StateIndex)
        for leaf in jax.tree.leaves(networks, is_leaf=lambda x: isinstance(x, eqx.nn.StateIndex))
    ):
        refuse(
            "network",
            "without a state, such as that of batch norm; use layer norm or group norm",
            type(networks).__name__,
        )
    wrong = [array.dtype for array in arrays if array.dtype != jnp.float32]
    if wrong or not arrays:
        refuse(
            "network",
            "a module whose arrays are float32 parameters, one or more",
            wrong[0] if wrong else "no arrays",
        )
    if len(arrays) != len(others) or not all(map(np.array_equal, arrays, others)):
        refuse("network.build", "the same for the same key", "two different networks")


def _arrays_in(networks: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(networks) if isinstance(leaf, jax.Array | np.ndarray)]


def _check_numbers(what: str, array: Any, shape: tuple[int, ...]) -> None:
    if getattr(array, "shape", None) != shape or array.dtype != jnp.float32:
        came = f"{array.dtype} of shape {array.shape}" if hasattr(array, "dtype") else type(array).__name__
        refuse(what, f"float32 of shape {shape} for {_TRIED} images", came)
    if not bool(jnp.isfinite(array).all()):
        refuse(
            what,
            "finite at the start of training",
            f"{int((~jnp.isfinite(array)).sum())} of {prod(shape)} that are not",
        )

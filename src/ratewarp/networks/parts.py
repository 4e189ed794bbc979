"""The parts of a network: the arrays that are trained, and everything else, which programs hold fixed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import equinox as eqx
import jax
from jaxtyping import PyTree

from ratewarp.networks.network import ImageShape, Network, Networks


def arrays_of(networks: Networks) -> PyTree:
    """What of a network is trained: its arrays of real numbers, everything else None."""
    return eqx.partition(networks, eqx.is_inexact_array)[0]


def whole(network: Network, image_shape: ImageShape, arrays: PyTree) -> Networks:
    """The network that has these arrays, in or outside a compiled program.

    Leaf by leaf, since classes and functions may be other objects in equal networks: a notebook's cell that
    ran twice makes them anew.
    """
    fixed, structure = _fixed(network, image_shape)
    own = jax.tree.leaves(arrays, is_leaf=_is_none)
    return cast(
        Networks,
        jax.tree.unflatten(structure, [f if a is None else a for a, f in zip(own, fixed, strict=True)]),
    )


def skeleton(network: Network, image_shape: ImageShape) -> PyTree:
    """The arrays of a network as shapes without values."""
    return eqx.partition(_shapes(network, image_shape), _is_real)[0]


@lru_cache(maxsize=64)
def _fixed(network: Network, image_shape: ImageShape) -> tuple[list[Any], Any]:
    return jax.tree.flatten(eqx.partition(_shapes(network, image_shape), _is_real)[1], is_leaf=_is_none)


def _shapes(network: Network, image_shape: ImageShape) -> Any:
    return eqx.filter_eval_shape(lambda: network.build(image_shape, key=jax.random.key(0)))


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct) and jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact)


def _is_none(leaf: Any) -> bool:
    return leaf is None

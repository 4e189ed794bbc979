"""Parameters by name: `networks.encoder.mean.weight` → array, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from ratewarp._checks import RequestError

Tree = TypeVar("Tree", bound=PyTree)


def to_named(model: PyTree) -> dict[str, np.ndarray]:
    """Every array of `model` by its dotted path.

    Examples:
        >>> to_named({"a": [jnp.zeros(2)]})
        {'a.0': array([0., 0.], dtype=float32)}
    """
    return {_name(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(model)}


def from_named(skeleton: Tree, arrays: Mapping[str, np.ndarray]) -> Tree:
    """`skeleton` with its arrays replaced by those of the same name.

    Arguments:
        skeleton: a model, or its shapes as from `jax.eval_shape`.
        arrays: what `to_named` gave for a model of the same configuration.

    Raises:
        RequestError: a name is missing, left over, or of another shape or type.
    """
    paths, structure = jax.tree_util.tree_flatten_with_path(skeleton)
    names = [_name(path) for path, _ in paths]
    if set(names) != set(arrays):
        raise RequestError(
            f"parameters do not fit the model: differing names {sorted(set(names) ^ set(arrays))[:4]}"
        )
    for name, (_, leaf) in zip(names, paths, strict=True):
        if arrays[name].shape != leaf.shape:
            raise RequestError(f"parameter {name} must have shape {leaf.shape}; got {arrays[name].shape}")
        if arrays[name].dtype != leaf.dtype:  # which would be converted without a word
            raise RequestError(f"parameter {name} must be of type {leaf.dtype}; got {arrays[name].dtype}")
    return jax.tree_util.tree_unflatten(structure, [jnp.asarray(arrays[name]) for name in names])


def _name(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")

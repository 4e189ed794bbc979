"""Members over devices: every core of the machine, or every accelerator, does its share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import PyTree

Result = TypeVar("Result", bound=PyTree)


def use_every_core() -> None:
    """Makes each CPU core a device of its own; without effect once JAX has computed anything, or where there is an accelerator."""
    try:
        jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    except RuntimeError:  # JAX is running already; it keeps the devices it has
        return


def map_members(function: Callable[..., Result], stacked: PyTree, *shared: Any) -> Result:
    """`function(member, *shared)` of every member: members are spread over the devices, and on each follow one another.

    Arguments:
        function: takes one member's part of `stacked`, without the leading axis, then `shared` as it is.
        stacked: arrays with a leading axis of members.
        shared: arrays that all members use; each device has its copy.

    Returns:
        What the function returned, stacked. A member's result does not depend on the others.

    Examples:
        >>> map_members(lambda member, offset: member * 2 + offset, jnp.arange(3), jnp.int32(1)).tolist()
        [1, 3, 5]
    """
    members = len(jax.tree.leaves(stacked)[0])
    devices = min(members, jax.device_count())
    spare = -members % devices
    filled = jax.tree.map(lambda leaf: jnp.concatenate([leaf, *[leaf[-1:]] * spare]) if spare else leaf, stacked)
    mesh = Mesh(np.array(jax.devices()[:devices]), ("member",))

    def one_device(block: PyTree, *copies: Any) -> Result:
        return lax.map(lambda member: function(member, *copies), block)

    split, whole = PartitionSpec("member"), PartitionSpec()
    specs = (split, *[whole] * len(shared))
    result = jax.shard_map(one_device, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False)(filled, *shared)
    return jax.tree.map(lambda leaf: leaf[:members], result) if spare else result

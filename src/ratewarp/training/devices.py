"""Members over devices: every core of the machine, or every accelerator, does its share."""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from ratewarp.networks import precise

Result = TypeVar("Result", bound=PyTree)
Tree = TypeVar("Tree", bound=PyTree)

LOG = logging.getLogger("ratewarp")

_LEVEL, _TRIED = "xla_backend_optimization_level", "xla_gpu_enable_triton_gemm"
_CUDA = ("jax_cuda12_plugin", "jax_cuda13_plugin")  # packages by which JAX computes on NVIDIA's GPUs
_SPLIT, _WHOLE = PartitionSpec("member"), PartitionSpec()


class Machine(NamedTuple):
    """Where numbers are computed.

    Attributes:
        host: its name.
        processor: its model, and a hash of the instructions it knows.
        device: kind of JAX's devices, such as "cpu".
    """

    host: str
    processor: str
    device: str

    @property
    def kind(self) -> str:
        """What the last bits of numbers depend on: the kind of accelerator, or the processor."""
        return self.processor if self.device == "cpu" else self.device


def this_machine() -> Machine:
    """The machine that this process runs on, and what computes here."""
    return Machine(socket.gethostname(), _processor(), jax.devices()[0].device_kind)


def _processor() -> str:
    model = platform.processor() or platform.machine()
    for line in _processor_lines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
            break
    return f"{model} ({_instructions()})"


def _instructions() -> str:
    """Hash of the instructions that the processor knows."""
    known = "".join(line for line in _processor_lines() if line.startswith(("flags", "Features")))
    return sha256((known or platform.processor()).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _processor_lines() -> tuple[str, ...]:
    try:
        return tuple(Path("/proc/cpuinfo").read_text().splitlines())
    except OSError:  # not Linux
        return ()


def compiler_options() -> dict[str, bool | int]:
    """How programs that take long are compiled.

    On a CPU one core a device: work is not handed to other cores. The lower level of optimisation compiles in
    three quarters of the time and runs as fast; a level that the user names in `XLA_FLAGS` is used instead.
    On a GPU products are the library's: XLA would try out kernels of its own for every one of them, minutes
    long (docs/speed.md).
    """
    level = {} if _LEVEL in os.environ.get("XLA_FLAGS", "") else {_LEVEL: 1}
    library = {_TRIED: False} if any(map(find_spec, _CUDA)) else {}
    return {"xla_cpu_multi_thread_eigen": False, **library, **level}


def keep_compiled_programs() -> None:
    """Keeps compiled programs in the user's cache folder, so that a second run starts at once.

    A folder named by `JAX_COMPILATION_CACHE_DIR` or by JAX's own configuration is used instead. Programs are
    kept apart by machine type, since a home folder may be shared by machines of different processors. Where
    there is no home folder, none are kept.
    """
    if jax.config.values["jax_compilation_cache_dir"] is None:
        try:
            folder = compiled_programs_folder()
        except RuntimeError:  # an unknown user without HOME, as in some containers
            LOG.debug(
                "there is no home folder to keep compiled programs in; name one with"
                " JAX_COMPILATION_CACHE_DIR"
            )
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def compiled_programs_folder() -> Path:
    """Where compiled programs are kept by default.

    Raises:
        RuntimeError: the user has no home folder.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if platform.system() == "Darwin":
        user = Path.home() / "Library" / "Caches"
    else:
        user = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    return user / "ratewarp" / f"jax-{version('jaxlib')}-{_instructions()}"


def map_members(function: Callable[..., Result], stacked: PyTree, *shared: Any) -> Result:
    """`function(member, *shared)` of every member: members are spread over the devices.

    On a CPU core members follow one another, so that one member's state can stay in the core's cache and a
    member's numbers are the same to the bit whichever members share its batch. On an accelerator they are
    computed together.

    Arguments:
        function: takes one member's part of `stacked`, without the leading axis, then `shared` as it is.
        stacked: arrays with a leading axis of members; if their number is no multiple of the devices', the
            last is repeated to fill up.
        shared: arrays that all members use.

    Returns:
        What the function returned, stacked. A member's result does not depend on the others.

    Examples:
        >>> map_members(lambda member, offset: member * 2 + offset, jnp.arange(3), jnp.int32(1)).tolist()
        [1, 3, 5]
    """
    members = len(jax.tree.leaves(stacked)[0])
    mesh = _mesh(members)
    spare = -members % mesh.size
    filled = jax.tree.map(
        lambda leaf: jnp.concatenate([leaf, *[leaf[-1:]] * spare]) if spare else leaf, stacked
    )

    def one_device(block: PyTree, *copies: Any) -> Result:
        def one_member(member: PyTree) -> Result:
            with precise():
                return function(member, *copies)

        return lax.map(one_member, block) if jax.default_backend() == "cpu" else jax.vmap(one_member)(block)

    specs = (_SPLIT, *[_WHOLE] * len(shared))
    result = jax.shard_map(one_device, mesh=mesh, in_specs=specs, out_specs=_SPLIT, check_vma=False)(
        filled, *shared
    )
    return jax.tree.map(lambda leaf: leaf[:members], result) if spare else result


def shard(stacked: Tree) -> Tree:
    """Puts each member's part of `stacked` on the device where `map_members` works on it."""
    members = len(jax.tree.leaves(stacked)[0])
    mesh = _mesh(members)
    # what programs return: else a state that was stored would be of another program
    placed = _SPLIT if mesh.size > 1 else _WHOLE
    return jax.device_put(stacked, NamedSharding(mesh, placed)) if members % mesh.size == 0 else stacked


def replicate(array: jax.Array | np.ndarray, members: int) -> jax.Array:
    """Puts `array` within reach of every device that works on so many members; CPU cores read one copy."""
    sharding = NamedSharding(_mesh(members), _WHOLE)
    return jax.device_put(
        np.asarray(array) if jax.default_backend() == "cpu" else array, sharding, may_alias=True
    )


def _mesh(members: int) -> Mesh:
    return Mesh(np.array(jax.devices()[:members]), ("member",))

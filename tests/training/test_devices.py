"""Members over devices, and compiled programs kept on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ratewarp.training.devices import (
    compiled_programs_folder,
    compiler_options,
    map_members,
    replicate,
    shard,
)

PROGRAM = """
import jax, jax.numpy as jnp
from ratewarp._cores import use_every_core
from ratewarp.training.devices import keep_compiled_programs
use_every_core()
keep_compiled_programs()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: jnp.sin(x) @ x.T)(jnp.ones((3, 4))).block_until_ready()
print(jax.config.values["jax_compilation_cache_dir"], jax.device_count())
"""


@pytest.mark.parametrize("members", [1, 2, 3, 5])
def test_every_member_is_mapped_wherever_it_lies(members):
    stacked = {"x": jnp.arange(members * 4.0).reshape(members, 4), "n": jnp.arange(members)}
    expected = [np.asarray(stacked["x"][i]) * 2 + i + 7 for i in range(members)]
    for arguments in (stacked, shard(stacked)):
        result = jax.jit(lambda s, c: map_members(lambda m, c: m["x"] * 2 + m["n"] + c, s, c))(
            arguments, jnp.float32(7)
        )
        np.testing.assert_array_equal(result, expected)


def test_shared_arrays_lie_on_every_device_that_works():
    array = replicate(np.arange(6, dtype=np.uint8).reshape(2, 3), 2)
    assert len(array.devices()) == min(2, jax.device_count())
    assert array.is_fully_replicated
    np.testing.assert_array_equal(array, np.arange(6).reshape(2, 3))


def _run(environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    folder, devices = answer.stdout.split()
    return Path(folder), int(devices)


def test_compiled_programs_go_to_the_users_cache_folder_or_where_jax_is_told(tmp_path):
    folder, devices = _run({"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert folder.parent == tmp_path / "cache" / "ratewarp"
    assert folder.name == compiled_programs_folder().name
    assert any(folder.iterdir())
    assert devices == len(os.sched_getaffinity(0))
    other, _ = _run(
        {"XDG_CACHE_HOME": str(tmp_path / "cache"), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "told")}
    )
    assert other == tmp_path / "told"
    assert any(other.iterdir())


HOMELESS = """
import pwd
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
import logging, sys
logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stderr)
logging.getLogger("jax").setLevel(logging.WARNING)
"""


def test_without_a_home_folder_programs_are_not_kept(tmp_path):
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XDG_", "HOME"))
    }
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", HOMELESS + PROGRAM]
    answer = subprocess.run(command, env=clean, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split()[0] == "None"
    assert (
        "there is no home folder to keep compiled programs in; name one with JAX_COMPILATION_CACHE_DIR"
        in answer.stderr
    )


def test_a_cache_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert _run({"XDG_CACHE_HOME": str(tmp_path / "file")})[1] >= 1


@pytest.mark.parametrize("members", [1, 2, 4])
def test_what_is_stored_and_spread_again_lies_as_programs_leave_it(members):
    """Else the same program is compiled once more for a state that was read from a checkpoint."""
    left = jax.jit(lambda stacked: map_members(lambda one: one + 1, stacked))(jnp.arange(float(members)))
    if members % left.sharding.num_devices == 0:
        assert shard(np.asarray(left)).sharding == left.sharding


def test_programs_for_gpus_take_products_of_the_library(tmp_path, monkeypatch):
    assert "xla_gpu_enable_triton_gemm" not in compiler_options()
    (tmp_path / "jax_cuda13_plugin").mkdir()
    (tmp_path / "jax_cuda13_plugin" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    options = compiler_options()
    assert options["xla_gpu_enable_triton_gemm"] is False
    doubled = jax.jit(lambda x: x @ x, compiler_options=options)(2 * jnp.eye(2))  # JAX knows them all
    np.testing.assert_array_equal(doubled, 4 * np.eye(2))

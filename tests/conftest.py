"""Strict settings for every test: shapes and types checked, no implicit promotion of ranks."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from shutil import copyfile
from typing import Any, NamedTuple

# Tests compile much and compute little; commands that they start inherit these settings, after flags that
# whoever runs them has set. Every process of the suite has a folder of programs of its own, since JAX does
# not lock one; they are kept between runs.
os.environ["XLA_FLAGS"] = f"--xla_backend_optimization_level=0 {os.environ.get('XLA_FLAGS', '')}"
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(
    Path(__file__).parents[1] / ".pytest_cache" / "programs" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
# else the path of the folder is a part of a program's name
os.environ["JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES"] = "none"

from jaxtyping import install_import_hook

with install_import_hook("ratewarp", "typechecker.check"):
    pass

import jax
import pytest

from ratewarp._cores import use_every_core
from ratewarp.studies import Study

use_every_core()  # as the command line does
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_default_matmul_precision", "float32")  # else an accelerator rounds what is compared

# A suite started in the background, or under nohup, ignores these, and so would every command that a test
# starts and then signals.
for ignored in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.default_int_handler)

TINY_NETWORK = {"latents": 2, "convolutions": [{"filters": 4, "kernel": 4}]}


def tiny() -> Study:
    """Three models of a small network, trained for a few steps: every path of the demo in seconds."""
    return Study(
        name="tiny",
        title="A tiny study",
        network=TINY_NETWORK,
        recipe={"steps": 30},
        training_images=1000,
        validation_each=3,
        codes_each=2,
        models={"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}},
        capacities_nats=[0.3, 2],
        bound_points=0,
    )


def with_heads(name: str, **changes: Any) -> Study:
    """A baseline with a head on its frozen codes, and a model with a task: jobs of both kinds in seconds."""
    known = {
        "network": TINY_NETWORK,
        "recipe": {"steps": 30},
        "training_images": 600,
        "validation_each": 2,
        "codes_each": 1,
        "models": {"base": {}, "task": {"tasks": ["E2M1"]}},
        "readouts": {"base": ["E2M1"]},
        "capacities_nats": [1],
        "bound_points": 0,
    }
    return Study(name=name, **{**known, **changes})


class Answer(NamedTuple):
    """What a command left: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: object, cwd: Path) -> Answer:
    """The `ratewarp` command in this process, which spares a start of Python and its imports."""
    from ratewarp.cli import main

    out, errors, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.setattr("sys.argv", ["ratewarp", *map(str, arguments)])
        patch.chdir(cwd)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
    return Answer(code, out.getvalue(), errors.getvalue())


@pytest.fixture
def tiny_study() -> Study:
    return tiny()


@pytest.fixture(autouse=True, scope="session")
def figures_of_one_process() -> Iterator[None]:
    """Figures of tests are small; another process to draw them would take longer to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures.FEWEST", 10_000)
        yield


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of a page's words: its figures, which take most of the time, are left out."""
    monkeypatch.setattr("ratewarp.report.pictures.drawings", lambda _: {})


@contextmanager
def only_png() -> Iterator[None]:
    """For runs of which all figures are drawn: as a coarse PNG alone, since the rest takes as long again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures._FILE_DPI", 40)
        patch.setattr("ratewarp.report.pictures.FILES", ("png",))
        yield


# Files that share compiled programs, longest first: one process runs those of a line one after the other, so
# that each compiles its own.
TOGETHER = (
    ("test_runs", "api", "test_waves", "test_kills", "test_tables_bound"),
    ("test_loop", "test_paper", "test_readout"),
)
PLACES = {name: place for place, names in enumerate(TOGETHER) for name in names}


def pytest_configure(config: pytest.Config) -> None:
    """Before the suite's processes begin, each folder gets the programs of the others, since files go to
    another process each time.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    programs = Path(os.environ["JAX_COMPILATION_CACHE_DIR"]).parent
    known = {program.name: program for program in programs.glob("*/*-cache")}
    for folder in programs.glob("*"):
        for name in known.keys() - {program.name for program in folder.iterdir()}:
            copyfile(known[name], folder / name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first."""
    items.sort(key=lambda item: PLACES.get(item.path.stem, len(TOGETHER)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files to processes, those that share programs to the same."""
    from xdist.scheduler import LoadFileScheduling

    class ByPrograms(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            place = PLACES.get(Path(file).stem)
            return file if place is None else f"programs {place}"

    return ByPrograms(config, log)

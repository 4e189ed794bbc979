"""What runs on the machines of a Ray cluster: a worker that does jobs, and the question which versions are
there.

Nothing of this package, and no JAX, is imported before a worker has its settings.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, no_type_check

if TYPE_CHECKING:
    from ratewarp.runs.jobs import Event
    from ratewarp.training.devices import Machine

# what numbers may depend on, beside the processor
PACKAGES = ("ratewarp", "jax", "jaxlib", "equinox", "optax", "numpy")
PYTHON, CODE = "python", "code of ratewarp"


class Failed(NamedTuple):
    """A job has raised an exception.

    Attributes:
        kind: name of its class.
        message: its text.
        requested: whether what was asked for was wrong.
        expected: whether the message alone says what a person needs.
        trace: where it was raised.
    """

    kind: str
    message: str
    requested: bool
    expected: bool
    trace: str


class Worker:
    """Does jobs one after the other, event by event, each when it is asked for.

    Arguments:
        cores: CPU devices for JAX.
        settings: environment variables, of JAX and XLA.
        folders: where modules of the user may be, if they exist on this machine.
    """

    def __init__(self, cores: int, settings: Mapping[str, str], folders: Sequence[str]):
        os.environ.update(settings)
        sys.path += [folder for folder in folders if folder not in sys.path and os.path.isdir(folder)]
        from ratewarp._cores import use_cores
        from ratewarp.training.devices import keep_compiled_programs

        use_cores(cores)
        keep_compiled_programs()
        self._events: Iterator[Event] = iter(())

    def hello(self) -> Machine:
        """The machine that this worker is on."""
        from ratewarp.training.devices import this_machine

        return this_machine()

    def begin(self, job: bytes) -> Event | Failed:
        """Begins a job, which is pickled; returns its first event."""
        from ratewarp.runs.jobs import do

        try:
            self._events = do(pickle.loads(job))  # noqa: S301 - from the driver, which starts this process
        except Exception as error:  # such as a module of the user's that is not on this machine
            return _failed(error)
        return self.more()

    def more(self) -> Event | Failed:
        """The next event of the job; its last is `Done` or `Failed`."""
        try:
            return next(self._events)
        except Exception as error:  # whatever a source or a network of the user's raises
            return _failed(error)


def _failed(error: Exception) -> Failed:
    from ratewarp._checks import RatewarpError, RequestError

    return Failed(
        type(error).__name__,
        str(error),
        isinstance(error, RequestError),
        isinstance(error, RatewarpError),
        traceback.format_exc(),
    )


def version_question() -> Callable[[], dict[str, str]]:
    """A function that tells the versions of `PACKAGES`, of Python, and a hash of this package's code.

    A package that is not there is left out. The function goes to other machines by value, since this package
    may be missing there.
    """
    packages, python, code = PACKAGES, PYTHON, CODE

    @no_type_check  # what checks types would have to go along
    def ask() -> Any:
        import sys
        from hashlib import sha256
        from importlib.metadata import PackageNotFoundError, version
        from importlib.util import find_spec
        from pathlib import Path

        found = {python: ".".join(map(str, sys.version_info[:2]))}
        for name in packages:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        place = find_spec("ratewarp")
        if place is None or place.origin is None:
            found.pop("ratewarp", None)
            return found
        root, content = Path(place.origin).parent, sha256()
        for file in sorted(root.rglob("*.py")):
            content.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
        return {**found, code: content.hexdigest()[:8]}

    return ask


def different(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """How the versions on another machine differ from those here, in words; empty if they do not.

    Examples:
        >>> different({"jax": "0.6.1", "numpy": "2.1"}, {"jax": "0.6.0"})
        'jax is 0.6.0 there and 0.6.1 here; numpy is not installed there'
    """
    return "; ".join(
        f"{name} is {there[name]} there and {version} here"
        if name in there
        else f"{name} is not installed there"
        for name, version in here.items()
        if there.get(name) != version
    )

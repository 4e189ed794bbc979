"""Jobs on a Ray cluster: on this machine, on machines of a lab, in an allocation of a batch system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain

from ratewarp.runs.jobs import Event, Job
from ratewarp.runs.ray_cluster import Head, check_address, connected
from ratewarp.runs.ray_nodes import Nodes
from ratewarp.runs.ray_shift import Shift
from ratewarp.runs.runner import LOG


class Ray:
    """Does jobs on a Ray cluster; results are those of this machine alone, to the byte on equal processors.

    Arguments:
        address: "auto" (the cluster that runs on this machine), "HOST:PORT" (from a machine of the cluster),
            "ray://HOST:PORT" (from any machine) or "local:N" (N cores of this machine).
        cores: CPU cores of each worker, which trains so many models at once. A worker has a GPU as well where
            the cluster has any.
        say: called with what you should know, such as of machines that are lost; logged if not given.

    Raises:
        RequestError: an argument is wrong.
        RatewarpError: Ray is not installed.
    """

    def __init__(self, address: str = "auto", *, cores: int = 1, say: Callable[[str], None] = LOG.warning):
        self.address, self.cores, self._say = check_address(address, cores), cores, say
        self._held: ExitStack | None = None
        self._work: tuple[Head, Shift] | None = None  # on the cluster that is held

    @property
    def members_at_once(self) -> int:
        """The most models of a job: a model for each core of a worker, so that work is spread evenly."""
        return self.cores

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the cluster and its workers from one `run` to the next until the `with` block ends."""
        with ExitStack() as stack:
            self._held = stack
            try:
                yield
            finally:
                self._held = self._work = None

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        """Every event of every job, until the cluster has done all that it can.

        Raises:
            RatewarpError: the cluster cannot be reached, has other versions, or is lost; or jobs could not be
                done, after all others are.
        """
        left = iter(jobs)
        first = next(left, None)
        if first is None:  # nothing to connect for
            return
        with ExitStack() as own:
            work = self._work
            if self._held is None:
                work = self._begin(own, keep=False)
            elif work is None:
                work = self._work = self._begin(self._held, keep=True)
            head, shift = work
            with _losses_of(head):
                yield from shift.events(chain([first], left))

    def _begin(self, stack: ExitStack, *, keep: bool) -> tuple[Head, Shift]:
        """Begins work on the cluster, which ends with the stack."""
        head = stack.enter_context(connected(self.address))
        with _losses_of(head):
            nodes = Nodes(self.cores, self._say)
            shift = Shift(head, nodes, self.cores, self._say, keep=keep)
            stack.callback(shift.end)
            nodes.meet()
        return head, shift


@contextmanager
def _losses_of(head: Head) -> Iterator[None]:
    """What Ray says of a lost cluster in words of our own; errors of single workers are dealt with before."""
    from ray.exceptions import RayError

    try:
        yield
    except (OSError, RayError) as error:
        raise head.loss() from error

"""Jobs on a Ray cluster: on this machine, on machines of a lab, in an allocation of a batch system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from ratewarp.runs.jobs import Event, Job
from ratewarp.runs.ray_cluster import check_address, connected
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

    @property
    def members_at_once(self) -> int:
        """The most models of a job: a model for each core of a worker, so that work is spread evenly."""
        return self.cores

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
        with connected(self.address) as head:
            from ray.exceptions import RayError

            nodes = Nodes(self.cores, self._say)
            shift = Shift(head, nodes, self.cores, self._say)
            try:
                nodes.meet()
                yield from shift.events(chain([first], left))
            except (OSError, RayError) as error:  # errors of single workers are dealt with before
                raise head.loss() from error
            finally:
                shift.end()

"""Who is compared: this package with several numbers of members, its peers, and the machine itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ratewarp._cores import cpu_cores

# not a contestant: this package's time to its first steps, with an empty and a filled compilation cache
START_UP = "start-up"


@dataclass(frozen=True)
class Entry:
    """One contestant.

    Attributes:
        name: what tables and options call it.
        what: what it is, in words.
        job: the job of `contestant.JOBS` that its processes do.
        kind: whether a turn trains models, or measures a rate of matrix products.
        members: models trained by each process.
        processes: processes at work side by side.
        threads: threads of each process; the library's own choice if None.
        published_only: whether it trains the published network alone.
    """

    name: str
    what: str
    job: str
    kind: Literal["training", "ceiling"] = "training"
    members: int = 1
    processes: int = 1
    threads: int | None = None
    published_only: bool = False


def roster(members: Sequence[int]) -> list[Entry]:
    """All contestants, this package with each of these numbers of members first.

    Examples:
        >>> [entry.name for entry in roster([1, 8])]
        ['ours-1', 'ours-8', 'torch', 'torch-per-core', 'pythae', 'ceiling-xla', 'ceiling-torch']
    """
    ours = [
        Entry(f"ours-{n}", f"ratewarp, {n} member{'s' if n > 1 else ''} trained together", "ours", members=n)
        for n in members
    ]
    return [
        *ours,
        Entry("torch", "PyTorch, eager loop, its own number of threads", "torch"),
        Entry(
            "torch-per-core",
            "PyTorch, the same loop, one single-thread process per core",
            "torch",
            processes=cpu_cores(),
            threads=1,
        ),
        Entry(
            "pythae",
            "pythae's BetaVAE and BaseTrainer, its own number of threads",
            "pythae",
            published_only=True,
        ),
        Entry("ceiling-xla", "matrix products of XLA, one device per core", "ceiling-xla", kind="ceiling"),
        Entry(
            "ceiling-torch",
            "matrix products of PyTorch, one thread per core",
            "ceiling-torch",
            kind="ceiling",
        ),
    ]

"""A comparison: contestants take turns, round after round, each in processes of its own, one at work at a
time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ratewarp._checks import RatewarpError, refuse, refuse_name
from ratewarp.bench.hardware import describe_machine, describe_software
from ratewarp.bench.progress import Progress
from ratewarp.bench.roster import START_UP, Entry, roster
from ratewarp.bench.step import PUBLISHED, image_shape_of
from ratewarp.bench.summary import summarize
from ratewarp.bench.worker import Job, NotInstalledError, Worker

INSTALL = "not installed: pip install 'ratewarp[bench]'"
UNABLE = "trains the published network only"

_WARM_UP_STEPS = 20  # steps before any that count, and steps by which turns are calibrated
_PAUSE_SECONDS = 0.3  # between turns: threads of the last contestant may still spin
_START_SECONDS, _START_UP_SECONDS = 10.0, 40.0  # first guesses, for the time left

Show = Callable[[Progress], None]


@dataclass(frozen=True)
class BenchSettings:
    """How a comparison is run.

    Attributes:
        rounds: turns of each contestant.
        seconds: what a turn is calibrated to last.
        members: numbers of members this package trains together.
        without: names of contestants to leave out; `start-up` leaves out the compilation times.
        images: training images; drawn are at least so many, the same number of each stimulus. None: 200,000
            of Corridors, 10,000 of others.
        network: `published`, or the shape of images, such as `28x28x1`, for which a network by size is
            trained.
    """

    rounds: int = 5
    seconds: float = 10.0
    members: tuple[int, ...] = (1, 8, 40)
    without: tuple[str, ...] = ()
    images: int | None = None
    network: str = PUBLISHED

    def __post_init__(self) -> None:
        if self.rounds < 1:
            refuse("rounds", "at least 1", self.rounds)
        if not 0 < self.seconds <= 3600:
            refuse("seconds", "above 0 and at most 3600", self.seconds)
        if not 1 <= self.drawn <= 10_000_000:
            refuse("images", "from 1 to 10,000,000", self.images)
        if len(set(self.members)) < len(self.members) or not all(1 <= n <= 10_000 for n in self.members):
            refuse("members", "different numbers from 1 to 10,000", self.members)
        image_shape_of(self.network)
        names = [*(entry.name for entry in roster(self.members)), START_UP]
        for name in self.without:
            if name not in names:
                refuse_name("without", "contestant", name, names)

    @property
    def entries(self) -> list[Entry]:
        """Who takes part."""
        return [entry for entry in self._wanted if entry not in self._unable]

    @property
    def unable(self) -> dict[str, str]:
        """Who was not left out, and cannot train this network → why."""
        return {entry.name: UNABLE for entry in self._unable}

    @property
    def drawn(self) -> int:
        """Images to draw."""
        return self.images if self.images is not None else 200_000 if self.network == PUBLISHED else 10_000

    @property
    def _wanted(self) -> list[Entry]:
        return [entry for entry in roster(self.members) if entry.name not in self.without]

    @property
    def _unable(self) -> list[Entry]:
        return [entry for entry in self._wanted if entry.published_only and self.network != PUBLISHED]


def compare(settings: BenchSettings, progress: Show = lambda _: None) -> dict[str, Any]:
    """Runs a comparison.

    Arguments:
        settings: how.
        progress: called before each turn with where the comparison stands.

    Returns:
        Everything measured, as plain data: `machine`, `software`, `settings`, `step` (what was trained, and
        its operations), `contestants`, `ratios`, `ceiling`, `start_up`, `left_out` (contestant → why), and
        `turns`, every single timing.

    Raises:
        RatewarpError: the images cannot be drawn.
    """
    started, machine = datetime.now(UTC), describe_machine()
    plan = _Schedule(settings, progress)
    with TemporaryDirectory(prefix="ratewarp-bench-", ignore_cleanup_errors=True) as folder:
        step = _prepare(settings, folder)
        turns, left_out = _alternate(settings, folder, plan)
        start_up = _start_up(settings, folder, plan, left_out) if START_UP not in settings.without else {}
    kept = [entry for entry in settings.entries if entry.name not in left_out]
    return {
        "date": started.isoformat(timespec="seconds"),
        "machine": machine,
        "software": describe_software(),
        "settings": {**asdict(settings), "images": settings.drawn},
        "step": step,
        **summarize(turns, kept, step["operations"]),
        "start_up": start_up,
        "left_out": {**settings.unable, **left_out},
        "turns": turns,
    }


class Team:
    """The processes of one contestant."""

    def __init__(self, entry: Entry, folder: str, network: str = PUBLISHED):
        self.entry = entry
        self.request: dict[str, float] = {}  # of one turn
        self.expected = 0.0  # seconds of one turn
        job = Job(entry.job, folder, members=entry.members, threads=entry.threads, network=network)
        self._workers = [Worker(job) for _ in range(entry.processes)]

    def wait_ready(self) -> None:
        """Returns when every process can take requests."""
        for worker in self._workers:
            worker.wait_ready()

    def turn(self, **request: float) -> dict[str, Any]:
        """Lets all processes do a request side by side, and adds up their answers.

        The seconds of a single process are its own, those of several last from the request until the last of
        them is done.
        """
        begun = time.perf_counter()
        for worker in self._workers:
            worker.send(**request)
        answers = [worker.receive() for worker in self._workers]
        wall = time.perf_counter() - begun
        sums = {name: _total(answer[name] for answer in answers) for name in ("peak_bytes", "cpu_seconds")}
        together: dict[str, Any] = {**answers[0], **sums}
        if self.entry.kind == "training":
            together["model_steps"] = self.entry.members * sum(answer["steps"] for answer in answers)
            together["seconds"] = wall if len(answers) > 1 else answers[0]["seconds"]
        return together

    def calibrate(self, seconds: float) -> None:
        """Warms up and settles the request of a turn of about so many seconds, and how long it will take."""
        if self.entry.kind == "ceiling":
            self.turn(seconds=seconds / 10)
            self.request, self.expected = {"seconds": seconds}, seconds
            return
        self.turn(steps=_WARM_UP_STEPS)
        trial = self.turn(steps=_WARM_UP_STEPS)
        steps = max(1, round(seconds * trial["steps"] / trial["seconds"]))
        self.request = {"steps": steps}
        self.expected = max(steps, trial["steps"]) * trial["seconds"] / trial["steps"]

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.close()


class _Schedule:
    """Tells where the comparison stands, by the time each of its parts was planned to take."""

    def __init__(self, settings: BenchSettings, show: Show):
        self._show = show
        self._done = 0.0
        start_up = 0.0 if START_UP in settings.without else _START_UP_SECONDS
        self._total = len(settings.entries) * (_START_SECONDS + settings.rounds * settings.seconds) + start_up

    def begin(self, doing: str) -> None:
        self._show(Progress(doing, self._done, self._total))

    def end(self, planned: float) -> None:
        self._done += planned

    def correct(self, seconds: float) -> None:
        """More (or less) is to do than was planned."""
        self._total += seconds


def _prepare(settings: BenchSettings, folder: str) -> dict[str, Any]:
    """Draws the images; what one step of every contestant is."""
    with closing(Worker(Job("prepare", folder, images=settings.drawn, network=settings.network))) as worker:
        worker.wait_ready()
        facts = worker.ask()
    return {name: value for name, value in facts.items() if name not in ("peak_bytes", "cpu_seconds")}


def _alternate(
    settings: BenchSettings, folder: str, plan: _Schedule
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All turns of all rounds, and who was left out."""
    teams: list[Team] = []
    left_out: dict[str, str] = {}
    try:
        for entry in settings.entries:
            plan.begin(f"starting {entry.name}")
            teams.append(Team(entry, folder, settings.network))
            with _excused(entry.name, left_out):
                teams[-1].wait_ready()
                teams[-1].calibrate(settings.seconds)
            plan.correct(settings.rounds * (teams[-1].expected - settings.seconds))
            plan.end(_START_SECONDS)
        return _rounds(settings, teams, plan, left_out), left_out
    finally:
        for team in teams:
            team.close()


def _rounds(
    settings: BenchSettings, teams: Sequence[Team], plan: _Schedule, left_out: dict[str, str]
) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for index in range(settings.rounds):
        for team in teams:
            name = team.entry.name
            if name in left_out:
                continue
            plan.begin(f"round {index + 1} of {settings.rounds}: {name}")
            time.sleep(_PAUSE_SECONDS)
            with _excused(name, left_out):
                turns.append({"round": index, "contestant": name, **team.turn(**team.request)})
            plan.end(team.expected)
    return turns


def _start_up(
    settings: BenchSettings, folder: str, plan: _Schedule, left_out: dict[str, str]
) -> dict[str, Any]:
    """Seconds to the first steps of one member: first with an empty compilation cache, then with the cache
    this filled.
    """
    found: dict[str, Any] = {}
    cache = Path(folder) / "compiled"
    cache.mkdir()
    for name in ("cold", "warm"):
        plan.begin(f"{START_UP}, {name}")
        environment = {"JAX_COMPILATION_CACHE_DIR": str(cache)}
        job = Job("first-steps", folder, network=settings.network)
        with _excused(START_UP, left_out), closing(Worker(job, environment)) as worker:
            worker.wait_ready()
            found[name] = worker.ask()
        plan.end(_START_UP_SECONDS / 2)
    return found


@contextmanager
def _excused(name: str, left_out: dict[str, str]) -> Iterator[None]:
    """A contestant that fails is left out, with the reason; the others go on."""
    try:
        yield
    except NotInstalledError:
        left_out[name] = INSTALL
    except RatewarpError as error:
        left_out[name] = f"failed: {error}"


def _total(amounts: Iterable[float | None]) -> float | None:
    """Their sum, or None if one is not known."""
    known = list(amounts)
    return None if None in known else sum(amount or 0 for amount in known)

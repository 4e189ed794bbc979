"""How a family scales with its members: time of a model-step, memory, and what all but training takes.

    python benchmarks/scale.py [--members 8 40 200 1036] [--ray 40] [--keep DIR] [--out FILE]

Runs parts of the study phase-diagram, each in a process of its own, and prints seconds by part, the highest
memory of that process and the highest of one it started, and bytes on disk. With `--ray N` the same N members
are trained here and by two Ray workers of one core each, in turn, without their start. `--keep DIR` keeps the
last run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

from ratewarp import Ray, Study, load_study
from ratewarp._cores import cpu_cores, use_every_core
from ratewarp.report import write_report
from ratewarp.results.tabulating import tabulate
from ratewarp.runs.executor import Here
from ratewarp.runs.runner import opened, train_study
from ratewarp.training.devices import keep_compiled_programs

ROUNDS = 3  # of the comparison with Ray
# members → capacities, frequency ratios and weights of the task; four seeds, and a baseline of each capacity
PARTS = {
    8: ([1], [8], [0.15]),
    40: ([1], [2, 8, 32], [0, 0.15, 2.5]),
    200: ([0.3, 1, 1.5, 2, 6], [2, 8, 32], [0, 0.15, 2.5]),
}


def family(members: int) -> Study:
    """So many members of the study; the whole of it for any other number."""
    if members not in PARTS:
        return load_study("phase-diagram")
    capacities, ratios, weights = PARTS[members]
    return load_study(
        "phase-diagram",
        [
            f"capacities_nats={capacities}",
            f"axes={{frequency_ratio: {ratios}, recipe.task_weight: {weights}}}",
        ],
    )


def whole(members: int, folder: Path) -> dict[str, Any]:
    """Seconds of every part of a run, and its memory."""
    begun = time.perf_counter()
    use_every_core()
    keep_compiled_programs()
    study, spans = family(members), {}

    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        spans[name] = time.perf_counter() - start

    with opened(study, folder) as run:
        with timed("training"):
            train_study(run, study)
        with timed("tables"):
            tabulate(run, study=study)
        with timed("figures and page"):
            write_report(run)
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    own, started = (
        resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "members": len(study.conditions),
        "steps": sum(one.setting.recipe.steps for one in study.conditions),
        "seconds": spans | {"whole": time.perf_counter() - begun},
        "memory_gb": [own, started],
        "disk_mb": sum(sizes) / 1e6,
        "page_mb": (folder / "report.html").stat().st_size / 1e6,
    }


class Clocked:
    """An executor that notes when each job ended."""

    def __init__(self, executor: Any):
        self.executor, self.ends = executor, []
        self.members_at_once = executor.members_at_once if hasattr(executor, "members_at_once") else None

    def run(self, jobs: Iterable[Any]) -> Iterator[Any]:
        for number, event in self.executor.run(jobs):
            if type(event).__name__ == "Done":
                self.ends.append(time.perf_counter())
            yield number, event

    def rate(self, members: int) -> float:
        """Members a second between the end of the first quarter and of the last job."""
        first = len(self.ends) // 4
        return members * (1 - (first + 1) / len(self.ends)) / (self.ends[-1] - self.ends[first])


def speed(members: int, cluster: str | None) -> float:
    """Members a second, here or on a cluster, without what is at the start."""
    use_every_core()
    keep_compiled_programs()
    study = family(members)
    clocked = Clocked(Ray(cluster) if cluster else Here())
    with opened(study, Path(mkdtemp()) / "run") as run:
        train_study(run, study, executor=clocked)
    return clocked.rate(members)


def apart(call: str) -> Any:
    """What a call of this file gives in a process of its own."""
    said = subprocess.run(
        [sys.executable, __file__, "--call", call], capture_output=True, text=True, check=True
    ).stdout
    return json.loads(said.strip().splitlines()[-1])


def told(found: dict[str, Any]) -> str:
    seconds = found["seconds"]
    step = 1e3 * seconds["training"] / found["steps"]
    beside = seconds["tables"] + seconds["figures and page"]
    own, started = found["memory_gb"]
    return (
        f"{found['members']:>5} members: training {seconds['training']:.0f} s ({step:.3f} ms a model-step),"
        f" tables {seconds['tables']:.0f} s, figures and page {seconds['figures and page']:.0f} s"
        f" ({beside / seconds['training']:.0%} of training), whole {seconds['whole'] / 60:.1f} min;"
        f" memory {own:.2f} GB, of one it started {started:.2f} GB;"
        f" disk {found['disk_mb']:.0f} MB, page {found['page_mb']:.1f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, nargs="*", default=[8, 40, 200, 1036])
    parser.add_argument("--ray", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--call", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.call:
        print(json.dumps(eval(wanted.call)))  # noqa: S307 - of this file's own words
        return

    lines = [
        f"{platform.processor() or platform.machine()}, {cpu_cores()} cores, {time.strftime('%Y-%m-%d')}"
    ]
    print(lines[0], flush=True)

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)
        if wanted.out:
            wanted.out.write_text("\n".join(lines) + "\n")

    for members in wanted.members:
        folder = wanted.keep if wanted.keep and members == wanted.members[-1] else Path(mkdtemp()) / "run"
        say(told(apart(f"whole({members}, Path({str(folder)!r}))")))
    if wanted.ray:
        rates = {"here": [], "local:2": []}
        for _ in range(ROUNDS):
            rates["here"].append(apart(f"speed({wanted.ray}, None)"))
            rates["local:2"].append(apart(f"speed({wanted.ray}, 'local:2')"))
        here, there = (median(one) for one in rates.values())
        say(
            f"{wanted.ray} members, {ROUNDS} rounds in turn: {here:.3f} members a second here, {there:.3f} by"
            f" two Ray workers of one core ({there / here:.0%})"
        )


if __name__ == "__main__":
    main()

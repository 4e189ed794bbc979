"""Bad days of a cluster: what is killed, cut or filled, and whether the tables are the same in the end.

    python benchmarks/bad_days.py [--steps 400] [--only NAME …] [--out benchmarks/results/bad-days.txt]

Starts Ray clusters of one head and two worker nodes on this machine, runs a part of the demo study on them by
the command line, does something bad to each, and compares the bytes of every table with those of a run
without a cluster. Prints what happened.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
KILLS = 10
TOKEN = token_hex(32)  # of the clusters of this script
NETWORK = "10.77.7"  # of two machines that are network namespaces
POISONED = """
import os, sys
from ratewarp import Ray, load_study, run

class Fatal:
    def __reduce__(self):
        return os._exit, (1,)

def poison(job):
    wave = getattr(job, "slots", 0) and job.conditions[0].model == "E2M1"
    return job._replace(counts=Fatal()) if wave else job

class Poisoning:
    members_at_once = 1
    def run(self, jobs):
        ray = Ray(sys.argv[1], say=lambda text: print(text, file=sys.stderr))
        yield from ray.run(map(poison, jobs))

study = load_study("demo", [f"recipe.steps={sys.argv[3]}", "bound_points=0", "training_images=5000"])
run(study.part(("baseline", "E2M1"), [0.3, 3.0]), sys.argv[2], executor=Poisoning(), report=False)
"""


class Day:
    """A folder for one bad day: a cluster, a run, and what happened."""

    def __init__(self, folder: Path, steps: int):
        self.folder, self.steps = folder, steps
        self.host, self.port, self.nodes = _own_address(), _free_port(), {}
        self.errors = folder / "errors.txt"
        self.notes: list[str] = []
        folder.mkdir(parents=True)

    def start(
        self, name: str, *, cpus: int = 1, head: bool = False, at: str = "", **environment: str
    ) -> None:
        """A node of the cluster, in a session of its own, so that all of it can be killed; `at` is a
        namespace and the address of the node in it.
        """
        inside, _, own = at.partition("/")
        where = ["--head", f"--port={self.port}"] if head else [f"--address={self.host}:{self.port}"]
        where += [f"--node-ip-address={own}"] if own else []
        scratch = Path(environment.pop("scratch", mkdtemp(prefix="rd-", dir="/tmp")))
        command = [
            *_inside(inside), str(Path(sys.executable).with_name("ray")), "start", *where, "--block",
            f"--num-cpus={cpus}",
            f"--temp-dir={scratch}", "--disable-usage-stats", "--object-store-memory=200000000",
            *(["--include-dashboard=false"] if head else []),
        ]  # fmt: skip
        log = (self.folder / f"{name}.log").open("w")
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=_environment(**environment)
        )
        self.nodes[name] = (process, scratch)
        wait_for(lambda: "Ray runtime started" in (self.folder / f"{name}.log").read_text(), 90)

    def cluster(self, *, workers: int = 2) -> None:
        """A head that does no jobs, and worker nodes of one core each."""
        self.start("head", cpus=0, head=True)
        for number in range(workers):
            self.start(f"node{number}")

    def processes(self, name: str) -> list[int]:
        """All processes of a node."""
        return _sessions().get(self.nodes[name][0].pid, [])

    def workers(self) -> list[int]:
        """Processes that do jobs."""
        mine = {one for name in self.nodes for one in self.processes(name)}
        return [one for one in mine if _is_worker(one)]

    def kill(self, name: str) -> None:
        """Kills all of a node at once."""
        for one in self.processes(name):
            _kill(one)
        self.nodes[name][0].wait()

    def end(self) -> None:
        for name in self.nodes:
            self.kill(name)
            shutil.rmtree(self.nodes[name][1], ignore_errors=True)

    def run(self, *, address: str = "", inside: str = "", **environment: str) -> subprocess.Popen[bytes]:
        """The driver."""
        address = address or f"{self.host}:{self.port}"
        return subprocess.Popen(
            [*_inside(inside), *command(self.steps, self.folder / "run"), "--cluster", address],
            stdout=subprocess.DEVNULL,
            stderr=self.errors.open("ab"),
            start_new_session=True,
            env=_environment(**environment),
        )

    def finish(self, driver: subprocess.Popen[bytes], seconds: float = 600) -> int:
        """Waits for the driver to end by itself."""
        try:
            return driver.wait(seconds)
        except subprocess.TimeoutExpired:
            self.notes.append(f"did not end in {seconds:g} s")
            driver.kill()
            return driver.wait()

    def said(self, *words: str) -> list[str]:
        """Lines that the driver has printed and that hold one of the words."""
        lines = self.errors.read_text(errors="replace").splitlines() if self.errors.exists() else []
        return [line for line in lines if any(word in line for word in words)]

    def begun(self) -> bool:
        """Whether there is a checkpoint."""
        return bool(list((self.folder / "run" / "checkpoints").glob("*/*.safetensors")))


def command(steps: int, out: Path) -> list[str]:
    return [
        sys.executable, "-m", "ratewarp", "run", "demo", "--out", str(out),
        "--models", "baseline,E2M1", "--capacities", "0.3,3",
        "--set", f"recipe.steps={steps}", "--set", "bound_points=0", "--set", "training_images=5000",
        "--checkpoint-every", "0",
    ]  # fmt: skip


def _environment(**more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        **more,
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("", 0))
        return one.getsockname()[1]


def _own_address() -> str:
    """The address of this machine by which others know it; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))
        return one.getsockname()[0]


def _inside(namespace: str) -> list[str]:
    return ["ip", "netns", "exec", namespace] if namespace else []


def _sessions() -> dict[int, list[int]]:
    """Processes by the session they belong to."""
    found: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found.setdefault(int(fields[3]), []).append(int(place.name))
    return found


def _command(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _is_worker(number: int) -> bool:
    return _command(number).startswith("ray::Worker")


def _kill(number: int, how: int = signal.SIGKILL) -> None:
    try:
        os.kill(number, how)
    except ProcessLookupError:
        return


def wait_for(true: Callable[[], Any], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def tables(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((out / "tables").glob("*.csv"))}


# --- the days -------------------------------------------------------------------------------------------


def workers_killed(day: Day) -> None:
    """A worker process is killed at random, ten times; each time after a checkpoint that is new, since a job
    without any progress is given up.
    """
    rng, killed, before = random.Random(1), 0, set()
    day.cluster()
    driver = day.run()
    while killed < KILLS and driver.poll() is None:
        new = {str(file) for file in (day.folder / "run").glob("checkpoints/*/*.safetensors")} - before
        workers = day.workers()
        if new and workers:
            before |= new
            time.sleep(rng.uniform(0, 3))
            _kill(rng.choice(workers))
            killed += 1
        time.sleep(0.1)
    code = day.finish(driver)
    resumed, anew = len(day.said("resumes from step")), len(day.said("begins anew"))
    day.notes.append(
        f"{killed} killed, {resumed} jobs resumed from a checkpoint, {anew} began anew; exit code {code}"
    )


def node_killed(day: Day) -> None:
    """All of a worker node is killed, and another joins later."""
    day.cluster()
    driver = day.run()
    wait_for(day.begun, 200)
    day.kill("node0")
    time.sleep(5)
    day.start("node2")
    code = day.finish(driver)
    day.notes += [f"exit code {code}", *day.said("was lost")]


def head_killed(day: Day) -> None:
    """The head is killed; the same command resumes on a new cluster."""
    day.cluster()
    driver = day.run()
    wait_for(day.begun, 200)
    killed = time.monotonic()
    day.kill("head")
    code = day.finish(driver, 200)
    took = time.monotonic() - killed
    day.notes += [
        f"the driver ended after {took:.0f} s with exit code {code}",
        *day.said("error:", "Check fail"),
    ]
    day.end()
    day.nodes, day.port = {}, _free_port()
    day.cluster()
    code = day.finish(day.run())
    day.notes.append(f"a new cluster: exit code {code}, {len(day.said('resuming from step'))} waves resumed")


def driver_killed(day: Day) -> None:
    """The driver is killed by SIGKILL; the same command resumes."""
    day.cluster()
    driver = day.run()
    wait_for(day.begun, 200)
    driver.kill()
    driver.wait()
    ended = time.monotonic()
    gone = wait_for(lambda: not day.workers(), 60)
    took = time.monotonic() - ended
    day.notes.append(f"its workers {'ended' if gone else 'did NOT end'} after {took:.1f} s")
    code = day.finish(day.run())
    day.notes.append(f"again: exit code {code}, {len(day.said('resuming from step'))} waves resumed")


def local_driver_killed(day: Day) -> None:
    """The driver of a cluster local:2 is killed by SIGKILL: nothing is left, and the same command resumes."""
    driver = day.run(address="local:2", BAD_DAY=str(day.folder))
    wait_for(day.begun, 200)
    mark = f"BAD_DAY={day.folder}".encode()
    driver.kill()
    driver.wait()
    ended = time.monotonic()
    gone = wait_for(lambda: not _marked(mark), 180)
    took = time.monotonic() - ended
    left = ", ".join(_command(one)[:60].strip() for one in _marked(mark)) or "nothing"
    day.notes.append(f"{'nothing' if gone else left} is left after {took:.1f} s")
    code = day.finish(day.run(address="local:2"))
    day.notes.append(f"again: exit code {code}, {len(day.said('resuming from step'))} waves resumed")


def _marked(mark: bytes) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue
    return found


def interrupted(day: Day) -> None:
    """Ctrl-C, then the same command."""
    day.cluster()
    driver = day.run()
    wait_for(day.begun, 200)
    driver.send_signal(signal.SIGINT)
    sent = time.monotonic()
    code = day.finish(driver, 60)
    took = time.monotonic() - sent
    gone = wait_for(lambda: not day.workers(), 60)
    day.notes.append(
        f"ended after {took:.1f} s with exit code {code}; workers {'ended' if gone else 'did NOT end'}"
    )
    day.finish(day.run())


def full_disk(day: Day) -> None:
    """A node whose temporary folder is a disk that is full."""
    disk = day.folder / "disk"
    disk.mkdir()
    done = _root("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk))
    if done.returncode:
        day.notes.append(f"no small disk can be made here: {done.stderr.decode().strip()}")
        return
    short = Path(mkdtemp(prefix="rf-", dir="/tmp"))
    try:
        _root("mount", "--bind", str(disk), str(short))
        day.start("head", cpus=0, head=True)
        day.start("node0")
        day.start("node1", scratch=str(short), TMPDIR=str(short), XDG_CACHE_HOME=str(short))
        driver = day.run()
        wait_for(day.begun, 200)
        with (short / "filler").open("wb") as filler:
            try:
                while True:
                    filler.write(b"x" * 65536)
                    filler.flush()
            except OSError:
                pass
        for one in day.processes("node1"):  # so that new ones must be started on the full disk
            if _is_worker(one):
                _kill(one)
        code = day.finish(driver)
        day.notes += [f"exit code {code}", *day.said("was lost", "could be started", "not used")]
    finally:
        day.end()
        day.nodes = {}
        _root("umount", str(short))
        _root("umount", str(disk))


def _root(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False)


def link_cut(day: Day) -> None:
    """Two machines, as network namespaces; the link between them is cut for a minute."""
    steps = [
        ["netns", "add", "rw-a"],
        ["netns", "add", "rw-b"],
        ["link", "add", "rwa", "netns", "rw-a", "type", "veth", "peer", "name", "rwb", "netns", "rw-b"],
        *(
            ["-n", f"rw-{x}", "addr", "add", f"{NETWORK}.{n}/24", "dev", f"rw{x}"]
            for n, x in ((1, "a"), (2, "b"))
        ),
        *(["-n", f"rw-{x}", "link", "set", one, "up"] for x in "ab" for one in (f"rw{x}", "lo")),
    ]
    try:
        for step in steps:
            done = _root("ip", *step)
            if done.returncode:
                day.notes.append(f"no namespaces can be made here: {done.stderr.decode().strip()}")
                return
        day.host = f"{NETWORK}.1"
        day.start("head", cpus=1, head=True, at=f"rw-a/{NETWORK}.1")
        day.start("far", at=f"rw-b/{NETWORK}.2")
        driver = day.run(inside="rw-a")
        wait_for(lambda: day.begun() and any(_is_worker(one) for one in day.processes("far")), 200)
        time.sleep(3)
        _root("ip", "-n", "rw-a", "link", "set", "rwa", "down")
        time.sleep(60)
        early = driver.poll()
        _root("ip", "-n", "rw-a", "link", "set", "rwa", "up")
        day.notes.append("the driver worked on" if early is None else f"the driver ended meanwhile: {early}")
        code = day.finish(driver)
        far = "is gone" if not day.processes("far") else "lives"
        day.notes += [
            f"exit code {code}; the far node {far}",
            *day.said("was lost", "could be started", "error:"),
        ]
    finally:
        day.end()
        day.nodes = {}
        _root("ip", "netns", "del", "rw-a")
        _root("ip", "netns", "del", "rw-b")


def other_version(day: Day) -> None:
    """A node with another version of this package, before the first job and while jobs are done."""
    other = day.folder / "other"
    shutil.copytree(SOURCE / "ratewarp", other / "ratewarp", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "ratewarp-9.9.dist-info").mkdir()
    (other / "ratewarp-9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ratewarp\nVersion: 9.9\n"
    )
    (other / "ratewarp" / "extra.py").write_text("")
    day.cluster(workers=1)
    day.start("other", PYTHONPATH=str(other))
    code = day.finish(day.run(), 120)
    day.notes += [f"before the first job: exit code {code}", *day.said("error:")]
    day.kill("other")
    wait_for(lambda: False, 5)
    driver = day.run()
    wait_for(day.begun, 200)
    day.start("late", PYTHONPATH=str(other))
    code = day.finish(driver)
    day.notes += [f"while jobs are done: exit code {code}", *day.said("not used")]


def poisoned(day: Day) -> None:
    """A model whose jobs end every worker, among others that do not."""
    day.cluster()
    command = [
        sys.executable,
        "-c",
        POISONED,
        f"{day.host}:{day.port}",
        str(day.folder / "run"),
        str(day.steps),
    ]
    driver = subprocess.Popen(
        command, stderr=day.errors.open("ab"), start_new_session=True, env=_environment()
    )
    code = day.finish(driver)
    stored = len(list((day.folder / "run" / "conditions").glob("*/record.nc")))
    day.notes += [f"exit code {code}, {stored} of 4 conditions stored", *day.said("could not be done")]
    day.notes.append(f"without the poison: exit code {day.finish(day.run())}")


DAYS = {
    "worker killed at random ten times": workers_killed,
    "worker node killed, another one joins": node_killed,
    "head killed": head_killed,
    "driver killed": driver_killed,
    "driver of local:2 killed": local_driver_killed,
    "Ctrl-C": interrupted,
    "full disk on one node": full_disk,
    "another version on one node": other_version,
    "poisoned job": poisoned,
    "link cut for a minute": link_cut,
}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--steps", type=int, default=400)
    options.add_argument("--only", nargs="*", default=list(DAYS), metavar="DAY")
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    # else commands that are started here would ignore it, where this script is started in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    base = Path(mkdtemp(prefix="bad-days-", dir="/tmp"))
    whole = base / "whole"
    print(f"files are in {base}", file=sys.stderr)
    subprocess.run(command(asked.steps, whole), env=_environment(), check=True, stderr=subprocess.DEVNULL)
    wanted, lines = tables(whole), [_heading(asked.steps)]
    for number, (name, happen) in enumerate(DAYS.items()):
        if not any(name.startswith(one) for one in asked.only):
            continue
        day, clock = Day(base / str(number), asked.steps), time.monotonic()
        try:
            happen(day)
        finally:
            day.end()
        same = tables(day.folder / "run") == wanted
        verdict = "the same bytes in every table" if same else "OTHER TABLES"
        lines.append("\n".join([f"{name}: {verdict} ({time.monotonic() - clock:.0f} s)", *_told(day.notes)]))
        print(lines[-1], flush=True)
    if asked.out:
        asked.out.write_text("\n\n".join(lines) + "\n")
    shutil.rmtree(base, ignore_errors=True)


def _heading(steps: int) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ray", "jax"))
    return (
        f"benchmarks/bad_days.py --steps {steps}: one head, two nodes of one core each, on one machine of"
        f" {os.cpu_count()} cores; {versions}, Python {platform.python_version()}"
    )


def _told(notes: list[str]) -> list[str]:
    return [f"  - {note}" for note in dict.fromkeys(notes)]


if __name__ == "__main__":
    main()

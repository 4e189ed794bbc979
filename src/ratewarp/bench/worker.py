"""Child processes that each do one job and answer line by line: how a comparison keeps memory and threads of
contestants apart.

The parent writes one line of JSON, a request; the child works and writes one line of JSON, the answer. The
first line comes from the child: `{"ready": true}`, or why it cannot work. A child whose input ends leaves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

from ratewarp._checks import RatewarpError
from ratewarp._interrupt import stop_asked, stop_if_asked
from ratewarp.bench.step import PUBLISHED

# in the folder of a comparison: training images of every contestant, stimuli × each × height × width ×
# channels
IMAGES = "images.npy"
LAYERS = "layers.json"  # the encoder's convolutions, a list of `subject.layers_of`

_LOOK_SECONDS = 0.2  # between two looks whether the user asked to stop

Turn = Callable[..., dict[str, Any]]  # what a job's `start` returns: does one request, answers with numbers


@dataclass(frozen=True)
class Job:
    """What a child process is to do.

    Attributes:
        name: a name of `contestant.JOBS`.
        folder: where the images lie and files may be left.
        members: models to train.
        threads: threads to compute with; the library's own choice if None.
        images: images to draw, for the job that draws them.
        network: what is trained, as `step.image_shape_of` takes it.
        started: the parent's clock when it started the child, seconds since 1970.
    """

    name: str
    folder: str
    members: int = 1
    threads: int | None = None
    images: int = 0
    network: str = PUBLISHED
    started: float = 0.0


class NotInstalledError(RatewarpError):
    """A contestant needs a package that is not there."""


class Worker:
    """One child process at work on one job."""

    def __init__(self, job: Job, environment: Mapping[str, str] | None = None):
        self._name = job.name
        name = f"{job.name}-{time.monotonic_ns()}.log"
        self._log: IO[str] = open(Path(job.folder) / name, "w+", encoding="utf-8")  # noqa: SIM115
        given = json.dumps({**asdict(job), "started": time.time()})
        self._answers: Queue[str] = Queue()  # lines; an empty one when there will be no more
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ratewarp.bench.contestant", given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", **(environment or {})},
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_ready(self) -> None:
        """Returns when the child can take requests.

        Raises:
            NotInstalledError: it needs a package that is not there.
            RatewarpError: it failed.
        """
        self.receive()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for the answer."""
        self.send(**request)
        return self.receive()

    def send(self, **request: Any) -> None:
        """Sends a request."""
        assert self._process.stdin
        with suppress(OSError):  # it has died; `receive` says why
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Waits for the answer to a request."""
        line = self._next_line()
        if not line:
            raise RatewarpError(f"its process ended: {self._last_words()}")
        answer = json.loads(line)
        if "missing" in answer:
            raise NotInstalledError(answer["missing"])
        if "error" in answer:
            raise RatewarpError(answer["error"])
        return answer

    def close(self) -> None:
        """Ends the child; one at work is given two seconds, or none if the user asked to stop."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(OSError):  # it has died already
            self._process.stdin.close()
        try:
            self._process.wait(timeout=0.1 if stop_asked() else 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._process.stdout.close()
        self._log.close()

    def _listen(self) -> None:
        """Takes up what the child answers, so that whoever waits for it can be stopped."""
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _next_line(self) -> str:
        while True:
            stop_if_asked()
            with suppress(Empty):
                return self._answers.get(timeout=_LOOK_SECONDS)

    def _last_words(self) -> str:
        """Last line of what the child wrote to stderr."""
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"

"""The child's side of a comparison: `python -m ratewarp.bench.contestant JOB`, with a `Job` as JSON."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from ratewarp.bench.worker import Job, Turn

OPTIONAL = ("torch", "pythae")  # packages whose absence leaves a contestant out

JOBS = {  # name → function that takes the job, prepares everything and returns its `Turn`
    "prepare": "ratewarp.bench.prepare:start",
    "ours": "ratewarp.bench.ours:start",
    "first-steps": "ratewarp.bench.ours:start_first_steps",
    "torch": "ratewarp.bench.torch_peer:start",
    "pythae": "ratewarp.bench.pythae_peer:start",
    "ceiling-xla": "ratewarp.bench.ceiling:start_xla",
    "ceiling-torch": "ratewarp.bench.ceiling:start_torch",
}


def main() -> None:
    """Prepares the job, then does one turn for every line of input."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not come between the answers

    def answer(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers, flush=True)

    try:
        turn = load(Job(**json.loads(sys.argv[1])))
        answer({"ready": True})
        for line in sys.stdin:
            before = time.process_time()
            found = turn(**json.loads(line))
            answer({**found, "cpu_seconds": time.process_time() - before, "peak_bytes": peak_bytes()})
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        answer({"missing": package} if package in OPTIONAL else {"error": str(error)})
    except Exception as error:  # the parent reports it, and goes on without this contestant
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}"})


def load(job: Job) -> Turn:
    """Prepares a job."""
    module, _, function = JOBS[job.name].partition(":")
    return getattr(import_module(module), function)(job)


def peak_bytes() -> int | None:
    """Most main memory this process has held so far.

    Linux keeps it for the program itself (VmHWM); what `getrusage` gives there is no less than the parent's
    memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()

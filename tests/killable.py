"""A process that runs a small study as often as it is told, each time in a child that can be killed.

Imports are done once; the children begin where they end, so that many kills take little time. Every line on
stdin is one order, as JSON: `out`, and optionally `at`, `mode` and `stage`. The child kills itself at the
`at`-th call of a file-system function (that the function called `stage` makes, if given): `before` it,
`after` it, or, for `half`, with half of the file on disk. Answers on stdout: the child's process id, then,
when it has ended, what happened.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from ratewarp.studies import Study
from stored import run_study

STUDY = Study(
    name="killed",
    network={"latents": 2, "convolutions": [{"filters": 4, "kernel": 4}]},
    tasks=["E2M1"],
    training_images=1000,
    validation_each=2,
    codes_each=2,
    models={"long": {"recipe": {"steps": 330}}, "short": {"frequency": "E1M1", "recipe": {"steps": 250}}},
    capacities_nats=[0.3, 2],
    bound_points=0,
)
STAGES = (
    "write_checkpoint",
    "remove_checkpoints",
    "write_condition",
    "write_table",
    "write_manifest",
    "create_run",
)
FUNCTIONS = ("fsync", "replace", "unlink", "rmdir", "mkdir")


def _stage() -> str:
    """Which part of the package makes the call."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name in STAGES:
            return frame.f_code.co_name
        frame = frame.f_back
    return "other"


def _watch(order: dict, log: Path) -> None:
    """Counts the calls of file-system functions and carries out the order at the one it names."""
    counted = {"calls": 0}

    def watched(name, function):
        def call(*arguments, **named):
            stage = _stage()
            counted["calls"] += order.get("stage") in (None, stage)
            mine = counted["calls"] == order.get("at") and order.get("stage") in (None, stage)
            if mine and order["mode"] == "half" and name == "fsync":
                _halve(arguments[0])
            if mine and order["mode"] != "after":
                _die(log, stage, name)
            answer = function(*arguments, **named)
            if mine:
                _die(log, stage, name)
            return answer

        return call

    for name in FUNCTIONS:
        setattr(os, name, watched(name, getattr(os, name)))


def _halve(descriptor: int) -> None:
    try:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
    except OSError:  # a folder, or a file opened to be read
        return


def _die(log: Path, stage: str, name: str) -> None:
    log.write_text(json.dumps({"stage": stage, "call": name}))
    os.kill(os.getpid(), signal.SIGKILL)


def _child(order: dict, log: Path) -> None:
    _watch(order, log)
    said: list[str] = []
    run_study(STUDY, Path(order["out"]), members_at_once=2, checkpoint_seconds=0, say=said.append)
    log.write_text(json.dumps({"stage": "finished", "said": said}))


def main(log: Path) -> None:
    for line in sys.stdin:
        log.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            try:
                _child(json.loads(line), log)
            except BaseException as error:
                log.write_text(json.dumps({"stage": "failed", "error": repr(error)}))
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        happened = json.loads(log.read_text()) if log.exists() else {"stage": "unknown"}
        print(json.dumps({**happened, "killed": os.WIFSIGNALED(status)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

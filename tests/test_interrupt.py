"""Signals end a command wherever it is, say what is kept, and are never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from ratewarp._interrupt import GRACE_SECONDS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes of this system get no signals")

LOOKING = """
    while True:
        stop_if_asked()
        time.sleep(0.01)
"""
NEVER_LOOKING = """
    threading.Event().wait(60)
"""


def _start(work: str, *, first: str = "", kept: str = "", grace: float = 0) -> subprocess.Popen[str]:
    """A process that does `work`, a body of an indented block, and says when it has begun."""
    program = f"""
import gc, os, signal, threading, time, weakref
from pathlib import Path
from ratewarp._interrupt import *
from ratewarp._interrupt import unbroken
{first}
when_stopped({kept!r}, grace={grace})
with stoppable():
    print("begun", flush=True)
{textwrap.indent(textwrap.dedent(work), "    ")}
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()  # whatever happened, no open pipe is left to the next test
    return process.returncode, errors


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("work", [LOOKING, NEVER_LOOKING], ids=["looking", "never looking"])
def test_every_signal_ends_with_its_code_and_says_what_is_kept(number, code, work):
    process = _start(work, kept="all is kept", grace=0.3)
    process.send_signal(number)
    name = "interrupted" if number == signal.SIGINT else f"stopped by {number.name}"
    assert _ended(process) == (code, f"{name}; all is kept\n")


@pytest.mark.parametrize(
    "place",
    [
        "gc.callbacks.append(lambda *_: os.kill(os.getpid(), signal.SIGINT)); gc.collect()",
        "thing = threading.Event(); kept = weakref.ref(thing, lambda _: os.kill(os.getpid(),"
        " signal.SIGINT)); del thing",
        "class Thing:\n    def __del__(self): os.kill(os.getpid(), signal.SIGINT)\nThing()",
    ],
    ids=["garbage collector", "weak reference", "destructor"],
)
def test_a_signal_that_falls_where_python_drops_exceptions_is_heard(place):
    """Each of these loses a KeyboardInterrupt."""
    process = _start(f"{place}\n" + textwrap.dedent(LOOKING), grace=GRACE_SECONDS)
    assert _ended(process) == (130, "interrupted\n")


def test_a_second_signal_ends_at_once():
    process = _start(NEVER_LOOKING, grace=50)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None  # it has 50 seconds
    process.send_signal(signal.SIGTERM)
    assert _ended(process) == (130, "interrupted\n")


def test_work_that_has_nothing_to_keep_ends_at_the_first():
    process = _start(NEVER_LOOKING)
    process.send_signal(signal.SIGTERM)
    assert _ended(process) == (143, "stopped by SIGTERM\n")


def test_a_signal_that_the_caller_ignores_is_left_alone():
    process = _start(
        "time.sleep(0.5); print('done', flush=True)", first="signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    )
    process.send_signal(signal.SIGHUP)
    assert _ended(process) == (0, "")


def test_a_write_at_hand_is_finished(tmp_path):
    file = tmp_path / "file"
    work = f"""
        with unbroken():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.4)
            Path({str(file)!r}).write_text("whole")
        time.sleep(60)
    """
    assert _ended(_start(work)) == (130, "interrupted\n")
    assert file.read_text() == "whole"

"""The lock of a run directory, with real second processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.runs import run_lock
from ratewarp.runs.directory import create_run
from ratewarp.runs.run_lock import LOCK, BusyError, holder_of, lock_run

HOLD = """
import sys
from pathlib import Path
from ratewarp.runs.run_lock import lock_run
with lock_run(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

RACE = """
import sys
from pathlib import Path
from ratewarp._checks import RatewarpError
from ratewarp.runs.directory import create_run
print("ready", flush=True)
for line in sys.stdin:
    try:
        create_run(Path(line.strip()), {"name": sys.argv[1]})
        print("accepted", flush=True)
    except RatewarpError as error:
        print(error, flush=True)
"""


def _start(program, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def _holding(folder):
    """A process that holds the lock until it is told to end."""
    process = _start(HOLD, folder)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _take(folder):
    with lock_run(folder):
        return True


def test_the_second_is_told_who_the_first_is(tmp_path):
    with _holding(tmp_path) as first:
        wanted = rf"is being run by process {first.pid} on host {socket.gethostname()} since 20..-.*; wait for it or end it"
        with pytest.raises(BusyError, match=wanted):
            _take(tmp_path)
        assert holder_of(tmp_path).process == first.pid
        first.communicate("")
    assert _take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_free_as_soon_as_its_process_is_gone(tmp_path):
    with _holding(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert (tmp_path / LOCK).exists()
        assert holder_of(tmp_path) is None
        assert _take(tmp_path)


def test_one_thread_of_a_process_is_refused_like_another_process(tmp_path):
    with (
        lock_run(tmp_path, "draw"),
        pytest.raises(BusyError, match=f"is being drawn by process {os.getpid()}"),
    ):
        _take(tmp_path)
    assert _take(tmp_path)


def _named(folder, **changed):
    """A lock file that names this process, or what is `changed` of it; nobody holds the kernel's lock."""
    with lock_run(folder):
        content = json.loads((folder / LOCK).read_text())
    (folder / LOCK).write_text(json.dumps({**content, **changed}))


def test_without_locks_of_the_kernel_the_file_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "_lock", lambda descriptor: None)
    _named(tmp_path)
    with pytest.raises(BusyError, match=f"process {os.getpid()} on host {socket.gethostname()}"):
        _take(tmp_path)
    _named_other = {"host": "elsewhere", "process": 77}
    (tmp_path / LOCK).unlink()
    _named(tmp_path, **_named_other)
    with pytest.raises(
        BusyError, match=rf"process 77 on host elsewhere .*if that process is gone, remove .*{LOCK}"
    ):
        _take(tmp_path)
    (tmp_path / LOCK).unlink()
    _named(tmp_path, began="1 another-boot")  # a process of the same number that began at another time
    assert _take(tmp_path)


def test_a_living_holder_is_respected_where_the_lock_of_the_kernel_says_nothing(tmp_path):
    _named(tmp_path)
    with pytest.raises(BusyError, match=f"process {os.getpid()}"):
        _take(tmp_path)
    (tmp_path / LOCK).unlink()
    _named(tmp_path, host="elsewhere")  # of another machine only the kernel knows
    assert _take(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": 1}', b"\xff" * 9000, b"[" * 4000])
def test_a_lock_file_that_says_nothing_is_taken_over(tmp_path, content):
    (tmp_path / LOCK).write_bytes(content)
    assert holder_of(tmp_path) is None
    assert _take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / LOCK).symlink_to(tmp_path / "mine")
    with pytest.raises(RatewarpError, match=f"cannot write .*{LOCK}"):
        _take(tmp_path)
    assert (tmp_path / "mine").read_text() == "mine"
    (tmp_path / LOCK).unlink()
    os.mkfifo(tmp_path / LOCK)
    with pytest.raises(RatewarpError, match=f"{LOCK} is not a regular file"):
        _take(tmp_path)
    assert holder_of(tmp_path) is None


def test_control_characters_of_a_lock_file_are_not_printed(tmp_path):
    _named(tmp_path, host="\x1b[31m", since="\n" * 300)
    assert (tmp_path / LOCK).exists()
    assert holder_of(tmp_path).describe().isprintable()


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(RatewarpError, match=f"cannot write /proc/self/{LOCK}"):
        _take(run_lock.Path("/proc/self"))


def test_a_run_that_another_process_makes_meanwhile_is_no_strange_folder(tmp_path, monkeypatch):
    """The study appears while the folder is looked at."""
    look = Path.iterdir

    def meanwhile(folder):
        (tmp_path / "study.yaml").write_text("name: other\n")
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", meanwhile)
    with pytest.raises(RequestError, match="holds the run of a different study"):
        create_run(tmp_path, {"name": "mine"})


def test_of_two_studies_in_a_race_exactly_one_is_accepted(tmp_path):
    processes = {name: _start(RACE, name) for name in ("one", "two")}
    try:
        for process in processes.values():
            assert process.stdout.readline() == "ready\n"
        for number in range(20):
            folder = tmp_path / str(number)
            for process in processes.values():
                process.stdin.write(f"{folder}\n")
            for process in processes.values():
                process.stdin.flush()
            answers = {name: process.stdout.readline().strip() for name, process in processes.items()}
            (accepted,) = [name for name, answer in answers.items() if answer == "accepted"]
            (refused,) = [answer for answer in answers.values() if answer != "accepted"]
            assert "is being run by process" in refused or "holds the run of a different study" in refused
            assert yaml.safe_load((folder / "study.yaml").read_text()) == {"name": accepted}
            assert [file.name for file in folder.iterdir()] == ["study.yaml"]
    finally:
        for process in processes.values():
            process.communicate("")


def test_no_lock_of_unix_is_needed(tmp_path):
    code = f"""
import sys
sys.modules["fcntl"] = None
from pathlib import Path
from ratewarp.runs.run_lock import lock_run
with lock_run(Path({str(tmp_path)!r})) as lock:
    assert not lock.lost
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
    assert list(tmp_path.iterdir()) == []

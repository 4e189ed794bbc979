"""Paths that no file can have, and what is printed of names."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from ratewarp._checks import RatewarpError, RequestError, escaped, refuse_name
from ratewarp._files import can_be_made, exists, is_file, is_folder
from ratewarp.cli import main

LONG = "x" * 300
STEERING = "\x1b[31m\u202e\udcff\n\x07"


def _called(monkeypatch, *arguments):
    """Exit code of the command as a shell would see it."""
    monkeypatch.setattr(sys, "argv", ["ratewarp", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_a_name_that_no_file_can_have_is_none(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in (LONG, "a\0b", "none", "here/none"):
        assert [asked(tmp_path / name) for asked in (exists, is_file, is_folder)] == [False] * 3
    assert is_folder(tmp_path / "here")
    assert [
        can_be_made(tmp_path / name)
        for name in ("new", "here", "dangling", LONG, "none/new", f"{LONG}/new", "a\0b")
    ] == [
        True,
        *[False] * 6,
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "demo", "--out", LONG),
        ("status", LONG),
        ("report", LONG),
        ("check-paper", LONG),
        ("bound", LONG),
        ("bound", "own.npz", "--out", LONG),
        ("measure", f"{LONG}.npz"),
        ("measure", "own.npz", "--figure", f"{LONG}.png"),
        ("measure", "own.npz", "--codes", ",".join(f"neuron{number}" for number in range(40))),
        ("measure", "own.npz", "--labels", LONG),
        ("bench", "--out", LONG),
    ],
)
def test_a_path_that_is_too_long_is_refused_in_words(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", codes=np.eye(4))
    assert _called(monkeypatch, *arguments) in (1, 2)
    assert capsys.readouterr().err.startswith(("error: ", "codes: "))
    assert os.listdir() == ["own.npz"]


def test_many_columns_can_be_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [f"neuron{number}" for number in range(40)]
    rows = np.random.default_rng(0).standard_normal((6, 40))
    np.savetxt("own.csv", rows, delimiter=",", header=",".join(names), comments="")
    assert _called(monkeypatch, "measure", "own.csv", "--codes", ",".join(names), "--permutations", "0") == 0
    assert "6 items, 40 latents" in capsys.readouterr().out


def test_messages_do_not_steer_a_terminal():
    shown = r"\x1b[31m\u202e\udcff\n\x07"
    assert escaped(STEERING) == shown
    with pytest.raises(RequestError) as raised:
        refuse_name("tasks", "task", STEERING, [STEERING])
    assert str(raised.value) == f"tasks: no task is named '{shown}'. Did you mean '{shown}'? Known: {shown}"
    assert (
        str(RatewarpError(f"{STEERING}: two\nlines"))
        == r"\x1b[31m\u202e\udcff" + "\n" + r"\x07: two" + "\nlines"
    )


def test_names_in_files_do_not_steer_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    steering = "\x1b[31m\u202e"
    draw = np.random.default_rng(0)
    arrays = {
        "codes": draw.standard_normal((12, 3)),
        "labels": np.array([steering, "b"])[np.arange(12) % 2],
        steering: np.ones(3),
    }
    np.savez("own.npz", **arrays)
    assert _called(monkeypatch, "measure", "own.npz", "--permutations", "0") == 0
    printed = capsys.readouterr()
    assert r"not used: \x1b[31m\u202e (3,)" in printed.err
    assert r"labels: 0 = \x1b[31m\u202e, 1 = b" in printed.out
    np.savez("source.npz", d=draw.random((3, 3)), **{steering: np.ones(2)})
    assert _called(monkeypatch, "bound", "source.npz", "--points", "3") == 0
    printed = printed.out + printed.err + "".join(capsys.readouterr())
    assert "\x1b" not in printed
    assert "\u202e" not in printed


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_a_full_disk_behind_stdout_is_said(monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert _called(monkeypatch, "--version") == 1
    assert capsys.readouterr().err == "error: cannot write what was to be printed: No space left on device\n"


def test_a_closed_stdout_is_no_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert _called(monkeypatch, "--version") == 0
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch, capsys):
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert _called(monkeypatch, "--version") == 1
    assert capsys.readouterr().err == ""

"""`ratewarp measure`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from conftest import call
from ratewarp.geometry import planted_codes, prototypization

P = planted_codes(prototypization=0.4, side=4, items=3)


@pytest.fixture
def folder(tmp_path):
    names = np.array(["low", "high"])[P.classes]
    np.savez(
        tmp_path / "own.npz", codes=P.codes, labels=names, factors=P.factors[P.stimuli], base=P.reference
    )
    return tmp_path


def _call(folder, *arguments):
    return call("measure", *arguments, cwd=folder)


def test_json_and_figure(folder):
    done = _call(
        folder, "own.npz", "--reference", "base", "--permutations", "50", "--json", "--figure", "found.png"
    )
    assert done.returncode == 0, done.stderr
    assert "codes: codes\nlabels: labels\nfactors: factors\nreference: base\n" in done.stderr
    found = json.loads(done.stdout)
    assert (found["items"], found["latents"], found["units"]) == (48, 5, "stimuli")
    values = {(row["measure"], row["trial_noise"]): row["value"] for row in found["measures"]}
    assert values["prototypization", "included"] == pytest.approx(
        prototypization(P.codes, P.classes, stimuli=P.stimuli)
    )
    assert (folder / "found.png").read_bytes().startswith(b"\x89PNG")
    again = _call(folder, "own.npz", "--figure", "found.png")
    assert again.returncode == 2
    assert "does not exist yet" in again.stderr


def test_table(folder):
    done = _call(folder, "own.npz", "--permutations", "50")
    assert done.returncode == 0, done.stderr
    assert "48 items, 5 latents; 95% intervals over 16 stimuli\nlabels: 0 = high, 1 = low\n" in done.stdout
    assert "nan" not in done.stdout.lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("own.npz", "--codes", "cods"), "Did you mean 'codes'?"),
        (("none.npz",), "no such file"),
        (("own.npz", "--labels", "factors", "--interval", "bcb"), "Did you mean 'bca'?"),
        (("own.npz", "--labels", "other.csv:kind"), "other.csv: no such file"),
    ],
)
def test_wrong_requests(folder, arguments, message):
    done = _call(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_too_little_memory_is_said(folder, monkeypatch):
    from ratewarp._checks import RatewarpError
    from ratewarp.cli.measure_command import measure
    from ratewarp.codes import measurement

    def starved(*_, **__):
        raise MemoryError

    monkeypatch.setattr(measurement, "measure", starved)
    with pytest.raises(RatewarpError, match=r"codes of 48 × 5 .* need more memory than this machine has"):
        measure(folder / "own.npz")


def test_two_items_leave_nothing_on_stderr_but_what_was_taken(tmp_path):
    np.savez(tmp_path / "two.npz", codes=P.codes[:2], labels=[0, 1], reference=P.reference[:2])
    done = _call(tmp_path, "two.npz", "--permutations", "50")
    assert done.returncode == 0
    assert done.stderr == "codes: codes\nlabels: labels\nreference: reference\n"

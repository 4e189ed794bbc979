"""`ratewarp bound` as a user calls it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.cli import app
from ratewarp.theory import binary_hamming


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["bound", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def coin(tmp_path: Path) -> Path:
    np.savez(tmp_path / "coin.npz", p=[0.3, 0.7], d=[[0.0, 1.0], [1.0, 0.0]])
    return tmp_path / "coin.npz"


def test_a_file_with_a_matrix(coin):
    found = json.loads(call(coin, "--points", 9, "--json"))
    points = found["points"]
    assert len(points) == 9
    assert {"rate_nats", "distortion", "gap_nats", "slope"} <= set(points[0])
    assert [point["rate_nats"] for point in points] == pytest.approx(
        binary_hamming(0.3, [p["distortion"] for p in points]), abs=1e-4
    )
    assert found["largest_gap_nats"] <= 1e-4
    assert all(point["certificate"] == "proved" for point in points)
    assert found["certificate"] == "proved"
    assert "nats, proved" in call(coin, "--points", 3)


def test_a_file_with_means_for_equally_likely_stimuli(tmp_path):
    means = np.random.default_rng(0).random((6, 2, 3))
    np.savez(tmp_path / "source.npz", means=means)
    found = json.loads(call(tmp_path / "source.npz", "--rates", "0,0.5,3", "--json"))
    assert found["certificate"] == "searched"
    assert "nats, searched" in call(tmp_path / "source.npz", "--rates", "0,0.5,3")
    points = found["points"]
    assert points[0]["distortion"] == pytest.approx(means.reshape(6, -1).var(axis=0).mean())
    assert points[-1]["distortion"] == pytest.approx(0, abs=1e-12)


def test_corridors_with_frequency_and_task_as_a_table(tmp_path):
    table, figure = tmp_path / "table.csv", tmp_path / "figure.png"
    text = call("corridors", "--rates", "0,1", "--tolerance", 0.01, "--out", table, "--figure", figure)
    assert "raw_low" in text
    assert "0.05465" in text
    assert table.read_text().startswith("rate_nats,")
    assert figure.read_bytes().startswith(b"\x89PNG")
    asked = call("corridors", "--frequency", "E1M1", "--tasks", "E2M1", "--rates", "0,1", "--tolerance", 0.01)
    assert "log loss of E2M1" in asked
    assert "raw_low" not in asked


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["corridor"], "neither a built-in source"),
        (["missing.npz"], "no such file"),
        (["corridors", "--frequency", "E1M3"], "E1M"),
        (["corridors", "--tasks", "E2M9"], "Did you mean"),
        (["corridors", "--rates", "a,b"], "rates must be numbers"),
        (["corridors", "--rates=-1"], "rates must be"),
        (["corridors", "--tolerance", "0"], "tolerance must be"),
        (
            ["corridors", "--tolerance", "1e-300"],
            "tolerance must be at least 1e-09 nats, which double precision can reach",
        ),
        (["corridors", "--figure", "x.txt"], "figure must be"),
        (["corridors", "--task-weight", "2"], "--task-weight must be given together with --tasks"),
        (["own.npz", "--task-weight", "2"], "--task-weight must be given with a built-in source"),
    ],
)
def test_bad_requests_are_explained(arguments, says):
    with pytest.raises(RequestError, match=says):
        call(*arguments)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": [1.0]}, "either d"),
        ({"d": [[0.0, 1.0]], "means": [[0.0, 1.0]]}, "either d"),
        ({"p": [0.5, 0.6], "d": [[0.0, 1.0], [1.0, 0.0]]}, "sum to 1"),
        ({"p": [1.5, -0.5], "d": [[0.0, 1.0], [1.0, 0.0]]}, "non-negative"),
        ({"p": [np.nan, 1.0], "d": [[0.0, 1.0], [1.0, 0.0]]}, "finite"),
        ({"p": [0.5, 0.5], "d": [[0.0, -1.0], [1.0, 0.0]]}, "non-negative distortions"),
        ({"p": [0.5, 0.5], "d": [[0.0, np.inf], [1.0, 0.0]]}, "finite"),
        ({"p": [0.5, 0.5], "d": [[0.0, 1.0]]}, "one row for each"),
        ({"p": [0.5, 0.5], "means": [[0.0, 1.0]]}, "2 stimuli"),
        ({"p": np.array([0.9, 0.1], dtype=object), "d": [[0.0, 1.0], [1.0, 0.0]]}, "Python objects"),
        (
            {"p": [0.5, 0.5], "frequency": [0.9, 0.1], "d": [[0.0, 1.0], [1.0, 0.0]]},
            "one of p, probabilities, frequency",
        ),
        ({"d": 3.0}, "a row for every stimulus"),
    ],
)
def test_bad_files_are_explained(tmp_path, arrays, says):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(RequestError, match=says):
        call(tmp_path / "bad.npz")


def test_a_tolerance_that_rounding_does_not_reach_is_said(coin, monkeypatch):
    def lost(*_, **__):
        raise np.linalg.LinAlgError

    monkeypatch.setattr("ratewarp.theory.rate_distortion", lost)
    with pytest.raises(
        RatewarpError, match=r"1e-08 nats is beyond double precision for coin\.npz; ask for a wider one"
    ):
        call(coin, "--tolerance", "1e-8")


def test_nothing_is_overwritten(coin, tmp_path):
    (tmp_path / "kept.csv").write_text("mine")
    with pytest.raises(RequestError, match="does not exist yet"):
        call(coin, "--out", tmp_path / "kept.csv")
    assert (tmp_path / "kept.csv").read_text() == "mine"


def test_a_bound_of_a_file_needs_no_jax(coin):
    import subprocess

    solve = (
        "from ratewarp.theory import rate_distortion; rate_distortion([0.5, 0.5], [[0, 1], [1, 0]], points=3)"
    )
    code = f"import sys; {solve}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=coin.parent).returncode == 0

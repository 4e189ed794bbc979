"""Studies of many models: their files are read whatever their size, and time grows with the number of conditions, not its square."""

from __future__ import annotations

import pytest

from ratewarp import store
from ratewarp._checks import RequestError
from ratewarp.store import create_run, open_run
from ratewarp.studies import load_study


def test_the_file_of_a_run_is_read_whatever_its_size(tmp_path):
    models = {f"m{number}": {"frequency": [1 / (1 + number + stimulus) for stimulus in range(169)]} for number in range(300)}
    create_run(tmp_path, {"models": models})
    assert (tmp_path / "study.yaml").stat().st_size > 1_100_000
    assert open_run(tmp_path).study == {"models": models}


def test_a_study_file_may_be_large(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("capacities_nats: [1]\n" + "# as long as a resolved study of many models\n" * 30_000)
    assert load_study(file).capacities_nats == (1.0,)


def test_a_study_that_could_not_be_read_again_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MAX_STUDY_BYTES", 100)
    with pytest.raises(RequestError, match="must be at most 100 bytes, written out; got 128 bytes"):
        create_run(tmp_path, {"title": "x" * 120})
    assert not list(tmp_path.iterdir())

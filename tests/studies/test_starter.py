"""Study files to start from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import yaml

from ratewarp.sources.expressions import evaluate
from ratewarp.sources.image_files import open_images
from ratewarp.sources.image_files.inspection import inspect_images
from ratewarp.studies.starter import Given, starter_study

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 16, 16), dtype=np.uint8)
NUMBERS = np.arange(60)


def _written(path, images=IMAGES, given=None, name="faces", **columns):
    np.savez(path / "own.npz", images=images, **columns)
    found = inspect_images(open_images(path / "own.npz"))
    text = starter_study(name, found, given or Given("own.npz"))
    return text, yaml.safe_load(text)


def test_every_key_is_there(tmp_path):
    who = np.array(["ann", "bob", "cy"])[NUMBERS % 3]
    given = Given("own.npz", "of own.csv", "images", True)
    text, study = _written(tmp_path, given=given, identity=who, x=NUMBERS // 12, y=NUMBERS // 3 % 4 - 2.5)
    assert study["source"] == {
        "images": "own.npz",
        "table": "of own.csv",
        "array": "images",
        "labels": ["identity"],
        "factors": ["x", "y"],
        "skip_bad": True,
    }
    assert (study["name"], study["title"], study["seeds"]) == ("faces", "Images of faces", [0])
    assert study["network"] == {"kind": "convolutional", "convolutions": "by size", "latents": 10}
    assert study["likelihood"] == "gaussian"
    assert study["capacities_nats"] == [1, 3, 10]
    assert study["recipe"] == {"name": "principled", "steps": 2600}
    assert study["models"] == {
        "baseline": {},
        "frequent": {"frequency": "5 if identity == 'ann' else 1"},
        "task": {"tasks": [{"name": "which_identity", "label": "identity"}]},
    }
    assert "# 60 images of 16 × 16 × 1" in text
    for key in ("circular", "held_out", "range"):
        assert f"# {key}: " in text


def test_the_rules_can_be_computed(tmp_path):
    columns = {"identity": np.array(["it's", 'a "b"'])[NUMBERS % 2], "angle": NUMBERS // 15 * 0.1 - 0.2}
    for used in (columns, {"angle": columns["angle"]}):
        _, study = _written(tmp_path, **used)
        frequency = evaluate(study["models"]["frequent"]["frequency"], used)
        assert set(frequency.tolist()) == {1, 5}
        task = study["models"]["task"]["tasks"][0]
        assert task["label"] == "identity" or len(set(evaluate(task["label"], used).tolist())) == 2


def test_real_numbers_need_a_range(tmp_path):
    images = np.random.default_rng(0).normal(0, 2, (60, 16, 16)).astype(np.float32)
    _, study = _written(tmp_path, images)
    assert study["source"]["range"] == [images.min(), images.max()]
    assert study["models"] == {"baseline": {}}


def test_responses_get_a_perceptron(tmp_path):
    _, study = _written(tmp_path, IMAGES[:, :, 0])
    assert study["network"] == {"kind": "mlp", "latents": 10}


def test_columns_that_cannot_be_used_are_named(tmp_path):
    text, study = _written(tmp_path, angle=np.where(NUMBERS == 3, np.nan, NUMBERS % 2))
    assert "# not used: angle has no value for 1 images" in text
    assert "factors" not in study["source"]
    assert "labels" not in study["source"]
    assert list(study["models"]) == ["baseline"]


@pytest.mark.parametrize(
    ("name", "used"), [("class", "class_"), ("two words", "two_words"), ("min", "min_"), ("1st", "_1st")]
)
def test_rules_use_names_that_they_can_read(tmp_path, name, used):
    _, study = _written(tmp_path, **{name: NUMBERS % 2})
    assert name in [*study["source"].get("factors", []), *study["source"].get("labels", [])]
    assert used in study["models"]["frequent"]["frequency"]


def test_counts_get_a_likelihood_of_counts(tmp_path):
    _, study = _written(tmp_path, np.arange(600).reshape(60, 10) % 7)
    assert study["likelihood"] == "poisson"
    assert "range" not in study["source"]


@pytest.mark.parametrize("name", ["a: b # c", "null", "12", "é [x]", "\x1b[31m", "no", "-", "x" * 200])
def test_odd_names_are_still_yaml(tmp_path, name):
    given = Given(name, f"{name}.csv")
    _, study = _written(tmp_path, given=given, name=name, no=np.array(["yes", "off"])[NUMBERS % 2])
    assert isinstance(study, Mapping)
    assert (study["source"]["images"], study["source"]["table"]) == (name, f"{name}.csv")
    assert study["source"]["labels"] == ["no"]
    assert isinstance(study["name"], str)
    assert isinstance(study["title"], str)

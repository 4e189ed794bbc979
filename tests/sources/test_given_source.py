"""Worlds that users bring: taken as they are, and known again from a run directory."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from ratewarp import Study
from ratewarp._checks import RatewarpError, RequestError
from ratewarp.sources import Factor, GivenSource, kept_files
from ratewarp.sources.given_source import ARRAYS_FILE
from ratewarp.studies import Condition, Setting, resolved, stored_study
from worlds import INKS, MEANS, ROWS, Bars, bars, example, images_of


def study_of(source: object, **changes: object) -> Study:
    """A small study on a world of one's own."""
    skewed, told = {"frequency": "2 if ink == 'pale' else 1"}, {"tasks": [{"name": "ink", "label": "ink"}]}
    known = {"network": "mlp", "likelihood": "gaussian", "capacities_nats": [1], "bound_points": 0}
    models = {"even": {}, "skewed": skewed, "told": told}
    return Study(source=source, **{**known, "models": models, **changes})


def keep(study: Study, folder) -> dict:
    """What a run directory keeps of a study, as it is read back."""
    for name, content in kept_files(study.source).items():
        (folder / name).write_bytes(content)
    return yaml.safe_load(yaml.safe_dump(resolved(study), sort_keys=False))


@pytest.mark.parametrize("world", ["colours", "bars", "bars without means"])
def test_a_run_directory_knows_a_world_without_its_object(tmp_path, world):
    if world == "colours":
        models = {"even": {}, "red": {"frequency": "mostly_red"}, "warm": {"tasks": ["warm", "far"]}}
        colours = example("colours").Colours()
        study = Study(source=colours, network="mlp", models=models, capacities_nats=[0.3, 1])
    else:
        study = study_of(bars(mean_images=None) if "without" in world else Bars())
    again = stored_study(keep(study, tmp_path), tmp_path)
    assert again.source.object is None
    assert again.source == study.source
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    for ours, theirs in zip(study.conditions, again.conditions, strict=True):
        np.testing.assert_array_equal(ours.setting.probabilities(), theirs.setting.probabilities())
        for our_task, their_task in zip(ours.setting.labellings(), theirs.setting.labellings(), strict=True):
            np.testing.assert_array_equal(our_task.labels, their_task.labels)
        json.loads(ours.model_dump_json())
    assert (again.source.mean_images() is None) == (world == "bars without means")
    if again.source.mean_images() is not None:
        np.testing.assert_array_equal(again.source.mean_images(), study.source.mean_images())
    assert resolved(again) == resolved(study)


def test_a_world_without_its_object_draws_no_images(tmp_path):
    again = stored_study(keep(study_of(Bars()), tmp_path), tmp_path).source
    with pytest.raises(RequestError, match=r"^the source 'bars' is a Python object.*call ratewarp\.run with"):
        again.sample(np.array([0]), keys=jax.random.split(jax.random.key(0), 1))


def test_a_study_file_cannot_describe_a_world():
    with pytest.raises(RequestError, match="source must be a Python object where it is of kind 'given'"):
        study_of(GivenSource(Bars()).description())


@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_damaged_means_are_noticed(tmp_path, damage):
    data, file = keep(study_of(Bars()), tmp_path), tmp_path / ARRAYS_FILE
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes({"changed": bytes(content), "cut": content[:-9], "gone": b""}[damage])
    if damage == "gone":
        file.unlink()
    said = "cannot read .*source" if damage == "gone" else "damaged or was changed"
    with pytest.raises(RatewarpError, match=said):
        stored_study(data, tmp_path)


DAMAGED = [
    *({key: None} for key in ("digest", "factors", "stimuli", "arrays_sha256", "image_shape", "tasks")),
    *({"factors": wrong} for wrong in ([3], 3, [{"name": "row"}], [{"name": "row", "values": [1], "by": 2}])),
    *({"stimuli": wrong} for wrong in ([[0], [1, 2]], 3, [["a", "b"]])),
    {"image_shape": [3]},
    {"pixels": "ternary"},
    {"task_sets": 3},
]


@pytest.mark.parametrize("change", DAMAGED, ids=map(str, DAMAGED))
def test_a_damaged_description_is_refused_in_words(tmp_path, change):
    data = keep(study_of(Bars()), tmp_path)
    changed = {**data["source"], **change}
    data["source"] = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(RequestError, match="source"):
        stored_study(data, tmp_path)


def condition_id(source: object) -> str:
    return Condition(model="a", capacity_nats=1, seed=0, setting=Setting(source=source)).id


def test_equal_worlds_have_equal_ids():
    first, second = GivenSource(Bars()), GivenSource(bars())
    assert first == second
    assert hash(first) == hash(second)
    assert condition_id(first) == condition_id(second)


SHIFTED = {
    "mean_images": lambda self: MEANS + 0.5,
    "sample": lambda self, stimuli, *, keys: Bars.sample(self, stimuli, keys=keys) + 0.5,
}
OTHERS = {
    "name": {"name": "lines"},
    "noise": {"noise": 0.26},
    "means": SHIFTED,
    "no means": {"mean_images": None},
    "order of stimuli": {"stimuli": Bars.stimuli[::-1]},
    "fewer stimuli": {"stimuli": Bars.stimuli[:5]},
    "name of a factor": {"factors": (Factor("line", (0, 10, 20)), INKS)},
    "values": {"factors": (Factor("row", (0, 10, 30)), INKS)},
    "kind of a factor": {"factors": (Factor("row", (0, 10, 20), "circular", 30), INKS)},
    "frequencies": {"frequencies": {"skewed": "row + 1"}},
    "tasks": {"tasks": {"low": "row > 5"}},
    "independent pixels": {"independent_pixels": True},
    "a digest of its own": {"digest": "v2"},
}


def test_other_worlds_have_other_ids():
    sources = [GivenSource(bars(**members)) for members in [{}, *OTHERS.values()]]
    assert len({condition_id(source) for source in sources}) == len(sources)
    assert len({source.digest for source in sources}) == len(sources)


def test_its_own_digest_counts_instead_of_its_images():
    assert GivenSource(bars(digest="v2")) == GivenSource(bars(digest="v2", noise=0.3))
    with pytest.raises(RequestError, match="images of type float32"):
        GivenSource(bars(digest="v2", sample=images_of(0, dtype=jnp.uint8)))


CIRCLE = Factor("row", np.array([0.0, 10.0, 20.0]), "circular", np.float32(30))
SOUND = {
    "numbers of NumPy": {"factors": (Factor("row", tuple(np.array([0, 10, 20]))), INKS)},
    "texts of NumPy": {"factors": (ROWS, Factor("ink", np.array(["pale", "dark"]), "categorical"))},
    "values as an array": {"factors": [CIRCLE, INKS]},
    "lists": {"stimuli": Bars.stimuli.tolist(), "image_shape": [3, 2, 1], "factors": [ROWS, INKS]},
    "means as an array": {"mean_images": MEANS.tolist()},
    "means of JAX": {"mean_images": lambda self: jnp.asarray(MEANS)},
    "whole numbers as means": {"mean_images": lambda self: MEANS.astype(int)},
    "no factors": {
        "factors": (),
        "stimuli": np.zeros((6, 0)),
        "mean_images": MEANS,
        "sample": lambda self, stimuli, *, keys: jnp.asarray(MEANS, jnp.float32)[stimuli],
    },
    "one value": {
        "factors": (ROWS, INKS, Factor("place", (7,))),
        "stimuli": np.insert(Bars.stimuli, 2, 0, axis=1),
    },
}


@pytest.mark.parametrize("members", SOUND.values(), ids=SOUND)
def test_what_is_sound_is_taken_and_can_be_stored(tmp_path, members):
    study = study_of(bars(**members), models={"even": {}})
    json.loads(study.conditions[0].model_dump_json())
    assert stored_study(keep(study, tmp_path), tmp_path).conditions[0].id == study.conditions[0].id

"""The stage of codes that a user brings: what is on it is what was measured."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from ratewarp import RequestError, measure
from ratewarp.codes.measurement import Measurement
from ratewarp.report.page.stage import to_json
from ratewarp.report.page.stage_of_codes import stage_of_codes

ODD = "<script>'\"&\u202e"


def unpacked(packed: dict[str, Any]) -> np.ndarray:
    steps = np.frombuffer(
        zlib.decompress(b64decode(packed["data"])), "<u2" if packed["kind"] == "u2" else "u1"
    )
    return (packed["offset"] + packed["scale"] * steps.astype(float)).reshape(packed["shape"])


def trials(stimuli: int = 12, latents: int = 3, **more: Any) -> tuple[Measurement, dict[str, Any]]:
    """Two classes, each stimulus three times, with names, a factor and a reference."""
    rng = np.random.default_rng(0)
    of = np.repeat(rng.permutation(stimuli), 3)
    kind = np.where(of % 2, "dog", ODD)
    means = 2 * rng.standard_normal((2, stimuli, latents))
    noise = 0.3 * rng.standard_normal((2, len(of), latents))
    codes = means[0, of] + noise[0] + 3 * (of % 2)[:, None]
    given: dict[str, Any] = {
        "stimuli": np.array([f"picture {one:02}" for one in of]),
        "factors": {"size": of // 2, "shade": of % 3},
        "reference": means[1, of] + noise[1],
    }
    given |= more
    return measure(codes, {"kind": kind}, permutations=0, **given), {"of": of, "codes": codes, **given}


def test_codes_maps_and_stimuli_are_those_that_were_measured():
    found, given = trials()
    data = stage_of_codes(found, "mine")
    own, reference = (one["detail"] for one in data["conditions"])
    step = np.ptp(given["codes"]) / 65_534
    np.testing.assert_allclose(unpacked(own["codes"]), given["codes"], atol=step)
    np.testing.assert_allclose(unpacked(reference["codes"]), given["reference"], atol=step)
    assert data["reference"] == "reference"
    assert [one["name"] for one in data["models"]] == ["mine", "reference"]
    stimulus = unpacked(data["world"]["stimulus"]).astype(int)
    assert [data["world"]["names"][one] for one in stimulus] == list(given["stimuli"])
    size = next(one for one in data["world"]["factors"] if one["name"] == "size")
    ranks = unpacked(size["ranks"]).astype(int)[stimulus]
    np.testing.assert_array_equal(np.array(size["values"])[ranks], given["factors"]["size"])


def test_classes_and_their_distances_are_those_of_the_table():
    found, given = trials()
    (scheme,) = stage_of_codes(found, "mine")["schemes"]
    stimulus = unpacked(stage_of_codes(found, "mine")["world"]["stimulus"]).astype(int)
    of = unpacked(scheme["of"]).astype(int)[stimulus]
    assert [scheme["classes"][one] for one in of] == [ODD if even else "dog" for even in given["of"] % 2 == 0]
    for change, shown in zip((False, True), scheme["distances"], strict=True):
        told = found.class_distance("kind", change=change)
        for part, expected in (("values", told), ("low", told["low"]), ("high", told["high"])):
            np.testing.assert_allclose(shown[part], expected.values, equal_nan=True)


def test_indices_and_sentences_tell_the_numbers_of_the_table():
    found, _ = trials()
    data = stage_of_codes(found, "mine")
    (own,) = [one for one in data["indices"] if one["measure"] == "prototypization"]
    for form in own["forms"]:
        value = found.value("prototypization", "kind", trial_noise=form["trial_noise"])
        assert form["value"] == value
    first = data["sentences"]["mine"][0]
    assert first.startswith(f"{100 * found.value('prototypization', 'kind'):.0f} % of the variance")
    assert "trial noise taken off" in first
    assert "against the reference" in first


def test_without_a_reference_there_is_one_model_beside_itself():
    found, _ = trials(reference=None)
    data = stage_of_codes(found, "mine")
    assert [one["id"] for one in data["conditions"]] == ["mine"] == [data["reference"]]
    assert len(data["schemes"][0]["distances"]) == 1
    assert not any("reference" in text for text in data["sentences"]["mine"])


def test_classes_that_differ_within_a_stimulus_are_not_shown_as_classes_of_stimuli():
    found, given = trials()
    answers = np.arange(len(given["of"])) % 2
    found = measure(given["codes"], {"answer": answers}, stimuli=given["stimuli"], permutations=0)
    assert stage_of_codes(found, "mine")["schemes"] == []


def test_of_very_many_items_some_are_shown_and_said_to_be_some():
    rng = np.random.default_rng(1)
    codes = rng.standard_normal((5000, 4))
    found = measure(codes, rng.integers(0, 3, 5000), ids=np.arange(5000), permutations=0)
    data = stage_of_codes(found, "many")
    shown = unpacked(data["conditions"][0]["detail"]["codes"])
    assert shown.shape == (2000, 4)
    assert "2,000 of 5,000 items" in data["alerts"][0]
    names = [int(data["world"]["names"][one]) for one in unpacked(data["world"]["stimulus"]).astype(int)]
    np.testing.assert_allclose(shown, codes[names], atol=np.ptp(codes) / 65_534)


def test_codes_of_very_many_latents_keep_their_distances():
    codes = np.random.default_rng(2).standard_normal((40, 3000))
    data = stage_of_codes(measure(codes, np.arange(40) % 2, permutations=0), "wide")
    shown = unpacked(data["conditions"][0]["detail"]["codes"])
    assert shown.shape[1] <= 256
    np.testing.assert_allclose(pdist(shown), pdist(codes), rtol=1e-3)
    assert data["conditions"][0]["detail"]["latents_are"] == "component"
    assert any("principal components" in text for text in data["alerts"])


def test_a_factor_of_very_many_values_is_shown_in_steps():
    values = np.random.default_rng(3).exponential(size=200)
    found = measure(values[:, None], factors={"size": values}, permutations=0)
    (factor,) = stage_of_codes(found, "mine")["world"]["factors"]
    ranks = unpacked(factor["ranks"]).astype(int)
    assert len(factor["values"]) <= 60
    values = np.sort(values)  # items of equal factors are of one stimulus, in their order
    assert (np.diff(ranks) >= 0).all()
    for rank, value in enumerate(factor["values"]):
        assert values[ranks == rank].min() - 1e-9 <= value <= values[ranks == rank].max() + 1e-9


@pytest.mark.parametrize("per", ["item", "stimulus"])
@pytest.mark.parametrize("scale", [255, 1.0])
def test_images_stand_by_their_stimuli(per, scale):
    given = trials()[1]
    kind = np.uint8 if scale == 255 else float
    every = (np.random.default_rng(4).uniform(0, scale, (12, 4, 5, 3))).astype(kind)
    images = every[given["of"]] if per == "item" else every  # named in the order of their numbers
    data = stage_of_codes(trials(images=images)[0], "mine")
    shown = unpacked(data["world"]["images"])
    places = unpacked(data["world"]["pictured"]).astype(int)
    np.testing.assert_allclose(shown, (every / scale)[places], atol=1 / 250)
    assert data["world"]["shape"] == [4, 5, 3]
    assert data["world"]["paint"] == "colour"


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((5, 4, 4)), "one for each of 36 items or 12 stimuli"),
        (np.zeros((12, 4)), "height, width"),
        (np.zeros((12, 4, 4, 2)), "1 or 3 channels"),
        (np.full((12, 4, 4), 300), "from 0 to 255"),
        (np.full((12, 4, 4), -0.5), "from 0 to 1"),
        (np.full((12, 4, 4), np.nan), "from 0 to 1"),
    ],
)
def test_images_that_are_none_are_refused(images, words):
    with pytest.raises(RequestError, match=f"images.*{words}"):
        trials(images=images)


def test_all_of_it_can_stand_in_a_page():
    found, _ = trials()
    text = to_json(stage_of_codes(found, ODD))
    assert "<" not in text
    assert json.loads(text)["models"][0]["name"] == ODD

"""Numbers that the page computes, against numpy, scipy, pandas and the package itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial.distance import cdist

from node import NODE, called, front_modules, needs_node
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.page.stage import stage_json, to_json

pytestmark = needs_node

ITEMS, LATENTS, STIMULI = 60, 3, 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    front_modules(folder)
    return folder


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ITEMS, LATENTS)).astype(np.float32)


@pytest.fixture(scope="module")
def stimulus() -> np.ndarray:
    """Of every code; every stimulus has codes, in no order."""
    rng = np.random.default_rng(1)
    return rng.permutation(np.r_[np.arange(STIMULI), rng.integers(0, STIMULI, ITEMS - STIMULI)]).astype("i4")


def detail(codes: np.ndarray, means: np.ndarray, frequency: np.ndarray | None = None) -> dict[str, Any]:
    frequency = np.ones(len(means), np.float32) if frequency is None else frequency
    return {"codes": codes, "latents": codes.shape[1], "means": means, "frequency": frequency}


ARRAYS = {
    "reals": np.random.default_rng(2).normal(size=(7, 5)),
    "with gaps": np.array([[np.nan, -2.5, np.inf], [1e-3, 7.25, -np.inf]]),
    "nothing known": np.array([np.nan, np.nan]),
    "empty": np.zeros((0, 3)),
    "one value": np.full(4, -0.125),
    "whole": np.arange(250).reshape(2, 125),
    "truths": np.array([True, False, True]),
    "far from 0": 1e6 + np.linspace(0, 1, 9),
    "long": np.random.default_rng(3).uniform(-1, 1, 70_000),
}


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_arrays_are_unpacked_to_half_a_step(folder, kind):
    given = [json.loads(to_json(packed(values, kind))) for values in ARRAYS.values()]
    results = called(folder, *(("packed_arrays", "unpack", [one]) for one in given))
    steps = {"u1": 254, "u2": 65_534}[kind]
    for (name, values), found in zip(ARRAYS.items(), results, strict=True):
        assert found["shape"] == list(values.shape)
        back, known = np.array(found["values"]).reshape(values.shape), np.isfinite(values)
        np.testing.assert_array_equal(np.isfinite(back), known, name)
        exact = values.dtype.kind in "ib"
        span = np.ptp(values[known].astype(float)) if known.any() else 0
        # offset and scale have six digits in JSON, numbers of the page 24 bits
        slack = 0 if exact else span / steps / 2 + 3e-6 * np.abs(values[known]).max(initial=0)
        np.testing.assert_allclose(back[known], values[known], rtol=0, atol=slack, err_msg=name)


def test_distances_from_a_code(folder, codes):
    items = [0, 17, ITEMS - 1]
    given = detail(codes, codes)
    results = called(folder, *(("stage_run", "distancesFrom", [given, item]) for item in items))
    np.testing.assert_allclose(results, cdist(codes[items], codes), atol=1e-6)


def test_mean_codes_of_stimuli(folder, codes, stimulus):
    (found,) = called(folder, ("stage_run", "meansOf", [codes, LATENTS, stimulus, STIMULI + 1]))
    means = pd.DataFrame(codes).groupby(stimulus).mean().reindex(range(STIMULI + 1))
    # the last stimulus has no codes
    np.testing.assert_allclose(np.array(found).reshape(STIMULI + 1, LATENTS), means, atol=1e-6)


def test_nearest_stimuli_are_each_named_once(folder, codes, stimulus):
    broken = codes.copy()
    broken[3] = np.nan
    given = {"stimulus": stimulus}
    for item in (0, 5):
        (found,) = called(folder, ("stimulus_view", "nearestStimuli", [given, detail(broken, broken), item]))
        away = pd.Series(cdist(broken[[item]], broken)[0]).groupby(stimulus).min()
        nearest = away.drop(stimulus[item]).nsmallest(5)
        assert [one for one, _ in found] == nearest.index.tolist()
        np.testing.assert_allclose([one for _, one in found], nearest, atol=1e-6)


def test_latents_in_use_begin_with_the_most_informative(folder):
    rates, spreads = [0.02, 0.0, 3.0, 0.01, 0.5], [0.5, 0.0, *range(1, 40)]
    run, codes = called(
        folder,
        ("stage_run", "latentsInUse", [{"rates": rates, "weights": rates}]),
        ("stage_run", "latentsInUse", [{"rates": None, "weights": spreads}]),
    )
    assert run == [2, 4, 0]
    assert codes[:3] == [40, 39, 38]  # those that vary most, of codes without rates
    assert 1 < len(codes) < 40


def test_shares_of_the_variance(folder):
    codes = np.random.default_rng(3).normal(size=(STIMULI, LATENTS)).astype(np.float32)
    codes[:, 1] = 2
    (found,) = called(folder, ("stage_run", "sharesOfVariance", [codes, LATENTS]))
    variances = codes.astype(float).var(axis=0)
    np.testing.assert_allclose(found, variances / variances.sum(), atol=1e-5)


def test_courses_over_a_factor(folder):
    rng = np.random.default_rng(4)
    means = rng.normal(size=(STIMULI, LATENTS)).astype(np.float32)
    means[6] = np.nan
    ranks = rng.integers(0, 4, STIMULI).astype("i4")
    frequency = np.where(np.arange(STIMULI) % 5 == 0, 0, 0.1).astype(np.float32)
    factor = {"values": [10, 20, 30, 40, 50], "ranks": ranks}
    (found,) = called(folder, ("tuning_view", "courseOf", [detail(means, means, frequency), 1, factor]))
    kept = (frequency > 0) & np.isfinite(means[:, 1])
    course = pd.Series(means[kept, 1].astype(float)).groupby(ranks[kept]).agg(["mean", "min", "max"])
    course = course.reindex(range(5))
    np.testing.assert_allclose(found["mean"], course["mean"], atol=1e-6)
    np.testing.assert_allclose(found["low"], course["min"].fillna(np.inf), atol=1e-6)
    np.testing.assert_allclose(found["high"], course["max"].fillna(-np.inf), atol=1e-6)


def test_distances_of_classes(folder):
    rng = np.random.default_rng(5)
    means = rng.normal(size=(STIMULI, LATENTS)).astype(np.float32)
    classes = (np.arange(STIMULI) % 3).astype("i4")
    frequency = np.where(np.arange(STIMULI) < 4, 0, 1).astype(np.float32)
    scheme = {"classes": ["a", "b", "c"], "of": classes}
    (found,) = called(folder, ("distances_view", "logDistances", [detail(means, means, frequency), scheme]))
    squared, occurs = cdist(means, means, "sqeuclidean"), frequency > 0
    apart = ~np.eye(STIMULI, dtype=bool) & np.outer(occurs, occurs)
    expected = [
        [np.log(np.sqrt(squared[apart & np.outer(classes == a, classes == b)].mean())) for b in range(3)]
        for a in range(3)
    ] - np.log(np.sqrt(squared[apart].mean()))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_class_of_one_stimulus_has_no_distance_within(folder):
    means = np.array([[0.0], [1.0], [3.0]], np.float32)
    scheme = {"classes": ["a", "b"], "of": np.array([0, 0, 1], "i4")}
    (found,) = called(folder, ("distances_view", "logDistances", [detail(means, means), scheme]))
    assert np.isnan(found[1][1])
    # squares of all pairs: 1, 9 and 4
    assert found[0][1] == found[1][0] == pytest.approx(0.5 * np.log(6.5 / (14 / 3)), abs=1e-6)


def test_images_between_decoded_ones(folder):
    rng = np.random.default_rng(6)
    images, middle = rng.uniform(size=(5, 4, 2, 2, 1)), rng.uniform(size=(2, 2, 1))
    axes, centre, low, high = np.eye(2, 3), np.array([0.2, -0.1, 0.4]), [-2.0, -1.0], [1.0, 3.0]
    along = {
        "of": [],
        "reach": [],
        "middle": packed(middle, "u1"),
        "images": packed(np.zeros((0, 29, 2, 2, 1)), "u1"),
    }
    plane = {"axes": axes.tolist(), "low": low, "high": high, "images": packed(images, "u1")}
    data = {
        "kind": "grid",
        "shape": [2, 2, 1],
        "latents": 3,
        "centre": centre.tolist(),
        "along": along,
        "plane": plane,
    }
    places = np.stack([rng.uniform(-2, 1, 20), rng.uniform(-1, 3, 20)], axis=1)
    places[0], places[1] = low, high
    codes = centre + places @ axes
    codes[:, 2] += rng.normal(size=20)  # the axes do not heed it: it is not in use
    (found,) = decoded(folder, [{"data": json.loads(to_json(data)), "codes": codes.tolist()}])
    grids = [np.linspace(one, other, steps) for one, other, steps in zip(low, high, (5, 4), strict=True)]
    expected = RegularGridInterpolator(grids, images.reshape(5, 4, 4))(places)
    assert all(found["known"])
    np.testing.assert_allclose(found["images"], expected, atol=0.6 / 254)  # half a step, and rounding


def decoded(folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page makes of codes."""
    assert NODE is not None, "needs node"
    script = shutil.copy(Path(__file__).parents[1] / "report" / "decode.mjs", folder)
    given, found = folder / "cases.json", folder / "found.json"
    given.write_text(json.dumps(cases))
    subprocess.run([NODE, script, given, found], check=True, timeout=120)
    return json.loads(found.read_text())


def test_large_parts_are_inflated_to_what_they_were(folder):
    words = {f"condition {one}": ["Größe </script> \u2028 💀", one, None, one / 7] for one in range(2000)}
    data = {"words": words, "few": [1, 2], "conditions": list(range(9000)), "title": "t" * 30_000}
    text = stage_json(data)
    assert len(text) < 0.5 * len(to_json(data))
    assert "deflated" in json.loads(text)["words"]
    assert json.loads(text)["title"] == data["title"]
    (found,) = called(folder, ("packed_arrays", "inflated", [json.loads(text)]))
    assert found == json.loads(to_json(data))

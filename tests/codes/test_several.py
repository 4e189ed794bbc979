from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from ratewarp import RequestError, likeness, measure, measure_several
from ratewarp._progress import Progress

RNG = np.random.default_rng(0)
KIND = np.arange(24) % 2
SUBJECTS = {f"s{n}": RNG.normal(size=(24, 3)) + KIND[:, None] for n in range(5)}
OVER_TIME = {
    name: RNG.normal(size=(24, 3, 4)) + np.linspace(0, 3, 4) * KIND[:, None, None] for name in SUBJECTS
}


def test_each_set_is_measured_as_it_would_be_alone():
    found = measure_several(SUBJECTS, KIND, workers=1)
    assert list(found.table["set"].unique()) == list(SUBJECTS)
    wide = found.values("prototypization", "labels")
    for name, codes in SUBJECTS.items():
        alone = measure(codes, KIND, permutations=0)
        assert wide.loc[name].item() == alone.value("prototypization", "labels")
    row = found.group.set_index("measure").loc["prototypization"]
    assert row["mean"] == pytest.approx(wide.to_numpy().mean())
    assert row["sets"] == 5
    assert row["p"] == 1 / 2**5  # upwards: no other way to turn signs is as far above


def test_time_points_with_several_processes():
    found = measure_several(
        OVER_TIME, KIND, reference=OVER_TIME["s0"][:, :, 0], places=[-0.1, 0, 0.1, 0.2], workers=2
    )
    assert found.third == "time"
    wide = found.values("prototypization_change", "labels")
    assert list(wide.columns) == [-0.1, 0, 0.1, 0.2]
    alone = measure(OVER_TIME["s3"][:, :, 2], KIND, reference=OVER_TIME["s0"][:, :, 0], permutations=0)
    assert wide.loc["s3", 0.1] == alone.value("prototypization_change", "labels")
    rows = found.group[found.group["measure"] == "prototypization"]
    assert len(rows) == 4
    assert (rows["p_adjusted"] >= rows["p"]).all()
    entries = found.group[found.group["measure"] == "class_distance"]
    assert set(zip(entries["class"], entries["other"], strict=True)) == {("0", "0"), ("0", "1"), ("1", "1")}


def test_vectors_of_pairs_are_sets_as_their_matrices_are():
    pairs = {name: pdist(codes) for name, codes in SUBJECTS.items()}
    found = measure_several(pairs, KIND, kind="distances", workers=1)
    whole = {name: squareform(one) for name, one in pairs.items()}
    same = measure_several(whole, KIND, kind="distances", workers=1)
    assert found.group.equals(same.group)
    with pytest.raises(RequestError, match=r"shape \(276,\)"):
        measure_several(pairs, KIND, workers=1)


def test_an_array_of_sets_and_arguments_of_their_own():
    found = measure_several(np.stack(list(SUBJECTS.values())), KIND, workers=1)
    assert found.sets == ("0", "1", "2", "3", "4")
    other = {
        name: {"codes": codes, "labels": 1 - KIND[:20]} if name == "s1" else codes
        for name, codes in SUBJECTS.items()
    }
    other["s1"]["codes"] = SUBJECTS["s1"][:20]
    found = measure_several(other, KIND, workers=1)
    alone = measure(SUBJECTS["s1"][:20], 1 - KIND[:20], permutations=0)
    assert found.values("prototypization", "labels").loc["s1"].item() == alone.value(
        "prototypization", "labels"
    )


def test_progress_is_told():
    told = []
    measure_several(SUBJECTS, KIND, workers=1, progress=told.append)
    assert told == [Progress("measuring", n, 5) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("sets", "changes", "match"),
    [
        ({"a": SUBJECTS["s0"]}, {}, "sets must be at least two; got 1"),
        (
            {"a": SUBJECTS["s0"], "b": OVER_TIME["s0"]},
            {},
            "sets must be of third axes of one length, or none",
        ),
        (
            {"a": SUBJECTS["s0"], "b": SUBJECTS["s0"][:5]},
            {},
            "b: labels must be one label for each of the 5 items",
        ),
        (OVER_TIME, {"places": [1, 2]}, "places must be one for each of the 4 places"),
        ({"a": np.zeros(3), "b": np.zeros(3)}, {}, "codes of 'a' must be"),
        (3, {}, "sets must be sets of codes by name or in order"),
    ],
)
def test_bad_input_is_named(sets, changes, match):
    with pytest.raises(RequestError, match=match):
        measure_several(sets, KIND, workers=1, **changes)


def test_unknown_numbers_are_told_with_the_nearest():
    found = measure_several(SUBJECTS, KIND, workers=1)
    with pytest.raises(RequestError, match="Did you mean 'prototypization'"):
        found.values("prototypisation", "labels")
    with pytest.raises(RequestError, match="trial_noise: no form is named 'none'"):
        found.values("prototypization", "labels", trial_noise="none")


def test_likeness_by_peers():
    found = likeness(SUBJECTS)
    np.testing.assert_array_equal(np.diag(found["linear_cka"]), 1)
    distances = [pdist(codes) for codes in SUBJECTS.values()]
    np.testing.assert_allclose(found["distance_correlation"], spearmanr(distances, axis=1).statistic)
    alone = measure(SUBJECTS["s1"], reference=SUBJECTS["s2"], permutations=0)
    for name in ("linear_cka", "procrustes_distance"):
        pair = found[name].sel(set="s1", other="s2").item()
        assert pair == pytest.approx(alone.value(name))
    assert (found["ceiling_low"] <= found["ceiling_high"]).all()


def test_likeness_without_trial_noise_is_that_of_the_tuning_on_average():
    tuning = RNG.normal(size=(60, 3))
    other, units = tuning @ RNG.normal(size=(3, 3)), np.repeat(np.arange(60), 4)
    clean, values = likeness({"a": tuning, "b": other})["linear_cka"].values[0, 1], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        noisy = {
            name: one[units] + 0.8 * rng.normal(size=(240, 3)) for name, one in (("a", tuning), ("b", other))
        }
        values.append(likeness(noisy, units)["linear_cka"].values[0, 1])
    assert np.mean(values) == pytest.approx(clean, abs=0.02)


def test_bad_sets_of_likeness_are_named():
    with pytest.raises(RequestError, match="sets must be of the same stimuli; 's0' has 24, 'b' 5"):
        likeness({"s0": SUBJECTS["s0"], "b": SUBJECTS["s0"][:5]})
    with pytest.raises(RequestError, match="stimuli must be given for every set; got \"none for 's1'"):
        likeness(SUBJECTS, {"s0": KIND})


@pytest.mark.parametrize(
    "form",
    [pdist, lambda codes: squareform(pdist(codes))],
    ids=["pairs", "matrix"],
)
def test_likeness_of_distances_is_that_of_codes_which_have_them(form):
    found = likeness({name: form(codes) for name, codes in SUBJECTS.items()}, kind="distances")
    for name, expected in likeness(SUBJECTS).items():
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-7)  # arc cosine near 1


def test_likeness_of_squares_and_codes():
    """A model's codes beside dissimilarities of subjects; stimuli are matched by their names."""
    order = RNG.permutation(24)
    sets = {"model": SUBJECTS["s0"], "recorded": squareform(pdist(SUBJECTS["s1"]) ** 2)[np.ix_(order, order)]}
    found = likeness(
        sets, {"model": np.arange(24), "recorded": order}, kind={"recorded": "squared distances"}
    )
    for name, expected in likeness({"model": SUBJECTS["s0"], "recorded": SUBJECTS["s1"]}).items():
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-7)


def test_likeness_of_dissimilarities_that_codes_cannot_have_correlates_them_as_they_are():
    squares = {name: pdist(codes) ** 2 - RNG.exponential(3, 276) for name, codes in SUBJECTS.items()}
    found = likeness(squares, kind="squared distances")["distance_correlation"]
    np.testing.assert_allclose(found, spearmanr(list(squares.values()), axis=1).statistic)


def test_likeness_says_what_is_wrong_with_dissimilarities():
    pairs = {name: pdist(codes) for name, codes in SUBJECTS.items()}
    square = {name: squareform(one) for name, one in pairs.items()}
    with pytest.raises(RequestError, match=r"codes of 's0' .* look like dissimilarities"):
        likeness(square)
    with pytest.raises(RequestError, match="kind: no set is named 's9'"):
        likeness(square, kind={"s9": "distances"})
    with pytest.raises(RequestError, match="no kind is named 'distance'"):
        likeness(square, kind="distance")
    with pytest.raises(RequestError, match="those of 2 subjects"):
        likeness({**square, "s0": np.stack([square["s0"]] * 2)}, kind="distances")
    with pytest.raises(RequestError, match="stimuli of 's0' must be one name for each of the 24 stimuli"):
        likeness(pairs, KIND, kind="distances")

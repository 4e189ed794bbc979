"""Measures of dissimilarities: those of the codes that they were made from, where no axes are asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform

from ratewarp import RequestError, measure
from ratewarp.geometry import MEASURES, planted_codes

P = planted_codes(prototypization=0.4, side=4, items=3)
NAMES = np.array(["low", "high"])[P.classes]
GIVEN = {
    "labels": NAMES,
    "factors": P.factors[P.stimuli],
    "frequency": 1 + P.factors[P.stimuli][:, 0],
    "permutations": 20,
}
OF_AXES = {"orthogonalization", "mutual_information_gap", "dci", "latent_rate"}


def _numbers(found):
    columns = ["measure", "task", "trial_noise", "class", "other"]
    return found.table.fillna({"class": "", "other": ""}).set_index(columns)[["value", "low", "high", "p"]]


@pytest.mark.parametrize(
    ("kind", "metric", "form"),
    [
        ("distances", "euclidean", squareform),
        ("distances", "euclidean", np.array),
        ("squared distances", "sqeuclidean", squareform),
    ],
)
def test_numbers_are_those_of_the_codes(kind, metric, form):
    own = measure(P.codes, reference=P.reference, **GIVEN)
    found = measure(
        form(pdist(P.codes, metric)), reference=squareform(pdist(P.reference, metric)), kind=kind, **GIVEN
    )
    theirs, ours = _numbers(own), _numbers(found)
    assert set(ours.index) < set(theirs.index)
    np.testing.assert_allclose(ours, theirs.loc[ours.index], atol=1e-8)
    lacking = {name.removesuffix("_change") for name, *_ in set(theirs.index) - set(ours.index)}
    assert lacking == {"orthogonalization", "mutual_information_gap"}
    assert found.kept == pytest.approx({"codes": 1, "reference": 1})
    assert own.kept == {}


def test_what_is_left_out_asks_about_axes():
    assert {one.name for one in MEASURES if "rotation" not in one.keeps} - {"class_distortion"} == OF_AXES


def test_codes_beside_dissimilarities():
    """The measured codes keep what asks about their axes; changes from a reference without any are left out."""
    found = measure(P.codes, reference=pdist(P.reference), reference_kind="distances", **GIVEN)
    names = set(found.table["measure"])
    assert "orthogonalization" in names
    assert not {"orthogonalization_change", "mutual_information_gap_change"} & names
    assert "prototypization_change" in names
    turned = measure(pdist(P.codes), reference=P.reference, kind="distances", **GIVEN)
    assert list(turned.kept) == ["codes"]
    assert turned.value("prototypization_change", "labels") == pytest.approx(
        found.value("prototypization_change", "labels")
    )


def test_rows_of_a_reference_are_matched_by_id():
    ids, order = np.arange(len(P.codes)), np.random.default_rng(0).permutation(len(P.codes))
    whole = squareform(pdist(P.reference))
    straight = measure(pdist(P.codes), reference=whole, kind="distances", **GIVEN)
    found = measure(
        pdist(P.codes),
        reference=whole[np.ix_(order, order)],
        ids=ids,
        reference_ids=ids[order],
        kind="distances",
        **GIVEN,
    )
    assert found.value("linear_cka") == pytest.approx(straight.value("linear_cka"))


def test_several_subjects():
    noise = np.random.default_rng(0).normal(size=(3, *P.codes.shape))
    stack = np.stack([squareform(pdist(P.codes + one)) for one in noise])
    for subject, matrix in ((1, stack[1]), ("mean", stack.mean(axis=0))):
        one = measure(stack, kind="distances", subject=subject, reference=stack[0], **GIVEN)
        other = measure(matrix, kind="distances", reference=stack[0], **GIVEN)
        np.testing.assert_allclose(_numbers(one), _numbers(other), atol=1e-8)
    both = measure(
        stack[0], kind="distances", subject=2, reference=[squareform(one) for one in stack], **GIVEN
    )
    straight = measure(stack[0], kind="distances", reference=stack[2], **GIVEN)
    assert both.value("linear_cka") == pytest.approx(straight.value("linear_cka"))
    with pytest.raises(RequestError, match="subject: codes are of 3 subjects; say subject=INDEX"):
        measure(stack, kind="distances")
    with pytest.raises(RequestError, match="subject: reference are of 3 subjects"):
        measure(stack[0], kind="distances", reference=stack)


def test_dissimilarities_are_not_taken_for_codes():
    matrix = squareform(pdist(P.codes))
    for given in (matrix, np.stack([matrix, matrix]), matrix + np.where(np.eye(48), np.nan, 0)):
        with pytest.raises(RequestError, match=r'codes .* look like dissimilarities.* kind="distances" or'):
            measure(given)
    with pytest.raises(RequestError, match=r'reference \(48 × 48\) look like .*reference_kind="distances"'):
        measure(P.codes, reference=matrix)
    found = measure(matrix, kind="codes", reference=matrix, reference_kind="codes")
    assert found.codes.shape == matrix.shape
    assert found.kept == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference_kind": "distances"}, "reference_kind must be given together with a reference"),
        ({"subject": 3}, "subject must be given where dissimilarities are of several subjects; got 3"),
        ({"noise": np.ones((48, 5))}, "noise: it is of codes, and codes are dissimilarities"),
        ({"extra": True, "factors": P.factors[P.stimuli]}, "extra: disentanglement is of latents"),
        (
            {"reference": squareform(pdist(P.reference)), "reference_noise": np.ones((48, 5))},
            "reference_noise: it is of codes, and reference are dissimilarities",
        ),
        ({"reference": squareform(pdist(P.codes[:9]))}, "must hold the same items; got 48 and 9 rows"),
        ({"labels": NAMES[:9]}, "one label for each of the 48 items"),
    ],
)
def test_wrong_requests(arguments, message):
    with pytest.raises(RequestError, match=message):
        measure(squareform(pdist(P.codes)), kind="distances", **arguments)


def test_subjects_and_pairs_are_no_codes_of_as_many_items():
    """Of ten stimuli and ten subjects, the reference is likelier of 45 pairs than of 45 latents."""
    rows = np.stack([pdist(np.random.default_rng(seed).normal(size=(10, 3))) for seed in range(10)])
    found = measure(rows, kind="distances", subject=0, reference=rows)
    assert set(found.kept) == {"codes", "reference"}
    assert found.value("procrustes_distance") == pytest.approx(0, abs=1e-6)


def test_the_reference_may_be_another_subject():
    stack = np.stack(
        [squareform(pdist(np.random.default_rng(seed).normal(size=(9, 3)))) for seed in range(3)]
    )
    given = {"kind": "distances", "permutations": 0}
    found = measure(stack, subject=1, reference=stack, reference_subject=2, **given)
    apart = measure(stack[1], reference=stack[2], **given)
    pd.testing.assert_frame_equal(found.table, apart.table)
    with pytest.raises(RequestError, match="reference_subject must be given together with a reference"):
        measure(stack, subject=1, reference_subject=2, **given)
    with pytest.raises(
        RequestError, match="reference_subject must be given where the reference is of several"
    ):
        measure(stack, subject=1, reference=stack[2], reference_subject=2, **given)
    with pytest.raises(RequestError, match="reference_subject must be a whole number"):
        measure(stack, subject=1, reference=stack, reference_subject="all", **given)

"""Exchange with rsatoolbox, whose own distances are the oracle."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from ratewarp import RequestError
from ratewarp.codes.rsa import from_rsatoolbox, to_rsatoolbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import RDMs, calc_rdm, compare

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
CODES, STIMULI = RNG.normal(size=(24, 5)), np.repeat(["d", "a", "c", "b", "e", "f", "g", "h"], 3)


def _theirs(method="euclidean"):
    return calc_rdm(
        Dataset(CODES, obs_descriptors={"stimulus": STIMULI}), method=method, descriptor="stimulus"
    )


def test_dissimilarities_are_theirs():
    ours, theirs = to_rsatoolbox(CODES, STIMULI), _theirs()
    order = [
        list(theirs.pattern_descriptors["stimulus"]).index(name)
        for name in ours.pattern_descriptors["stimulus"]
    ]
    np.testing.assert_allclose(ours.get_matrices()[0], theirs.get_matrices()[0][np.ix_(order, order)])
    assert ours.dissimilarity_measure == theirs.dissimilarity_measure
    assert compare(ours, to_rsatoolbox(2 * CODES, STIMULI), method="cosine")[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("method", ["euclidean", "correlation"])
def test_codes_have_the_dissimilarities(method):
    theirs = _theirs(method)
    found = from_rsatoolbox(theirs)
    np.testing.assert_allclose(pdist(found.codes, "sqeuclidean"), theirs.dissimilarities[0], atol=1e-10)
    assert found.kept == pytest.approx(1)
    assert found.stimuli == tuple(theirs.pattern_descriptors["stimulus"])


def test_distances_and_judgements_that_are_none():
    points = RNG.normal(size=(6, 2))
    found = from_rsatoolbox(RDMs(pdist(points)[None], "euclidean"))
    np.testing.assert_allclose(pdist(found.codes), pdist(points))
    judged = from_rsatoolbox(RDMs(RNG.uniform(size=(1, 15)), "judgement"))
    assert judged.kept < 1


def test_bad_requests_are_named(monkeypatch):
    with pytest.raises(RequestError, match="index must be from 0 to 0"):
        from_rsatoolbox(_theirs(), 1)
    with pytest.raises(RequestError, match="no two stimuli that differ"):
        from_rsatoolbox(RDMs(np.zeros((1, 3)), "euclidean"))
    with pytest.raises(RequestError, match="one for each of the 24 items"):
        to_rsatoolbox(CODES, STIMULI[:3])
    monkeypatch.setitem(sys.modules, "rsatoolbox.rdm.rdms", None)
    with pytest.raises(RequestError, match=r"pip install 'ratewarp\[rsa\]'"):
        to_rsatoolbox(CODES)

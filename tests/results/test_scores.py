"""F1 over everything and over small batches, against scikit-learn batch by batch."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from oracles import ALGEBRA
from ratewarp._checks import RequestError
from ratewarp.results.scores import f1, f1_over_batches


@pytest.mark.parametrize("classes", [2, 4])
def test_batches_one_by_one(classes):
    generator = np.random.default_rng(1)
    truth = generator.integers(0, classes, 300)
    truth[:classes] = range(classes)
    predicted = np.where(generator.random(300) < 0.6, truth, generator.integers(0, classes, 300))
    weights = generator.random(300)
    drawn = np.random.default_rng(3).choice(300, (50, 32), p=weights / weights.sum())
    average = "binary" if classes == 2 else "macro"
    expected = np.mean(
        [f1_score(truth[one], predicted[one], average=average, zero_division=0) for one in drawn]
    )
    assert f1_over_batches(truth, predicted, weights, classes=classes, batches=50, seed=3) == pytest.approx(
        expected, abs=ALGEBRA
    )
    by_class = []
    for label in range(classes):
        right, given, real = (
            weights[chosen].sum()
            for chosen in ((truth == label) & (predicted == label), predicted == label, truth == label)
        )
        by_class.append(2 * right / (given + real))
    assert f1(truth, predicted, weights) == pytest.approx(by_class[1] if classes == 2 else np.mean(by_class))


def test_a_perfect_head_on_rare_positives_stays_below_one():
    """The publication's E2M3: one stimulus in thirteen is positive, and a batch of 32 without any counts as
    0.
    """
    truth = np.repeat([0, 1], [12, 1])
    drawn = f1_over_batches(truth, truth, np.ones(13), classes=2, batches=40_000)
    assert drawn == pytest.approx(1 - (12 / 13) ** 32, abs=0.007)
    assert f1(truth, truth, np.ones(13)) == 1


def test_rare_classes_that_do_not_occur_in_a_batch_do_not_count():
    truth = np.arange(25)
    assert f1_over_batches(truth, truth, np.ones(25), classes=25) == 1


def test_bad_weights():
    with pytest.raises(RequestError, match="weights must be positive in sum"):
        f1_over_batches(np.zeros(3, int), np.zeros(3, int), np.zeros(3), classes=2)

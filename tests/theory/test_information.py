from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import entropy, norm

from oracles import STANDARD_ERRORS
from ratewarp._checks import RequestError
from ratewarp.theory import Information, information_bounds
from ratewarp.theory.densities import log_densities

BOUNDS = ("stimulus_low", "stimulus_high", "image_low", "image_high", "within_low", "rate")


def _values(found: Information) -> np.ndarray:
    return np.array([getattr(found, name).value for name in BOUNDS])


def _sound(found: Information) -> None:
    for name in BOUNDS:
        bound = getattr(found, name)
        assert np.isfinite(bound.value), name
        assert bound.value >= 0, name
        assert np.isfinite(bound.standard_error), name
        assert bound.standard_error >= 0, name
    assert found.stimulus_high.value <= found.entropy + 1e-12
    assert found.image_high.value <= found.rate.value


def _ordered(found: Information, stimulus: float, image: float) -> None:
    """Both truths between their bounds, to five standard errors."""
    for low, truth, high in (
        (found.stimulus_low, stimulus, found.stimulus_high),
        (found.image_low, image, found.image_high),
    ):
        assert low.value <= truth + STANDARD_ERRORS * low.standard_error + 1e-9
        assert high.value >= truth - STANDARD_ERRORS * high.standard_error - 1e-9


def _between(found: Information, stimulus: float, image: float, gap: float) -> None:
    _ordered(found, stimulus, image)
    for low, truth, high in (
        (found.stimulus_low, stimulus, found.stimulus_high),
        (found.image_low, image, found.image_high),
    ):
        assert low.value > truth - gap
        assert high.value < truth + gap


def _hierarchy(means, counts, within, noise, seed):
    """Images about the mean of their stimulus, N(mean, within²), each with a posterior N(image, noise²):
    q(z|s) and q(z) are known.
    """
    stimuli = np.repeat(np.arange(len(counts)), counts)
    codes = means[stimuli] + within * np.random.default_rng(seed).standard_normal(
        (len(stimuli), means.shape[1])
    )
    return codes, np.full_like(codes, noise**2), stimuli


def _truth(means, frequency, within, noise):
    """I(S;Z) and I(X;Z) of such images with one latent, by integration."""
    spread = np.hypot(within, noise)

    def surprise(z):
        density = frequency @ norm.pdf(z, means[:, 0], spread)
        return -density * np.log(density) if density > 0 else 0.0

    ends = means.min() - 10 * spread, means.max() + 10 * spread
    whole = quad(surprise, *ends, limit=500, points=sorted(means[:, 0]))[0]
    return whole - norm(0, spread).entropy(), whole - norm(0, noise).entropy()


def test_three_stimuli_by_integration():
    means, frequency = np.array([[-1.0], [0.3], [1.2]]), np.array([0.2, 0.5, 0.3])
    found = information_bounds(*_hierarchy(means, [300, 500, 700], 0.3, 0.4, 0), frequency=frequency, seed=1)
    _between(found, *_truth(means, frequency, 0.3, 0.4), gap=0.06)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 10.0])
def test_gaussian_channel_in_closed_form(ratio):
    """Standard normal codes in all: I(X;Z) = ½ log (1 + signal/noise) is also the rate."""
    codes = np.sqrt(ratio / (1 + ratio)) * np.random.default_rng(0).standard_normal((1500, 1))
    found = information_bounds(
        codes, np.full_like(codes, 1 / (1 + ratio)), np.zeros(1500, int), draws=2, seed=2
    )
    _between(found, 0.0, 0.5 * np.log1p(ratio), gap=0.05)
    assert found.rate.value == pytest.approx(
        0.5 * np.log1p(ratio), abs=STANDARD_ERRORS * found.rate.standard_error
    )
    assert found.entropy == found.stimulus_high.value == 0


def test_codes_that_tell_stimuli_apart_and_nothing_else():
    stimuli, frequency = np.repeat(np.arange(4), [20, 5, 30, 7]), np.array([4.0, 3.0, 2.0, 1.0])
    codes = 100.0 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[stimuli]
    found = information_bounds(codes, np.ones_like(codes), stimuli, frequency=frequency, seed=0)
    expected = entropy(frequency)
    np.testing.assert_allclose(_values(found)[:5], [expected, expected, expected, expected, 0], atol=2e-3)
    assert found.entropy == pytest.approx(expected)


def test_a_constant_posterior_tells_nothing():
    found = information_bounds(
        np.full((30, 2), 0.5), np.full((30, 2), 0.3), np.repeat(np.arange(3), 10), seed=0
    )
    np.testing.assert_allclose(_values(found)[:5], 0, atol=1e-12)
    assert found.rate.value == pytest.approx(2 * 0.5 * (0.25 + 0.3 - np.log(0.3) - 1))
    _sound(found)


@pytest.mark.parametrize("seed", range(8))
def test_bounds_hold_the_truth_between_them(seed):
    rng = np.random.default_rng(seed)
    stimuli = int(rng.integers(2, 8))
    means, frequency = 2 * rng.standard_normal((stimuli, 1)), rng.dirichlet(np.ones(stimuli))
    within, noise = rng.uniform(0.05, 1, 2)
    found = information_bounds(
        *_hierarchy(means, rng.integers(2, 60, stimuli), within, noise, rng), frequency=frequency, seed=seed
    )
    _sound(found)
    _ordered(found, *_truth(means, frequency, within, noise))


@pytest.mark.parametrize("counts", [[2, 3, 9], [1, 4, 5], [2, 1, 1]])
def test_bounds_hold_on_average_over_small_samples(counts):
    """What the derivations promise, with few images and uneven weights: the mean over samples is on its side
    of the truth.
    """
    means, frequency = np.array([[-1.0], [0.0], [0.8]]), np.array([0.6, 0.3, 0.1])
    found = np.array(
        [
            _values(
                information_bounds(
                    *_hierarchy(means, counts, 0.4, 0.3, k), frequency=frequency, draws=1, seed=k
                )
            )
            for k in range(150)
        ]
    )
    stimulus, image = _truth(means, frequency, 0.4, 0.3)
    error = STANDARD_ERRORS * found.std(axis=0) / np.sqrt(len(found))
    sides = np.array([1, -1, 1, -1, 1])
    truths = np.array([stimulus, stimulus, image, image, image - stimulus])
    assert (sides * (found.mean(axis=0)[:5] - truths) < error[:5]).all()


def test_standard_errors_are_the_spread_of_repetitions():
    means, frequency = np.random.default_rng(5).standard_normal((6, 2)), np.array([5.0, 1, 1, 1, 1, 1])
    found = [
        information_bounds(*_hierarchy(means, [12] * 6, 0.3, 0.4, 100 + k), frequency=frequency, seed=k)
        for k in range(50)
    ]
    spread = np.std([_values(one) for one in found], axis=0)
    stated = np.sqrt(
        np.mean([[getattr(one, name).standard_error ** 2 for name in BOUNDS] for one in found], axis=0)
    )
    assert ((stated / spread > 0.7) & (stated / spread < 1.4)).all(), stated / spread


def _slow(codes, variances, stimuli, frequency, points):
    """The bounds on I(X;Z) and I(X;Z|S), term by term."""
    counts = np.bincount(stimuli)
    weight = [frequency[s] / counts[s] for s in stimuli]
    upper = lower = within = 0.0
    for i, s in enumerate(stimuli):
        for z in points[i]:
            log_density = [norm.logpdf(z, codes[j], np.sqrt(variances[j])).sum() for j in range(len(codes))]
            others = [j for j in range(len(codes)) if j != i]
            same = [j for j in range(len(codes)) if stimuli[j] == s]
            if counts[s] > 1:
                share = [frequency[s] / (counts[s] - 1) if stimuli[j] == s else weight[j] for j in others]
            else:
                share = [weight[j] / (1 - weight[i]) for j in others]
            each = weight[i] / len(points[i])
            upper += each * (log_density[i] - logsumexp([log_density[j] for j in others], b=share))
            lower += each * (log_density[i] - logsumexp(log_density, b=weight))
            within += each * (log_density[i] - logsumexp([log_density[j] for j in same], b=1 / counts[s]))
    return upper, lower, within


@pytest.mark.parametrize(("narrowest", "counts"), [(1e-2, [3, 1, 4, 6]), (1e-9, [5, 2, 2, 3])])
def test_bounds_on_images_term_by_term(narrowest, counts, monkeypatch):
    """Uneven variances, weights and numbers of images, images in any order, in blocks; posteriors so narrow
    that squares would cancel.
    """
    monkeypatch.setattr("ratewarp.theory.mutual_information._CELLS", 60)
    rng = np.random.default_rng(1)
    stimuli = rng.permutation(np.repeat(np.arange(4), counts))
    codes = rng.standard_normal((len(stimuli), 3))
    variances = np.exp(rng.uniform(np.log(narrowest), 0, codes.shape))
    frequency = np.array([0.4, 0.3, 0.2, 0.1])
    points = codes[:, None] + np.sqrt(variances)[:, None] * np.random.default_rng(7).standard_normal(
        (len(codes), 2, 3)
    )
    found = information_bounds(codes, variances, stimuli, frequency=frequency, draws=2, seed=7)
    upper, lower, within = _slow(codes, variances, stimuli, frequency, points)
    assert found.image_high.value == pytest.approx(min(upper, found.rate.value), abs=1e-7)
    assert found.image_low.value == pytest.approx(lower, abs=1e-7)
    assert found.within_low.value == pytest.approx(within, abs=1e-7)
    gap = min(upper, found.rate.value) - max(within, 0)
    assert found.stimulus_high.value == pytest.approx(np.clip(gap, 0, found.entropy), abs=1e-7)


@pytest.mark.parametrize("narrowest", [1e-3, 1e-8, 1e-30])
def test_log_densities_one_by_one(narrowest):
    rng = np.random.default_rng(2)
    codes = 50 + rng.standard_normal((7, 3))
    variances = np.exp(rng.uniform(np.log(narrowest), 1, codes.shape))
    points = np.concatenate([codes + np.sqrt(variances), 50 + rng.standard_normal((4, 3))])
    expected = [
        [norm.logpdf(z, m, np.sqrt(v)).sum() for m, v in zip(codes, variances, strict=True)] for z in points
    ]
    np.testing.assert_allclose(log_densities(points, codes, variances), expected, rtol=1e-9, atol=1e-7)


def test_many_codes_in_blocks_are_the_same(monkeypatch):
    rng = np.random.default_rng(3)
    stimuli = np.repeat(np.arange(5), 8)
    arguments = rng.standard_normal((40, 2)), rng.uniform(0.1, 1, (40, 2)), stimuli
    whole = information_bounds(*arguments, seed=4)
    monkeypatch.setattr("ratewarp.theory.mutual_information._CELLS", 1)
    np.testing.assert_allclose(_values(information_bounds(*arguments, seed=4)), _values(whole), atol=1e-9)
    assert information_bounds(*arguments, seed=np.random.default_rng(4)) == information_bounds(
        *arguments, seed=4
    )


def test_a_bound_at_its_cap_says_so():
    """Every image has a code of its own, far from all others: twelve images cannot show more than log 12."""
    codes = 1000.0 * np.arange(12)[:, None]
    found = information_bounds(
        codes, np.full_like(codes, 1e-6), np.repeat(np.arange(3), 4), frequency=np.array([2.0, 1, 1]), seed=0
    )
    cap = entropy([0.5, 0.25, 0.25]) + np.log(4)
    assert found.image_low.value == pytest.approx(cap)
    assert found.image_low.note.startswith(f"near its cap, {cap:.2f} nats: more images")
    assert found.within_low.value == pytest.approx(np.log(4))
    assert "more images of a stimulus" in found.within_low.note
    assert found.stimulus_high.value == found.entropy
    assert "no lower than the entropy of the stimuli" in found.stimulus_high.note
    _sound(found)


@pytest.mark.parametrize("counts", [[2, 2], [1, 3], [1, 1], [4]])
@pytest.mark.parametrize(("size", "variance"), [(1e50, 1e-50), (0.0, 1e-50), (1.0, 1e50), (1e50, 1e50)])
def test_extreme_codes_give_numbers(size, variance, counts):
    codes = size * np.random.default_rng(9).uniform(-1, 1, (sum(counts), 2))
    _sound(
        information_bounds(
            codes, np.full_like(codes, variance), np.repeat(np.arange(len(counts)), counts), seed=0
        )
    )


def test_stimuli_with_one_image():
    rng = np.random.default_rng(6)
    means, frequency = 100.0 * np.arange(4)[:, None], np.array([0.4, 0.4, 0.1, 0.1])
    found = information_bounds(*_hierarchy(means, [9, 6, 1, 1], 0.5, 0.5, rng), frequency=frequency, seed=0)
    _sound(found)
    assert found.stimulus_low.value == pytest.approx(0.8 * np.log(2), abs=2e-3)
    assert found.stimulus_low.note == "2 of 4 stimuli have one image and count as telling nothing"
    assert "2 of 4 stimuli have one image" in found.image_high.note
    alone = information_bounds(*_hierarchy(means, [1, 1, 1, 1], 0.5, 0.5, rng), seed=0)
    _sound(alone)
    assert alone.stimulus_low.value == alone.within_low.value == 0
    assert alone.image_low.value == pytest.approx(np.log(4))


def test_stimuli_that_never_occur_are_left_out():
    rng = np.random.default_rng(8)
    codes, variances, stimuli = _hierarchy(rng.standard_normal((4, 1)), [5, 5, 5, 5], 0.3, 0.3, rng)
    frequency = np.array([1.0, 0, 2, 1])
    found = information_bounds(codes, variances, stimuli, frequency=frequency, seed=0)
    assert (found.images, found.stimuli, found.draws) == (15, 3, 1)
    assert found.entropy == pytest.approx(1.5 * np.log(2))
    _sound(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros(6)}, "codes must be two-dimensional"),
        ({"codes": np.full((6, 2), np.nan)}, "codes must be finite"),
        ({"variances": np.ones((6, 3))}, "variances must be of the same shape"),
        ({"variances": np.zeros((6, 2))}, "variances must be positive"),
        ({"stimuli": np.array([0, 0, 1])}, "stimuli must be an index from 0 for each of the 6 images"),
        (
            {"stimuli": np.array([0, 0, 1, 1, 3, 3])},
            "every stimulus that occurs has an image; got 'none of stimulus 2'",
        ),
        ({"frequency": np.array([1.0, -1.0, 1.0])}, "frequency must be numbers of at least 0"),
        ({"frequency": np.ones(2)}, "frequency must be numbers of at least 0, one for each of the 3"),
        ({"draws": 0}, "draws must be a whole number of at least 1"),
    ],
)
def test_bad_requests_are_named(change, message):
    arguments = {
        "codes": np.zeros((6, 2)),
        "variances": np.ones((6, 2)),
        "stimuli": np.repeat(np.arange(3), 2),
        "seed": 0,
    }
    with pytest.raises(RequestError, match=message):
        information_bounds(**{**arguments, **change})

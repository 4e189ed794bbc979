"""Fixed alphabets, where every bound is proved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import blahut_arimoto, least_lagrangian
from ratewarp import RequestError
from ratewarp.theory import binary_hamming, gaussian, rate_distortion, uniform_hamming
from ratewarp.theory.alphabets import Columns
from ratewarp.theory.slopes import solve


def hamming(symbols: int) -> np.ndarray:
    return 1.0 - np.eye(symbols)


@pytest.mark.parametrize("p", [0.5, 0.3, 0.05])
def test_binary_hamming(p):
    curve = rate_distortion([p, 1 - p], hamming(2), points=15, tolerance=1e-6)
    assert curve.table.gap_nats.max() <= 1e-6
    assert binary_hamming(p, curve.table.distortion) == pytest.approx(
        curve.table.rate_nats.to_numpy(), abs=1e-6
    )


def test_uniform_hamming():
    curve = rate_distortion(np.full(6, 1 / 6), hamming(6), points=15, tolerance=1e-6)
    assert uniform_hamming(6, curve.table.distortion) == pytest.approx(
        curve.table.rate_nats.to_numpy(), abs=1e-6
    )


def test_discretised_gaussian_is_near_its_bound():
    x = np.linspace(-5, 5, 81)
    p = np.exp(-(x**2) / 2)
    curve = rate_distortion(p / p.sum(), (x[:, None] - x) ** 2, rates=[0.25, 0.5, 1.0, 1.5])
    assert gaussian([1.0], curve.table.distortion) == pytest.approx(
        curve.table.rate_nats.to_numpy(), abs=5e-3
    )


@pytest.mark.parametrize(("reach", "steps"), [(6, 201), (8, 81)])
def test_tails_that_hardly_are_numbers(reach, steps):
    x = np.linspace(-reach, reach, steps)
    p = np.exp(-(x**2) / 2)
    curve = rate_distortion(p / p.sum(), (x[:, None] - x) ** 2, rates=[0.1, 0.5, 1.0])
    assert curve.table.gap_nats.max() <= 1e-4
    assert gaussian([1.0], curve.table.distortion) == pytest.approx(
        curve.table.rate_nats.to_numpy(), abs=2e-3
    )


@pytest.mark.parametrize("seed", range(6))
def test_brute_force(seed):
    rng = np.random.default_rng(seed)
    p, d = rng.dirichlet(np.ones(4)), rng.uniform(size=(4, 4))
    curve = rate_distortion(p, d, points=6, tolerance=1e-6)
    for one in curve.envelope.solved[2:6]:
        least = least_lagrangian(p, d, one.beta)
        assert one.rate + one.beta * one.distortion == pytest.approx(least, abs=1e-5)
        assert one.lower <= least + 1e-7


@pytest.mark.parametrize("beta", [4.0, 8.0, 20.0])
def test_alternating_minimisation_goes_to_the_same_point(beta):
    rng = np.random.default_rng(1)
    p, d = rng.dirichlet(np.ones(12)), rng.uniform(size=(12, 9))
    rate, distortion = blahut_arimoto(p, d, beta)
    curve = rate_distortion(p, d, rates=[rate], tolerance=1e-6)
    assert curve.distortion(rate) == pytest.approx(distortion, abs=1e-5)
    assert curve.lagrangian(beta) == pytest.approx(rate + beta * distortion, abs=1e-3)
    assert curve.lagrangian(beta) <= rate + beta * distortion + 1e-9
    assert curve.slope(rate) == pytest.approx(-1 / beta, rel=0.02)


@pytest.mark.parametrize("symbols", [2, 4, 8])
def test_small_alphabets_at_equal_slope(symbols):
    """What dit computes, by the same iteration without its limits: R and D at slopes in bits under the
    Hamming distortion.
    """
    p, d = np.random.default_rng(symbols).dirichlet(np.ones(symbols)), hamming(symbols)
    alphabet = Columns(p, d)
    for bits in [2.0, 4.0, 7.5, 10.0]:
        beta = bits * np.log(2)
        rate, distortion = blahut_arimoto(p, d, beta)
        one = solve(alphabet, beta, alphabet.own, p, 1e-8)
        assert (one.rate, one.distortion) == pytest.approx((rate, distortion), abs=1e-6)
        assert one.lower == pytest.approx(rate + beta * distortion, abs=1e-7)
        assert one.lower <= rate + beta * distortion + 1e-12


def test_slopes_are_adjusted_to_the_asked_rates():
    """Where the curve bends gently, so that one slope for each rate does, after a few that tell where the
    others are.
    """
    rng = np.random.default_rng(7)
    curve = rate_distortion(rng.dirichlet(np.ones(40)), rng.uniform(size=(40, 40)), points=40)
    nearest = np.abs(curve.envelope.rates - curve.asked[1:-1, None]).min(axis=1)
    assert np.median(nearest) < 2e-4
    assert len(curve.envelope.solved) <= 60


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 5), st.floats(0.2, 30.0))
def test_bounds_hold_what_they_claim(seed, stimuli, columns, beta):
    rng = np.random.default_rng(seed)
    p, d = (
        rng.dirichlet(np.ones(stimuli)),
        rng.choice([0.0, 0.5, 1.0, 3.0], size=(stimuli, columns)) * rng.uniform(0.5, 1),
    )
    curve = rate_distortion(p, d, points=5)
    rate, distortion = blahut_arimoto(p, d, beta, 3000)
    assert curve.table.gap_nats.max() <= 1e-4
    assert curve.lagrangian(beta) <= rate + beta * distortion + 1e-9
    assert curve.rate_below(distortion) <= rate + 1e-9
    assert curve.distortion_below(rate) <= distortion + 1e-9
    assert curve.rate_below(distortion) <= curve.rate(distortion) + 1e-9


def test_curve_is_convex_and_decreasing_and_its_channels_achieve_it():
    rng = np.random.default_rng(3)
    p, d = np.append(rng.dirichlet(np.ones(9)), 0.0), rng.uniform(size=(10, 14))
    curve = rate_distortion(p, d, points=12)
    distortions = curve.table.distortion.to_numpy()
    assert np.all(np.diff(distortions) < 0)
    assert np.all(np.diff(distortions, 2) > -1e-9)
    assert np.all(np.diff(curve.table.slope) > 0)
    for rate in curve.asked:
        channel = curve.channel(rate)
        r = channel.probabilities
        assert r.sum(axis=1) == pytest.approx(np.ones(10))
        assert p @ (r * channel.distortions).sum(axis=1) == pytest.approx(curve.distortion(rate), abs=1e-9)
        assert p @ r == pytest.approx(channel.weights, abs=1e-7)
        terms = r * np.log(np.where(r > 0, r, 1) / (p @ r))
        assert p @ terms.sum(axis=1) == pytest.approx(rate, abs=1e-9)


def test_ends():
    p, d = np.array([0.2, 0.3, 0.5]), np.array([[0.1, 1.0], [0.1, 1.0], [0.7, 0.3]])
    curve = rate_distortion(p, d, points=4)
    assert curve.maximum_rate == pytest.approx(np.log(2))  # the first two stimuli are one
    assert curve.distortion([0.0, 9.0]) == pytest.approx([0.4, 0.2])
    assert curve.slope(9.0) == 0
    assert curve.rate([0.19, 0.2, 0.4, 5.0]) == pytest.approx([np.inf, np.log(2), 0, 0])
    assert curve.rate_below(0.19) == np.inf
    assert set(curve.table.certificate) == {"proved"}


def nearest(values: np.ndarray | float) -> np.ndarray:
    """Numbers and their neighbours: what a sum in another order may make of them."""
    exact = np.asarray(values)
    return np.stack([np.nextafter(exact, -np.inf), exact, np.nextafter(exact, np.inf)])


@pytest.mark.parametrize("seed", range(8))
def test_ends_do_not_hang_on_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    p, d = rng.dirichlet(np.ones(6)), rng.uniform(size=(6, 4))
    curve = rate_distortion(p, d, points=3)
    least = nearest(p @ d.min(axis=1))
    assert curve.rate(least) == pytest.approx(np.full(3, curve.maximum_rate))
    assert np.all(np.isfinite(curve.rate_below(least)))
    assert np.all(curve.rate_below(least) <= curve.maximum_rate + 1e-9)
    assert curve.rate_below(least[1] * (1 - 1e-9)) == np.inf
    most = nearest(curve.maximum_rate)
    assert curve.slope(most).tolist() == [0, 0, 0]
    assert len({len(curve.channel(rate).weights) for rate in most}) == 1


def test_numbers_that_rounding_makes_negative_are_zero():
    curve = rate_distortion([0.5, 0.5], hamming(2), points=3)
    assert curve.distortion_below(-2e-16) == curve.distortion_below(0)
    assert curve.rate(-1e-17) == curve.rate(0)
    assert len(curve.channel(-1e-16).weights) == 1


def test_a_rate_asked_for_at_the_end_is_the_end():
    """log 3 by one sum and by another."""
    curve = rate_distortion(np.full(3, 1 / 3), hamming(3), rates=nearest(np.log(3)))
    assert curve.table.distortion.tolist() == [0, 0, 0]
    assert len(curve.envelope.solved) == 2


def test_one_stimulus_costs_its_best_column():
    curve = rate_distortion([1.0], [[0.3, 0.2]], points=3)
    assert curve.table.distortion.tolist() == [0.2] * 3
    assert curve.maximum_rate == 0


def test_order_split_and_absent_stimuli_do_not_matter():
    rng = np.random.default_rng(5)
    p, d = rng.dirichlet(np.ones(6)), rng.uniform(size=(6, 8))
    plain = rate_distortion(p, d, rates=[0.2, 0.6]).distortion([0.2, 0.6])
    order = rng.permutation(6)
    split = np.append(p, [p[0] / 2, 0.0])
    split[0] /= 2
    assert rate_distortion(p[order], d[order], rates=[0.2, 0.6]).distortion([0.2, 0.6]) == pytest.approx(
        plain, abs=1e-4
    )
    again = rate_distortion(split, np.vstack([d, d[:1], d[:1] * 0]), rates=[0.2, 0.6])
    assert again.distortion([0.2, 0.6]) == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize(
    ("p", "cost", "options", "message"),
    [
        ([0.5, 0.6], [[0], [1]], {}, "p must be .* got 'a sum of 1.1"),
        ([1.5, -0.5], [[0], [1]], {}, "p must be .*non-negative.* got '-0.5 at 1"),
        ([np.nan, 1], [[0], [1]], {}, "p must be finite.* got 'nan"),
        (["a", "b"], [[0], [1]], {}, "p must be"),
        ([0.5, 0.5], [[0, 1]], {}, "cost must be .*2 stimuli; got 'shape"),
        ([0.5, 0.5], [[0, 1], [-1, 0]], {}, r"cost must be .* got '-1 at \(1, 0\)"),
        ([0.5, 0.5], [[0, 1], [np.inf, 0]], {}, "cost must be .* got 'inf"),
        ([0.5, 0.5], [[0, 1], [1, 0]], {"points": 1}, "points must be"),
        ([0.5, 0.5], [[0, 1], [1, 0]], {"rates": [-1.0]}, "rates must be"),
        ([0.5, 0.5], [[0, 1], [1, 0]], {"tolerance": 0}, "tolerance must be"),
    ],
)
def test_refusals(p, cost, options, message):
    with pytest.raises(RequestError, match=message):
        rate_distortion(p, cost, **options)
    curve = rate_distortion([0.5, 0.5], [[0, 1], [1, 0]], points=3)
    with pytest.raises(RequestError, match="rate must be"):
        curve.distortion(-1)
    with pytest.raises(RequestError, match="rate must be a single rate"):
        curve.channel([0.1, 0.2])
    with pytest.raises(RequestError, match="beta must be"):
        curve.lagrangian(np.nan)


def test_a_curve_that_is_cut_short_says_so():
    curve = rate_distortion([0.5, 0.5], hamming(2), points=20, max_slopes=2)
    assert curve.table.gap_nats.max() > 1e-3


def test_a_large_entry_does_not_hide_a_small_one():
    for forbidden in (1e3, 1e12, 1e100):
        cost = [[0, 1, forbidden], [1, 0, forbidden], [forbidden, forbidden, 0]]
        curve = rate_distortion(np.full(3, 1 / 3), cost, points=3)
        assert curve.maximum_rate == pytest.approx(np.log(3))
        assert curve.distortion_below(2.0) == 0

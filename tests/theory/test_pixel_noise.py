"""Raw-pixel distortion: held against images enumerated or drawn, and against brute force."""

from itertools import product

import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oracles import STANDARD_ERRORS, corridor_means
from ratewarp import RequestError
from ratewarp.sources import Corridors, frequency
from ratewarp.theory import (
    Curve,
    SquaredError,
    bernoulli_squared_error,
    noise_floor,
    pixel_bounds,
    rate_distortion,
)

UNIFORM = np.full(169, 1 / 169)
ROUNDING = 1e-9


def images_of(pixels: int) -> np.ndarray:
    return np.array(list(product([0.0, 1.0], repeat=pixels)))


def chances(means: np.ndarray, images: np.ndarray) -> np.ndarray:
    """p(x|s), pixel by pixel."""
    return np.array(
        [
            [np.prod([m if one else 1 - m for m, one in zip(mean, x, strict=True)]) for x in images]
            for mean in means
        ]
    )


def solved(p: np.ndarray, means: np.ndarray) -> tuple[Curve, Curve]:
    """The semantic curve, and the true curve of the raw pixels, of which every image is listed."""
    images = images_of(means.shape[1])
    semantic = rate_distortion(p, SquaredError(means), points=6, tolerance=1e-4)
    return semantic, rate_distortion(
        p @ chances(means, images), SquaredError(images), points=8, tolerance=3e-4
    )


def assert_between(p: np.ndarray, means: np.ndarray) -> None:
    semantic, true = solved(p, means)
    rates = np.append(np.linspace(0, 1.1 * true.maximum_rate, 23), semantic.maximum_rate)
    table = pixel_bounds(p, means, semantic, rates)
    assert np.all(table.low <= true.distortion(rates) + ROUNDING)
    assert np.all(true.distortion_below(rates) <= table.high + ROUNDING)


@pytest.mark.parametrize(("seed", "stimuli", "pixels"), [(0, 2, 2), (1, 2, 3), (2, 3, 2), (3, 3, 3)])
def test_true_curve_of_a_tiny_source_lies_between(seed, stimuli, pixels):
    rng = np.random.default_rng(seed)
    assert_between(rng.dirichlet(np.ones(stimuli)), rng.uniform(size=(stimuli, pixels)))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=2),
    st.lists(st.sampled_from([0.0, 0.03, 0.2, 0.5, 0.9, 1.0]), min_size=4, max_size=4),
)
@example([1, 1], [0.0, 1.0, 1.0, 0.0])  # no noise
@example([1, 3], [0.2, 0.7, 0.2, 0.7])  # no difference
@example([1, 9], [0.5, 0.5, 0.5, 0.5])
@example([1, 1], [0.05, 0.05, 0.95, 0.95])
def test_true_curve_lies_between_for_odd_means_too(shares, means):
    assert_between(np.array(shares) / sum(shares), np.array(means).reshape(2, 2))


@pytest.mark.parametrize("mean", [[[0.5, 0.5]], [[0.3, 0.08]], [[0.02, 0.5]]])
def test_of_one_stimulus_both_are_the_true_curve(mean):
    semantic, true = solved(np.ones(1), np.array(mean))
    rates = np.linspace(0, true.maximum_rate, 21)
    table = pixel_bounds([1.0], mean, semantic, rates)
    assert table.low.to_numpy() == pytest.approx(table.high.to_numpy(), abs=1e-4)
    assert np.all(table.low <= true.distortion(rates) + ROUNDING)
    assert np.all(true.distortion_below(rates) <= table.high + ROUNDING)


def test_of_pixels_without_noise_the_upper_is_the_true_curve():
    p, means = np.array([0.5, 0.2, 0.3]), np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    semantic, true = solved(p, means)
    rates = np.linspace(0, true.maximum_rate, 9)
    assert noise_floor(p, means) == 0
    table = pixel_bounds(p, means, semantic, rates)
    assert np.all(table.high >= true.distortion_below(rates) - ROUNDING)
    assert table.high.to_numpy() == pytest.approx(semantic.distortion(rates))


@pytest.mark.parametrize("seed", range(6))
def test_the_dual_of_the_stimulus_widened_is_a_dual_of_the_image(seed):
    """Σ_s p_s A_s E[exp β(‖X − m‖² − ‖X − y‖²) | s] ≤ 1 at every y, image by image: what the lower curve
    rests on.
    """
    rng = np.random.default_rng(seed)
    p, means, beta = rng.dirichlet(np.ones(3)), rng.uniform(size=(3, 3)) ** 2, rng.uniform(0, 2)
    images = images_of(3)
    points = np.concatenate(
        [means, images, rng.uniform(size=(1500, 3)), rng.dirichlet(np.ones(3), 500) @ means]
    )
    K = np.exp(-beta * (1 - beta / 2) * np.sum((means[:, None] - points) ** 2, axis=2))
    q = np.full(len(points), 1 / len(points))
    for _ in range(500):
        q *= (p / (K @ q)) @ K
    a = 1 / (K @ q)
    a /= max(p * a @ K)
    errors = np.sum((images - means[:, None]) ** 2, axis=2)
    given_stimulus = chances(means, images)
    whole = [
        p * a @ np.sum(given_stimulus * np.exp(beta * (errors - np.sum((images - y) ** 2, axis=1))), axis=1)
        for y in points
    ]
    assert max(whole) <= 1 + ROUNDING
    assert np.all(whole <= p * a @ K + ROUNDING)
    assert max(whole) > 0.9


def test_shape_and_ends():
    rng = np.random.default_rng(4)
    p, means = rng.dirichlet(np.ones(5)), rng.uniform(size=(5, 8))
    curve = rate_distortion(p, SquaredError(means), points=8)
    entropy = -p @ np.log(p)
    rates = np.linspace(0, 8 * np.log(2) + entropy, 200)
    table = pixel_bounds(p, means.reshape(5, 2, 4), curve, rates)
    low, high = table.low.to_numpy(), table.high.to_numpy()
    assert np.all(low <= high + ROUNDING)
    for bound in (low, high):
        assert np.all(np.diff(bound) <= ROUNDING)
        assert np.all(np.diff(bound, 2) >= -ROUNDING)
    floor = noise_floor(p, means)
    centre = p @ means
    variance = sum(p[s] * (means[s, i] - centre[i]) ** 2 for s in range(5) for i in range(8)) / 8
    assert high[0] == pytest.approx(floor + variance)
    assert low[0] == pytest.approx(high[0], rel=0.02)  # the tangents are no formality
    at = pixel_bounds(p, means, curve, [entropy, entropy + 0.1, 8 * np.log(2) + entropy])["high"].tolist()
    assert at[0] <= floor + ROUNDING
    assert at[1] < floor - 1e-4
    assert at[2] == pytest.approx(0, abs=1e-6)


def test_high_is_a_code_of_the_stimulus_below_its_entropy():
    """The floor adds to what the semantic curve achieves, wherever spending on noise pays less than on the
    stimulus.
    """
    curve = rate_distortion([0.5, 0.5], SquaredError([[0.1, 0.1], [0.9, 0.9]]), points=6)
    rates = np.linspace(0, np.log(2), 8)
    high = pixel_bounds([0.5, 0.5], [[0.1, 0.1], [0.9, 0.9]], curve, rates)["high"].to_numpy()
    assert high[:6] == pytest.approx(0.09 + curve.distortion(rates[:6]), abs=1e-6)
    assert np.all(high <= 0.09 + curve.distortion(rates) + ROUNDING)


@pytest.mark.parametrize("rule", ["uniform", "E1M1"])
def test_noise_floor_of_corridors_is_the_error_of_drawn_images_about_their_means(rule):
    source, images = Corridors(), 2000
    p = frequency(rule, source)
    drawn = np.random.default_rng(0).choice(169, size=images, p=p)
    pixels = np.asarray(source.sample(drawn, keys=jax.random.split(jax.random.key(3), images))).reshape(
        images, -1
    )
    errors = np.mean((pixels - corridor_means()[drawn]) ** 2, axis=1)
    floor = noise_floor(p, source.mean_images())
    assert abs(errors.mean() - floor) <= STANDARD_ERRORS * errors.std() / np.sqrt(images)


def test_noise_floor_by_hand():
    assert noise_floor(UNIFORM, Corridors().mean_images()) == pytest.approx(0.05465, abs=5e-6)
    means = corridor_means()
    by_loop = sum(m * (1 - m) for mean in means for m in mean) / 169**2
    assert noise_floor(UNIFORM, means) == pytest.approx(by_loop)
    assert noise_floor([0.25, 0.75], [[0.5], [1.0]]) == 0.0625


@pytest.mark.parametrize("p", [0.5, 0.3, 0.06])
def test_coin_is_a_source_of_two_symbols(p):
    curve = rate_distortion([1 - p, p], SquaredError([[0.0], [1.0]]), points=9, tolerance=1e-5)
    for rate, distortion in zip(curve.table.rate_nats, curve.table.distortion, strict=True):
        assert bernoulli_squared_error([p], distortion) == pytest.approx([rate], abs=2e-5)


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_coin_against_all_channels_to_two_code_words(p):
    """Both chances of the channel on a grid; each code word stands for the coin by its posterior mean."""
    a, b = np.meshgrid(np.linspace(0, 1, 501), np.linspace(0, 1, 501))
    joint = np.array([[(1 - p) * (1 - a), (1 - p) * a], [p * (1 - b), p * b]])
    words = joint.sum(axis=0)
    posterior = joint[1] / np.where(words > 0, words, 1)
    distortions = np.sum(words * posterior * (1 - posterior), axis=0)
    independent = words * np.array([1 - p, p])[:, None, None, None]
    terms = joint * np.log(np.where(joint > 0, joint, 1) / np.where(independent > 0, independent, 1))
    rates = terms.sum(axis=(0, 1))
    for asked in (0.01, 0.05, 0.12):
        least = rates[distortions <= asked].min()
        found = float(bernoulli_squared_error([p], asked)[0])
        assert found <= least + ROUNDING
        assert found == pytest.approx(least, abs=5e-3)


def test_coin_ends():
    assert bernoulli_squared_error([0.0, 0.3, 0.5, 1.0], 0) == pytest.approx(
        [0, -0.3 * np.log(0.3) - 0.7 * np.log(0.7), np.log(2), 0]
    )
    assert bernoulli_squared_error([[0.5, 0.2]], 0.25).tolist() == [[0, 0]]
    assert bernoulli_squared_error([0.5], 7).tolist() == [0]
    assert bernoulli_squared_error([0.3], 0.05) == pytest.approx(bernoulli_squared_error([0.7], 0.05))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda c: noise_floor([0.5, 0.5], [[0.5], [1.2]]),
            "means must be probabilities of a 1.* got '0.5 to 1.2",
        ),
        (lambda c: noise_floor([0.5, 0.5], [[0.5], [-0.1]]), "means must be .* got '-0.1 to 0.5"),
        (lambda c: noise_floor([0.5, 0.5], [[0.5]]), "means must be .*2 stimuli; got 'shape"),
        (lambda c: noise_floor([0.5, 0.5], [0.5, 0.5]), "means must be .*got 'shape"),
        (lambda c: noise_floor([0.5, 0.5], [[0.5], [np.nan]]), "means must be .*got 'nan"),
        (lambda c: noise_floor([0.5, 0.6], [[0.5], [0.5]]), "p must be .*a sum of 1.1"),
        (lambda c: bernoulli_squared_error([1.2], 0.1), "p must be probabilities, 0–1"),
        (lambda c: bernoulli_squared_error([0.5], -0.1), "distortion must be"),
        (lambda c: bernoulli_squared_error([0.5], np.nan), "distortion must be"),
        (lambda c: pixel_bounds([0.5, 0.5], [[0.1], [1.9]], c, [0.1]), "means must be"),
        (lambda c: pixel_bounds([0.5, 0.5], [[0.1], [0.9]], c, [0.1, -0.2]), "rates must be .*got -0.2"),
        (lambda c: pixel_bounds([0.5, 0.5], [[0.1], [0.9]], c, 0.1), "rates must be"),
        (lambda c: pixel_bounds([0.5, 0.5], [[0.1], [0.9]], c, [np.inf]), "rates must be"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(RequestError, match=message):
        call(rate_distortion([0.5, 0.5], SquaredError([[0.1], [0.9]]), points=2))

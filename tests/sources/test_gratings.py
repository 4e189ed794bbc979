"""Gratings, against a slow loop over pixels and what turning an image must do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from oracles import ALGEBRA
from ratewarp.sources import Gratings, factors_of, frequency, task

WORLD = Gratings(
    size=9,
    orientations=4,
    spatial_frequencies=(1.0, 2.5),
    phases=4,
    contrasts=(0.4, 1.0),
    noise=0,
    pixels="real",
)


def light(world: Gratings, stimulus: int, row: int, column: int) -> float:
    """One pixel, in double precision."""
    values = [f.values[place] for f, place in zip(world.factors, world.stimuli[stimulus], strict=True)]
    degrees, cycles, phase, contrast = values
    x, y = (column + 0.5) / world.size - 0.5, 0.5 - (row + 0.5) / world.size
    angle = math.radians(degrees)
    u = -x * math.sin(angle) + y * math.cos(angle)
    w = 1.0 if world.window is None else math.exp(-(x**2 + y**2) / (2 * world.window**2))
    return 0.5 + 0.5 * contrast * w * math.cos(2 * math.pi * cycles * u + math.radians(phase))


@pytest.mark.parametrize("window", [None, 0.2])
def test_real_pixels_follow_the_formula(window):
    world = WORLD.model_copy(update={"window": window})
    means = world.mean_images()
    for stimulus in range(0, len(world.stimuli), 5):
        for row, column in np.ndindex(9, 9):
            expected = light(world, stimulus, row, column)
            assert means[stimulus, row, column, 0] == pytest.approx(expected, abs=ALGEBRA)


def test_pixels_of_8_bits_are_those_rounded():
    world = WORLD.model_copy(update={"pixels": "8-bit"})
    off = np.abs(world.mean_images() - WORLD.mean_images())
    assert off.max() <= 0.5 / 255 + 1e-6
    assert off.max() > 0.4 / 255
    np.testing.assert_allclose(255 * world.mean_images() % 1, 0, atol=1e-9)


def test_noise_at_the_ends_of_the_range_moves_the_mean_inwards():
    clean, noisy = (Gratings(orientations=1, noise=noise).mean_images() for noise in (0.0, 0.1))
    assert np.all(noisy[clean > 0.99] < clean[clean > 0.99] - 0.02)
    assert np.all(noisy[clean < 0.01] > clean[clean < 0.01] + 0.02)
    middle = np.abs(clean - 0.5) < 0.1
    np.testing.assert_allclose(noisy[middle], clean[middle], atol=1e-4)


def images_by_factors() -> np.ndarray:
    """Of one frequency and contrast, by orientation and phase."""
    return WORLD.mean_images().reshape(4, 2, 4, 2, 9, 9)[:, 1, :, 1]


def test_bars_lie_at_the_orientation_0_and_turn_against_the_clock():
    images = images_by_factors()
    assert np.ptp(images[0], axis=-1).max() < ALGEBRA
    assert np.ptp(images[2], axis=-2).max() < ALGEBRA
    np.testing.assert_allclose(images[2, 1], np.rot90(images[0, 1]), atol=ALGEBRA)
    np.testing.assert_allclose(images[3, 1], np.rot90(images[1, 1]), atol=ALGEBRA)
    rising = images[1, 0]  # 45°: the bar through the middle goes from the lower left to the upper right
    np.testing.assert_allclose(np.diag(rising[:, ::-1]), 1, atol=ALGEBRA)


def test_half_a_turn_takes_a_phase_to_its_opposite():
    images = images_by_factors()
    for phase in range(4):
        half = np.rot90(images[:, phase], 2, axes=(1, 2))
        np.testing.assert_allclose(half, images[:, -phase % 4], atol=ALGEBRA)
    assert np.abs(np.rot90(images[:, 1], 2, axes=(1, 2)) - images[:, 1]).max() > 0.5


def test_factors_that_are_fixed_are_not_listed():
    world = Gratings(phases=1, contrasts=(0.5, 1.0))
    assert [factor.name for factor in world.factors] == ["orientation", "spatial_frequency", "contrast"]
    assert world.factors[0][2:] == ("circular", 180.0)
    assert Gratings(orientations=1).tasks == Gratings(orientations=1).frequencies == {}


def test_named_tasks_and_the_cardinal_frequency():
    world = Gratings(orientations=90)
    degrees = factors_of(world)["orientation"]
    assert task("tilt", world).labels.tolist() == (degrees < 90).astype(int).tolist()
    cardinal = [min(abs(one - near) for near in (0, 90, 180)) < 22.5 for one in degrees]
    assert task("cardinal", world).labels.tolist() == list(map(int, cardinal))
    p, expected = frequency("cardinal", world), 2 - np.abs(np.sin(np.deg2rad(2 * degrees)))
    assert np.abs(p / p.max() - expected / expected.max()).max() < 0.03
    assert p[degrees == 0][0] == pytest.approx(2 * p[degrees == 45 + 1].max(), rel=0.01)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"spatial_frequencies": (8.1,)},
            "spatial_frequencies must be at most 8 cycles, half of size; got 8.1",
        ),
        ({"spatial_frequencies": (2.0, 2.0)}, "spatial_frequencies must be values that differ"),
        ({"contrasts": ()}, "contrasts must be values that differ from each other; got"),
        ({"contrasts": (0.0,)}, "contrasts"),
        ({"orientations": 1, "phases": 1, "spatial_frequencies": (2.0,)}, "must be of 2 to"),
        ({"pixels": "binary"}, "pixels"),
        ({"size": 65}, "size"),
        ({"window": 0}, "window"),
    ],
)
def test_gratings_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        Gratings(**keys)

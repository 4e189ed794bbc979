"""Sprites, against analytic areas, points inside polygons, and what turning and moving them must do."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.path import Path
from scipy.stats import norm

from oracles import ALGEBRA
from ratewarp.sources import Sprites, frequency, task
from ratewarp.sources.eight_bit import mean_with_noise
from ratewarp.sources.polygons import SHAPES, area_and_centre, coverage, outline, outlines

SIDE, FINE = 24, 40  # pixels; and points a pixel, each way
NAMES = tuple(SHAPES)
_covered = jax.jit(jax.vmap(lambda corners: coverage(corners, SIDE, SIDE)))


def covered(corners: np.ndarray) -> np.ndarray:
    """Coverage of polygons of at most 64 corners, whose last one is repeated: one program for all."""
    padded = np.pad(corners, ((0, 0), (0, 64 - corners.shape[1]), (0, 0)), mode="edge")
    padded = np.concatenate([padded, padded[:1].repeat(8 - len(padded), axis=0)])
    return np.asarray(_covered(jnp.asarray(padded, jnp.float32)))[: len(corners)]


def turned(corners: np.ndarray, degrees: float) -> np.ndarray:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return corners @ np.array([[cos, sin], [-sin, cos]])


@pytest.mark.parametrize("name", NAMES)
def test_shapes_have_the_area_one_about_the_origin(name):
    area, centre = area_and_centre(outline(name).corners)
    assert area == pytest.approx(1)
    np.testing.assert_allclose(centre, 0, atol=1e-12)


def test_coverage_is_the_share_of_points_inside():
    shapes = [8.3 * turned(outline(name).corners, 17) + [11.2, 12.9] for name in NAMES]
    places = np.stack(np.meshgrid(*[(np.arange(SIDE * FINE) + 0.5) / FINE] * 2), axis=-1).reshape(-1, 2)
    found = covered(np.stack([np.pad(one, ((0, 64 - len(one)), (0, 0)), mode="edge") for one in shapes]))
    for corners, cover in zip(shapes, found, strict=True):
        inside = Path(np.append(corners, corners[:1], axis=0), closed=True).contains_points(places)
        share = inside.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))[::-1]
        np.testing.assert_allclose(cover, share, atol=1.5 / FINE)
        assert cover.sum() == pytest.approx(8.3**2, abs=1e-3)


def test_an_upright_square_covers_what_its_sides_do():
    low, high = np.array([3.3, 5.75]), np.array([14.1, 20.5])
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    across, up = (
        np.clip(np.minimum(high[d], np.arange(SIDE) + 1) - np.maximum(low[d], np.arange(SIDE)), 0, 1)
        for d in (0, 1)
    )
    np.testing.assert_allclose(covered(corners[None])[0], np.outer(up, across)[::-1], atol=ALGEBRA)


def test_half_a_pixel_under_a_diagonal():
    cover = covered(np.array([[[0.0, 0.0], [24.0, 0.0], [24.0, 24.0]]]))[0]
    expected = np.triu(np.ones((SIDE, SIDE)), 1) + np.eye(SIDE) / 2  # from the bottom up
    np.testing.assert_allclose(cover[::-1], expected, atol=ALGEBRA)


def test_what_lies_outside_the_image_is_cut_off():
    square = np.array([[-5.0, -5.0], [3.5, -5.0], [3.5, 2.0], [-5.0, 2.0]])
    cover = covered(square[None])[0]
    assert cover.sum() == pytest.approx(7)
    assert cover[-1, :5].tolist() == [1, 1, 1, 0.5, 0]


def test_a_curve_of_64_corners_is_an_ellipse():
    a, b = 9.0, 4.5
    places = np.stack(np.meshgrid(*[(np.arange(SIDE * FINE) + 0.5) / FINE - 12] * 2), axis=-1)
    inside = (places[..., 0] / a) ** 2 + (places[..., 1] / b) ** 2 <= 1
    share = inside.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
    cover = covered(np.sqrt(np.pi * a * b) * outline("ellipse").corners[None] + 12)[0]
    assert cover.sum() == pytest.approx(np.pi * a * b, abs=1e-3)
    np.testing.assert_allclose(cover, share, atol=1.5 / FINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_by_the_period_changes_nothing_and_a_smaller_one_does(name):
    corners, period = outline(name).corners, 360 / SHAPES[name][1]
    shares = [0, 1, 1 / 2, 1 / 3, 1 / 5]
    first, whole, *parts = covered(np.stack([8 * turned(corners, share * period) + 12.1 for share in shares]))
    np.testing.assert_allclose(whole, first, atol=1e-4)
    assert all(np.abs(part - first).max() > 0.1 for part in parts)


def test_images_turn_against_the_clock():
    world = Sprites(shapes=("heart",), scales=1, orientations=4, positions=(0.5,))
    images = world.mean_images()
    assert [factor.name for factor in world.factors] == ["orientation"]
    for quarter in range(4):
        np.testing.assert_allclose(images[quarter], np.rot90(images[0], quarter), atol=1.01 / 255)
    rows = images[0].sum(axis=(1, 2))
    assert np.flatnonzero(rows).mean() < 15.5 + 2  # about the middle
    assert rows[rows > 0][:3].mean() > rows[rows > 0][-3:].mean()  # the point is below


def test_places_go_right_and_up():
    world = Sprites(size=20, shapes=("square",), scales=(0.2,), orientations=1, positions=(0.2, 0.7))
    images = world.mean_images()[..., 0]
    columns, rows = np.arange(20) + 0.5, 20 - np.arange(20) - 0.5
    for image, (x, y) in zip(images, world.stimuli, strict=True):
        assert image.sum(axis=0) @ columns / image.sum() == pytest.approx((4, 14)[x])
        assert image.sum(axis=1) @ rows / image.sum() == pytest.approx((4, 14)[y])
        assert image.sum() == pytest.approx(16)


def test_no_two_stimuli_are_the_same_image():
    world = Sprites(shapes=NAMES, orientations=3, positions=2, colours=(0.5, 1.0))
    images = world.mean_images().reshape(len(world.stimuli), -1)
    assert len(images) == 6 * 2 * 2 * 3 * 2 * 2
    assert len(np.unique(images, axis=0)) == len(images)


def test_every_shape_of_a_scale_is_equally_large_and_within_the_image():
    world = Sprites(size=64, shapes=NAMES, scales=3, orientations=3, positions=3)
    images, scale = world.mean_images()[..., 0], np.array(world.factors[1].values)
    assert scale.tolist() == [0.2, 0.275, 0.35]
    expected = (64 * scale[world.stimuli[:, 1]]) ** 2
    np.testing.assert_allclose(images.sum(axis=(1, 2)), expected, rtol=2e-3)


def test_colours_are_those_that_are_named():
    world = Sprites(channels=3, colours=("red", "orange", "white"), orientations=1, positions=1, scales=1)
    assert world.factors[1].values == ("red", "orange", "white")
    middle = {
        (int(s), int(c)): image[16, 16]
        for image, (s, c) in zip(world.mean_images(), world.stimuli, strict=True)
    }
    for (_, colour), pixel in middle.items():
        wanted = ([255, 0, 0], [255, 128, 0], [255, 255, 255])[colour]
        np.testing.assert_allclose(255 * pixel, wanted, atol=1.01)
    hues = Sprites(shapes=("square",), channels=3, colours=4, orientations=1, positions=1, scales=1)
    assert hues.factors[0][:1] + hues.factors[0][2:] == ("hue", "circular", 360.0)
    pixels = 255 * hues.mean_images()[:, 16, 16]
    np.testing.assert_allclose(pixels, [[255, 0, 0], [128, 255, 0], [0, 255, 255], [128, 0, 255]], atol=1.01)
    greys = Sprites(shapes=("square",), colours=4, orientations=1, positions=1, scales=1)
    assert greys.factors[0].values == (0.25, 0.5, 0.75, 1.0)
    np.testing.assert_allclose(greys.mean_images()[:, 16, 16, 0], (0.25, 0.5, 0.75, 1), atol=0.51 / 255)


def test_without_noise_an_image_is_its_mean():
    world = Sprites(size=16, scales=1, positions=2)
    chosen = np.arange(len(world.stimuli))
    images = np.asarray(world.sample(chosen, keys=jax.random.split(jax.random.key(0), len(chosen))))
    off = np.abs(images / 255 - world.mean_images())
    assert off.max() < 1.01 / 255
    assert np.mean(off > 1e-6) < 1e-3  # another rounding at most


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01, 0.1, 1.0])
def test_the_mean_of_a_noisy_pixel_is_the_sum_over_what_it_can_be(noise):
    stored = np.arange(256)
    for value in (0, 1, 100, 254, 255):
        if noise == 0:
            chances = (stored == value).astype(float)
        else:
            edges = np.array([-np.inf, *stored[:-1] + 0.5, np.inf])
            chances = np.diff(norm.cdf(edges, loc=value, scale=255 * noise))
        assert mean_with_noise(noise)[value] == pytest.approx(stored @ chances / 255, abs=1e-12)


def test_millions_of_combinations_are_sampled():
    world = Sprites(size=16, shapes=NAMES, scales=8, orientations=32, positions=32, colours=4)
    assert world.crossing.combinations == 6 * 4 * 8 * 32 * 32 * 32
    assert world.stimuli.shape == (100_000, 6)
    assert len(np.unique(world.stimuli, axis=0)) == 100_000
    for factor, column in zip(world.factors, world.stimuli.T, strict=True):
        counts, values = np.bincount(column), len(factor.values)
        assert len(counts) == values
        assert np.abs(counts - 100_000 / values).max() < 5 * np.sqrt(100_000 / values)
    one = Sprites(**{**world.model_dump(), "most_stimuli": 1000})
    assert one.mean_images(np.array([999, 0])).shape == (2, 16, 16, 1)


def test_tasks_and_frequencies_are_of_the_factors_that_there_are():
    world = Sprites(shapes=("star", "cross"), positions=4)
    assert task("which", world).labels.tolist() == world.stimuli[:, 0].tolist()
    p = frequency("skewed", world)
    assert p[world.stimuli[:, 0] == 0].sum() == pytest.approx(5 / 6)
    left = frequency("mostly_left", world)[task("left", world).labels == 1]
    assert left.sum() == pytest.approx(5 / 6)
    alone = Sprites(shapes=("star",), positions=1, scales=1)
    assert (alone.tasks, alone.frequencies) == ({}, {})


def test_curves_need_as_many_corners_as_the_most_of_the_shapes():
    assert outlines(("square", "triangle")).shape == (2, 4, 2)
    assert outlines(NAMES).shape == (6, 64, 2)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"colours": ("red",)}, "colours must be grey levels above 0, up to 1 where channels is 1"),
        ({"colours": (0.5,), "channels": 3}, "colours must be names of colours where channels is 3"),
        ({"scales": (0.9,)}, "scales must be at most 0.626 for these shapes to fit the image"),
        ({"scales": ()}, "scales must be values that differ from each other; got"),
        ({"shapes": ("heart", "heart")}, "shapes must be values that differ from each other"),
        (
            {"shapes": ("heart",), "scales": 1, "orientations": 1, "positions": 1},
            "must be of 2 to .* got 1 · 1 · 1 · 1 · 1 · 1 = 1",
        ),
        ({"positions": 1024, "orientations": 1000, "scales": 1024}, "must be of 2 to 2,147,483,647 combin"),
        ({"shapes": ("circle",)}, "shapes.0"),
        ({"size": 8}, "size"),
        ({"channels": 2}, "channels"),
        ({"noise": -0.1}, "noise"),
        ({"positions": (1.2,)}, "positions"),
    ],
)
def test_sprites_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        Sprites(**keys)

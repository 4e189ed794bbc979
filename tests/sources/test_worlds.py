"""What every built-in world that draws images promises, and how its images are distributed."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from oracles import ALGEBRA, STANDARD_ERRORS
from ratewarp.sources import (
    PIXELS,
    SOURCES,
    Corridors,
    Digits,
    GivenSource,
    Gratings,
    Population,
    Sprites,
    draw_images,
    factors_of,
    frequency,
    task,
)

WORLDS = {
    "corridors": Corridors(),
    "three corridors": Corridors(size=5, corridors=3),
    "sprites": Sprites(size=16, scales=1, positions=2, noise=0.2),
    "coloured sprites": Sprites(size=16, channels=3, colours=3, positions=2, most_stimuli=40),
    "gratings": Gratings(size=8, noise=0.15, orientations=5),
    "real gratings": Gratings(size=8, pixels="real", noise=0.3, phases=1, window=0.3),
    "counts": Population(neurons=10, values=8),
    "normal responses": Population(
        neurons=9, dimensions=2, values=4, circular=True, responses="gaussian", noise=0.7
    ),
}
each = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
IMAGES, CHOSEN = 12_800, 8  # of every world, and of how many stimuli: 102,400 images in all


@pytest.fixture(scope="module")
def drawn() -> dict:
    """Numbers of many images of a few stimuli of every world: name → (stimuli, images by stimulus)."""
    found = {}
    for name, world in WORLDS.items():
        chosen = np.unique(np.linspace(0, len(world.stimuli) - 1, CHOSEN).astype(int))
        places = np.tile(np.arange(IMAGES // CHOSEN), CHOSEN)
        images = draw_images(world, chosen.repeat(IMAGES // CHOSEN), places, key=jax.random.key(3))
        assert images.dtype == PIXELS[world.pixels].dtype
        numbers = np.asarray(PIXELS[world.pixels].numbers(images), float)
        found[name] = chosen, numbers.reshape(CHOSEN, -1, *world.image_shape)
    return found


@pytest.mark.parametrize("name", WORLDS)
def test_images_are_the_mean_images_on_average(drawn, name):
    chosen, images = drawn[name]
    means, number = WORLDS[name].mean_images(chosen), images.shape[1]
    assert means.shape == (CHOSEN, *WORLDS[name].image_shape)
    known = means * (1 - means) if WORLDS[name].pixels == "binary" else None
    error = np.sqrt((images.var(axis=1, ddof=1) if known is None else known) / number)
    rare = np.ptp(images) * STANDARD_ERRORS / number  # of events too rare to be normally distributed
    assert np.all(np.abs(images.mean(axis=1) - means) < STANDARD_ERRORS * error + rare)


def test_counts_are_poisson_and_responses_normal(drawn):
    chosen, images = drawn["counts"]
    m = WORLDS["counts"].mean_images(chosen)
    error = np.sqrt((m + 2 * m**2) / images.shape[1])  # of a Poisson count's sample variance
    assert np.all(np.abs(images.var(axis=1, ddof=1) - m) < STANDARD_ERRORS * error)
    np.testing.assert_array_equal(images, np.round(images))
    for name, noise in (("normal responses", 0.7), ("real gratings", 0.3)):
        off = drawn[name][1] - WORLDS[name].mean_images(drawn[name][0])[:, None]
        assert np.abs((off / noise) ** 2 - 1).mean() > 0.5  # noise is there
        assert abs(((off / noise) ** 2).mean() - 1) < STANDARD_ERRORS * np.sqrt(2 / off.size)
        assert abs(((off / noise) ** 4).mean() - 3) < STANDARD_ERRORS * np.sqrt(96 / off.size)


@pytest.mark.parametrize("name", WORLDS)
def test_pixels_are_independent_given_the_stimulus(drawn, name):
    assert WORLDS[name].independent_pixels
    for images in drawn[name][1][:2]:
        flat = images.reshape(len(images), -1)
        varying = flat[:, flat.std(axis=0) > 0.3 * flat.std(axis=0).max()]
        if flat.std() == 0 or varying.shape[1] < 2 or varying.std(axis=0).max() == 0:
            continue
        off = np.corrcoef(varying.T)[~np.eye(varying.shape[1], dtype=bool)]
        assert np.abs(off).max() < (STANDARD_ERRORS + 1) / np.sqrt(len(flat))


@each
def test_an_image_depends_on_its_key_and_stimulus_alone(world):
    stimuli, places = np.array([3, 0, 5, 3]), np.array([0, 1, 0, 2])
    once = draw_images(world, stimuli, places, key=jax.random.key(1))
    np.testing.assert_array_equal(draw_images(world, stimuli, places, key=jax.random.key(1)), once)
    turned = draw_images(world, stimuli[::-1], places[::-1], key=jax.random.key(1))
    np.testing.assert_allclose(turned[::-1].astype(float), once.astype(float), atol=ALGEBRA)


@each
def test_means_of_some_stimuli_are_those_of_all(world):
    chosen = np.array([len(world.stimuli) - 1, 0, 4, 4])
    np.testing.assert_allclose(world.mean_images(chosen), world.mean_images()[chosen], atol=ALGEBRA)


@each
def test_stimuli_are_places_among_values_and_asked_for_cheaply(world):
    table = world.stimuli
    assert table is world.stimuli
    assert table.shape == (len(table), len(world.factors))
    assert len(np.unique(table, axis=0)) == len(table)
    assert table.min() == 0
    assert all(
        column.max() < len(factor.values) for factor, column in zip(world.factors, table.T, strict=True)
    )
    assert all(len(factor.values) > 1 for factor in world.factors)


@each
def test_its_own_tasks_and_frequencies_can_be_used(world):
    assert all(task(name, world).classes >= 2 for name in world.tasks)
    for name in world.frequencies:
        assert frequency(name, world).sum() == pytest.approx(1)
        assert np.ptp(frequency(name, world)) > 0
    assert bool(world.tasks) == bool(world.frequencies) == (world != WORLDS["three corridors"])


@each
def test_worlds_are_told_apart_by_their_keys(world):
    same = type(world)(**world.model_dump())
    assert same == world
    assert hash(same) == hash(world)
    assert same.digest == world.digest
    assert len({one.digest for one in WORLDS.values()}) == len(WORLDS)
    assert world.stored is None


@pytest.mark.parametrize("name", ["coloured sprites", "real gratings", "counts"])
def test_one_that_is_given_as_an_object_passes_its_checks(name):
    given = GivenSource(WORLDS[name])
    np.testing.assert_array_equal(given.stimuli, WORLDS[name].stimuli)


def test_all_sources_are_here():
    assert {type(world) for world in WORLDS.values()} | {Digits} == set(SOURCES)
    assert len({one.model_fields["kind"].default for one in SOURCES}) == len(SOURCES)


def test_another_number_of_corridors():
    world = Corridors(size=9, corridors=3, width=0.8)
    assert list(factors_of(world)) == ["x_1", "x_2", "x_3"]
    stimulus = 2 * 81 + 7 * 9 + 4
    assert world.stimuli[stimulus].tolist() == [2, 7, 4]
    image = world.mean_images(np.array([stimulus]))[0, :, :, 0]
    for row, column in np.ndindex(9, 9):
        x = {0: 2, 1: 2, 2: 2, 4: 7, 5: 7, 7: 4, 8: 4}.get(row)  # rows 3 and 6 are all corridor
        wall = 0 if x is None else 1 - np.exp(-((column - x) ** 2) / (2 * 0.8**2))
        assert image[row, column] == pytest.approx(wall, abs=1e-12)
    assert (world.tasks, world.frequencies, world.task_sets) == ({}, {}, {})
    assert Corridors(size=3, corridors=1).mean_images()[1, :, 1, 0].tolist() == [0, 0, 0]
    assert len(Corridors(size=64, corridors=5, most_stimuli=500).stimuli) == 500


@pytest.mark.parametrize("size", range(3, 20))
def test_corridors_share_the_rows_as_nearly_as_whole_rows_go(size):
    for corridors in range(1, (size + 1) // 2 + 1):
        if corridors > 8 or size**corridors >= 2**31:
            continue
        columns = tuple(place % 2 for place in range(corridors))
        world = Corridors(size=size, corridors=corridors, width=0.2)
        stimulus = sum(column * size**power for power, column in enumerate(columns[::-1]))
        if len(world.stimuli) < size**corridors:
            continue
        image = world.mean_images(np.array([stimulus]))[0, :, :, 0]
        between = np.flatnonzero(image.sum(axis=1) < 0.5)
        heights = np.diff([-1, *between, size]) - 1
        assert len(heights) == corridors
        assert heights.min() >= 1
        assert np.ptp(heights) <= 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"corridors": 8}, "corridors must be at most 7 in images of 13 rows; got 8"),
        ({"corridors": 3, "middle": 4}, "middle must not be given for 3 corridors; got 4"),
        ({"size": 64, "corridors": 8}, "must be of 2 to 2,147,483,647 combinations"),
        ({"corridors": 0}, "corridors"),
        ({"most_stimuli": 1}, "most_stimuli"),
    ],
)
def test_corridors_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        Corridors(**keys)

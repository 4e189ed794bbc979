"""Which stored images are held out: a share of every class, never an image that is trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratewarp.sources.holding_out import held_out, image_hashes

SETS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), min_size=2, max_size=120)


def hashes_of(numbers: list[int]) -> np.ndarray:
    return image_hashes(np.array(numbers, np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8))


def split(found: list[tuple[int, int]], share: float = 0.25, most: int = 1000) -> np.ndarray:
    numbers, strata = zip(*found, strict=True)
    return held_out(hashes_of(list(numbers)), np.array(strata), share=share, most=most)


@settings(max_examples=150, deadline=None)
@given(SETS)
def test_no_image_is_on_both_sides_and_no_class_is_missing_from_training(found):
    held = set(split(found).tolist())
    trained = set(range(len(found))) - held
    assert not {found[i][0] for i in held} & {found[i][0] for i in trained}
    first = {}
    for number, stratum in found:
        first.setdefault(number, stratum)
    for stratum in set(first.values()):
        images = {number for number, own in first.items() if own == stratum}
        chosen = {found[i][0] for i in held} & images
        assert len(images - chosen) >= 1
        assert len(chosen) >= min(1, len(images) - 1)
        assert abs(len(chosen) - 0.25 * len(images)) <= 1


@settings(max_examples=50, deadline=None)
@given(SETS, st.randoms(use_true_random=False))
def test_the_same_images_are_held_out_in_whatever_order_they_stand(found, random):
    distinct = list({number: (number, stratum) for number, stratum in found}.values())
    shuffled = distinct[:]
    random.shuffle(shuffled)
    if len(distinct) >= 2:
        assert {distinct[i] for i in split(distinct)} == {shuffled[i] for i in split(shuffled)}


def test_at_most_so_many():
    found = [(i, i % 2) for i in range(100)]
    assert len(split(found, 0.5)) == 50
    assert len(split(found, 0.5, most=10)) == 10


@pytest.mark.parametrize(
    "other", [np.zeros((2, 3), np.uint8), np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2), np.uint16)]
)
def test_images_of_another_shape_or_type_have_other_hashes(other):
    assert image_hashes(np.zeros((2, 2), np.uint8))[0] != image_hashes(other)[0]


def test_held_out_images_are_like_a_random_draw():
    """Which ones depends on hashes, which know nothing of brightness: a t statistic over 2,000 images."""
    images = np.random.default_rng(0).integers(0, 256, (2000, 4, 4, 1)).astype(np.uint8)
    held = held_out(image_hashes(images), np.zeros(2000, int), share=0.2, most=2000)
    means = images.mean(axis=(1, 2, 3))
    inside, outside = means[held], np.delete(means, held)
    error = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    assert abs(inside.mean() - outside.mean()) < 5 * error

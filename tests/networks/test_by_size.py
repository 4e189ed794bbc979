"""Convolutions by the size of the images."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from pydantic import ValidationError

from ratewarp._checks import RequestError
from ratewarp.networks import Convolutional
from ratewarp.networks.by_size import by_size
from ratewarp.studies.identity import contents

RULE = Convolutional(latents=2, convolutions="by size")

TABLE = {  # height, width: filters, size behind the last
    (4, 4): ([32], (2, 2)),
    (8, 8): ([32], (4, 4)),
    (9, 9): ([32], (4, 4)),
    (10, 10): ([32, 32], (2, 2)),
    (13, 13): ([32, 32], (3, 3)),
    (28, 28): ([32, 32, 64], (3, 3)),
    (32, 48): ([32, 32, 64, 64], (2, 3)),
    (64, 64): ([32, 32, 64, 64], (4, 4)),
    (8, 128): ([32, 32, 64], (1, 16)),  # no room for a fourth
    (128, 128): ([32, 32, 64, 64, 128], (4, 4)),
    (1024, 1024): ([32, 32, 64, 64, 128, 128, 256, 256], (4, 4)),
}


@pytest.mark.parametrize("size", TABLE)
def test_filters_and_bottom(size):
    filters, bottom = TABLE[size]
    layers = by_size((*size, 3))
    assert [layer.filters for layer in layers] == filters
    assert {(layer.kernel, layer.stride, layer.padding) for layer in layers} == {(4, 2, 1)}
    for _ in layers:
        size = tuple((n + 2 - 4) // 2 + 1 for n in size)
    assert size == bottom


@pytest.mark.parametrize("channels", [1, 16])
@pytest.mark.parametrize("size", [(8, 8), (8, 31), (45, 17)])
def test_codes_and_images_of_any_shape(size, channels):
    RULE.check((*size, channels))
    model = RULE.build((*size, channels), key=jax.random.key(0))
    mean, _ = eqx.filter_jit(model.encode)(jnp.zeros((3, *size, channels)))
    assert mean.shape == (3, 2)
    assert eqx.filter_jit(model.decode)(mean).shape == (3, *size, channels)


def test_an_image_without_room_is_refused():
    with pytest.raises(RequestError, match=r"network\.convolutions\.0 must be small enough .* 1 × 40 pixels"):
        RULE.check((1, 40, 1))


def test_the_default_is_the_published_list_and_the_rule_is_another_network():
    assert [layer.filters for layer in Convolutional().convolutions] == [32, 64, 256]
    assert contents(RULE) == {"latents": 2, "convolutions": "by size"}
    assert Convolutional().layers((64, 64, 3)) == Convolutional().convolutions


@pytest.mark.parametrize("wrong", ["by-size", [], 3])
def test_other_texts_and_empty_lists_are_refused(wrong):
    with pytest.raises(ValidationError):
        Convolutional(convolutions=wrong)

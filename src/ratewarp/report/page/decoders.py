"""Decoders that run in the page: their layers as data. `front/decoder.js` computes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ratewarp.networks import Layer, Nonlinearity, decoder_layers
from ratewarp.report.page.packed_arrays import packed
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Condition

MOST_LETTERS = 600_000  # of one decoder; the published one has 58,000
_LETTERS_EACH = 8 / 3  # of a packed number of 16 bits that is not deflated


def decoder_data(
    run: RunDirectory, condition: Condition, most_letters: int = MOST_LETTERS
) -> dict[str, Any] | None:
    """The decoder of a finished condition, from a code to the expected image.

    Parameters are kept to 16 bits. In the demo images are then off by at most 0.04 of 255 grey levels; with
    12 bits it would be 0.7, with 10 bits 3 and with 8 bits 10, for data that is 17, 27 and 56 % smaller.

    Arguments:
        run: where its parameters are.
        condition: of the run's study.
        most_letters: that the data may have as JSON.

    Returns:
        `kind` ("layers"), `shape` (height, width, channels), `latents`, and `layers`, each as `described` in
        `ratewarp.networks.decoder_layers`, with packed arrays; None where the network is not of this package,
        its training diverged, or there is no room.
    """
    layers = condition_layers(run, condition)
    # deflating halves parameters at best; larger ones are not tried
    if layers is None or _LETTERS_EACH / 2 * sum(layer.numbers for layer in layers) > most_letters:
        return None
    data = {
        "kind": "layers",
        "shape": list(condition.setting.source.image_shape),
        "latents": condition.setting.network.latents,
        "layers": [_packed_layer(layer) for layer in layers],
    }
    return data if len(json.dumps(data)) <= most_letters else None


def condition_layers(run: RunDirectory, condition: Condition) -> tuple[Layer, ...] | None:
    """Layers of a finished condition's decoder, with the likelihood's last nonlinearity; None where the
    network is not of this package, or its training diverged.
    """
    setting = condition.setting
    params = run.params(condition.id)
    layers = decoder_layers(setting.network, setting.source.image_shape, params)
    if layers is None or not all(np.isfinite(one).all() for one in params.values()):
        return None
    return (*layers, Nonlinearity(setting.likelihood.LAST))


def _packed_layer(layer: Layer) -> dict[str, Any]:
    return {
        name: packed(value) if isinstance(value, np.ndarray) else value
        for name, value in layer.described().items()
    }

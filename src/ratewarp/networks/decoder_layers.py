"""Decoders as a few plain layers, for whoever computes them without JAX; a network a row in `_LAYERS_OF`.

Every layer takes and gives a row of numbers for each code; the numbers of an image are in the order height,
width, channels, so that no layer turns or reshapes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import pi, sqrt
from typing import Any

import numpy as np
from jaxtyping import Float

from ratewarp.networks.axis import Axes, Axis
from ratewarp.networks.convolutional import LEAK, Convolutional, encoder_shapes
from ratewarp.networks.mlp import MLP
from ratewarp.networks.network import ImageShape, Network

Rows = Float[np.ndarray, "batch numbers"]
NONLINEARITIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.maximum(x, 0),
    "leaky relu": lambda x: np.where(x > 0, x, LEAK * x),
    "gelu": lambda x: x / 2 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
    "tanh": np.tanh,
}


@dataclass(frozen=True)
class Dense:
    """x · weight + bias."""

    weight: Float[np.ndarray, "inputs outputs"]
    bias: Float[np.ndarray, " outputs"]

    @property
    def numbers(self) -> int:
        """Of its parameters."""
        return self.weight.size + self.bias.size

    def __call__(self, rows: Rows) -> Rows:
        return rows @ self.weight + self.bias

    def described(self) -> dict[str, Any]:
        """As data; the weight is outputs × inputs, so that what belongs to an output lies side by side."""
        return {"kind": "dense", "weight": self.weight.T, "bias": self.bias}


@dataclass(frozen=True)
class Transposed:
    """Transposed convolution: large[i] = bias + Σ weight[k] · small[o] over the o and k with
    i = stride · o − padding + k.

    What falls outside the large image is left out. Its size is told by `axes` and not derived: it may be up
    to stride − 1 larger than what the small image reaches ("output padding"); pixels there are the bias.
    """

    weight: Float[np.ndarray, "taps_down taps_across channels filters"]
    bias: Float[np.ndarray, " channels"]
    axes: Axes

    @property
    def numbers(self) -> int:
        """Of its parameters."""
        return self.weight.size + self.bias.size

    def __call__(self, rows: Rows) -> Rows:
        down, across = self.axes
        small = rows.reshape(len(rows), down.output_size, across.output_size, -1)
        # every tap of every small position falls inside, and what lies on the padding is cut off
        whole = np.zeros((len(rows), *(_reach(axis) for axis in self.axes), len(self.bias)))
        for i, j in product(range(down.kernel), range(across.kernel)):
            places = [
                slice(tap, tap + axis.stride * axis.output_size, axis.stride)
                for axis, tap in zip(self.axes, (i, j), strict=True)
            ]
            whole[:, places[0], places[1]] += small @ self.weight[i, j].T
        inside = [slice(axis.padding, axis.padding + axis.size) for axis in self.axes]
        return (whole[:, inside[0], inside[1]] + self.bias).reshape(len(rows), -1)

    def described(self) -> dict[str, Any]:
        """As data; the weight is taps down × taps across × channels × filters, sizes are (rows, columns)."""
        return {
            "kind": "transposed convolution",
            "weight": self.weight,
            "bias": self.bias,
            "small": [axis.output_size for axis in self.axes],
            "large": [axis.size for axis in self.axes],
            "stride": [axis.stride for axis in self.axes],
            "padding": [axis.padding for axis in self.axes],
        }


@dataclass(frozen=True)
class Nonlinearity:
    """A function of every number, a name of `NONLINEARITIES`."""

    name: str
    numbers: int = 0

    def __call__(self, rows: Rows) -> Rows:
        return NONLINEARITIES[self.name](rows)

    def described(self) -> dict[str, Any]:
        """As data."""
        return {"kind": "nonlinearity", "name": self.name}


Layer = Dense | Transposed | Nonlinearity


def decoder_layers(
    network: Network, image_shape: ImageShape, params: Mapping[str, np.ndarray]
) -> tuple[Layer, ...] | None:
    """The layers of a trained decoder, up to the likelihood's last nonlinearity.

    Arguments:
        network: its configuration.
        image_shape: height, width and channels.
        params: by name, as a run directory has them: `networks.decoder.linear.weight`, …

    Returns:
        Layers in order; None for a network that is not of this package, and for parameters that are not those
        of a network.

    Examples:
        >>> import jax
        >>> from ratewarp.networks import to_named
        >>> networks = MLP(latents=2, widths=(3,)).build((4, 1, 1), key=jax.random.key(0))
        >>> layers = decoder_layers(MLP(latents=2, widths=(3,)), (4, 1, 1), to_named({"networks": networks}))
        >>> [layer.described()["kind"] for layer in layers]
        ['dense', 'nonlinearity', 'dense']
    """

    def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = (params[f"networks.decoder.{name}.{part}"] for part in ("weight", "bias"))
        return weight.astype(float), bias.astype(float)

    layers_of: Any = _LAYERS_OF.get(type(network))
    if layers_of is None:
        return None
    try:
        return folded(layers_of(network, image_shape, pair))
    except KeyError:
        return None


def folded(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same function, where a dense layer is followed by an affine one: both as one dense layer, if that
    has fewer numbers.

    Between the published decoder's first two layers there is no nonlinearity: 154,000 numbers become 3,500.
    """
    found: list[Layer] = []
    for layer in layers:
        before = found[-1] if found else None
        if isinstance(before, Dense) and isinstance(layer, Dense | Transposed):
            nothing = layer(np.zeros((1, len(before.bias))))
            if (len(before.weight) + 1) * nothing.size < before.numbers + layer.numbers:
                found[-1] = Dense(layer(before.weight) - nothing, layer(before.bias[None])[0])
                continue
        found.append(layer)
    return tuple(found)


def through_layers(layers: Iterable[Layer], codes: Float[np.ndarray, "batch latents"]) -> Rows:
    """What layers make of codes, a row of numbers each.

    Examples:
        >>> through_layers([Dense(np.array([[2.0]]), np.ones(1)), Nonlinearity("relu")], np.array([[3.0]]))
        array([[7.]])
    """
    rows = np.asarray(codes, float)
    for layer in layers:
        rows = layer(rows)
    return rows


def _reach(axis: Axis) -> int:
    """Length of an axis with room for every tap of every small position, padding included."""
    return max(axis.stride * axis.output_size + axis.kernel, axis.padding + axis.size)


Pair = Callable[[str], tuple[np.ndarray, np.ndarray]]


def _convolutional_layers(network: Convolutional, image_shape: ImageShape, pair: Pair) -> list[Layer]:
    layers: list[Layer] = [Dense(*pair("linear"))]
    for place, shape in enumerate(reversed(encoder_shapes(network, image_shape, "cpu"))):
        layers += [Transposed(*pair(f"convolutions.{place}"), shape.axes), Nonlinearity("leaky relu")]
    return layers[:-1]


def _mlp_layers(network: MLP, image_shape: ImageShape, pair: Pair) -> list[Layer]:
    del image_shape
    layers: list[Layer] = []
    for place in range(len(network.widths) + 1):
        layers += [Dense(*pair(f"layers.maps.{place}")), Nonlinearity(network.activation)]
    return layers[:-1]


_LAYERS_OF: dict[type, Callable[..., list[Layer]]] = {Convolutional: _convolutional_layers, MLP: _mlp_layers}

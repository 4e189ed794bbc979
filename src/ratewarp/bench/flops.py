"""Operations of one training step, counted tap by tap: the least that any way of computing it must do.

Counted are the multiply-adds of convolutions and linear maps, on taps that fall inside the image: products
with padding are not needed. A multiply-add is two operations. Biases, activations, sampling, the loss and the
optimiser are left out.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ratewarp.networks import Convolutional


class MultiplyAdds(NamedTuple):
    """Multiply-adds of one image in one training step.

    Attributes:
        forward: from image to reconstruction.
        weights: gradients of all weights; as many as forward.
        inputs: gradients of the inputs of all layers but the first, whose input is the image.
    """

    forward: int
    weights: int
    inputs: int


def step_operations(network: Convolutional, image_shape: tuple[int, int, int], batch_size: int) -> int:
    """Floating-point operations of one training step: two for each multiply-add of each image of the batch.

    Examples:
        >>> step_operations(Convolutional(), (13, 13, 1), 64)
        318722048
    """
    return 2 * batch_size * sum(multiply_adds(network, image_shape))


def multiply_adds(network: Convolutional, image_shape: tuple[int, int, int]) -> MultiplyAdds:
    """Multiply-adds of one image in one training step."""
    convolutions, bottom = _convolutions(network, image_shape)
    linear = 3 * bottom * network.latents  # to mean, to log variance, and back up
    # the decoder mirrors the encoder: the same taps, read the other way
    forward = 2 * sum(convolutions) + linear
    return MultiplyAdds(forward, weights=forward, inputs=forward - convolutions[0])


def inside_taps(size: int, kernel: int, stride: int, padding: int) -> int:
    """Number of (output position, tap) pairs along one axis that read a pixel of the image.

    Examples:
        >>> inside_taps(3, kernel=3, stride=2, padding=1)  # outputs at −1 and 1: two taps inside each
        4
    """
    outputs = _outputs(size, kernel, stride, padding)
    return sum(
        0 <= stride * output - padding + tap < size for output in range(outputs) for tap in range(kernel)
    )


def _outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


def _convolutions(network: Convolutional, image_shape: tuple[int, int, int]) -> tuple[list[int], int]:
    """Multiply-adds of each of the encoder's convolutions, and the number of features below the last."""
    counts = []
    sizes, channels = image_shape[:2], image_shape[2]
    for layer in network.layers(image_shape):
        window = layer.kernel, layer.stride, layer.padding
        counts.append(prod(inside_taps(size, *window) for size in sizes) * channels * layer.filters)
        sizes, channels = tuple(_outputs(size, *window) for size in sizes), layer.filters
    return counts, prod(sizes) * channels

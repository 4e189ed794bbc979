"""The network of a comparison and its layers, as this package makes them.

Not for processes of other packages, since it imports JAX: they read the layers from the comparison's folder.
"""

from __future__ import annotations

from typing import Any

from ratewarp.bench.step import PUBLISHED, image_shape_of
from ratewarp.networks import Convolutional, encoder_shapes


def network_of(network: str) -> Convolutional:
    """The published network, or the one by the images' size."""
    return Convolutional() if network == PUBLISHED else Convolutional(convolutions="by size")


def pixels_of(network: str) -> str:
    """How images are stored, a name of `PIXELS`: those of Corridors are binary, others are random bytes."""
    return "binary" if network == PUBLISHED else "8-bit"


def layers_of(network: str) -> list[dict[str, Any]]:
    """The encoder's convolutions, from image to bottom, as plain data; the decoder's are the same in reverse.

    Examples:
        >>> layers_of("published")[0]
        {'size': [13, 13], 'output_size': [6, 6], 'channels': 1, 'filters': 32, 'kernel': 4, 'stride': 2,
         'padding': 1, 'way': 'positions'}
    """
    found = []
    for shape in encoder_shapes(network_of(network), image_shape_of(network)):
        rows, _ = shape.axes
        found.append(
            {
                "size": [axis.size for axis in shape.axes],
                "output_size": [axis.output_size for axis in shape.axes],
                "channels": shape.channels,
                "filters": shape.filters,
                "kernel": rows.kernel,
                "stride": rows.stride,
                "padding": rows.padding,
                "way": shape.way,
            }
        )
    return found

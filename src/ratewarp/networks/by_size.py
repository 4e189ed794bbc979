"""Convolutions that suit the size of the images."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ratewarp.networks.network import ImageShape

LAST_SIDE = 4  # pixels, of the longer side behind the last convolution, or fewer
MOST_FILTERS = 256


class ConvolutionConfig(BaseModel):
    """One convolution of the encoder, mirrored in the decoder: number of filters, and kernel, stride and
    padding in pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: Annotated[int, Field(ge=1, le=4096)]
    kernel: Annotated[int, Field(ge=1, le=64)] = 3
    stride: Annotated[int, Field(ge=1, le=16)] = 2
    padding: Annotated[int, Field(ge=0, le=32)] = 1


def by_size(image_shape: ImageShape) -> tuple[ConvolutionConfig, ...]:
    """Convolutions of kernel 4, stride 2 and padding 1, each halving the image, until both sides have 4
    pixels or fewer; at least one, and none that the shorter side has no room for. The filters are 32, 32, 64,
    64, 128, 128, and 256 from then on.

    Examples:
        >>> [[c.filters for c in by_size((n, n, 3))] for n in (8, 28, 64, 128)]
        [[32], [32, 32, 64], [32, 32, 64, 64], [32, 32, 64, 64, 128]]
    """
    long, short = max(image_shape[:2]), min(image_shape[:2])
    layers = 1
    while long >> layers > LAST_SIDE and short >> layers > 1:
        layers += 1
    return tuple(
        ConvolutionConfig(filters=min(MOST_FILTERS, 32 << index // 2), kernel=4) for index in range(layers)
    )

"""What turns stored images into codes and codes into images: a network, a likelihood, and the images they are
for.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Array, Float, Num, PyTree

from ratewarp.likelihoods import Likelihood
from ratewarp.networks import ImageShape, Network, Networks, whole
from ratewarp.sources import PIXELS


@dataclass(frozen=True)
class Coder:
    """Hashable, a part of compile keys.

    Attributes:
        network: configuration of encoder and decoder.
        likelihood: what the decoder's output means.
        image_shape: height, width and channels.
        pixels: how images are stored, a name of `PIXELS`.
    """

    network: Network
    likelihood: Likelihood
    image_shape: ImageShape
    pixels: str

    @property
    def latents(self) -> int:
        return self.network.latents

    def networks(self, arrays: PyTree) -> Networks:
        """Encoder and decoder with these trained arrays."""
        return whole(self.network, self.image_shape, arrays)

    def numbers(self, images: Num[Array, "..."]) -> Float[Array, "..."]:
        """Stored images as numbers."""
        return PIXELS[self.pixels].numbers(images)

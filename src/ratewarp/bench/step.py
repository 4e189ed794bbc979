"""What every contestant trains: a network under the published objective (see `docs/speed.md`)."""

from __future__ import annotations

import re

from ratewarp._checks import refuse

BATCH_SIZE = 64
LATENTS = 5
LEARNING_RATE = 5e-4  # Adam's
CAPACITY = 10.0  # nats
PRESSURE = 300 * 3e-4  # weight of |rate − capacity|

PUBLISHED = "published"  # the network for images of 13 × 13 pixels; others are named by their images' shape
MOST_SIDE, MOST_CHANNELS = 256, 16


def image_shape_of(network: str) -> tuple[int, int, int]:
    """Height, width and channels of a network's images.

    Arguments:
        network: `published`, or the images' shape, such as `64x64x3`.

    Raises:
        RequestError: it is neither.

    Examples:
        >>> image_shape_of("published"), image_shape_of("28x28x1")
        ((13, 13, 1), (28, 28, 1))
    """
    if network == PUBLISHED:
        return 13, 13, 1
    found = re.fullmatch(r"(\d{1,3})x(\d{1,3})x(\d{1,2})", network)
    sizes = [int(one) for one in found.groups()] if found else [0]
    if not (min(sizes[:2]) >= 2 and max(sizes[:2]) <= MOST_SIDE and 1 <= sizes[-1] <= MOST_CHANNELS):
        refuse(
            "network",
            f"'{PUBLISHED}', or height x width x channels of images of 2 to {MOST_SIDE} pixels each way and 1"
            f" to {MOST_CHANNELS} channels, such as 28x28x1",
            network,
        )
    return sizes[0], sizes[1], sizes[2]

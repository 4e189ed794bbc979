"""What an image can be: its size, its channels, and how its numbers are kept."""

from __future__ import annotations

import numpy as np

from ratewarp._checks import refuse

SIDES = (8, 128)  # pixels
MOST_RESPONSES = 4096  # numbers of an image that is a list of responses
MOST_CHANNELS = 4
_RULE = (
    f"images of {SIDES[0]} × {SIDES[0]} to {SIDES[1]} × {SIDES[1]} pixels with 1 to {MOST_CHANNELS} channels,"
    f" or 1 to {MOST_RESPONSES:,} responses each"
)
_KEPT_AS = {"b1": "u1", "u1": "u1", "u2": "u2", "f2": "f4", "f4": "f4", "i1": "f4", "i2": "f4"}


def image_shape(name: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of the images in an array of some shape: images first, channels last.

    An array of images × numbers holds responses, which are images of that height, width 1 and one channel.

    Arguments:
        name: what the array is called in messages.
        shape: (images, numbers), (images, height, width) or (images, height, width, channels).

    Raises:
        RequestError: another number of axes, channels that are not last, a size that is not supported.

    Examples:
        >>> image_shape("images", (100, 28, 28)), image_shape("images", (100, 28, 28, 3))
        ((28, 28, 1), (28, 28, 3))
        >>> image_shape("rates", (100, 80))
        (80, 1, 1)
    """
    if len(shape) not in (2, 3, 4):
        refuse(name, "images × height × width, with channels last, or images × responses", f"shape {shape}")
    one = (*shape[1:], 1, 1)[:3] if len(shape) < 4 else shape[1:]
    height, width, channels = one
    if len(shape) == 4 and channels > MOST_CHANNELS:
        _refuse_order(name, shape)
    check_size(name, (height, width, channels))
    return height, width, channels


def _refuse_order(name: str, shape: tuple[int, ...]) -> None:
    """Axes in another order, as other programs have them."""
    requirement = "images × height × width × channels"
    if shape[1] <= MOST_CHANNELS:
        cure = "channels stand second: save np.moveaxis(images, 1, -1)"
        refuse(name, f"{requirement}; {cure}", f"shape {shape}")
    if shape[2] <= MOST_CHANNELS:
        cure = "images stand last: save np.moveaxis(images, -1, 0)"
        refuse(name, f"{requirement}; {cure}", f"shape {shape}")


def check_size(name: str, shape: tuple[int, int, int]) -> None:
    """Refuses images of a size that is not supported.

    Raises:
        RequestError: see `image_shape`; the message begins with `name`.
    """
    if why := wrong_size(shape):
        refuse(name, _RULE, why)


def wrong_size(shape: tuple[int, int, int]) -> str:
    """What is wrong with a height, width and number of channels; empty where nothing is.

    Examples:
        >>> wrong_size((64, 64, 3)), wrong_size((4096, 1, 1))
        ('', '')
        >>> wrong_size((64, 200, 1))
        '64 × 200 × 1'
    """
    height, width, channels = shape
    smallest, largest = SIDES
    picture = all(smallest <= side <= largest for side in (height, width)) and 1 <= channels <= MOST_CHANNELS
    responses = (width, channels) == (1, 1) and 1 <= height <= MOST_RESPONSES
    return "" if picture or responses else " × ".join(map(str, shape))


def kept_as(name: str, dtype: np.dtype) -> np.dtype:
    """How numbers of a stored type are kept: uint8, uint16, float32 or float64.

    Truth values become 0 and 1; whole numbers of other types become floats.

    Raises:
        RequestError: no real numbers.

    Examples:
        >>> kept_as("images", np.dtype(bool)), kept_as("counts", np.dtype("i8"))
        (dtype('uint8'), dtype('float64'))
    """
    if dtype.kind not in "biuf":
        refuse(name, "an array of real numbers", f"dtype {dtype}")
    return np.dtype(_KEPT_AS.get(f"{dtype.kind}{dtype.itemsize}", "f8"))


def as_kept(stored: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Stored numbers as they are kept; a truth value is 1 whatever its byte is."""
    if stored.dtype.kind == "b":
        stored = stored.view(np.uint8) != 0
    return stored.astype(dtype, copy=False)

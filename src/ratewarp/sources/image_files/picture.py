"""One picture of a folder: a PNG, JPEG or TIFF file as an array, or why it is none."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import Num
from PIL import Image, ImageOps

from ratewarp.formats.reading import why
from ratewarp.sources.image_files.image_rules import SIDES

KINDS = ("PNG", "JPEG", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_LARGEST = 10**7  # bytes of a file
_MAY_TURN = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_AS = {"1": "L", "YCbCr": "RGB"}
_SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N")


class UnfitError(Exception):
    """A file that is no image that can be used; the message follows its name: `is damaged`."""


def read_picture(file: str | os.PathLike[str]) -> Num[np.ndarray, "height width channels"]:
    """The picture in a file, as it is to be seen: turned as its EXIF data say, palettes expanded.

    Grey pictures have one channel, coloured ones three; 16-bit grey ones are uint16, floating-point ones
    float32, all others uint8. A palette of greys gives grey.

    Raises:
        UnfitError: no picture, a damaged one, one of another kind, size or depth, or with transparent pixels.
    """
    data = _bytes_of(file)
    try:
        image = Image.open(BytesIO(data), formats=KINDS)
    except Image.UnidentifiedImageError:
        raise UnfitError("is no PNG, JPEG or TIFF image, whatever its name says") from None
    except Exception as error:  # Pillow raises whatever it likes about damaged files
        raise UnfitError(f"is damaged ({why(error)})") from None
    with image:
        _check_head(image)
        try:
            return _numbers(_opaque(_turned(image)))
        except UnfitError:
            raise
        except Exception as error:
            raise UnfitError(f"is damaged ({why(error)})") from None


def _bytes_of(file: str | os.PathLike[str]) -> bytes:
    try:
        with open(file, "rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UnfitError(f"cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise UnfitError(f"is larger than {_LARGEST / 1e6:g} MB; an image of {SIDES[1]} pixels is not")
    return data


def _check_head(image: Any) -> None:
    """What can be refused before anything is decoded."""
    width, height = image.size
    if not all(SIDES[0] <= side <= SIDES[1] for side in image.size):
        allowed = f"{SIDES[0]} to {SIDES[1]} pixels a side"
        raise UnfitError(f"is {height} × {width} pixels; {allowed} can be used")
    if getattr(image, "is_animated", False):
        raise UnfitError("holds several images; save each as a file of its own")
    deep = any(";16" in str(part.args) for part in image.tile)
    if deep and image.mode not in _SIXTEEN and not image.mode.startswith("I"):
        raise UnfitError("has colours of 16 bits, of which 8 would be lost; save the images as npy")


def _turned(image: Image.Image) -> Image.Image:
    image.load()  # which turns a TIFF
    if any(key in image.info for key in _MAY_TURN):
        return ImageOps.exif_transpose(image)
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """The image without its transparency, if none of its pixels is transparent."""
    if not image.has_transparency_data:
        return image
    if image.mode in (*_SIXTEEN, "I"):
        clear = bool((np.asarray(image) == image.info["transparency"]).any())
    else:
        grey = _is_grey(image) if image.mode in ("P", "PA") else image.mode in ("1", "L", "LA", "La")
        whole = image.convert("RGBA")
        clear = whole.getchannel("A").getextrema()[0] != 255
        image = whole.convert("L" if grey else "RGB")
    if clear:
        raise UnfitError("has transparent pixels; put it on a background, and save it without transparency")
    return image


def _is_grey(image: Image.Image) -> bool:
    """Whether a palette holds greys alone."""
    palette: Any = image.getpalette("RGB")
    colours = np.array(palette).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _numbers(image: Image.Image) -> Num[np.ndarray, "height width channels"]:
    if image.mode in _SIXTEEN or (image.mode == "I" and image.format == "PNG"):
        array = np.asarray(image).astype(np.uint16)
    elif image.mode == "F":
        array = np.asarray(image).astype(np.float32)
    elif image.mode == "P":
        array = np.asarray(image.convert("L" if _is_grey(image) else "RGB"))
    elif image.mode in _AS:
        array = np.asarray(image.convert(_AS[image.mode]))
    elif image.mode in ("L", "RGB"):
        array = np.asarray(image)
    else:
        raise UnfitError(f"is of kind {image.mode!r}; save it as grey or RGB")
    return array[:, :, None] if array.ndim == 2 else array


class _Quiet:
    """Pillow's warnings about odd files, which other threads may have silenced already, are not printed."""

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), 0
        self.caught: Any = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.caught = warnings.catch_warnings()
                self.caught.__enter__()
                warnings.simplefilter("ignore")
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                if self.inside == 0:
                    self.caught.__exit__(None, None, None)


without_warnings = _Quiet()

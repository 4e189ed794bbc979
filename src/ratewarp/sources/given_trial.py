"""A source that is given from Python, tried: its images and means are what it declares."""

from __future__ import annotations

from math import prod
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Key

from ratewarp._checks import RequestError, refuse
from ratewarp._cores import use_every_core
from ratewarp.sources.given_checks import as_array, reason
from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.source import Source

# images drawn to see whether the object does what it says, and of how many stimuli at most
_TRIED, _TRIED_STIMULI = 2048, 32
_TRIED_PIXELS, _TRIED_LEAST, _EACH_LEAST = 2**24, 128, 16  # fewer of large images, and then of fewer stimuli
# mean square of (sample mean − mean image) over its variance; 1 on average where they belong together
_FAR = 16.0
_ALIKE = 1e-4  # of the range of the pixels: two draws that differ by less on average differ by rounding


def checked_means(source: Any, own: Source) -> np.ndarray | None:
    """Mean images that the object gives, as numbers, or None."""
    try:
        found = source.mean_images() if callable(source.mean_images) else source.mean_images
    except Exception as error:  # whatever the user's code raises
        raise RequestError(f"source.mean_images() cannot be called: {reason(error)}") from error
    if found is None:
        return None
    means, wanted = as_array(found, "mean_images()"), (len(own.stimuli), *own.image_shape)
    if means.shape != wanted or means.dtype.kind not in "fiu":
        refuse(
            "source.mean_images()",
            f"an array of numbers of shape {wanted}, or None",
            f"{means.dtype} of shape {means.shape}",
        )
    means = means.astype(float)
    low, high = (limit / (PIXELS[own.pixels].largest or 1) for limit in PIXELS[own.pixels].limits)
    if not np.isfinite(means).all() or means.min() < low or means.max() > high:
        refuse(
            "source.mean_images()",
            f"finite and {low:g} to {high:g}, the numbers of {own.pixels} pixels",
            _extent(means),
        )
    return means


def _extent(array: np.ndarray) -> str:
    return f"{np.min(array):g} to {np.max(array):g}"


def tried(own: Source) -> np.ndarray:
    """Draws images and checks them, or reads some that are stored; returns them by stimulus."""
    if own.stored is not None:
        return _read(own)
    use_every_core()  # not after the first computation, which this may be
    shape = own.image_shape
    total = int(np.clip(_TRIED_PIXELS // prod(shape), _TRIED_LEAST, _TRIED))
    chosen = np.unique(
        np.linspace(0, len(own.stimuli) - 1, min(_TRIED_STIMULI, total // _EACH_LEAST)).astype(int)
    )
    stimuli = np.repeat(chosen, total // len(chosen))
    keys = jax.random.split(jax.random.key(0), len(stimuli))
    images = _drawn(own, stimuli, keys)
    _check_images(own, images, (len(stimuli), *shape), "source.sample")
    turned = _drawn(own, stimuli[::-1], keys[::-1])[::-1]
    if np.abs(images - turned, dtype=float).mean() > _ALIKE * float(np.ptp(images)):
        refuse(
            "source.sample",
            "the same image for the same stimulus and key, whichever others are drawn with it",
            "different ones",
        )
    by_stimulus = images.reshape(len(chosen), -1, *shape)
    _check_against_means(own, chosen, by_stimulus)
    return by_stimulus


def _read(own: Source) -> np.ndarray:
    """Some stored images, each of a stimulus."""
    assert own.stored is not None
    stimuli = np.unique(np.linspace(0, len(own.stimuli) - 1, _TRIED_STIMULI).astype(int))
    try:
        images = np.asarray(own.stored.read(stimuli))
    except Exception as error:  # whatever the user's code raises
        raise RequestError(f"source.stored.read cannot be called with stimuli: {reason(error)}") from error
    _check_images(own, images, (len(stimuli), *own.image_shape), "source.stored.read")
    if not np.array_equal(images[:1], own.stored.read(stimuli[:1])):
        refuse("source.stored.read", "the same image whichever others are read with it", "another one")
    return images[:, None]


def _check_images(own: Source, images: np.ndarray, shape: tuple[int, ...], member: str) -> None:
    pixels = PIXELS[own.pixels]
    if images.shape != shape:
        refuse(member, f"images of shape {shape} for {shape[0]} stimuli", f"shape {images.shape}")
    if images.dtype != pixels.dtype:
        refuse(member, f"images of type {pixels.dtype}, as for {own.pixels} pixels", images.dtype)
    low, high = pixels.limits
    if not np.isfinite(images).all() or images.min() < low or images.max() > high:
        refuse(member, f"pixels of {low:g} to {high:g}, as for {own.pixels} pixels", _extent(images))


def _drawn(own: Source, stimuli: np.ndarray, keys: Key[Array, " images"]) -> np.ndarray:
    """Images from a program that is traced anew."""
    try:
        return np.asarray(jax.jit(lambda stimuli, keys: own.sample(stimuli, keys=keys))(stimuli, keys))
    except Exception as error:  # whatever the user's code raises
        raise RequestError(
            "source.sample cannot be called with stimuli and keys inside jax.jit, as it must:"
            f" {reason(error)}"
        ) from error


def _check_against_means(own: Source, chosen: np.ndarray, images: np.ndarray) -> None:
    """Refuses mean images that are further from samples than chance puts them.

    Chance, of images whose pixels may go together: a multiple of the standard error, what an event leaves out
    that is too rare to be among the images drawn, and the rounding of 8-bit pixels.
    """
    declared = own.mean_images(chosen)
    if declared is None:
        return
    pixels, each = PIXELS[own.pixels], images.shape[1]
    numbers = images / (pixels.largest or 1.0)
    off = numbers.mean(axis=1) - declared
    variance = numbers.var(axis=1, ddof=1) / each
    unseen = max(float(np.ptp(numbers)), 1e-9) * _FAR / (len(chosen) * each)
    rounding = 1 / pixels.largest if pixels.largest else 0.0
    if np.sum(off**2) > _FAR * np.sum(variance) + off.size * (unseen + rounding) ** 2:
        worst = int(chosen[np.argmax(np.sum(off**2, axis=(1, 2, 3)))])
        came = (
            f"a mean over {each} images of stimulus {worst} that is off by {np.abs(off).max():.3g} at a pixel"
        )
        refuse("source.mean_images()", "the means of what source.sample draws", came)

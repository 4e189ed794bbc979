"""Decoded images for pages that hold no decoder: along every latent, and in a plane of codes.
`front/decoded_grid.js` reads between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ratewarp.networks import through_layers
from ratewarp.report.page.decoders import condition_layers
from ratewarp.report.page.packed_arrays import packed
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Condition

STEPS = 29  # images along a latent; odd, so that the middle one is that of the mean code
SIDE = 12  # of the plane
REACH = 3.0  # of a latent about its mean, standard deviations of the prior; more where codes lie beyond
MOST_PIXELS = 32  # of the shorter side of an image
MOST_BYTES = 1_000_000  # before they are deflated

Codes = Float[np.ndarray, "items latents"]
Images = Float[np.ndarray, "items height width channels"]


def decoded_grid(
    run: RunDirectory,
    condition: Condition,
    codes: Float[np.ndarray, "items latents"],
    order: Int[np.ndarray, " used"] | Sequence[int],
    decode: Callable[[Codes], Any] | None = None,
    most_bytes: int = MOST_BYTES,
) -> dict[str, Any] | None:
    """Decoded images of a condition, for every latent along it and in the plane of two principal axes.

    Arguments:
        run: where its parameters are.
        condition: of the run's study.
        codes: posterior means.
        order: latents in use, the most informative first; there is room for some, or all.
        decode: codes to images, such as `trained_networks(run, name).decode`; needed for networks that a run
            directory does not keep.
        most_bytes: of the images before they are deflated; those of the plane and of one latent there are
            anyway.

    Returns:
        `kind` ("grid"), `shape` of the images, which are smaller than the decoder's where these are large,
        `latents`, `centre` (the mean code), `along` and `plane`; None where nothing decodes them, or the
        training diverged.

        `along`: `of`, latents; `reach`, how far each is followed to both sides of the mean code, the others
        at their mean; `images`, packed, latents × steps × height × width × channels; and `middle`, the image
        of the mean code.
        `plane`: `axes`, two directions of unit length; `low` and `high`, ends along both; `images`, packed,
        first × second × height × width × channels; or None where fewer than two latents are in use.
    """
    decode = decode or _decode_of(run, condition)
    shape, codes = condition.setting.source.image_shape, np.asarray(codes, float)
    if decode is None or not np.isfinite(codes).all():
        return None
    factor = -(-min(shape[:2]) // MOST_PIXELS)

    def images(wanted: Codes) -> Images:
        return _shrunk(np.asarray(decode(wanted.astype(np.float32)), float).reshape(-1, *shape), factor)

    centre = codes.mean(axis=0)
    size = images(centre[None]).shape[1:]
    room = most_bytes // int(np.prod(size)) - SIDE**2
    used = np.asarray(order, int)[: max(1, room // STEPS)]
    return {
        "kind": "grid",
        "shape": list(size),
        "latents": codes.shape[1],
        "centre": centre.tolist(),
        "along": _along(codes, used, images),
        "plane": _plane(codes, np.asarray(order, int), images),
    }


def _along(codes: Codes, used: np.ndarray, images: Callable[[Codes], Images]) -> dict[str, Any]:
    centre = codes.mean(axis=0)
    reach = np.maximum(REACH, np.abs(codes - centre).max(axis=0))[used]
    walks = np.tile(centre, (len(used), STEPS, 1))
    for place, latent in enumerate(used):
        walks[place, :, latent] += np.linspace(-1, 1, STEPS) * reach[place]
    # the mean code's own image first, so that there is one even where no latent is in use
    found = images(np.vstack([centre, walks.reshape(-1, len(centre))]))
    return {
        "of": used.tolist(),
        "reach": reach.tolist(),
        "middle": packed(found[0], "u1"),
        "images": packed(found[1:].reshape(len(used), STEPS, *found.shape[1:]), "u1"),
    }


def _plane(codes: Codes, used: np.ndarray, images: Callable[[Codes], Images]) -> dict[str, Any] | None:
    if len(used) < 2:
        return None
    centre = codes.mean(axis=0)
    axes = np.zeros((2, len(centre)))
    axes[:, used] = np.linalg.svd((codes - centre)[:, used], full_matrices=False)[2][:2]
    places = (codes - centre) @ axes.T
    low, high = places.min(axis=0), places.max(axis=0)
    first, second = np.meshgrid(*np.linspace(low, high, SIDE).T, indexing="ij")
    found = images(centre + np.stack([first.ravel(), second.ravel()], axis=1) @ axes)
    return {
        "axes": axes.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "images": packed(found.reshape(SIDE, SIDE, *found.shape[1:]), "u1"),
    }


def _shrunk(images: Images, factor: int) -> Images:
    """Means over squares of `factor` pixels; those at the far borders are cut short."""
    if factor == 1:
        return images
    for axis in (1, 2):
        starts = np.arange(0, images.shape[axis], factor)
        counts = np.diff(starts, append=images.shape[axis])
        shape = [-1 if one == axis else 1 for one in range(4)]
        images = np.add.reduceat(images, starts, axis=axis) / counts.reshape(shape)
    return images


def _decode_of(run: RunDirectory, condition: Condition) -> Callable[[Codes], Any] | None:
    layers = condition_layers(run, condition)
    return None if layers is None else lambda codes: through_layers(layers, codes)

"""Which of stored images models are measured on and not trained on."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from jaxtyping import Int, Num

_HASH_BYTES = 16


def image_hashes(images: Num[np.ndarray, "images ..."]) -> Num[np.ndarray, " images"]:
    """One hash an image, of its shape, type and numbers: equal images have equal hashes.

    Examples:
        >>> hashes = image_hashes(np.array([[1, 2], [3, 4], [1, 2]]))
        >>> bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
        (True, False)
    """
    kind = f"{images.shape[1:]} {images.dtype.str}".encode()
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    found = [blake2b(row.tobytes(), digest_size=_HASH_BYTES, key=kind[:64]).digest() for row in rows]
    return np.frombuffer(b"".join(found), dtype=f"V{_HASH_BYTES}")


def held_out(
    hashes: Num[np.ndarray, " images"],
    strata: Int[np.ndarray, " images"],
    *,
    share: float,
    most: int,
) -> Int[np.ndarray, " held_out"]:
    """Of every stratum the images whose hashes come first, as many as the share says.

    Equal images are on one side, and in the stratum of the first of them, so that no image that is trained on
    is measured. Of a stratum with two different images or more, at least one is on each side. Nothing is
    drawn at random: the same images are held out wherever and in whatever order they stand.

    Arguments:
        hashes: of `image_hashes`.
        strata: of every image, from 0, such as its class.
        share: of the images of every stratum, between 0 and 1.
        most: of all strata together; with more images the share is smaller.

    Returns:
        Their numbers, in rising order. Empty where every stratum has a single image.

    Examples:
        >>> hashes = image_hashes(np.arange(20)[:, None])
        >>> held = held_out(hashes, np.repeat([0, 1], 10), share=0.2, most=1000)
        >>> int((held < 10).sum()), int((held >= 10).sum())
        (2, 2)
    """
    _, first, group = np.unique(hashes.view(f"S{_HASH_BYTES}"), return_index=True, return_inverse=True)
    share, chosen = min(share, most / len(hashes)), np.zeros(len(first), bool)
    for stratum in np.unique(strata[first]):
        own = np.flatnonzero(strata[first] == stratum)  # in the order of their hashes
        wanted = int(np.clip(round(share * len(own)), min(1, len(own) - 1), len(own) - 1))
        chosen[own[:wanted]] = True
    return np.flatnonzero(chosen[group])

"""Where the stimuli of a setting stand, for measures that ask which are neighbours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from ratewarp.geometry import FactorKind, Space
from ratewarp.sources import coordinates_of
from ratewarp.studies import Setting

_DIMENSIONS = 20  # principal components of images that have no ordered factor


def space_of(setting: Setting) -> Space:
    """The measured stimuli by their factors; where none of these is ordered or circular, by the principal
    components of their mean images, so that neighbours are images that look alike.
    """
    kinds = tuple(
        FactorKind(cast(Any, one.kind), one.period) for one in coordinates_of(setting.source).values()
    )
    space = Space(setting.factor_numbers(), kinds)
    if any(one.kind != "categorical" for one in kinds):
        return space
    return Space(space.factors, kinds, _points(cast(Any, setting.shared())))


@lru_cache(maxsize=4)
def _points(shared: Setting) -> Float[np.ndarray, "stimuli components"] | None:
    """Principal components of the mean images, in the units of their pixels; None where there are none."""
    means = shared.mean_images()
    if means is None:
        return None
    flat = means.reshape(len(means), -1)
    components = min(_DIMENSIONS, *flat.shape)
    from sklearn.decomposition import PCA  # its import takes a third of a second

    return PCA(components, svd_solver="randomized", random_state=0).fit_transform(flat)

"""Trained networks, brought back from a run directory."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from ratewarp._checks import RatewarpError, RequestError, refuse_name
from ratewarp.networks import precise
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.waves import coder_of, network_arrays
from ratewarp.studies import Setting, stored_study
from ratewarp.training.coder import Coder


class TrainedNetworks(NamedTuple):
    """Encoder and decoder of a condition.

    Attributes:
        coder: what the networks are.
        arrays: their trained parameters.
    """

    coder: Coder
    arrays: PyTree

    def encode(
        self, images: Float[Array | np.ndarray, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        """Posterior mean and log variance of each image's code; images as numbers, 0–1 where the source is
        binary or 8-bit.
        """
        with precise():
            return self.coder.networks(self.arrays).encode(jnp.asarray(images, jnp.float32))

    def decode(
        self, codes: Float[Array | np.ndarray, "batch latents"]
    ) -> Float[Array, "batch height width channels"]:
        """Expected image of each code."""
        with precise():
            decoded = self.coder.networks(self.arrays).decode(jnp.asarray(codes, jnp.float32))
        return self.coder.likelihood.expected(decoded)


def trained_networks(run: RunDirectory, condition: str) -> TrainedNetworks:
    """Encoder and decoder of a finished condition.

    Arguments:
        run: a run directory, from `ratewarp.run` or `ratewarp.open_run`.
        condition: its name, as in the column `condition` of the tables.

    Returns:
        The networks: `encode(images)` gives means and log variances of the posterior, `decode(codes)` images.

    Raises:
        RequestError: the study has no such condition, or its network is Python code that a run directory does
            not keep.
        RatewarpError: it is not finished, or its parameters cannot be read.
    """
    settings = {one.id: one.setting for one in stored_study(run.study, run.path).conditions}
    if condition not in settings:
        refuse_name("condition", "condition", condition, settings)
    setting = settings[condition]
    arrays = network_arrays(setting, fitting_params(run, setting, condition))
    return TrainedNetworks(coder_of(setting), jax.tree.map(jnp.asarray, arrays))


def fitting_params(run: RunDirectory, setting: Setting, condition: str) -> dict[str, np.ndarray]:
    """Trained parameters of a finished condition by name, which are those of its networks.

    Raises:
        RatewarpError: they are not, or cannot be read.
    """
    params = run.params(condition)
    try:
        network_arrays(setting, params)
    except RequestError as error:
        file = run.path / "conditions" / condition / "params.safetensors"
        raise RatewarpError(
            f"{file} is damaged, or was written by another version of ratewarp ({error})"
        ) from None
    return params

"""Trained networks, brought back from a run directory."""

from __future__ import annotations

import equinox as eqx
import jax

from ratewarp._checks import RatewarpError, RequestError, refuse_name
from ratewarp.models import AutoEncoder, from_named
from ratewarp.store import RunDirectory
from ratewarp.studies import Setting, Study


def trained_networks(run: RunDirectory, condition: str) -> AutoEncoder:
    """Encoder and decoder of a finished condition.

    Arguments:
        run: a run directory, from `ratewarp.run` or `ratewarp.open_run`.
        condition: its name, as in the column `condition` of the tables.

    Returns:
        The networks: `encoder(images)` gives means and log variances of the posterior, `decoder(codes)` images.

    Raises:
        RequestError: the study has no such condition.
        RatewarpError: it is not finished, or its parameters cannot be read.
    """
    settings = {one.id: one.setting for one in Study(**run.study).conditions}
    if condition not in settings:
        refuse_name("condition", "condition", condition, settings)
    return networks_of(run, settings[condition], condition)


def networks_of(run: RunDirectory, setting: Setting, condition: str) -> AutoEncoder:
    """The same, where the setting is at hand."""
    file = run.path / "conditions" / condition / "params.safetensors"
    skeleton = eqx.filter_eval_shape(lambda: AutoEncoder(setting.network, setting.source.image_shape, key=jax.random.key(0)))
    own = {name: array for name, array in run.params(condition).items() if name.startswith("networks.")}
    try:
        return from_named({"networks": skeleton}, own)["networks"]
    except RequestError as error:
        raise RatewarpError(f"{file} is damaged, or was written by another version of ratewarp ({error})") from None

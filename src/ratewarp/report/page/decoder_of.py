"""What decodes codes of a condition in the page: its decoder, or else images decoded here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ratewarp._checks import RequestError
from ratewarp.networks import from_named, precise, skeleton, whole
from ratewarp.report.page.decoded_grids import decoded_grid
from ratewarp.report.page.decoders import MOST_LETTERS, condition_layers, decoder_data
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Condition, Setting

GRID_LETTERS = 300_000  # of one grid as JSON, so that there is room for codes of other conditions
_USED = 0.01  # nats; as LEAST in front/stage_run.js
_BYTES_EACH = 0.75  # of a letter of base64


def decoder_of(
    run: RunDirectory,
    condition: Condition,
    codes: Float[np.ndarray, "items latents"],
    rates: Float[np.ndarray, " latents"],
    room: int,
) -> dict[str, Any] | None:
    """Data for `front/decoder.js`: of the decoder, or a grid of decoded images where its layers are not known
    or too many.

    Arguments:
        run: where its parameters are.
        condition: of the run's study.
        codes: posterior means.
        rates: of every latent, nats.
        room: letters that the data may have as JSON.

    Returns:
        As `decoder_data` or `decoded_grid`; None where there is no room for either, the network is code that
        is not there, or the training diverged.

    Raises:
        RatewarpError: its parameters are damaged.
    """
    live = decoder_data(run, condition, min(room, MOST_LETTERS))
    return live or _grid(run, condition, codes, rates, min(room, GRID_LETTERS))


def _grid(
    run: RunDirectory, condition: Condition, codes: np.ndarray, rates: np.ndarray, room: int
) -> dict[str, Any] | None:
    params = run.params(condition.id)
    if not all(np.isfinite(one).all() for one in params.values()):
        return None
    order = [int(latent) for latent in np.argsort(-rates, kind="stable") if rates[latent] > _USED]
    # layers that are known decode by themselves
    known = condition_layers(run, condition) is not None
    decode = None if known else _decode_of(condition.setting, params)
    grid = decoded_grid(run, condition, codes, order, decode, most_bytes=int(_BYTES_EACH * room))
    return grid if len(json.dumps(grid)) <= room else None


def _decode_of(setting: Setting, params: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], Any] | None:
    """Codes to expected images, by the network itself; None where it is code that is not there."""
    network, shape = setting.network, setting.source.image_shape
    try:
        shapes = skeleton(network, shape)
    except RequestError:
        return None
    own = {name: one for name, one in params.items() if name.startswith("networks.")}
    networks = whole(network, shape, from_named({"networks": shapes}, own)["networks"])

    def decode(codes: np.ndarray) -> Any:
        with precise():
            return setting.likelihood.expected(networks.decode(jnp.asarray(codes, jnp.float32)))

    return decode

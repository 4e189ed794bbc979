"""What decodes codes of a condition in the page: its decoder, or else images decoded here."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ratewarp._checks import RequestError
from ratewarp.report.page.decoded_grids import decoded_grid
from ratewarp.report.page.decoders import MOST_LETTERS, condition_layers, decoder_data
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.trained import networks_of
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
    if not all(np.isfinite(one).all() for one in run.params(condition.id).values()):
        return None
    order = [int(latent) for latent in np.argsort(-rates, kind="stable") if rates[latent] > _USED]
    decode = None
    if condition_layers(run, condition) is None:
        if not _is_there(condition.setting):
            return None
        decode = networks_of(run, condition.setting, condition.id).decode
    grid = decoded_grid(run, condition, codes, order, decode, most_bytes=int(_BYTES_EACH * room))
    return grid if len(json.dumps(grid)) <= room else None


def _is_there(setting: Setting) -> bool:
    """Whether its network can be built, or is code that a run directory does not keep."""
    try:
        jax.eval_shape(partial(setting.network.build, setting.source.image_shape), key=jax.random.key(0))
    except RequestError:
        return False
    return True

"""Draws the images all contestants train on, and counts the operations of one step."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ratewarp.bench.flops import multiply_adds, step_operations
from ratewarp.bench.step import BATCH_SIZE
from ratewarp.bench.worker import IMAGES, Job, Turn
from ratewarp.networks import Convolutional, skeleton
from ratewarp.sources import Corridors, draw_pool


def start(job: Job) -> Turn:
    """Writes at least `job.images` images, the same number of each stimulus."""

    def turn() -> dict[str, Any]:
        source, network = Corridors(), Convolutional()
        stimuli = len(source.stimuli)
        pool = draw_pool(source, np.full(stimuli, ceil(job.images / stimuli)), key=jax.random.key(0))
        images = np.asarray(pool.images).reshape(stimuli, -1, *source.image_shape)
        np.save(Path(job.folder) / IMAGES, images)
        return {
            "images": images.shape[0] * images.shape[1],
            "batch_size": BATCH_SIZE,
            "parameters": sum(leaf.size for leaf in jax.tree.leaves(skeleton(network, source.image_shape))),
            "multiply_adds_per_image": multiply_adds(network, source.image_shape)._asdict(),
            "operations": step_operations(network, source.image_shape, BATCH_SIZE),
        }

    return turn

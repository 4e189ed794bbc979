"""Draws the images all contestants train on, and counts the operations of one step."""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ratewarp.bench.flops import multiply_adds, step_operations
from ratewarp.bench.step import BATCH_SIZE, PUBLISHED, image_shape_of
from ratewarp.bench.subject import layers_of, network_of
from ratewarp.bench.worker import IMAGES, LAYERS, Job, Turn
from ratewarp.networks import skeleton
from ratewarp.sources import Corridors, draw_pool

_STIMULI = 10  # that random images are shared out to


def start(job: Job) -> Turn:
    """Writes at least `job.images` images, the same number of each stimulus, and the layers."""

    def turn() -> dict[str, Any]:
        network, image_shape, layers = (
            network_of(job.network),
            image_shape_of(job.network),
            layers_of(job.network),
        )
        network.check(image_shape)
        images = _corridors(job.images) if job.network == PUBLISHED else _random(image_shape, job.images)
        np.save(Path(job.folder) / IMAGES, images)
        (Path(job.folder) / LAYERS).write_text(json.dumps(layers))
        return {
            "network": job.network,
            "image_shape": list(image_shape),
            "drawn": "Corridors, binary" if job.network == PUBLISHED else "random, 8-bit",
            "layers": layers,
            "images": images.shape[0] * images.shape[1],
            "batch_size": BATCH_SIZE,
            "parameters": sum(leaf.size for leaf in jax.tree.leaves(skeleton(network, image_shape))),
            "multiply_adds_per_image": multiply_adds(network, image_shape)._asdict(),
            "operations": step_operations(network, image_shape, BATCH_SIZE),
        }

    return turn


def _corridors(images: int) -> np.ndarray:
    source = Corridors()
    stimuli = len(source.stimuli)
    pool = draw_pool(source, np.full(stimuli, ceil(images / stimuli)), key=jax.random.key(0))
    return np.asarray(pool.images).reshape(stimuli, -1, *source.image_shape)


def _random(image_shape: tuple[int, int, int], images: int) -> np.ndarray:
    """Bytes drawn uniformly: a step takes as long whatever the images show."""
    shape = (_STIMULI, ceil(images / _STIMULI), *image_shape)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)

from __future__ import annotations

import jax
import numpy as np

from ratewarp.networks import Convolutional, ConvolutionConfig, local_volume, pullback_metric

NETWORK = Convolutional(
    latents=3, convolutions=(ConvolutionConfig(filters=4, kernel=4), ConvolutionConfig(filters=8))
)
DECODER = NETWORK.build((13, 13, 1), key=jax.random.key(0)).decode
CODES = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


def test_small_steps_change_the_image_as_the_metric_says():
    metric = pullback_metric(DECODER, CODES)
    step = 1e-2 * np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    ahead, behind = DECODER(CODES + step), DECODER(CODES - step)
    expected = np.mean((np.asarray(ahead) - np.asarray(behind)) ** 2, axis=(1, 2, 3)) / 4
    np.testing.assert_allclose(np.einsum("ni,nij,nj->n", step, metric, step), expected, rtol=0.02)


def test_volume_is_the_product_of_the_stretches():
    metric = pullback_metric(DECODER, CODES)
    stretches = np.sqrt(np.linalg.eigvalsh(metric.astype(float)))
    np.testing.assert_allclose(local_volume(metric), stretches.prod(axis=1), rtol=1e-3)
    assert local_volume(np.diag([1.0, 0.0])[None]) == 0

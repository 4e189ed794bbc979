"""Evaluation: trained members on held-out images. No input or output."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Key, Num

from ratewarp.networks import latent_rates, sample_codes
from ratewarp.training.coder import Coder
from ratewarp.training.devices import map_members
from ratewarp.training.loop import COMPILATION, EVALUATION_STREAM, Member, Model


class Evaluation(NamedTuple):
    """What members make of held-out images, by stimulus and image of that stimulus.

    Attributes:
        codes: posterior means.
        variances: posterior variances.
        rate: KL of the posterior from the prior, nats.
        distortion: of the reconstruction from one sampled code, in the unit of the likelihood.
        semantic_distortion: the same, to the stimulus's noise-free mean image instead of the image; NaN where
            there is none.
        predictions: class given to the sampled code by the head of each task.
        reconstructions: decoded mean code of the first image of every stimulus.
    """

    codes: Float[Array, "members stimuli each latents"]
    variances: Float[Array, "members stimuli each latents"]
    rate: Float[Array, "members stimuli each"]
    distortion: Float[Array, "members stimuli each"]
    semantic_distortion: Float[Array, "members stimuli each"]
    predictions: Int[Array, "members stimuli tasks each"]
    reconstructions: Float[Array, "members stimuli height width channels"]


@partial(jax.jit, static_argnums=0, compiler_options=COMPILATION)
def evaluate(
    coder: Coder,
    models: Model,
    members: Member,
    images: Num[Array, "stimuli each height width channels"],
    mean_images: Float[Array, "stimuli height width channels"],
) -> Evaluation:
    """Evaluates a batch of members.

    Arguments:
        coder: that they share.
        models: trained parameters, stacked.
        members: what each was trained with; their keys draw the codes.
        images: held-out images by stimulus, as stored.
        mean_images: noise-free mean image of every stimulus; NaN where there is none.
    """

    def one_member(one: tuple[Model, Key[Array, ""]], images: Array, mean_images: Array) -> Evaluation:
        model, key = one

        def one_stimulus(arguments: tuple[Array, Array, Array]) -> Evaluation:
            batch, mean_image, index = arguments
            return _evaluate_stimulus(
                coder, model, coder.numbers(batch), mean_image, jax.random.fold_in(key, index)
            )

        return lax.map(one_stimulus, (images, mean_images, jnp.arange(len(images))))

    keys = jax.vmap(lambda key: jax.random.fold_in(key, EVALUATION_STREAM))(members.key)
    return map_members(one_member, (models, keys), images, mean_images)


def _evaluate_stimulus(coder: Coder, model: Model, batch: Array, mean_image: Array, key: Array) -> Evaluation:
    networks, likelihood = coder.networks(model.networks), coder.likelihood
    mean, log_variance = networks.encode(batch)
    codes = sample_codes(mean, log_variance, key=key)
    decoded = networks.decode(jnp.concatenate([codes, mean[:1]]))
    logits = [head(codes, key=None) for head in model.heads]
    predictions = (
        jnp.stack([jnp.argmax(one, axis=1) for one in logits])
        if logits
        else jnp.zeros((0, len(batch)), jnp.int32)
    )
    return Evaluation(
        codes=mean,
        variances=jnp.exp(log_variance),
        rate=jnp.sum(latent_rates(mean, log_variance), axis=1),
        distortion=likelihood.error(batch, decoded[:-1]).mean(axis=(1, 2, 3)),
        semantic_distortion=likelihood.mean_error(
            jnp.broadcast_to(mean_image[None], batch.shape), decoded[:-1]
        ).mean(axis=(1, 2, 3)),
        predictions=predictions,
        reconstructions=likelihood.expected(decoded[-1]),
    )

"""The rate–distortion bounds of a study: the curve of each of its models, and how far a trained model is from
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float
from scipy.special import entr, rel_entr

from ratewarp._checks import RequestError
from ratewarp.studies import Setting
from ratewarp.theory import Cost, Curve, LogLoss, Weighted, pixel_bounds, rate_distortion

BOUND = [
    "model",
    "rate_nats",
    "rate_bits",
    "distortion",
    "distortion_below",
    "slope",
    "gap_nats",
    "certificate",
    "sample_se",
    "raw_low",
    "raw_high",
]

TOLERANCE = 1e-3  # of the rate there, nats: a hundredth of what seeds differ by
MOST_STIMULI = 2000  # that a curve is solved for, in minutes and a gigabyte; of more, of a random sample
_BEYOND = 1.15  # the curves of raw pixels continue beyond the largest capacity by this factor


class Distance(NamedTuple):
    """Where a model stands against the bound of its source and frequency.

    Attributes:
        bound_rate_nats: least rate at which any code has the model's semantic distortion; no code has less,
            by the certificate of the curve.
        excess_nats: the model's rate minus that, nats.
        excess_nats_se: its standard error, over images.
        excess_distortion: the model's semantic distortion minus the least at its rate.
        efficiency: bound_rate_nats over the model's rate.
        bound_slope: marginal distortion of a nat on the bound at the model's rate, per nat, at most 0.
    """

    bound_rate_nats: float
    excess_nats: float
    excess_nats_se: float
    excess_distortion: float
    efficiency: float
    bound_slope: float


def solvable(setting: Setting) -> Setting:
    """The setting measured on no more stimuli than a curve is solved for.

    The curve of a random sample of stimuli lies below that of all on average over samples, since the optimal
    channel of all is one of those that the sample chooses from; `sample_se` says how far chance moves it.
    """
    fewer = min(setting.measured_stimuli, MOST_STIMULI)
    return (
        setting
        if fewer == setting.measured_stimuli
        else setting.model_copy(update={"measured_stimuli": fewer})
    )


def semantic_cost(setting: Setting) -> Cost:
    """Distortion to the noise-free mean image of the stimulus, less what noise costs.

    Raises:
        RequestError: the source has no mean images.
    """
    means = setting.mean_images()
    if means is None:
        raise RequestError(
            f"the source '{setting.source.name}' has no mean images, so that there is no bound: set"
            " bound_points to 0"
        )
    return setting.likelihood.cost(means)


def task_cost(setting: Setting) -> Cost:
    """The objective of a setting: distortion per pixel, plus its tasks' log losses in nats with the weights
    of its recipe.
    """
    terms = _task_terms(setting)
    return Weighted((1.0, semantic_cost(setting)), *terms) if terms else semantic_cost(setting)


def _task_terms(setting: Setting) -> list[tuple[float, LogLoss]]:
    """Weight and log loss of every task of a setting."""
    weights, measured = setting.recipe.task_weights(setting.classes()), setting.measured()
    return [
        (weight, LogLoss(task.labels[measured]))
        for weight, task in zip(weights, setting.labellings(), strict=True)
    ]


def semantic_curve(setting: Setting, points: int) -> Curve:
    """R(D) under `semantic_cost`, solved at so many rates from 0 to H(S), low ones closer together, to
    `TOLERANCE`.

    Solved once for each source, likelihood and frequency.
    """
    return _solved(cast(Any, Setting(**_objective_keys(setting))), points)


def task_curve(setting: Setting, points: int) -> Curve:
    """R(D) under `task_cost`, solved likewise."""
    if not setting.tasks:
        return semantic_curve(setting, points)
    asked = Setting(**_objective_keys(setting), tasks=setting.tasks, recipe=setting.recipe)
    return _solved(cast(Any, asked), points)


def _objective_keys(setting: Setting) -> dict[str, Any]:
    """What the distortion of stimuli depends on; other keys stay at their defaults, so that curves are
    shared.
    """
    kept = ("source", "likelihood", "frequency", "parameters", "measured_stimuli", "data_seed")
    return {name: getattr(setting, name) for name in kept}


@lru_cache(maxsize=64)
def _solved(setting: Setting, points: int) -> Curve:
    p = setting.probabilities()
    # closer together where the curve is steep and models are few nats apart
    rates = np.linspace(0, 1, points) ** 2 * entr(p).sum()
    return rate_distortion(p, task_cost(setting), rates=rates, tolerance=TOLERANCE)


def distance(curve: Curve, rate: tuple[float, float], distortion: tuple[float, float]) -> Distance:
    """How far a model is from a semantic curve.

    Arguments:
        curve: the curve of the model's source and frequency.
        rate: the model's, nats, and its standard error.
        distortion: its semantic distortion, and its standard error.
    """
    told = max(rate[0], 0)  # a sum of float32 may be a little less
    least = float(curve.distortion(curve.maximum_rate))
    bound = float(curve.rate_below(max(distortion[0], least)))
    dearer = (
        float(curve.rate_below(max(distortion[0] - distortion[1], least))) if distortion[1] > 0 else bound
    )
    return Distance(
        bound_rate_nats=bound,
        excess_nats=rate[0] - bound,
        excess_nats_se=float(np.hypot(rate[1], dearer - bound if np.isfinite(distortion[1]) else np.nan)),
        excess_distortion=distortion[0] - float(curve.distortion_below(told)),
        efficiency=bound / rate[0] if rate[0] > 0 else np.nan,
        bound_slope=float(curve.slope(told)),
    )


def objective_of(setting: Setting | None) -> str:
    """What the curves of a setting depend on, in words: source, frequency, tasks, their weights, the
    tolerance.
    """
    if setting is None:
        return ""
    weights = [weight for weight, _ in _task_terms(setting)]
    return repr(
        (
            setting.source.digest,
            setting.likelihood,
            setting.frequency,
            setting.tasks,
            setting.parameters,
            *_sample_of(setting),
            weights,
            TOLERANCE,
        )
    )


def _sample_of(setting: Setting) -> tuple[int, ...]:
    """What decides which stimuli are measured, where these are not all."""
    return (len(setting.measured()), setting.data_seed) if setting.samples_stimuli() else ()


def bound_rows(setting: Setting, points: int, highest_capacity: float) -> Iterator[dict[str, Any]]:
    """The semantic curve of a model's source and frequency, and between which distortions raw pixels must and
    can be.

    Arguments:
        setting: of the model.
        points: rates at which the curve is solved.
        highest_capacity: of the study, nats; the curves continue a little beyond it.

    Yields:
        Rows of `BOUND` without the name of the model: rates in nats and bits; `distortion`, the least
        semantic one that is achieved, and `distortion_below`, which is certified; `slope` per nat; `gap_nats`
        and `certificate` as in `Curve.table`; `sample_se`, the standard error of the rate at this distortion,
        nats, that the choice of stimuli leaves where these are a sample, else empty; `raw_low` and `raw_high`
        as in `pixel_bounds`, empty for sources whose pixels are not independent.
    """
    curve = semantic_curve(setting, points)
    highest, last = float(curve.table["rate_nats"].iloc[-1]), _BEYOND * highest_capacity
    beyond = np.linspace(highest, last, points)[1:] if last > highest else []
    rates = np.append(curve.table["rate_nats"], beyond)

    table = replace(curve, asked=rates).table
    table["distortion_below"] = curve.distortion_below(rates)
    table["sample_se"] = sample_se(setting, curve, rates) if setting.samples_stimuli() else np.nan
    table["raw_low"], table["raw_high"] = _raw(setting, curve, rates)
    yield from cast(Any, table[BOUND[1:]]).to_dict("records")


def sample_se(
    setting: Setting, curve: Curve, rates: Float[np.ndarray, " rates"]
) -> Float[np.ndarray, " rates"]:
    """Standard error of a curve's rate at a distortion, nats, over samples of stimuli.

    On the tangent of slope −β, rate + β · distortion is a mean over stimuli of what each costs; the optimal
    channel moves with the sample, which changes that to second order only.
    """
    p = setting.probabilities()
    number = np.count_nonzero(p)
    found = []
    for rate, slope in zip(rates, curve.slope(rates), strict=True):
        if slope == 0 or number < 2:  # all stimuli are told apart, or cost nothing
            found.append(0.0)
            continue
        channel = curve.channel(rate)
        rates_of = rel_entr(channel.probabilities, channel.weights[None]).sum(axis=1)
        costs = rates_of - (channel.probabilities * channel.distortions).sum(axis=1) / slope
        found.append(float(np.sqrt(p**2 @ (costs - p @ costs) ** 2 * number / (number - 1))))
    return np.array(found)


def _raw(setting: Setting, curve: Curve, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not has_pixel_bounds(setting):
        return np.full(len(rates), np.nan), np.full(len(rates), np.nan)
    table = pixel_bounds(setting.probabilities(), setting.mean_images(), curve, rates)
    return table["low"].to_numpy(), table["high"].to_numpy()


def has_pixel_bounds(setting: Setting) -> bool:
    """Whether there are bounds on the distortion of noisy images: binary ones with independent pixels, under
    squared error.
    """
    source = setting.source
    return (
        source.pixels == "binary"
        and source.independent_pixels
        and setting.likelihood.SQUARED
        and setting.mean_images() is not None
    )

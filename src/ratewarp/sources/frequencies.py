"""Frequencies: how often each stimulus occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp.sources.expressions import evaluate
from ratewarp.sources.source import Source, variables_of

UNIFORM = {"uniform": "1"}  # of every source


def frequency(
    rule: str | Sequence[float],
    source: Source,
    *,
    parameters: Mapping[str, float] = MappingProxyType({}),
    argument: str = "frequency",
) -> Float[np.ndarray, " stimuli"]:
    """Probability of every stimulus of `source`.

    Arguments:
        rule: a name among `source.frequencies` or `uniform`, an expression over the factors whose value is
            proportional to the frequency (`3 if x_UC == x_LC else 1`, or a factor alone), or one non-negative
            number a stimulus, in the order of `source.stimuli`.
        source: where the stimuli come from.
        parameters: name → value, of what an expression may name besides factors.
        argument: name used in error messages.

    Returns:
        Probabilities, non-negative, summing to 1.

    Raises:
        RequestError: unknown name, bad expression, wrong length, or values that are negative, not finite or
            all zero.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> p = frequency("E1M1", Corridors())
        >>> float(round(p[0] / p[12], 3))  # x_LC = 0 against x_LC = 12
        7.692
    """
    weights = np.asarray(_weights(rule, source, parameters, argument), dtype=float)
    if np.any(weights < 0) or not np.all(np.isfinite(weights)) or weights.max() <= 0:
        refuse(argument, "non-negative and finite at every stimulus, and positive at some", rule)
    return weights / weights.max() / (weights / weights.max()).sum()


def _weights(
    rule: str | Sequence[float], source: Source, parameters: Mapping[str, float], argument: str
) -> np.ndarray:
    if not isinstance(rule, str):
        table = _numbers(rule, argument)
        if table.shape != (len(source.stimuli),):
            refuse(
                argument, f"one number for each of the {len(source.stimuli)} stimuli", f"shape {table.shape}"
            )
        return table
    variables, named = variables_of(source, parameters, argument), {**UNIFORM, **source.frequencies}
    if rule in named:
        return evaluate(named[rule], variables, length=len(source.stimuli), argument=argument)
    if rule.isidentifier() and rule not in variables:
        refuse_name(argument, "frequency", rule, [*named, *variables])
    return evaluate(rule, variables, length=len(source.stimuli), argument=argument)


def _numbers(rule: Sequence[float], argument: str) -> np.ndarray:
    try:
        table = np.asarray(rule)
        if np.iscomplexobj(table):
            raise TypeError
        return table.astype(float)
    except (TypeError, ValueError):
        refuse(argument, "real numbers", rule)


def image_counts(probabilities: Float[np.ndarray, " stimuli"], images: int) -> Int[np.ndarray, " stimuli"]:
    """Number of images of each stimulus in a data set of `images`, as near to the probabilities as whole
    numbers go.

    Largest-remainder rounding; the counts sum to `images`.

    Examples:
        >>> image_counts(np.array([0.5, 0.3, 0.2]), 9)
        array([4, 3, 2])
    """
    if images < 1:
        raise RequestError(f"training_images must be at least 1; got {images}")
    exact = probabilities * images
    counts = np.floor(exact).astype(int)
    remainder = exact - counts
    short = images - counts.sum()
    counts[np.argsort(-remainder, kind="stable")[:short]] += 1
    return counts

"""How like several sets of codes of the same stimuli are, every two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy.spatial.distance import pdist, squareform

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp.codes.arguments import as_array
from ratewarp.codes.dissimilarities import checked, from_dissimilarities, stacked
from ratewarp.codes.kinds import Kind, as_codes, check_kind, is_of_pairs
from ratewarp.geometry import linear_cka, procrustes_distance
from ratewarp.geometry.similarity_left_out import cka_without, overlap_without
from ratewarp.geometry.trial_noise import Errors, averaged, repeating
from ratewarp.geometry.tuning import tuning_curves

_FEWEST = 4  # stimuli


class _Set(NamedTuple):
    """Mean codes of stimuli, their distances (or squares), and errors where every stimulus repeats."""

    means: Float[np.ndarray, "stimuli latents"]
    distances: Float[np.ndarray, " pairs"]
    errors: Errors | None
    stimuli: tuple[Any, ...]


def likeness(
    sets: Mapping[str, Any] | Sequence[Any],
    stimuli: Any = None,
    *,
    kind: Kind | Mapping[str, Kind] | None = None,
) -> xr.Dataset:
    """Likeness of every two sets of codes, such as those of subjects, sessions or layers, and how near any
    model could come to all of them.

    Arguments:
        sets: by name or in order: codes of each, (items, latents), of the same stimuli.
        stimuli: stimulus of every item, numbers or names, for all sets; or by name of the set. Every item is
            one, in the same order in all sets, if not given.
        kind: of all sets, or by name of those that are not codes: "distances" or "squared distances" for
            dissimilarities of stimuli, one matrix or vector of pairs a set (`stimuli` then names each once).
            Codes are made of them by classical scaling; `distance_correlation` is of them as they are.

    Returns:
        Over `set` and `other`: `linear_cka` and `procrustes_distance` (radians) of mean codes, without trial
        noise where every stimulus of both sets has two items or more (the diagonal is then still 1 and 0),
        and `distance_correlation`, Spearman's between the distances of mean codes, with their noise. Over
        `set`: `ceiling_low` and `ceiling_high`, the correlation of its distances with the mean of the
        others' and of all, ranks averaged: no model of all sets is expected to correlate better than the
        second, one that is as good as the other sets together reaches the first.

    Raises:
        RequestError: fewer than two sets, fewer than four stimuli, sets of different stimuli, sets that look
            like dissimilarities without `kind`.

    Source: Kornblith et al., ICML 2019; Williams et al., NeurIPS 2021; ceilings of Nili et al., PLoS Comput
        Biol 2014.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> tuning = rng.standard_normal((30, 5))
        >>> found = likeness({"left": tuning, "right": 2 * tuning, "noise": rng.standard_normal((30, 5))})
        >>> found["linear_cka"].sel(set="left").values.round(1)
        array([ 1. ,  1. , -0.1])
    """
    given = {str(name): one for name, one in (sets.items() if isinstance(sets, Mapping) else enumerate(sets))}
    if len(given) < 2:
        refuse("sets", "at least two", len(given))
    kinds = _kinds(kind, given)
    made = {name: _set(name, codes, _stimuli_of(stimuli, name), kinds[name]) for name, codes in given.items()}
    first = next(iter(made))
    for name, one in made.items():
        if one.stimuli != made[first].stimuli:
            raise RequestError(
                f"sets must be of the same stimuli; {first!r} has {len(made[first].stimuli)}, {name!r}"
                f" {len(one.stimuli)}, or others"
            )
    if len(made[first].stimuli) < _FEWEST:
        refuse("sets", f"of at least {_FEWEST} stimuli", len(made[first].stimuli))
    names, every = list(made), list(made.values())
    cka, angle = np.eye(len(every)), np.zeros((len(every), len(every)))
    for a, b in combinations(range(len(every)), 2):
        cka[a, b] = cka[b, a] = _cka(every[a], every[b])
        angle[a, b] = angle[b, a] = _angle(every[a], every[b])
    from scipy.stats import rankdata  # its import takes half a second

    ranks = np.stack([_standard(rankdata(one.distances)) for one in every])
    low, high = _ceilings(ranks)
    axes = ("set", "other")
    return xr.Dataset(
        {
            "linear_cka": (axes, cka),
            "procrustes_distance": (axes, angle),
            "distance_correlation": (axes, ranks @ ranks.T),
            "ceiling_low": ("set", low),
            "ceiling_high": ("set", high),
        },
        coords={"set": names, "other": names},
    )


def _stimuli_of(stimuli: Any, name: str) -> Any:
    if not isinstance(stimuli, Mapping):
        return stimuli
    if name not in stimuli:
        refuse("stimuli", "given for every set", f"none for {name!r}")
    return stimuli[name]


def _kinds(kind: Any, sets: Mapping[str, Any]) -> dict[str, Any]:
    """What every set is."""
    if not isinstance(kind, Mapping):
        check_kind("kind", kind)
        return dict.fromkeys(sets, kind)
    for name, one in kind.items():
        if str(name) not in sets:
            refuse_name("kind", "set", name, list(sets))
        check_kind(f"kind of {name!r}", one)
    said = {str(name): one for name, one in kind.items()}
    return {name: said.get(name) for name in sets}


def _set(name: str, given: Any, stimuli: Any, kind: Any) -> _Set:
    if is_of_pairs(kind):
        return _set_of_pairs(name, given, stimuli, squared=kind == "squared distances")
    values = as_codes(as_array(given, f"codes of {name!r}"), kind, f"codes of {name!r}", "kind")
    if stimuli is None:
        return _Set(values, pdist(values), None, tuple(range(len(values))))
    names = np.asarray(stimuli)
    if names.shape != (len(values),):
        refuse(f"stimuli of {name!r}", f"one for each of the {len(values)} items", f"shape {names.shape}")
    found, units = np.unique(names, return_inverse=True)
    if repeating(units).all():
        means, errors = averaged(values, units)
        return _Set(means, pdist(means), errors, tuple(found.tolist()))
    means = tuning_curves(values, units)
    return _Set(means, pdist(means), None, tuple(found.tolist()))


def _set_of_pairs(name: str, given: Any, stimuli: Any, *, squared: bool) -> _Set:
    """A set of dissimilarities, in the order of its stimuli."""
    argument = f"dissimilarities of {name!r}"
    stack = checked(stacked(as_array(given, argument), argument=argument), squared=squared, argument=argument)
    if len(stack) > 1:
        refuse(argument, "one matrix, or the pairs of one", f"those of {len(stack)} subjects")
    number = stack.shape[-1]
    names = np.arange(number) if stimuli is None else np.asarray(stimuli)
    if names.shape != (number,) or len(set(names.tolist())) < number:
        refuse(f"stimuli of {name!r}", f"one name for each of the {number} stimuli, no two the same", names)
    order = np.argsort(names)
    matrix = stack[0][np.ix_(order, order)]
    codes = from_dissimilarities(matrix, squared=squared, argument=argument).codes
    return _Set(codes, squareform(matrix), None, tuple(names[order].tolist()))


def _cka(one: _Set, other: _Set) -> float:
    """Linear CKA; NaN where a set has no distances beyond its noise."""
    if one.errors is None or other.errors is None:
        return linear_cka(one.means, other.means)
    return _without_noise(cka_without, one, other)


def _angle(one: _Set, other: _Set) -> float:
    if one.errors is None or other.errors is None:
        return procrustes_distance(one.means, other.means)
    return float(np.arccos(np.clip(_without_noise(overlap_without, one, other), 0, 1)))


def _without_noise(statistic: Any, one: _Set, other: _Set) -> float:
    """Of sets whose trials are others: their errors have nothing in common."""
    if one.errors is None or other.errors is None:
        return float("nan")
    errors = _paired(one.errors, other.errors)
    blocks = np.arange(len(one.means))
    return float(statistic(one.means, other.means, blocks, errors)(np.ones((1, len(blocks))))[0])


def _paired(one: Errors, other: Errors) -> tuple[Errors, Errors]:
    """Rows of both, each beside zeros of the other."""
    units = np.concatenate([one.units, other.units])
    left = np.concatenate([one.rows, np.zeros((len(other.rows), one.rows.shape[1]))])
    right = np.concatenate([np.zeros((len(one.rows), other.rows.shape[1])), other.rows])
    return Errors(left, units), Errors(right, units)


def _standard(values: np.ndarray) -> np.ndarray:
    """About the mean, of norm 1; zeros where all are equal."""
    centred = values - values.mean()
    size = np.linalg.norm(centred)
    return centred / size if size > 0 else centred


def _ceilings(ranks: Float[np.ndarray, "sets pairs"]) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of every row with the mean of the others, and of all."""
    whole = ranks.sum(axis=0)
    low = [float(one @ _standard(whole - one)) for one in ranks]
    return np.array(low), np.array([float(one @ _standard(whole)) for one in ranks])

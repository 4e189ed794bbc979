"""With trial noise and without: the two forms in which codes are measured where their noise is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ratewarp.geometry.interval import joined
from ratewarp.geometry.representation import Finding, Representation
from ratewarp.geometry.trial_noise import averaged, repeating

_FEWEST_REPEATED = 4  # stimuli of several items, below which trial noise is not told from them
_UNTOLD = "also of trial noise, if the codes have any: no stimulus repeats"


class Form(NamedTuple):
    """What is measured in one form, against what.

    Attributes:
        trial_noise: "removed", "included", or empty where nothing is known of it.
        own: the codes.
        reference: codes of the same items.
        labels: class of every item by name of task.
        note: what to know of all numbers of this form.
    """

    trial_noise: str
    own: Representation
    reference: Representation | None
    labels: Mapping[str, Int[np.ndarray, " items"]]
    note: str = ""

    def told(self, one: Finding) -> Finding:
        """The finding with what there is to know of its trial noise."""
        known = self.trial_noise or self.own.noise is not None
        untold = "" if known or not one.measure.endswith("_change") else _UNTOLD
        return one._replace(trial_noise=self.trial_noise, note=joined(one.note, self.note, untold))


def forms_of(given: Form, seed: int) -> list[Form]:
    """The codes without trial noise and with it: one form alone where nothing is known of it.

    Where stimuli repeat, the form without is of their mean codes, less what their items tell of the errors of
    these. Noise that is given as variances, such as those of a posterior, is not in the codes: it is put into
    the form with noise, by one draw for every code.
    """
    own, reference = given.own, given.reference
    several, repeats, known = repeating(own.units), repeat(own), own.noise is not None
    if not repeats and not known:
        return [given]
    streams = np.random.SeedSequence(seed).spawn(2)  # no stream that a user's seed may have drawn codes from
    draws = [np.random.default_rng(one) for one in streams]
    others = None if reference is None else _drawn(reference, draws[1])
    noisy = Form("included", _drawn(own, draws[0]), others, given.labels)
    if not repeats:
        return [given._replace(trial_noise="removed"), noisy]
    return [_without(given, several), noisy]


def repeat(one: Representation) -> bool:
    """Whether enough stimuli have several items to tell their noise."""
    return bool(repeating(one.units).sum() >= _FEWEST_REPEATED)


def _drawn(one: Representation, rng: np.random.Generator) -> Representation:
    """One draw of codes whose variances are known."""
    if one.noise is None:
        return one
    return replace(one, codes=one.codes + np.sqrt(one.noise) * rng.standard_normal(one.codes.shape))


def _without(given: Form, several: Bool[np.ndarray, " units"]) -> Form:
    """Mean codes of the stimuli that repeat, with the errors that are to be taken off."""
    kept = several[given.own.units]
    units = (np.cumsum(several) - 1)[given.own.units[kept]]
    number = int(several.sum())
    labels, mixed = {}, []
    for task, classes in given.labels.items():
        of_unit = np.zeros(number, np.int64)
        of_unit[units] = classes[kept]
        if (of_unit[units] == classes[kept]).all():
            labels[task] = of_unit
        else:
            mixed.append(task)
    left = len(several) - number
    note = joined(
        f"{left} stimuli of one item left out" if left else "",
        f"none of {', '.join(mixed)}: its classes differ between items of a stimulus" if mixed else "",
    )
    sides = [
        None if one is None else _mean_codes(one, kept, units, several)
        for one in (given.own, given.reference)
    ]
    assert sides[0] is not None
    return Form("removed", sides[0], sides[1], labels, note)


def _mean_codes(
    one: Representation,
    kept: Bool[np.ndarray, " items"],
    units: Int[np.ndarray, " kept_items"],
    several: Bool[np.ndarray, " units"],
) -> Representation:
    means, errors = averaged(one.codes[kept], units)
    noise = None if one.noise is None else averaged(one.noise[kept], units)[0]
    frequency = None if one.frequency is None else one.frequency[several] / one.frequency[several].sum()
    factors, points = (None if table is None else table[several] for table in (one.factors, one.points))
    every = np.arange(len(means))
    return Representation(means, every, factors, frequency, noise, one.kinds, points, errors)

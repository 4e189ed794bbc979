"""How often something is found where nothing is, or something else: what measures do not keep apart.

    python benchmarks/limits.py OUT

Writes OUT/limits.csv, one row a case and number: the mean of the number over simulated samples, its mean
standard error, the ratio of these two, the share of samples in which it was found (its 95 % interval off 0;
for a test, p at most 0.05) and the standard error of that share. `trial_noise` is the form.

`together`: category follows frequency in 80 % of a 10 × 10 grid and is random in the rest, 4 items of each
stimulus; collapse onto the two categories and stretching by frequency are planted, alone and together.
`labels`: categories with the same tuning (4 latents, standard deviation 1), or one shifted along one latent;
sizes, trials and noise differ between categories. `noise`: the same tuning, and only the size of the noise
differs between codes and reference. `separation`: the same scatter within categories, whose means alone lie
farther apart in the codes. `runs`: every stimulus once a run, and runs that differ as wholes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp.codes.run_effects import without_run_effects
from ratewarp.geometry import permutation_p
from ratewarp.geometry.measuring import Finding, Representation, Settings, measure_codes

TOGETHER, SAMPLES, PERMUTATIONS = 100, 1000, 199  # samples of the first table, of the others
PLANTED = {
    "none": (0.0, 0.0),
    "prototypization 0.3": (0.3, 0.0),
    "specialization 0.5": (0.0, 0.5),
    "specialization 1.0": (0.0, 1.0),
    "both, 0.3 and 0.5": (0.3, 0.5),
}
KEPT_APART = ("prototypization_change", "category_effect", "specialization_change", "frequency_effect")
SIDE, FREQUENT = 10, 8.0

Found = dict[tuple[str, str], Finding]  # by number and form
Sampled = Callable[[int], Found]


def _measured(
    own: Representation, reference: Representation | None, labels: np.ndarray, names: str, **settings: Any
) -> Found:
    wanted = Settings(**{"permutations": 0, "measures": tuple(names.split()), **settings})
    found = measure_codes(own, {"class": labels}, reference, wanted)
    return {(one.measure, one.trial_noise): one for one in found if not one.place}


def together(seed: int, collapse: float, power: float) -> Found:
    """A grid whose frequent stimuli are mostly of one category, drawn to its categories and stretched."""
    rng, stimuli = np.random.default_rng(seed), SIDE**2
    factors = np.array([[a, b] for a in range(SIDE) for b in range(SIDE)], float)
    half = np.arange(SIDE) < SIDE // 2
    often = half[factors[:, 1].astype(int)]
    frequency = np.where(often, FREQUENT, 1.0)
    classes = np.where(rng.random(stimuli) < 0.8, often, rng.random(stimuli) < 0.5).astype(int)
    of_value = np.where(half, FREQUENT, 1.0)
    units = np.repeat(np.arange(stimuli), 4)

    def drawn(collapse: float, power: float) -> Representation:
        steps = (of_value[1:] * of_value[:-1]) ** (power / 2)
        along = np.concatenate([[0.0], np.cumsum(steps)])[factors[:, 1].astype(int)]
        means = np.stack([factors[:, 0], along], axis=1)
        means = (means - means.mean(axis=0)) / means.std(axis=0)
        centres = np.stack([means[classes == one].mean(axis=0) for one in (0, 1)])
        means = np.pad(means + collapse * (centres[classes] - means), ((0, 0), (0, 3)))
        codes = means[units] + 0.2 * rng.normal(size=(len(units), 5))
        return Representation(codes, units, factors, frequency / frequency.sum())

    own, reference = drawn(collapse, power), drawn(0.0, 0.0)
    return _measured(own, reference, classes[units], "prototypization joint_effects specialization")


class Labels(NamedTuple):
    """Categories that differ in how well they are known, or in their mean.

    Attributes:
        sizes: stimuli of every category.
        trials: of every stimulus of a category.
        noise: standard deviation of a trial.
        shift: of the first category along the first latent.
    """

    sizes: tuple[int, ...]
    trials: tuple[int, ...]
    noise: tuple[float, ...]
    shift: float = 0.0


LABELS = {
    "30 and 30 stimuli, 4 trials, noise 1": Labels((30, 30), (4, 4), (1, 1)),
    "15 and 45 stimuli, 2 and 12 trials, noise 2": Labels((15, 45), (2, 12), (2, 2)),
    "15 and 45 stimuli, 12 and 2 trials, noise 2": Labels((15, 45), (12, 2), (2, 2)),
    "3 and 57 stimuli, 2 and 12 trials, noise 2": Labels((3, 57), (2, 12), (2, 2)),
    "8 and 40 stimuli, 4 trials, noise 3 and 1": Labels((8, 40), (4, 4), (3, 1)),
    "4 × 3, 4 × 5, 4 × 12 stimuli, 4 trials, noise 3, 1, 1": Labels(
        (3,) * 4 + (5,) * 4 + (12,) * 4, (4,) * 12, (3,) * 4 + (1,) * 8
    ),
    "30 and 30 stimuli, 2 and 12 trials, noise 2": Labels((30, 30), (2, 12), (2, 2)),
    "30 and 30 stimuli, 4 trials, noise 1 and 2": Labels((30, 30), (4, 4), (1, 2)),
    "30 and 30 stimuli, 4 trials, noise 1; shift 0.8": Labels((30, 30), (4, 4), (1, 1), 0.8),
    "15 and 45 stimuli, 4 trials, noise 1; shift 0.8": Labels((15, 45), (4, 4), (1, 1), 0.8),
    "3 and 57 stimuli, 4 trials, noise 1; shift 1.6": Labels((3, 57), (4, 4), (1, 1), 1.6),
}
LABEL_TESTS = ("p of prototypization", "p of prototypization, plain share", "p of kernel_prototypization")


def labels(seed: int, case: Labels) -> Found:
    """The tests of prototypization, that of the plain share among them, which was the test before."""
    rng = np.random.default_rng(seed)
    members = np.repeat(np.arange(len(case.sizes)), case.sizes)
    units = np.repeat(np.arange(len(members)), np.repeat(case.trials, case.sizes))
    means = rng.normal(size=(len(members), 4))
    means[members == 0, 0] += case.shift
    noise = np.repeat(np.asarray(case.noise, float), case.sizes)[units][:, None]
    codes = means[units] + noise * rng.normal(size=(len(units), 4))
    found = _measured(
        Representation(codes, units),
        None,
        members[units],
        "prototypization kernel_prototypization",
        permutations=PERMUTATIONS,
        seed=seed,
    )
    share, kernel = found["prototypization", "removed"], found["kernel_prototypization", "included"]
    plain = share._replace(p=_plain_p(codes, units, members, rng))
    return {
        (name, one.trial_noise): one for name, one in zip(LABEL_TESTS, (share, plain, kernel), strict=True)
    }


def _plain_p(codes: np.ndarray, units: np.ndarray, members: np.ndarray, rng: np.random.Generator) -> float:
    """How often permuted labels give as large a share between categories, η², of mean codes."""
    means = np.stack([codes[units == one].mean(axis=0) for one in range(len(members))])
    means -= means.mean(axis=0)
    drawn = np.stack([members, *(rng.permutation(members) for _ in range(PERMUTATIONS))])
    inside = (drawn[:, None] == np.arange(members.max() + 1)[:, None]).astype(float)
    shares = np.sum(np.sum((inside @ means) ** 2, axis=2) / inside.sum(axis=2), axis=1)
    return permutation_p(float(shares[0]), shares[1:])


def noise(seed: int, sizes: tuple[float, float], trials: int, within: float = 1.0) -> Found:
    """Two categories of 20 stimuli, frequency 1 or 4 at random; `within` is by how much they are narrower in
    the codes than in the reference.
    """
    rng, stimuli = np.random.default_rng(seed), 40
    members, units = np.arange(stimuli) % 2, np.repeat(np.arange(stimuli), trials)
    frequency = rng.permutation(np.where(np.arange(stimuli) < stimuli // 2, 1.0, 4.0))
    apart, scatter = 1.5 * members[:, None] * np.eye(4)[0], 0.5 * rng.normal(size=(stimuli, 4))

    def drawn(means: np.ndarray, size: float) -> Representation:
        codes = means[units] + size * rng.normal(size=(len(units), 4))
        return Representation(codes, units, None, frequency / frequency.sum())

    own, reference = drawn(apart + within * scatter, sizes[0]), drawn(apart + scatter, sizes[1])
    return _measured(own, reference, members[units], "joint_effects")


def separation(seed: int, classes: int, stimuli: int, own: float, reference: float) -> Found:
    """So many categories with as many stimuli each, separated along directions in which they scatter little
    (0.3, beside 1 in the other latents; 6 latents, noise 0.5, 4 trials).
    """
    rng, off = np.random.default_rng(seed), min(classes - 1, 5)
    members = np.arange(classes * stimuli) % classes
    units = np.repeat(np.arange(len(members)), 4)
    scatter = rng.normal(size=(len(members), 6)) * np.r_[np.full(off, 0.3), np.ones(6 - off)]
    centres = np.eye(classes, 6)
    centres[off:] = 0

    def drawn(distance: float) -> Representation:
        means = scatter + distance * centres[members]
        return Representation(means[units] + 0.5 * rng.normal(size=(len(units), 6)), units)

    return _measured(drawn(own), drawn(reference), members[units], "free_orthogonalization")


def runs(seed: int, *, effects_off: bool) -> Found:
    """40 stimuli in 6 latents, each once in both of two runs, whose means differ as much as trials do."""
    rng, stimuli = np.random.default_rng(seed), 40
    means = np.random.default_rng(5).normal(size=(stimuli, 6))
    means *= np.sqrt(6 / np.sum(means.var(axis=0, ddof=1)))  # reliability of 6/(6 + 6/2) but for the runs
    codes = means + rng.normal(size=(2, 1, 6)) + rng.normal(size=(2, stimuli, 6))
    codes, units = codes.reshape(-1, 6), np.tile(np.arange(stimuli), 2)
    if effects_off:
        codes = without_run_effects(codes, units, np.repeat([0, 1], stimuli))
    own = Representation(codes, units)
    return _measured(own, None, np.zeros(len(units), int), "reliability")


def _cases() -> Iterator[tuple[str, str, Sampled, int]]:
    """Kind, what is planted, how a sample is made, and how many there are."""
    for planted, (collapse, power) in PLANTED.items():
        yield "together", planted, partial(together, collapse=collapse, power=power), TOGETHER
    for planted, case in LABELS.items():
        yield "labels", planted, partial(labels, case=case), SAMPLES
    for planted, sizes, trials, within in (
        ("noise 0.8 and 0.8, 6 trials", (0.8, 0.8), 6, 1.0),
        ("noise 0.4 and 0.8, 6 trials", (0.4, 0.8), 6, 1.0),
        ("noise 0.4 and 0.8, 6 trials; 0.8 times as wide", (0.4, 0.8), 6, 0.8),
    ):
        yield "noise", planted, partial(noise, sizes=sizes, trials=trials, within=within), SAMPLES
    for planted, classes, stimuli, own in (
        ("5 classes of 8, separation 3 and 1", 5, 8, 3.0),
        ("5 classes of 8, separation 1 and 1", 5, 8, 1.0),
        ("2 classes of 20, separation 3 and 1", 2, 20, 3.0),
    ):
        make = partial(separation, classes=classes, stimuli=stimuli, own=own, reference=1.0)
        yield "separation", planted, make, SAMPLES
    for planted, effects_off in (("as they are", False), ("effects of runs off", True)):
        yield "runs", planted, partial(runs, effects_off=effects_off), SAMPLES


def rows() -> Iterator[dict[str, Any]]:
    """Every case and number."""
    for kind, planted, make, samples in _cases():
        every = [make(seed) for seed in range(samples)]
        for number, form in every[0]:
            found = [one[number, form] for one in every]
            yield _row(kind, planted, number, form, [one for one in found if np.isfinite(one.value)], samples)


def _row(
    kind: str, planted: str, number: str, form: str, found: list[Finding], samples: int
) -> dict[str, Any]:
    values, errors = (np.array([getattr(one, part) for one in found]) for part in ("value", "se"))
    off = [one.p <= 0.05 if number.startswith("p of") else not one.low <= 0 <= one.high for one in found]
    share = float(np.mean(off))
    row = {
        "kind": kind,
        "planted": planted,
        "number": number,
        "trial_noise": form,
        "samples": samples,
        "undefined": samples - len(found),
        "mean": values.mean(),
        "standard_error": errors.mean(),
        "ratio": values.mean() / errors.mean(),
        "found": share,
        "found_se": np.sqrt(share * (1 - share) / len(found)),
    }
    print(
        "{kind:>10} {planted:54} {number:36} {trial_noise:8} {mean:7.3f} {found:.3f}".format(**row),
        flush=True,
    )
    return row


def main(out: Path) -> None:
    """Simulates, writes the table."""
    out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows()).to_csv(out / "limits.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Whether measures hold on what recordings have: trial noise that is correlated, heavy-tailed or
multiplicative, few trials, uneven factors, many classes of few stimuli.

    python benchmarks/recordings.py OUT [cases | coverage | alarms]

Three tables, all three unless one is named.

OUT/recordings-cases.csv: numbers that were wrong, each beside its mend; `before` is the form with trial
noise, or the rule that was used before. OUT/recordings-coverage.csv: how often the default 95 % interval of
the form without trial noise holds the truth, in 600 samples a cell (300 of more than 100 stimuli), of those
in which the number is defined. Stimuli are drawn anew for every sample, and so is their noise; the truth is
that of 200,000 stimuli without noise (for frequency, the mean of 400 samples without noise). OUT/recordings-
alarms.csv: how often a change is found (0 outside its interval) where codes and reference are the same
neurons with the same tuning, and only the size of their noise differs; as many samples a cell.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp.codes.run_effects import without_run_effects
from ratewarp.geometry import (
    class_distortion_matrix,
    effective_prototypes,
    kernel_prototypization,
    resolution_ratio,
    specialization,
)
from ratewarp.geometry.measuring import Finding, Representation, Settings, measure_codes
from ratewarp.geometry.specialization import resolution, slopes
from ratewarp.geometry.stimulus_space import FactorKind, Neighbours, Space, neighbours

TRUTH, POPULATIONS, GRIDS = 40_000, 5, 400
TRIALS = {False: 600, True: 300}  # of more than 100 stimuli, or not
OF_CODES = ("participation_ratio", "linear_cka", "procrustes_distance")
OF_CLASSES = ("prototypization", "free_orthogonalization", "class_distance")
OF_FREQUENCY = ("specialization", "resolution_ratio")
LATENTS = 4
MIXING = np.array([[1, 0.3, 0.2, 0.1], [0, 0.8, -0.3, 0.4]])  # factors → latents
CORRELATED = np.linalg.cholesky(0.7 * np.ones((LATENTS, LATENTS)) + 0.3 * np.eye(LATENTS))


class Cell(NamedTuple):
    """One kind of recording.

    Attributes:
        name: in the tables.
        noise: "isotropic", "correlated", "heavy" (Student's t, 3 degrees of freedom), "gain" (a gain of every
            trial, and noise that grows with the code).
        size: standard deviation of the noise of the codes, and of the reference.
        trials: least and most of a stimulus.
        classes: how many.
        share: of the first class, where there are two.
        runs: whether trials are those of runs that add as much to all of their items as noise does to single
            ones, and are taken off.
        tails: whether factors are heavy-tailed, too (Student's t, 5).
        stimuli: how many, cell by cell.
    """

    name: str
    noise: str = "isotropic"
    size: tuple[float, float] = (0.8, 0.8)
    trials: tuple[int, int] = (5, 5)
    classes: int = 2
    share: float = 0.5
    tails: bool = False
    runs: bool = False
    stimuli: tuple[int, ...] = (30, 100, 400)


CELLS = (
    Cell("correlated noise", "correlated", trials=(4, 4)),
    Cell("heavy-tailed noise", "heavy"),
    Cell("gain noise", "gain", (0.6, 0.3)),
    Cell("unequal noise", size=(1.0, 0.3)),
    Cell("2 to 12 trials", "gain", (0.6, 0.6), (2, 12)),
    Cell("heavy-tailed tuning", tails=True),
    Cell("two trials", size=(1.2, 0.6), trials=(2, 2)),
    Cell("one class in five", "correlated", share=0.2, stimuli=(60, 100, 400)),
    Cell("12 classes", classes=12, stimuli=(60, 100, 400)),
    Cell("runs", runs=True),
)
NUMBERS = (
    "participation_ratio",
    "linear_cka",
    "procrustes_distance",
    "prototypization",
    "free_orthogonalization",
)


def population(
    rng: np.random.Generator, cell: Cell, stimuli: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean codes of stimuli, those of the reference, and classes."""
    factors = (
        rng.standard_t(5, (stimuli, 2)) / np.sqrt(5 / 3) if cell.tails else rng.normal(size=(stimuli, 2))
    )
    if cell.classes == 2:
        line = np.quantile(np.random.default_rng(0).normal(size=10**5) * np.sqrt(1.25), cell.share)
        classes = (factors[:, 0] + 0.5 * rng.normal(size=stimuli) > line).astype(int)
    else:
        classes = rng.permutation(np.arange(stimuli) % cell.classes)
    plain = factors @ MIXING + 0.2 * rng.normal(size=(stimuli, LATENTS))
    centres = np.random.default_rng(3).normal(size=(cell.classes, LATENTS))
    return plain + 0.6 * centres[classes], plain, classes


def noisy(
    rng: np.random.Generator, means: np.ndarray, units: np.ndarray, kind: str, size: float
) -> np.ndarray:
    """Codes of trials."""
    at, shape = means[units], (len(units), LATENTS)
    noise = rng.normal(size=shape)
    if kind == "correlated":
        noise = noise @ CORRELATED.T
    elif kind == "heavy":
        noise = rng.standard_t(3, shape) / np.sqrt(3)
    elif kind == "gain":
        noise = rng.normal(size=(len(units), 1)) * at + 0.5 * noise * (1 + np.abs(at))
    return at + size * noise


def sample(seed: int, cell: Cell, stimuli: int, *, same: bool = False) -> dict[str, Finding]:
    """All findings of one sample without trial noise; `same`, codes and reference have the same means."""
    rng = np.random.default_rng([seed, stimuli])
    means, plain, classes = population(rng, cell, stimuli)
    trials = rng.integers(cell.trials[0], cell.trials[1] + 1, stimuli)
    units = np.repeat(np.arange(stimuli), trials)
    run = np.concatenate([np.arange(one) for one in trials])

    def recorded(of: np.ndarray, size: float) -> Representation:
        codes = noisy(rng, of, units, cell.noise, size)
        if cell.runs:
            added = size * rng.normal(size=(cell.trials[1], LATENTS))
            codes = without_run_effects(codes + added[run], units, run)
        return Representation(codes, units)

    pair = (means, means if same else plain)
    own, reference = (recorded(of, size) for of, size in zip(pair, cell.size, strict=True))
    return _found(own, reference, classes[units], OF_CODES + OF_CLASSES)


def _found(
    own: Representation, reference: Representation | None, labels: np.ndarray, measures: tuple[str, ...]
) -> dict[str, Finding]:
    settings = Settings(permutations=0, measures=measures)
    every = list(measure_codes(own, {"class": labels}, reference, settings))
    first = "removed" if any(one.trial_noise == "removed" for one in every) else ""
    return {
        " ".join([one.measure, *map(str, one.place.values())]): one._replace(place={})
        for one in every
        if one.trial_noise in (first, "") or not first
    }


def truth(cell: Cell) -> dict[str, float]:
    """Of very many stimuli without noise: the mean of several populations."""
    every, found = np.arange(TRUTH), []
    for seed in range(10**6, 10**6 + POPULATIONS):
        means, plain, classes = population(np.random.default_rng(seed), cell, TRUTH)
        pair = (Representation(means, every), Representation(plain, every))
        numbers = _found(*pair, classes, OF_CODES + OF_CLASSES)
        found.append({name: one.value for name, one in numbers.items()})
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def coverage(pool: ProcessPoolExecutor) -> Iterator[dict[str, Any]]:
    """Share of samples whose interval holds the truth, by cell and measure."""
    shown = [
        *NUMBERS,
        *(f"{one}_change" for one in NUMBERS if one not in OF_CODES[1:]),
        "class_distance_change 0 1",
    ]
    for cell in CELLS:
        true = truth(cell)
        for stimuli in cell.stimuli:
            runs = list(
                pool.map(
                    partial(sample, cell=cell, stimuli=stimuli), range(TRIALS[stimuli > 100]), chunksize=20
                )
            )
            for name in shown:
                yield _covered(cell.name, stimuli, name, [run.get(name) for run in runs], true[name])
    for name, make in FREQUENCY.items():
        for stimuli in (30, 100, 400):
            seeds = range(10**6, 10**6 + GRIDS)
            true = list(pool.map(partial(make, stimuli=stimuli, size=0.0), seeds, chunksize=20))
            runs = list(pool.map(partial(make, stimuli=stimuli), range(TRIALS[stimuli > 100]), chunksize=20))
            for measure in runs[0]:
                mean = float(np.nanmean([one[measure].value for one in true]))
                yield _covered(name, stimuli, measure, [run.get(measure) for run in runs], mean)
    for stimuli in (30, 100, 400):
        true = float(np.mean([exclusive(seed, 2000).value for seed in range(10**6, 10**6 + 40)]))
        runs = list(pool.map(partial(exclusive, stimuli=stimuli), range(TRIALS[stimuli > 100]), chunksize=20))
        yield _covered("exclusive or", stimuli, "kernel_prototypization", runs, true)


def _has_interval(one: Finding) -> bool:
    return bool(np.isfinite([one.value, one.low, one.high]).all())


def _covered(cell: str, stimuli: int, name: str, found: list[Finding | None], true: float) -> dict[str, Any]:
    defined = [one for one in found if one is not None and _has_interval(one)]
    below = float(np.mean([true < one.low for one in defined]))
    above = float(np.mean([true > one.high for one in defined]))
    row = {
        "cell": cell,
        "stimuli": stimuli,
        "measure": name,
        "truth": true,
        "mean": float(np.mean([one.value for one in defined])),
        "held": 1 - below - above,
        "truth_below": below,
        "truth_above": above,
        "samples": len(found),
        "undefined": len(found) - len(defined),
    }
    print("{cell:>22} {stimuli:4} {measure:32} {truth:7.3f} {mean:7.3f} {held:.3f}".format(**row), flush=True)
    return row


def uneven_line(seed: int, stimuli: int, size: float = 0.1, trials: int = 6) -> dict[str, Finding]:
    """One unevenly spaced factor, whose steps in the codes grow with frequency."""
    rng = np.random.default_rng([seed, stimuli, 1])
    gaps = np.exp(0.7 * rng.normal(size=stimuli - 1))
    factor = np.concatenate([[0], np.cumsum(gaps)])
    return _of_frequency(rng, factor[:, None], (), gaps, size, trials, around=False)


def circle(seed: int, stimuli: int, size: float = 0.1, trials: int = 6) -> dict[str, Finding]:
    """Orientations around the whole circle, unevenly spaced."""
    rng = np.random.default_rng([seed, stimuli, 2])
    gaps = rng.uniform(0.5, 1.5, stimuli)
    gaps *= 180 / gaps.sum()
    factor = np.concatenate([[0], np.cumsum(gaps[:-1])])
    return _of_frequency(
        rng, factor[:, None], (FactorKind("circular", 180),), gaps, size, trials, around=True
    )


FREQUENCY: dict[str, Callable[..., dict[str, Finding]]] = {
    "uneven factor": uneven_line,
    "circular factor": circle,
}


def _of_frequency(
    rng: np.random.Generator,
    factors: np.ndarray,
    kinds: tuple[FactorKind, ...],
    gaps: np.ndarray,
    size: float,
    trials: int,
    *,
    around: bool,
) -> dict[str, Finding]:
    """Codes on a line or a circle, noisier in the codes than in the reference."""
    stimuli = len(factors)
    frequency = rng.permutation(np.where(np.arange(stimuli) < stimuli // 2, 1.0, 4.0))
    units = np.repeat(np.arange(stimuli), trials)

    def placed(power: float) -> np.ndarray:
        following = np.roll(frequency, -1)[: len(gaps)]
        steps = gaps * (frequency[: len(gaps)] * following) ** (power / 2)
        steps = steps * np.exp(0.3 * rng.normal(size=len(gaps))) / gaps.mean()
        along = np.concatenate([[0], np.cumsum(steps)])[:stimuli]
        if not around:
            return np.column_stack([along, np.zeros((stimuli, LATENTS - 1))])
        turn, radius = 2 * np.pi * along / steps.sum(), steps.sum() / (2 * np.pi)
        return np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.zeros((stimuli, 2))])

    def made(power: float, noise: float) -> Representation:
        codes = noisy(rng, placed(power), units, "isotropic", noise)
        return Representation(codes, units, factors, frequency / frequency.sum(), kinds=kinds)

    own, reference = made(0.5, 2 * size), made(0.0, size)
    return _found(own, reference, np.zeros(len(units), int), OF_FREQUENCY)


def exclusive(seed: int, stimuli: int, trials: int = 4) -> Finding:
    """Four clusters, two of each class, whose means coincide."""
    rng = np.random.default_rng([seed, stimuli, 3])
    cluster = rng.permutation(np.arange(stimuli) % 4)
    corners = 2 * np.array([[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]], float)
    units = np.repeat(np.arange(stimuli), trials)
    means = corners[cluster] + 0.5 * rng.normal(size=(stimuli, LATENTS))
    own = Representation(noisy(rng, means, units, "isotropic", 0.5), units)
    labels = np.isin(cluster, (1, 2)).astype(int)[units]
    return _found(own, None, labels, ("kernel_prototypization",))["kernel_prototypization"]


ALARMS = (
    Cell("noise halved", size=(0.8, 0.4), stimuli=(30, 100, 400)),
    Cell("noise halved, correlated", "correlated", (0.8, 0.4), stimuli=(30, 100, 400)),
    Cell("noise halved, heavy-tailed", "heavy", (0.8, 0.4), stimuli=(30, 100, 400)),
    Cell("gain noise halved", "gain", (0.8, 0.4), (4, 12), stimuli=(30, 100, 400)),
    Cell("noise halved, 12 classes", size=(0.8, 0.4), classes=12, stimuli=(60, 100, 400)),
)


def alarms(pool: ProcessPoolExecutor) -> Iterator[dict[str, Any]]:
    """Share of samples in which a change is found though only the noise differs."""
    for cell in ALARMS:
        for stimuli in cell.stimuli:
            make = partial(sample, cell=cell, stimuli=stimuli, same=True)
            runs = list(pool.map(make, range(TRIALS[stimuli > 100]), chunksize=20))
            for name in runs[0]:
                if "_change" not in name or (" " in name and not name.endswith((" 0 0", " 0 1"))):
                    continue
                defined = [run[name] for run in runs if name in run and _has_interval(run[name])]
                off = float(np.mean([not one.low <= 0 <= one.high for one in defined]))
                row = {
                    "cell": cell.name,
                    "stimuli": stimuli,
                    "measure": name,
                    "found": off,
                    "samples": len(runs),
                }
                print("{cell:>28} {stimuli:4} {measure:32} {found:.3f}".format(**row), flush=True)
                yield row


def both_forms(
    seed: int, own: np.ndarray, reference: np.ndarray, units: np.ndarray, labels: np.ndarray
) -> dict:
    """Findings of the two forms, by name and form."""
    settings = Settings(permutations=0, measures=(*OF_CODES, *OF_CLASSES), seed=seed)
    pair = (Representation(own, units), Representation(reference, units))
    found = measure_codes(pair[0], {"class": labels}, pair[1], settings)
    return {(one.measure, one.trial_noise): one for one in found if not one.place}


def cases(_: ProcessPoolExecutor) -> Iterator[dict[str, Any]]:
    """Numbers that were wrong, each beside its mend."""
    for rows in (
        _noise_cases(),
        _trial_cases(),
        _unit_cases(),
        _uneven_case(),
        _class_cases(),
        _xor_case(),
    ):
        for row in rows:
            print(
                "{case:>44} | {number:40} | {before:>8.3f} | {after:>8.3f} | {true}".format(**row), flush=True
            )
            yield row


def _row(case: str, number: str, before: float, after: float, true: str) -> dict[str, Any]:
    return {"case": case, "number": number, "before": before, "after": after, "true": true}


def _noise_cases() -> Iterator[dict[str, Any]]:
    """Same tuning; noise halved, or Poisson counts of neurons whose gain is three times as high."""
    changes = ("prototypization", "free_orthogonalization", "participation_ratio")

    def halved(
        rng: np.random.Generator, means: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return tuple(noisy(rng, means, units, "isotropic", size) for size in (0.5, 1.0))

    def counted(
        rng: np.random.Generator, means: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        rates = 2 * np.exp(0.5 * np.tile(means, 3) * np.random.default_rng(1).normal(size=12))
        return rng.poisson(3 * rates[units]).astype(float), rng.poisson(rates[units]).astype(float)

    for name, make in (("same tuning, noise halved", halved), ("same tuning, Poisson, gain × 3", counted)):
        runs = []
        for seed in range(100):
            rng = np.random.default_rng(seed)
            means, _, classes = population(rng, Cell(""), 60)
            units = np.repeat(np.arange(60), 8)
            runs.append(both_forms(seed, *make(rng, means, units), units, classes[units]))
        for one in changes:
            pair = [[run[f"{one}_change", form] for run in runs] for form in ("included", "removed")]
            before, after = (float(np.mean([f.value for f in side])) for side in pair)
            yield _row(name, f"{one}_change", before, after, "0")
            before, after = (float(np.mean([not f.low <= 0 <= f.high for f in side])) for side in pair)
            yield _row(name, f"{one}_change, interval off 0", before, after, "0.05")


def _trial_cases() -> Iterator[dict[str, Any]]:
    """The same stimuli with more and more trials."""
    rng = np.random.default_rng(0)
    means, _, classes = population(rng, Cell(""), 118)
    codes = noisy(rng, np.repeat(means, 18, axis=0), np.arange(118 * 18), "isotropic", 1.5).reshape(
        118, 18, -1
    )
    clean = _found(Representation(means, np.arange(118)), None, classes, ("prototypization",))
    true = f"{clean['prototypization'].value:.3f}"
    for trials in (2, 3, 6, 9, 18):
        chosen, units = codes[:, :trials].reshape(-1, LATENTS), np.repeat(np.arange(118), trials)
        found = both_forms(0, chosen, chosen, units, classes[units])
        before, after = (found["prototypization", form].value for form in ("included", "removed"))
        yield _row(f"same neurons, {trials} trials", "prototypization", before, after, true)
        if trials > 2:
            bound = effective_prototypes(chosen, units)
            yield _row(
                f"same neurons, {trials} trials", "effective_prototypes (at least)", bound, bound, "grows"
            )


def _unit_cases() -> Iterator[dict[str, Any]]:
    """Codes in ten times the units of the reference; counts of which many are equal."""
    rng = np.random.default_rng(0)
    reference, classes = rng.normal(size=(60, 5)), np.arange(60) % 2
    own = 10 * reference
    pair = (Representation(own, np.arange(60)), Representation(reference, np.arange(60)))
    after = _found(*pair, classes, ("class_distance",))["class_distance_change 0 0"].value
    before = float(class_distortion_matrix(own, reference, classes).values[0, 0])
    yield _row("codes ten times the reference", "classes 0, 0", before, after, "0")
    counts = rng.poisson(0.2, (2, 60, 5)).astype(float)
    pair = (Representation(counts[0], np.arange(60)), Representation(counts[1], np.arange(60)))
    found = _found(*pair, classes, ("class_distance",))
    after = float(np.mean([np.isfinite(one.value) for name, one in found.items() if "change" in name]))
    yield _row("sparse counts, trials coincide", "entries that are defined", 0.0, after, "1")


def _uneven_case() -> Iterator[dict[str, Any]]:
    """A linear code of a factor whose values stand ever farther apart where they are rarer."""
    factor = np.cumsum(np.r_[0, np.geomspace(1, 8, 19)])[:, None]
    frequency = np.r_[np.full(10, 4.0), np.full(10, 1.0)]
    known = (factor, np.arange(20), factor, frequency)
    near = neighbours(Space(factor))
    even = Neighbours(near.first, near.second, np.ones_like(near.steps), near.rule)
    before = slopes(np.log(resolution(factor, even)), np.log(frequency), np.ones((1, 20)))[0]
    yield _row("linear code, uneven factor", "specialization", float(before), specialization(*known), "0")
    steps = np.abs(np.diff(factor[:, 0]))
    before = float(np.exp(np.log(steps[:9]).mean() - np.log(steps[10:]).mean()))
    yield _row("linear code, uneven factor", "resolution_ratio", before, resolution_ratio(*known), "1")


def _class_cases() -> Iterator[dict[str, Any]]:
    """Pure noise in 40 classes of 3 or 4 stimuli."""
    plain, found = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(40), rng.integers(3, 5, 40))
        codes = rng.normal(size=(len(labels), 10))
        centred = codes - codes.mean(axis=0)
        means = np.stack([centred[labels == one].mean(axis=0) for one in range(40)])
        plain.append(np.sum(means[labels] ** 2) / np.sum(centred**2))
        every = Representation(codes, np.arange(len(labels)))
        found.append(_found(every, None, labels, ("prototypization",))["prototypization"])
    after = float(np.mean([one.value for one in found]))
    yield _row("pure noise, 40 classes of 3 to 4", "prototypization", float(np.mean(plain)), after, "0")
    off = float(np.mean([one.low > 0 for one in found]))
    yield _row("pure noise, 40 classes of 3 to 4", "interval above 0", 1.0, off, "0.025")


def _xor_case() -> Iterator[dict[str, Any]]:
    """Classes whose means coincide."""
    rng = np.random.default_rng(0)
    corners = 4 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    codes, labels = np.repeat(corners, 30, axis=0) + rng.normal(size=(120, 2)), np.repeat([0, 1, 1, 0], 30)
    plain = _found(Representation(codes, np.arange(120)), None, labels, ("prototypization",))[
        "prototypization"
    ]
    yield _row(
        "exclusive or",
        "prototypization, and by a kernel",
        plain.value,
        kernel_prototypization(codes, labels),
        "above 0",
    )


TABLES = {"cases": cases, "coverage": coverage, "alarms": alarms}


def main(out: Path, only: str | None = None) -> None:
    """Simulates, writes the tables."""
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        for name, make in TABLES.items():
            if only in (None, name):
                table = pd.DataFrame(make(pool))
                table.to_csv(out / f"recordings-{name}.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

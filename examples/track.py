"""A simulated recording: place cells on a track whose first half is visited more. Writes track.npz.

    python examples/track.py ratewarp measure track.npz

Eighty neurons, forty places, twenty trials of each, Poisson spike counts; square roots are taken, so that
noise is about equal for all.
`codes`: an animal that knows the track; its fields are four times as dense, and narrower, where it is most.
    `reference`: the same places
on its first day, with even fields. `frequency`: how often each place was visited, a number a trial.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

PLACES, NEURONS, TRIALS, PEAK = 40, 80, 20, 12.0  # peak: spikes in a time window


def counts(warped: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Square roots of spike counts at every place and trial; fields are even on the warped track."""
    centres = np.linspace(warped[0], warped[-1], NEURONS)
    width = 1.5 * (warped[-1] - warped[0]) / PLACES
    rates = PEAK * np.exp(-((warped[:, None] - centres) ** 2) / (2 * width**2)) + 0.2
    return np.sqrt(rng.poisson(np.repeat(rates, TRIALS, axis=0)))


def main() -> None:
    """Simulates both days and writes them."""
    rng = np.random.default_rng(0)
    place = np.arange(PLACES, dtype=float)
    visits = np.where(place < PLACES / 2, 4.0, 1.0)
    known = np.cumsum(visits)
    repeated = np.repeat(place, TRIALS)
    np.savez(
        Path("track.npz"),
        codes=counts(known, rng),
        reference=counts(place, rng),
        factors=repeated,
        frequency=np.repeat(visits, TRIALS),
        labels=np.where(repeated < PLACES / 2, "first half", "second half"),
    )
    print("wrote track.npz")


if __name__ == "__main__":
    main()

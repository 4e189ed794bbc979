"""The choice of slopes: no number leaves its range, whatever a cost has made of the curve."""

import numpy as np
import pytest

from ratewarp.theory.envelope import envelope
from ratewarp.theory.refining import _next
from ratewarp.theory.slopes import Aim, Solved


def solved(beta: float, rate: float, distortion: float) -> Solved:
    return Solved(beta, rate, distortion, 0.0, True, np.arange(1), np.ones(1))


def test_a_rate_beyond_the_last_corner_asks_for_a_slope_between_its_neighbours():
    """Where best points are not unique, a steep slope may reach the smallest distortion at less rate than its
    own solution.
    """
    left, right = solved(2.0, 0.5, 0.4), solved(6.0, 0.6, 0.36)
    strip = envelope([solved(0.0, 0.0, 1.0), solved(np.inf, 1.0, 0.36), left, right])
    assert strip.rates.tolist() == [0, 0.5, 0.6]
    beta, _ = _next(strip, left, right, 60.0, 1e-4, again=False)
    assert 2 <= beta <= 6


@pytest.mark.parametrize(("rate", "found"), [(0.5, 10.0), (1.5, 1.0), (1.0, 2.0)])
def test_an_aim_stays_between_its_limits(rate, found):
    assert Aim(rate=1.0, bend=1e4, near=1e-5, low=1.0, high=10.0).corrected(2.0, rate) == pytest.approx(found)


def test_corners_that_only_rounding_tells_apart_are_one():
    strip = envelope(
        [
            solved(0.0, 0.0, 1.0),
            solved(np.inf, 1.0, 0.2),
            solved(3.0, 1e-17, np.nextafter(1.0, 0)),
            solved(2.0, 0.5, 0.4),
        ]
    )
    assert strip.rates.tolist() == [0, 0.5, 1]

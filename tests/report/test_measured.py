"""The figure of `ratewarp measure`, with names as files have them."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp import measure
from ratewarp.report.measured import save_measured

NAMES = np.array(["$x^", "\x1b[31m\x07", "z" * 400])


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_names_are_drawn_as_they_are(tmp_path, kind):
    """No mathematics in dollars, no letters that a font lacks, and room left for the rest: none is a warning
    or an error.
    """
    draw = np.random.default_rng(0)
    labels = {"$bad^" * 40: NAMES[np.arange(18) % 3]}
    found = measure(
        draw.standard_normal((18, 3)), labels, reference=draw.standard_normal((18, 3)), permutations=0
    )
    save_measured(found, tmp_path / f"own.{kind}")
    assert (tmp_path / f"own.{kind}").stat().st_size > 1000

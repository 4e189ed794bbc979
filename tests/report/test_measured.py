"""The figure of `ratewarp measure`, with names as files have them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ratewarp import measure
from ratewarp.report.measured import save_measured
from ratewarp.report.measured_panels import codes_map, draw_codes, index_rows

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


def test_fields_of_one_struct_are_told_apart():
    """As tasks that begin alike, behind an index; and the title of the map does not leave the figure."""
    draw = np.random.default_rng(0)
    labels = {f"stimuli_92objs.{field}": np.arange(18) % 3 for field in ("category", "face")}
    found = measure(draw.standard_normal((18, 3)), labels, permutations=0)
    names = [row.name for row in index_rows(found)]
    assert len(set(names)) == len(names) > 2
    assert "prototypization (stimuli…category)" in names
    figure, axes = plt.subplots()
    draw_codes(axes, codes_map(found), "stimuli_92objs.category")
    assert axes.get_title() == "map of 18 codes,\nby stimuli_92objs.category"
    plt.close(figure)

"""Phase diagrams of a small family: grids against rows found one by one, and what is drawn against the grids."""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ratewarp import Study, run
from ratewarp.report.figures import drawings
from ratewarp.report.phase_figures import phase_figure, phase_indices_figure, phase_slices_figure
from ratewarp.report.phase_view import phase_view
from ratewarp.report.views import RunView
from ratewarp.results.phases import LEVEL, WARPS, phases

CAPACITIES, RATIOS, WEIGHTS = (0.5, 3.0), (1, 4, 8), (0, 0.3, 3)
KEYS = ["capacity_nats", "frequency_ratio", "recipe.task_weight"]


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    study = Study(
        name="phases",
        network={"kind": "mlp", "latents": 3, "widths": [16]},
        recipe={"name": "principled", "steps": 60, "learning_rate": 0.02},
        models={
            "baseline": {"recipe": {"task_weight": 0}},
            "warped": {"frequency": "frequency_ratio if x_LC <= 6 else 1", "tasks": ["E2M1"]},
        },
        capacities_nats=CAPACITIES,
        axes={"frequency_ratio": RATIOS, "recipe.task_weight": WEIGHTS},
        seeds=[0, 1],
        training_images=600,
        validation_each=4,
        codes_each=3,
        bound_points=2,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures.drawings", lambda _: {})
        return RunView(run(study, tmp_path_factory.mktemp("runs") / "phases"))


def test_every_cell_is_the_mean_of_its_seeds(view):
    phase, geometry = phase_view(view), view.run.table("geometry")
    assert phase is not None
    assert list(phase.warps) == [*WARPS]
    for warp, task in phase.warps.items():
        values = phase.values(warp)
        for (c, capacity), (w, weight), (r, ratio) in product(*map(enumerate, (CAPACITIES, WEIGHTS, RATIOS))):
            own = geometry[(geometry["measure"] == warp) & (geometry["task"] == task)]
            for key, value in zip(KEYS, (capacity, ratio, weight), strict=True):
                own = own[own[key] == value]
            assert own.empty or (warp, ratio) != ("specialization_change", 1)
            np.testing.assert_allclose(values[c, w, r], own["value"].mean() if len(own) else np.nan)


def test_what_sees_and_asks_the_same_as_the_reference_is_the_reference(view):
    phase = phase_view(view)
    for warp in ("prototypization_change", "orthogonalization_change"):
        np.testing.assert_array_equal(phase.values(warp)[:, 0, 0], 0)
        np.testing.assert_array_equal(phase.stands_out(warp)[:, 0, 0], 0)


def test_what_stands_out_is_what_the_table_says(view):
    phase, geometry = phase_view(view), view.run.table("geometry")
    wanted = geometry["task"].astype(object) == geometry["measure"].map(phase.warps)
    table = phases(geometry[wanted & (geometry["model"] == "warped")], KEYS, KEYS[1:])
    for warp in phase.warps:
        said = table[(table["measure"] == warp) & (table["p_adjusted"] < LEVEL)]
        assert np.sum(phase.stands_out(warp) != 0) == len(said)
        reach = (table["high"] - table["value"])[table["measure"] == warp]
        found = phase.reach(warp)
        np.testing.assert_allclose(np.sort(found[np.isfinite(found)]), np.sort(reach))


def test_figures_draw_these_grids(view):
    phase = phase_view(view)
    figure = phase_indices_figure(view)
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 2 * len(WARPS) * len(CAPACITIES)
    for row, warp in enumerate(phase.warps):
        for c in range(len(CAPACITIES)):
            models, optimal = (images[(2 * row + side) * len(CAPACITIES) + c] for side in (0, 1))
            np.testing.assert_array_equal(np.ma.filled(models, np.nan), phase.values(warp)[c])
            np.testing.assert_array_equal(np.ma.filled(optimal, np.nan), phase.optimal(warp)[c])

    bits = sum(2**n * (phase.stands_out(warp) > 0) for n, warp in enumerate(WARPS))
    shown = [axes.images[0].get_array() for axes in phase_figure(view).axes if axes.images]
    np.testing.assert_array_equal(shown[: len(CAPACITIES)], bits)

    cuts = phase_slices_figure(view)
    assert len(cuts.axes) == 3 * len(WARPS)
    line = cuts.axes[3].lines[0]  # prototypization along capacity, at the lowest ratio
    np.testing.assert_allclose(line.get_ydata(), phase.values("prototypization_change")[:, 1, 0])


def test_other_figures_are_of_the_middle_of_an_axis_of_three_numbers(view):
    assert view.further_note == "frequency_ratio = 4, recipe.task_weight = 0.3"
    drawn = view.models[view.models["model"] == "warped"]
    assert set(drawn["recipe.task_weight"]) == {0.3}
    assert len(drawn) == 2 * len(CAPACITIES)
    curves = view.drawn_curves("bound")
    assert set(curves["recipe.task_weight"].dropna()) == {0.3}
    assert view.settings["warped"].frequency == "frequency_ratio if x_LC <= 6 else 1"
    assert dict(view.settings["warped"].parameters)["frequency_ratio"] == 4


def test_every_figure_can_be_drawn_there(view):
    for make in drawings(view).values():
        figure = make(view)
        assert figure is not None
        plt.close(figure)

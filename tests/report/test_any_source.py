"""Every figure and the page, of every kind of source: their records are made up, and drawn as they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from fabricated import fabricated_record, fabricated_run, fabricated_tables, put_record
from ratewarp.geometry.embedding import Map
from ratewarp.report import views, write_report
from ratewarp.report.figure_files import Picture
from ratewarp.report.figures import drawings, reference_name
from ratewarp.report.page.stage import stage_data
from ratewarp.report.pictures import Pictures
from ratewarp.report.style import DOUBLE, figure_style
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs import kept_pictures
from ratewarp.sources import ImageFiles
from ratewarp.studies import Study

MLP = {"kind": "mlp", "widths": [4], "latents": 2}
SPRITES = {"kind": "sprites", "shapes": ["square", "heart"], "scales": 1, "positions": [0.5], "size": 16}
MANY = {
    "kind": "sprites",
    "channels": 3,
    "colours": 3,
    "orientations": 3,
    "positions": [0.4, 0.6],
    "size": 16,
}
STUDIES = {
    "one circle, responses": {
        "source": {"kind": "population", "neurons": 9, "values": 12, "circular": True},
        "likelihood": "poisson",
        "models": {"m": {}, "half": {"tasks": ["half"], "frequency": "skewed"}},
    },
    "a plane, responses": {
        "source": {"kind": "population", "neurons": 9, "values": 5, "dimensions": 2},
        "likelihood": "poisson",
        "models": {"m": {}},
        "capacities_nats": [1],
    },
    "a label and a circle": {
        "source": {**SPRITES, "orientations": 6},
        "models": {"m": {}, "t": {"tasks": ["which"]}},
    },
    "one uneven factor": {
        "source": {**SPRITES, "shapes": ["heart"], "scales": [0.1, 0.12, 0.4], "orientations": 1},
        "models": {
            "m": {},
            "five": {"tasks": [{"name": "three", "label": "(scale > 0.11) + (scale > 0.2)"}]},
        },
    },
    "six factors, some measured": {
        "source": MANY,
        "models": {"m": {}, "which": {"tasks": ["which"]}},
        "measured_stimuli": 40,
        "capacities_nats": [0.5, 3],
    },
    "three factors": {
        "source": {"kind": "gratings", "orientations": 4, "phases": 3, "size": 16},
        "models": {"m": {"tasks": ["tilt"]}, "cardinal": {"frequency": "cardinal"}},
        "network": {**MLP, "latents": 20},
    },
    "stored, one label": {
        "source": {"kind": "digits", "held_out": 0.05},
        "models": {"m": {}, "ten": {"tasks": ["ten"], "frequency": "skewed"}},
    },
}


@pytest.fixture(scope="module", autouse=True)
def flat():
    """Two latents are their own map."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
        yield
    plt.close("all")


def _run(folder: Path, **keys) -> RunView:
    study = Study.model_validate(
        {
            "network": MLP,
            "likelihood": "gaussian",
            "capacities_nats": [1],
            "codes_each": 2,
            "bound_points": 3,
            **keys,
        }
    )
    return RunView(fabricated_tables(fabricated_run(study, folder), study))


_BEYOND = 0.03  # inches beyond the edge of a figure that are rounding


def _draw_all(view: RunView) -> set[str]:
    """Makes and renders every figure; names of those that there are."""
    found = set()
    with warnings.catch_warnings(), figure_style():
        warnings.simplefilter("error")
        for name, make in drawings(view).items():
            figure = make(view)
            if figure is not None:
                figure.set_dpi(50)
                figure.canvas.draw()
                _check_print(name, figure)
                plt.close(figure)
                found.add(name)
    return found


def _check_print(name: str, figure: Figure) -> None:
    """In print, a figure is no wider than two columns of a journal, has no type below 7 points, and no text
    that ends beyond its edge.
    """
    assert figure.get_figwidth() <= DOUBLE + 1e-6, name
    small = {
        text.get_text(): text.get_fontsize()
        for text in figure.findobj(Text)
        if text.get_text().strip() and float(text.get_fontsize()) < 7
    }
    assert not small, name
    ticks = {
        label
        for axes in figure.findobj(Axes)
        for axis in (axes.xaxis, axes.yaxis)  # some are beyond the ends of the axis, and not drawn
        for tick in (*axis.majorTicks, *axis.minorTicks)
        for label in (tick.label1, tick.label2)
    }
    for text in set(figure.findobj(Text)) - ticks:
        if text.get_text().strip() and text.get_visible():
            ends = text.get_window_extent().get_points() / figure.dpi
            within = (ends > -_BEYOND) & (ends < figure.get_size_inches() + _BEYOND)
            assert within.all(), (name, text.get_text(), ends)


def _page(view: RunView) -> str:
    with pytest.MonkeyPatch.context() as patch:
        drawn = {} if view.run.table("bound").empty else {"bound": Picture("data:,", 3.5)}
        patch.setattr(
            Pictures,
            "draw",
            lambda self, view, progress, prepare, when_shown, helpers: (prepare(), when_shown(drawn)),
        )
        return " ".join(write_report(view.run).read_text().split())


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder of small RGB images of two labels and three sizes, of which one combination does not occur."""
    folder, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    rows = ["file,animal,size"]
    for number in range(60):
        animal, size = ("cat", "a dog of a very long name")[number % 2], (1, 2, 16)[number // 2 % 3]
        if (animal, size) == ("cat", 16):
            continue
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{animal},{size}")
    (folder.parent / "own.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_and_the_page_are_made(tmp_path, name):
    view = _run(tmp_path / "run", **STUDIES[name])
    found = _draw_all(view)
    assert {"images", "overview", "rate_distortion", "examples", "bound", reference_name(view)} <= found
    assert ("capacity" in found) == (len(view.levels) > 1)
    assert sum(one.startswith("model_") for one in found) == 1 + len(view.model_schemes)
    assert "undefined" not in _page(view).split("<script>")[0].lower()


def test_images_of_ones_own(own, tmp_path):
    source = ImageFiles(own, table=own.parent / "own.csv", held_out=0.5)
    models = {"m": {}, "animal": {"tasks": ["animal"]}, "large": {"frequency": "3 if size > 2 else 1"}}
    view = _run(tmp_path / "run", source=source, models=models, capacities_nats=[0.5, 3])
    assert "model_animal_animal" in _draw_all(view)
    number = len(source.stored.held_out)
    page = _page(view)
    assert (
        f"{source.name}: 50 images, of which {number} are held out and measured, images of 8 × 8 × 3" in page
    )
    assert f"{50 - number} images, each taken as often as its frequency says" in page
    assert f"{number} images, each once" in page
    assert f"reaches 0 by ln {number} = {np.log(number):.2f} nats" in page
    assert f"up to about {np.log(number) / 4:.1f} nats" in page
    classes = [
        name
        for scheme in stage_data(RunView(view.run, WhatIsThere(view.run)))["schemes"]
        for name in scheme["classes"]
    ]
    assert "a dog of a very long name" in classes


def test_images_without_any_column(own, tmp_path):
    view = _run(tmp_path / "run", source=ImageFiles(own, held_out=0.5), models={"m": {}})
    assert {"images", "overview", "examples", "model_m"} <= _draw_all(view)
    world = stage_data(RunView(view.run, WhatIsThere(view.run)))["world"]
    assert world["factors"] == []
    assert world["stimuli"] == len(view.settings["m"].measured())
    assert "codes, coloured" not in _page(view)


@pytest.mark.parametrize("kind", ["diverged", "collapsed"])
def test_models_without_a_map(tmp_path, own, kind):
    keys = {"models": {"m": {}, "n": {"frequency": (1.0,) * 10 + (2.0,) * 40}}, "capacities_nats": [0.5, 3]}
    view = _run(tmp_path / "run", source=ImageFiles(own, held_out=0.5), **keys)
    for condition in view.conditions:
        record = fabricated_record(condition)
        record["code"][:] = np.nan if kind == "diverged" else 0.5
        put_record(view.run, condition, record)
    assert {"overview", "model_m", "capacity"} <= _draw_all(RunView(view.run))
    _page(RunView(view.run))


def test_pictures_of_some_stimuli(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_pictures, "MOST_PIXELS", 9 * 16 * 16 * 3)
    view = _run(tmp_path / "run", source=MANY, models={"m": {}}, measured_stimuli=40)
    assert view.shown("m", 0).record.sizes["pictured"] == 9
    assert {"images", "examples", "model_m"} <= _draw_all(view)


def test_a_study_without_target_rates_tasks_and_bound(tmp_path):
    view = _run(
        tmp_path / "run",
        source={"kind": "digits", "held_out": 0.05},
        models={"m": {}},
        recipe={"name": "plain"},
        capacities_nats=[],
        bound_points=0,
    )
    for table in ("bound", "normative"):
        view.run.write_table(table, view.run.table(table).head(0))
    assert not {"bound", "normative", "f1", "capacity"} & _draw_all(view)
    assert "held-out images: it reaches" not in _page(view)


def test_published_numbers_stand_beside_published_images_alone(tmp_path):
    view = _run(tmp_path / "run", source={"kind": "digits", "held_out": 0.05}, models={"baseline": {}})
    assert view.published_models == set()
    assert "D'Amato, Lancia, Pezzulo (2025)" not in _page(view)
    likelihood = {"likelihood": "bernoulli-mean", "codes_each": 1, "validation_each": 3}
    corridors = _run(tmp_path / "corridors", models={"baseline": {}}, **likelihood)
    assert corridors.published_models == {"baseline"}


def test_the_page_says_how_many_of_the_stimuli_are_measured(tmp_path):
    view = _run(tmp_path / "run", source=MANY, models={"m": {}}, measured_stimuli=40)
    total = len(view.study.source.stimuli)
    page = _page(view)
    assert f"sprites: {total:,} stimuli, of which a random sample of 40 is measured" in page
    assert (
        f"{40 * view.study.validation_each:,} images ({view.study.validation_each} of every measured" in page
    )
    assert f"Bound of the 40 measured stimuli, a sample of {total}." in page

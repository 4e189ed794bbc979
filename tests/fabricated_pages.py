"""Pages of runs with made-up records, each alone in a folder; one of them is of a study with hostile texts."""

from __future__ import annotations

import csv
import shutil
import warnings
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from conftest import TINY_NETWORK, tiny
from fabricated import fabricated_run, fabricated_tables
from ratewarp.geometry.embedding import Map
from ratewarp.report import views, write_report
from ratewarp.sources import Corridors, ImageFiles
from ratewarp.studies import Study
from stored import run_study

TITLE = "A tiny study"
_SMALL = {"validation_each": 3, "codes_each": 2, "bound_points": 3}
_IMAGES_EACH = 4

# What runs, asks the network or asks the reader, where a page takes text for markup, script or template.
HOSTILE = (
    "<script>window.hacked='script'</script>",
    "</script><script>window.hacked='end of script'</script>",
    "<img src=x onerror=\"window.hacked='image'\">",
    "\"'><svg onload=\"alert(window.hacked='attribute')\">",
    "</title></style></textarea>--><iframe srcdoc=\"<script>parent.hacked='frame'</script>\"></iframe>",
    "<a href=\"javascript:window.hacked='link'\">click</a>",
    '<a href="https://example.org/">click</a>',
    "');window.hacked='quote';('\\",
    "${window.hacked='template'} {{7*7}} {% raw %} %{x} $\\frac{1}{",
    "&lt;b&gt; &amp;amp; \u2028 \u2029",
    "\u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f480\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301\u0323\u0323\u0323",
    "w" * 10_000,
)
ALL_HOSTILE = " ".join(HOSTILE)


def page_of(study: Study, folder: Path, note: str = "", **manifest: object) -> Path:
    """The page of a run of that study, with a note in its tables, in a folder where nothing else is."""
    run = fabricated_tables(fabricated_run(study, folder / "run"), study)
    run.write_table("geometry", run.table("geometry").assign(note=note))
    run.write_manifest({"ratewarp": "0", **manifest})
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(views, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
        patch.setattr("ratewarp.report.pictures.FILES", ())
        warnings.filterwarnings("ignore", "Glyph")  # the font of figures has no faces
        page = write_report(run)
    (folder / "alone").mkdir()
    return page.rename(folder / "alone" / page.name)


def plain_page(folder: Path) -> Path:
    """Of two models at one capacity, with a task, of few stimuli; tables are higher than their frame."""
    models = {"baseline": {}, "E2M1": {"tasks": ["E2M1"]}}
    study = Study(
        title=TITLE,
        source=Corridors(size=6),
        models=models,
        capacities_nats=[2],
        seeds=range(8),
        network=TINY_NETWORK,
        **_SMALL,
    )
    return page_of(study, folder)


def hostile_page(folder: Path) -> Path:
    """Of own images whose labels, like every other text of the run, are `HOSTILE`."""
    images, table = folder / HOSTILE[2], folder / "labels.csv"
    images.mkdir()
    rng = np.random.default_rng(0)
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", HOSTILE[0]])
        for number in range(_IMAGES_EACH * len(HOSTILE)):
            name = f"{number}.png"
            Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(images / name)
            rows.writerow([name, HOSTILE[number % len(HOSTILE)]])
    source = ImageFiles(images, table=table, held_out=0.5)
    study = Study(
        title=ALL_HOSTILE,
        description=ALL_HOSTILE,
        source=source,
        likelihood="gaussian",
        models={"plain": {}, "label": {"tasks": [source.factors[0].name]}},
        capacities_nats=[1],
        network={"kind": "mlp", "widths": [4], "latents": 2},
        **_SMALL,
    )
    device, packages = {"kind": ALL_HOSTILE}, {"jax": ALL_HOSTILE}
    return page_of(study, folder, note=ALL_HOSTILE, device=device, packages=packages)


def stage_page(folder: Path) -> Path:
    """Of three models at three capacities, trained for some steps: with decoders, and something to choose;
    without figures, which take most of the time.
    """
    study = tiny().model_copy(update={"capacities_nats": (0.5, 1, 3), "bound_points": 3})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures.drawings", lambda _: {})
        page = write_report(run_study(study, folder / "run"))
    (folder / "alone").mkdir()
    return page.rename(folder / "alone" / page.name)


class Net(eqx.Module):
    """A network of a user's own: the page does not know its layers."""

    latents = 3
    inwards: eqx.nn.Linear
    outwards: eqx.nn.Linear
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, image_shape: tuple[int, ...], *, key: Any):
        self.shape = image_shape
        self.inwards = eqx.nn.Linear(int(np.prod(image_shape)), 6, key=key)
        self.outwards = eqx.nn.Linear(3, int(np.prod(image_shape)), key=jax.random.fold_in(key, 1))

    def encode(self, images):
        return tuple(jnp.split(jax.vmap(self.inwards)(images.reshape(len(images), -1)), 2, axis=1))

    def decode(self, codes):
        return jax.vmap(self.outwards)(codes).reshape(len(codes), *self.shape)


def crossed_page(folder: Path) -> Path:
    """Of networks given from Python, over capacity and two further axes; of the model `warped` at the lowest
    capacity one diverged, one missed its capacity and one is missing.
    """
    study = Study(
        network=Net,
        recipe={"steps": 40, "learning_rate": 0.02},
        models={
            "baseline": {"recipe": {"task_weight": 0}},
            "warped": {"frequency": "frequency_ratio if x_LC <= 6 else 1", "tasks": ["E2M1"]},
        },
        capacities_nats=[0.5, 3],
        axes={"frequency_ratio": [1, 8], "recipe.task_weight": [0, 3]},
        seeds=[0, 1],
        training_images=500,
        validation_each=3,
        codes_each=2,
        bound_points=2,
    )
    run = run_study(study, folder / "run")
    told = {(0, 0): "diverged", (0, 1): "off target"}  # at which ratio and weight, of the first seed
    table = run.table("models").set_index("condition")
    for cell, condition in study.cells.items():
        if cell.model == "warped" and cell.seed == 0 and cell.place[0] == 0:
            place = tuple(cell.place[1:])
            if place in told:
                table.loc[condition.id, "status"] = told[place]
            elif place == (1, 0):
                table = table.drop(index=condition.id)
                shutil.rmtree(run.path / "conditions" / condition.id)
    run.write_table("models", table.reset_index())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures.drawings", lambda _: {})
        page = write_report(run, study=study)
    (folder / "alone").mkdir()
    return page.rename(folder / "alone" / page.name)

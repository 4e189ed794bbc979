"""From a lab's files to a page: inspect, the study file it writes, and that study run, for every way to keep
images.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import jax
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from conftest import only_png
from ratewarp import open_run, run
from ratewarp.cli.app import app
from ratewarp.sources import Corridors, Digits, Sprites, draw_pool
from ratewarp.studies import load_study

RNG = np.random.default_rng(0)
SHORT = [
    "recipe.steps=12",
    "network={kind: mlp, latents: 2, widths: [8]}",
    "capacities_nats=[1]",
    "training_images=300",
    "bound_points=3",
]


def digits(folder: Path) -> list[str]:
    world = Digits()
    chosen = np.arange(0, 1797, 18)
    np.savez(folder / "digits.npz", images=world.stored.read(chosen), digit=world.stimuli[chosen, 0])
    return ["digits.npz"]


def pictures(folder: Path) -> list[str]:
    for kind in ("cats", "dogs"):
        (folder / "pictures" / kind).mkdir(parents=True)
        for number in range(16):
            pixels = RNG.integers(0, 256, (9, 11), np.uint8)
            Image.fromarray(pixels).save(folder / f"pictures/{kind}/{number}.png")
    return ["pictures"]


def sprites(folder: Path) -> list[str]:
    world = Sprites(size=16, channels=3)
    chosen = np.linspace(0, len(world.stimuli) - 1, 60).astype(int)
    images = draw_pool(world, np.bincount(chosen, minlength=len(world.stimuli)), key=jax.random.key(0)).images
    with h5py.File(folder / "sprites.h5", "w") as file:
        file["images"] = np.asarray(images)
        for factor, places in zip(world.factors, world.stimuli[chosen].T, strict=True):
            values = factor.table[places]
            file[factor.name] = values.astype("S") if values.dtype.kind == "U" else values
    return ["sprites.h5"]


def nameless(folder: Path) -> list[str]:
    np.savez(folder / "nameless.npz", RNG.integers(0, 256, (40, 8, 8), np.uint8))
    return ["nameless.npz"]


def published(folder: Path) -> list[str]:
    """Rows of 169 pixels and two labels, as the publication's tables."""
    world = Corridors()
    images = np.asarray(draw_pool(world, np.full(169, 1), key=jax.random.key(1)).images).reshape(169, -1)
    pd.DataFrame(np.hstack([images, world.stimuli])).to_csv(folder / "E0.csv", index=False, header=False)
    return ["E0.csv"]


@pytest.mark.parametrize(
    "kept", [digits, pictures, sprites, nameless, published], ids=lambda one: one.__name__
)
def test_from_files_to_a_page(tmp_path, monkeypatch, kept):
    monkeypatch.chdir(tmp_path)
    asked = kept(tmp_path)
    written = CliRunner().invoke(app, ["inspect", *asked, "--study", "mine.yaml", "--sheet", "sheet.png"])
    assert written.exit_code == 0, written.output
    study = load_study("mine.yaml", SHORT)
    drawn = kept in (digits, nameless)  # the pages of all kinds of sources: tests/report/test_any_source.py
    with only_png():
        run(study, "out", report=drawn)
    done = open_run("out")
    assert (done.path / "report.html").exists() == drawn
    held_out = len(study.source.stored.held_out)
    bound = done.table("bound")
    assert set(bound["model"]) == set(study.models)
    assert bound.query("model == 'baseline'")["rate_nats"].max() >= np.log(held_out) * 0.999
    assert (done.table("models")["status"] != "diverged").all()
    if len(study.models) > 1:
        measures = set(done.table("geometry")["measure"])
        assert {"prototypization", "orthogonalization"} <= measures

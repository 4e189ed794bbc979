"""Decoders and decoded images in the page: what JavaScript makes of codes, against Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from conftest import TINY_NETWORK
from node import NODE, front_modules, needs_node
from ratewarp.likelihoods import LIKELIHOODS, Bernoulli, Gaussian
from ratewarp.networks import (
    MLP,
    Convolutional,
    ConvolutionConfig,
    GivenNetwork,
    through_layers,
    to_named,
)
from ratewarp.report.page.decoded_grids import MOST_PIXELS, SIDE, STEPS, _shrunk, decoded_grid
from ratewarp.report.page.decoders import condition_layers, decoder_data
from ratewarp.report.page.stage import to_json
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.trained import trained_networks
from ratewarp.studies import Condition, Setting, Study
from stored import run_study
from worlds import Line

GREY = 1 / 255
NETWORKS: dict[str, Any] = {
    "published": (Convolutional(), (13, 13, 1)),
    "by size": (Convolutional(latents=3, convolutions="by size"), (18, 11, 3)),
    "wide strides": (
        Convolutional(convolutions=(ConvolutionConfig(filters=3, kernel=2, stride=3),)),
        (11, 8, 2),
    ),
    **{
        name: (MLP(latents=2, widths=(16, 8), activation=name), (5, 4, 3))
        for name in ("relu", "gelu", "tanh", "softplus")
    },
}


class Made(NamedTuple):
    """A model of random parameters, as a condition of a run."""

    run: RunDirectory
    condition: Condition
    codes: np.ndarray
    images: np.ndarray


def made(network: Any, shape: tuple[int, int, int], likelihood: Any) -> Made:
    """With codes, and what Python makes of them."""
    networks = network.build(shape, key=jax.random.key(0))
    # larger than at the start of training, so that images have contrast
    networks = jax.tree.map(lambda one: 3 * one, networks)
    sized = SimpleNamespace(image_shape=shape)
    setting = Setting().model_copy(update={"network": network, "source": sized, "likelihood": likelihood})
    condition = Mock(spec=Condition, id="m", setting=setting)
    run = Mock(spec=RunDirectory, params=lambda _: to_named({"networks": networks}))
    codes = np.random.default_rng(0).normal(size=(40, network.latents)).astype(np.float32)
    return Made(run, condition, codes, np.asarray(likelihood.expected(networks.decode(jnp.asarray(codes)))))


def in_page(folder: Path, cases: list[tuple[dict[str, Any], np.ndarray]]) -> list[dict[str, Any]]:
    """What node makes of data and codes."""
    assert NODE is not None
    front_modules(folder)
    script = shutil.copy(Path(__file__).with_name("decode.mjs"), folder)
    given = [{"data": json.loads(to_json(data)), "codes": codes.tolist()} for data, codes in cases]
    (folder / "cases.json").write_text(json.dumps(given))
    subprocess.run([NODE, script, folder / "cases.json", folder / "found.json"], check=True, timeout=120)
    return json.loads((folder / "found.json").read_text())


@needs_node
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda one: one.__name__)
def test_the_page_decodes_as_python_does(likelihood, tmp_path):
    models = [made(*case, likelihood()) for case in NETWORKS.values()]
    data = [decoder_data(model.run, model.condition) for model in models]
    results = in_page(tmp_path, [(one, model.codes) for one, model in zip(data, models, strict=True)])
    for name, model, found in zip(NETWORKS, models, results, strict=True):
        assert found["shape"] == list(model.images.shape[1:])
        assert all(found["known"])
        off = np.abs(np.array(found["images"]).reshape(model.images.shape) - model.images).max()
        assert off <= GREY * max(1, np.ptp(model.images)), name


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[RunDirectory, Condition]:
    study = Study(
        name="one",
        network=TINY_NETWORK,
        recipe={"steps": 300},
        training_images=1000,
        validation_each=2,
        codes_each=1,
        capacities_nats=[2],
        bound_points=0,
    )
    return run_study(study, tmp_path_factory.mktemp("trained") / "run"), study.conditions[0]


@pytest.fixture(scope="module")
def in_a_page(trained, tmp_path_factory) -> tuple[dict[str, Any], dict[str, Any], np.ndarray]:
    """What the page makes of all stimuli's codes, of both kinds of data, and what Python makes of them."""
    run, condition = trained
    codes = run.record(condition.id)["code"].values
    cases = [
        (decoder_data(run, condition), codes),
        (decoded_grid(run, condition, codes, [0, 1]), codes),
    ]
    live, grid = in_page(tmp_path_factory.mktemp("page"), cases)
    return live, grid, np.asarray(trained_networks(run, condition.id).decode(codes)).reshape(len(codes), -1)


@needs_node
def test_a_trained_decoder_is_right_for_all_stimuli(in_a_page):
    live, _, images = in_a_page
    assert np.ptp(images) > 0.3  # it has learned something
    np.testing.assert_allclose(live["images"], images, atol=GREY)


@needs_node
def test_two_latents_lie_in_the_plane(in_a_page):
    _, grid, images = in_a_page
    assert all(grid["known"])
    np.testing.assert_allclose(grid["images"], images, atol=3 * GREY)


@needs_node
def test_walks_along_latents_are_known(tmp_path):
    model = made(*NETWORKS["by size"], Bernoulli())
    data = decoded_grid(model.run, model.condition, model.codes, [2, 0, 1])
    assert data is not None
    centre, walk = np.array(data["centre"]), np.linspace(-3, 3, 2 * STEPS)
    walks = np.vstack([centre + walk[:, None] * np.eye(3)[latent] for latent in range(3)])
    both = centre + np.ones((1, 3))
    (found,) = in_page(tmp_path, [(data, np.vstack([walks, both, centre]))])
    assert found["known"] == [True] * len(walks) + [False, True]
    layers = condition_layers(model.run, model.condition)
    assert layers is not None
    images = through_layers(layers, walks)
    np.testing.assert_allclose(np.array(found["images"])[: len(walks)], images, atol=8 * GREY)


def test_grids_without_latents_in_use(tmp_path):
    model = made(*NETWORKS["relu"], Gaussian())
    none, one = (decoded_grid(model.run, model.condition, model.codes, used) for used in ([], [1]))
    assert none is not None
    assert one is not None
    assert none["plane"] is one["plane"] is None
    assert none["along"]["images"]["shape"] == [0, STEPS, 5, 4, 3]
    assert one["along"]["images"]["shape"] == [1, STEPS, 5, 4, 3]
    if NODE:
        found, _ = in_page(tmp_path, [(none, model.codes), (one, model.codes)])
        images = np.array(found["images"])
        assert (images == images[0]).all()


def test_a_network_that_is_not_kept_is_decoded_by_who_has_it():
    model = made(GivenNetwork(Line), (5, 1, 1), Gaussian())
    assert decoder_data(model.run, model.condition) is None
    assert decoded_grid(model.run, model.condition, model.codes, [0, 1]) is None
    grid = decoded_grid(
        model.run, model.condition, model.codes, [0, 1], lambda codes: codes[:, :1] + np.ones(5)
    )
    assert grid is not None
    assert grid["plane"]["images"]["shape"] == [SIDE, SIDE, 5, 1, 1]


def test_too_large_and_diverged_decoders_are_left_out():
    model = made(*NETWORKS["published"], Bernoulli())
    data = decoder_data(model.run, model.condition)
    letters = len(json.dumps(data))
    assert letters < 80_000
    assert decoder_data(model.run, model.condition, letters) == data
    assert decoder_data(model.run, model.condition, letters - 1) is None
    assert decoder_data(model.run, model.condition, 1000) is None
    params = {name: one * np.nan for name, one in model.run.params("").items()}
    diverged = Mock(spec=RunDirectory, params=lambda _: params)
    assert decoder_data(diverged, model.condition) is None
    assert decoded_grid(diverged, model.condition, model.codes, [0]) is None


def test_large_images_are_shown_smaller():
    images = np.random.default_rng(0).uniform(size=(2, 5, 4, 1))
    found = _shrunk(images, 2)
    assert found.shape == (2, 3, 2, 1)
    assert found[1, 0, 1, 0] == pytest.approx(images[1, :2, 2:, 0].mean())
    assert found[0, 2, 0, 0] == pytest.approx(images[0, 4, :2, 0].mean())
    model = made(MLP(latents=2, widths=(4,)), (80, 70, 3), Bernoulli())
    grid = decoded_grid(model.run, model.condition, model.codes, [0, 1])
    assert grid is not None
    assert grid["shape"] == [27, 24, 3]
    assert max(grid["shape"][:2]) <= MOST_PIXELS


def test_there_is_room_for_the_most_informative_latents():
    model = made(MLP(latents=40, widths=(4,)), (32, 32, 3), Bernoulli())
    grid = decoded_grid(model.run, model.condition, model.codes, list(range(39, -1, -1)))
    assert grid is not None
    assert grid["along"]["of"] == [39, 38, 37, 36, 35, 34]

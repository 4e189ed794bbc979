"""Python code that a study file names: run only where allowed, refused in one line if it does not do."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import pytest

from conftest import call
from ratewarp import load_study
from ratewarp._checks import RequestError
from ratewarp.studies import Study, resolved

TOUCHED = "touched"
TRACE = f"from pathlib import Path\nPath(__file__).with_name('{TOUCHED}').touch()\n"
NETS = """
import equinox as eqx, jax, jax.numpy as jnp
from math import prod

class Net(eqx.Module):
    latents = 2
    inwards: eqx.nn.Linear
    outwards: eqx.nn.Linear
    shape: tuple = eqx.field(static=True)
    def __init__(self, image_shape, *, key, latents=2):
        self.shape = image_shape
        self.inwards = eqx.nn.Linear(prod(image_shape), 2 * latents, key=key)
        self.outwards = eqx.nn.Linear(latents, prod(image_shape), key=key)
    def encode(self, images):
        return tuple(jnp.split(jax.vmap(self.inwards)(images.reshape(len(images), -1)), 2, axis=1))
    def decode(self, codes):
        return jax.vmap(self.outwards)(codes).reshape(len(codes), *self.shape)

class Config:
    def __init__(self, latents=2):
        self.latents = latents
    def build(self, image_shape, *, key):
        return Net(image_shape, key=key, latents=self.latents)

class NoNet:
    latents = 2

def made(latents=2):
    return Config(latents)

config = Config()
number = 3
"""
WORLD = """
import numpy as np, jax, jax.numpy as jnp
from ratewarp.sources import Factor

class World:
    name, image_shape, pixels = "world", (2, 2, 1), "binary"
    mean_images = None
    tasks = {"big": "size == 1"}
    def __init__(self, sizes=2, noise=0.5):
        self.noise, self.factors = noise, (Factor("size", tuple(range(sizes))),)
        self.stimuli = np.arange(sizes)[:, None]
    def sample(self, stimuli, *, keys):
        draw = jax.vmap(lambda key: jax.random.bernoulli(key, self.noise, self.image_shape))
        return draw(keys).astype(jnp.uint8)

def larger(sizes=3):
    return World(sizes)

def broken():
    raise RuntimeError("no world today")

world = World(4)
"""
COMMON = "recipe: {steps: 30}\ncapacities_nats: [1]\nbound_points: 0\n"


@pytest.fixture
def write(tmp_path):
    """Writes a study beside modules `code_nets` and `code_world`, and returns its path."""

    def written(lines: str, folder: Path = tmp_path) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "code_nets.py").write_text(TRACE + NETS)
        (folder / "code_world.py").write_text(TRACE + WORLD)
        (folder / "study.yaml").write_text(COMMON + lines)
        return folder / "study.yaml"

    yield written
    for name in ("code_nets", "code_world"):
        sys.modules.pop(name, None)


NAMED = {
    "network": "network: {import: 'code_nets:Net'}",
    "source": "network: mlp\nsource: {import: 'code_world:World', options: {sizes: 3, noise: 0.25}}",
    "of a model": "models: {a: {}, b: {network: {import: 'code_nets:Net'}}}",
    "of an axis": "axes: {network: [mlp, {import: 'code_nets:Net'}]}",
}


@pytest.mark.parametrize("lines", NAMED.values(), ids=NAMED)
def test_code_runs_only_where_it_is_allowed(write, tmp_path, lines):
    study, path = write(lines), list(sys.path)
    with pytest.raises(RequestError) as error:
        load_study(study)
    said = str(error.value)
    assert "names Python code, 'code_" in said
    assert "read it, then give --allow-code (allow_code=True from Python)" in said
    assert "\n" not in said
    assert not (tmp_path / TOUCHED).exists()
    assert isinstance(load_study(study, allow_code=True), Study)
    assert (tmp_path / TOUCHED).exists()
    assert sys.path == path


def test_code_on_the_command_line_is_not_run_either(write, tmp_path):
    study = write("")
    change = ["network={import: 'code_nets:Net'}"]
    with pytest.raises(RequestError, match=r"^network\.import names Python code, 'code_nets:Net'"):
        load_study(study, change)
    assert not (tmp_path / TOUCHED).exists()
    allowed = load_study(study, change, allow_code=True)
    assert allowed.network.name == "code_nets:Net"


def test_the_command_line_asks_for_leave(write, tmp_path):
    study = write('network: {import: "code_nets:Net"}')
    refused = call("run", study, "--dry-run", cwd=tmp_path)
    assert refused.returncode == 2
    assert "names Python code, 'code_nets:Net'" in refused.stderr
    assert "--allow-code" in refused.stderr
    assert not (tmp_path / TOUCHED).exists()
    allowed = call("run", study, "--dry-run", "--no-timing", "--allow-code", cwd=tmp_path)
    assert (allowed.returncode, allowed.stderr) == (0, "")


def test_a_study_without_code_needs_no_leave(write):
    assert load_study(write("network: mlp")) == load_study(write("network: mlp"), allow_code=True)


@pytest.mark.parametrize(
    ("named", "latents"),
    [
        ("import: 'code_nets:Net'", 2),
        ("import: 'code_nets:Config'", 2),
        ("import: 'code_nets:Config', options: {latents: 5}", 5),
        ("import: 'code_nets:config'", 2),
        ("import: 'code_nets:made'", 2),
        ("import: 'code_nets:made', options: {latents: 4}", 4),
    ],
)
def test_a_network_is_a_class_of_modules_an_object_or_what_makes_one(write, named, latents):
    study = load_study(write(f"network: {{{named}}}"), allow_code=True)
    assert study.network.latents == latents
    assert study.network.name == named.split("'")[1]
    assert study.network.build((3, 3, 1), key=jax.random.key(0)).outwards.in_features == latents


@pytest.mark.parametrize(
    ("named", "sizes"),
    [
        ("import: 'code_world:World'", 2),
        ("import: 'code_world:World', options: {sizes: 5}", 5),
        ("import: 'code_world:larger'", 3),
        ("import: 'code_world:larger', options: {sizes: 6}", 6),
        ("import: 'code_world:world'", 4),
    ],
)
def test_a_source_is_an_object_or_what_makes_one(write, named, sizes):
    study = load_study(write(f"network: mlp\ntasks: [big]\nsource: {{{named}}}"), allow_code=True)
    assert len(study.source.stimuli) == sizes
    assert study.conditions[0].setting.labellings()[0].labels.sum() == 1


def test_options_count_and_equal_code_is_equal(write):
    source = "network: mlp\nsource: {{import: 'code_world:World', options: {{noise: {}}}}}"
    studies = [load_study(write(source.format(noise)), allow_code=True) for noise in (0.5, 0.5, 0.25)]
    first, again, other = ([condition.id for condition in study.conditions] for study in studies)
    assert first == again != other
    assert resolved(studies[0]) == resolved(studies[1])


def test_each_study_has_the_module_beside_it_as_it_is_now(write, tmp_path):
    named = "network: {import: 'code_nets:Config'}"
    first, second = (write(named, tmp_path / folder) for folder in ("first", "second"))
    module = second.with_name("code_nets.py")
    module.write_text(f"{module.read_text().replace('latents=2):', 'latents=3):')}\n")
    assert [load_study(study, allow_code=True).network.latents for study in (first, second, first)] == [
        2,
        3,
        2,
    ]
    first.with_name("code_nets.py").write_text(module.read_text())
    assert load_study(first, allow_code=True).network.latents == 3


FAILING = {
    "no such module": (
        "network: {import: 'code_netz:Net'}",
        "network.import: code_netz:Net cannot be imported: ModuleNotFound",
    ),
    "no such name": (
        "network: {import: 'code_nets:Nett'}",
        "network.import: code_nets has no 'Nett'. Did you mean 'Net'?",
    ),
    "a module that fails": ("network: {import: 'code_fails:Net'}", "cannot be imported: ZeroDivisionError"),
    "a module of bad Python": (
        "source: {import: 'code_wrong:World'}",
        "source.import: code_wrong:World cannot be imported",
    ),
    "an empty module": ("network: {import: ':Net'}", "network.import: :Net cannot be imported"),
    "a relative module": (
        "network: {import: '.code_nets:Net'}",
        "network.import: .code_nets:Net cannot be imported",
    ),
    "no name": ("network: {import: code_nets}", "network.import must be module:name, with options"),
    "two names": (
        "network: {import: 'code_nets:Net:Net'}",
        "network.import must be module:name, with options",
    ),
    "import no text": ("network: {import: 3}", "network.import must be module:name, with options"),
    "options no mapping": (
        "source: {import: 'code_world:World', options: [1]}",
        "source.import must be module:name, with options",
    ),
    "unknown key": (
        "source: {import: 'code_world:World', option: {}}",
        "unknown key 'source.option'. Did you mean 'options'?",
    ),
    "kind beside": ("network: {import: 'code_nets:Net', kind: mlp}", "unknown key 'network.kind'."),
    "a source that fails": (
        "source: {import: 'code_world:broken'}",
        "code_world:broken cannot be called with {}: RuntimeError(",
    ),
    "wrong options": (
        "source: {import: 'code_world:World', options: {size: 3}}",
        "source.import: code_world:World cannot be called with {'size': 3}: TypeError(",
    ),
    "options for an object": (
        "source: {import: 'code_world:world', options: {sizes: 3}}",
        "source.import: code_world:world cannot be called with {'sizes': 3}: TypeError(",
    ),
    "no network": (
        "network: {import: 'code_nets:number'}",
        "network must be a network of this package, an object with build",
    ),
    "a class of no network": ("network: {import: 'code_nets:NoNet'}", "got 'the class NoNet'"),
    "no source": ("source: {import: 'code_nets:number'}", "source.name is missing in int"),
    "a source that is a network": (
        "source: {import: 'code_nets:config'}",
        "source.name is missing in Config",
    ),
}


@pytest.mark.parametrize(("lines", "said"), FAILING.values(), ids=FAILING)
def test_code_that_does_not_do_is_refused_in_one_line(write, tmp_path, lines, said):
    study, path = write(lines), list(sys.path)
    (tmp_path / "code_fails.py").write_text("1 / 0")
    (tmp_path / "code_wrong.py").write_text("def World(:\n    pass\n")
    with pytest.raises(RequestError) as error:
        load_study(study, allow_code=True)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert sys.path == path

from __future__ import annotations

import json
import sys
from itertools import product as pairs_of
from math import prod

import equinox as eqx
import jax
import numpy as np
import pytest
from typer.testing import CliRunner

from conftest import TINY_NETWORK
from oracles import ALGEBRA
from ratewarp import cli
from ratewarp._checks import RatewarpError, RequestError
from ratewarp.bench import BenchSettings, Progress, compare
from ratewarp.bench.ceiling import LAYERS, SQUARES, Product, _matrices, measure
from ratewarp.bench.contest import INSTALL, UNABLE, Team
from ratewarp.bench.flops import MultiplyAdds, multiply_adds
from ratewarp.bench.ours import engine
from ratewarp.bench.roster import Entry, roster
from ratewarp.bench.subject import layers_of, network_of
from ratewarp.bench.summary import summarize
from ratewarp.bench.table import tables
from ratewarp.bench.worker import IMAGES, Job, NotInstalledError, Worker
from ratewarp.bench.worker import LAYERS as LAYERS_FILE
from ratewarp.networks import Convolutional
from ratewarp.training.loop import train

ENTRIES = [
    Entry("ours-2", "two", "ours", members=2),
    Entry("torch", "peer", "torch"),
    Entry("ceiling-xla", "products", "ceiling-xla", kind="ceiling"),
]


def _count_by_hand(network, image_shape):
    """Walks over every output pixel, tap, channel and filter of every layer, both ways, and over every weight
    of the linear maps.
    """
    forward, first, channels, shape = 0, 0, image_shape[2], image_shape[:2]
    for layer in network.layers(image_shape):
        k, s, p = layer.kernel, layer.stride, layer.padding
        below = [(n + 2 * p - k) // s + 1 for n in shape]
        plain = transposed = 0
        for r, c, a, b in pairs_of(range(below[0]), range(below[1]), range(k), range(k)):
            if 0 <= s * r - p + a < shape[0] and 0 <= s * c - p + b < shape[1]:
                plain += channels * layer.filters
        # median_and_range back over the image
        for i, j, r, c in pairs_of(range(below[0]), range(below[1]), range(shape[0]), range(shape[1])):
            if 0 <= r - s * i + p < k and 0 <= c - s * j + p < k:
                transposed += channels * layer.filters
        first = first or plain
        forward += plain + transposed
        channels, shape = layer.filters, below
    forward += 2 * sum(1 for _ in pairs_of(range(channels * prod(shape)), range(network.latents)))
    forward += sum(1 for _ in pairs_of(range(network.latents), range(channels * prod(shape))))
    return MultiplyAdds(forward, forward, forward - first)


ODD = [
    {"filters": 3, "kernel": 5, "stride": 3, "padding": 2},
    {"filters": 2, "kernel": 2, "stride": 1, "padding": 0},
]


@pytest.mark.parametrize(
    ("network", "shape"),
    [({}, (13, 13, 1)), (TINY_NETWORK, (13, 13, 1)), ({"latents": 2, "convolutions": ODD}, (9, 16, 3))],
)
def test_multiply_adds_against_a_walk_over_all_taps(network, shape):
    config = Convolutional(**network)
    assert multiply_adds(config, shape) == _count_by_hand(config, shape)


def test_the_engine_trains_every_member_for_the_steps_asked(monkeypatch):
    images = np.random.default_rng(0).integers(0, 2, (4, 3, 13, 13, 1)).astype(np.uint8)
    trained = []

    def record(plan, wave, pool):
        for done, state, report in train(plan, wave, pool):
            yield done, state, report
        trained.extend((int(seed), done) for seed in jax.random.key_data(wave.key)[:, 1])

    monkeypatch.setattr("ratewarp.bench.ours.train", record)
    advance = engine(
        images, 3, Convolutional(latents=1, convolutions=TINY_NETWORK["convolutions"][:1]), run_steps=130
    )
    assert advance(3 * 130) == 3 * 130
    assert {seed for seed, _ in trained} >= {0, 1}
    assert {done for _, done in trained} == {130}
    assert advance(1) == 100 * min(2, jax.device_count())  # the run begins again


def test_rate_of_products_is_the_best_burst():
    square, count, asked = Product(100, 100, 100), 3, []
    seconds = iter([9.0, 0.5, 0.25])  # the first is the warm-up

    def burst(pairs):
        asked.append(pairs)
        return next(seconds, 1e9) if len(asked) < 4 else pytest.fail("one burst too many")

    rate = measure(burst, square, count, seconds=1e-9)
    assert asked[0] == 1
    assert len(asked) == 2  # always one that counts
    assert rate == pytest.approx(asked[1] * 4 * 100**3 * count / 0.5 / 1e9)


@pytest.mark.parametrize("product", [*SQUARES[:1], *LAYERS[:2]], ids=str)
def test_products_neither_grow_nor_vanish(product):
    x, there, back = _matrices(product)
    assert x.shape == (product.rows, product.inner)
    assert there.shape == back.T.shape == (product.inner, product.columns)
    once = x @ there @ back
    np.testing.assert_allclose(once @ there @ back, once, atol=10 * ALGEBRA)


def _turns():
    times = {"ours-2": [(10, 2.0), (10, 1.0), (10, 4.0)], "torch": [(100, 30.0), (100, 10.0), (100, 40.0)]}
    for name, rounds in times.items():
        for index, (model_steps, seconds) in enumerate(rounds):
            yield {
                "round": index,
                "contestant": name,
                "model_steps": model_steps,
                "seconds": seconds,
                "cpu_seconds": 2 * seconds,
                "peak_bytes": 10**8 + index,
            }
    for index, rate in enumerate([3.0, 5.0, 4.0]):
        rates = {"squares_gflops": {"a": rate, "b": 1.0}, "layers_gflops": {"c": rate / 2}}
        yield {"round": index, "contestant": "ceiling-xla", "peak_bytes": 1, **rates}


def test_summary_of_three_rounds():
    found = summarize(list(_turns()), ENTRIES, operations=10**9)
    ours = found["contestants"]["ours-2"]
    assert ours["ms_per_model_step"] == {"median": 200, "low": 100, "high": 400}
    assert ours["gflops"] == pytest.approx(5)
    assert ours["share_of_ceiling"] == pytest.approx(1)
    assert ours["share_at_layer_sizes"] == pytest.approx(2)
    assert ours["cores_used"] == 2
    assert ours["peak_bytes"] == 10**8 + 2
    # 300/200, 100/100, 400/400, round by round
    assert found["ratios"]["torch"]["ours-2"] == {"median": 1, "low": 1, "high": 1.5}
    assert found["ceiling"]["squares_gflops"] == 5
    assert found["ceiling"]["by_library"]["ceiling-xla"]["squares_gflops"] == {"a": 5, "b": 1}


def _result(entries=ENTRIES, left_out=None):
    step = {
        "network": "published",
        "image_shape": [13, 13, 1],
        "drawn": "Corridors, binary",
        "layers": layers_of("published"),
        "batch_size": 64,
        "parameters": 349_643,
        "operations": 10**9,
        "images": 1,
    }
    cold = {"import": 1.0, "prepare": 1.0, "compile": 8.0, "steps": 2.0, "total": 12.0}
    summary = summarize(list(_turns()), entries, operations=10**9)
    about = {
        "machine": {"load_average": 0.0},
        "step": step,
        "start_up": {"cold": cold},
        "left_out": left_out or {},
    }
    return {**about, **summary}


def test_tables_hold_what_was_measured():
    layers, times, ratios, products, start_up = tables(_result()).values()
    assert list(layers.way) == ["positions"] * 3
    assert list(layers["size"]) == ["13×13 → 6×6", "6×6 → 3×3", "3×3 → 2×2"]
    assert times.loc[times.contestant == "torch", "ms"].item() == 300
    assert ratios.set_index("contestant").loc["torch", "ours-2"] == 1
    assert list(products["product"]) == ["a", "b", "c"]
    assert start_up.first_steps.item() == 2


def test_tables_without_a_ceiling_say_who_was_left_out():
    found = tables(_result(ENTRIES[:2], {"pythae": INSTALL}))
    (title, times), *_ = [one for one in found.items() if one[0].startswith("Time")]
    assert "not measured" in title
    assert "of_ceiling" not in times
    assert list(found["Left out"].why) == [INSTALL]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": 0}, "rounds"),
        ({"seconds": 0.0}, "seconds"),
        ({"images": 0}, "images"),
        ({"members": (1, 1)}, "members"),
        ({"members": (0,)}, "members"),
        ({"without": ("pytha",)}, "Did you mean 'pythae'"),
        ({"network": "64x64"}, "network must be 'published', or height x width x channels"),
        ({"network": "1x64x3"}, "network"),
        ({"network": "64x300x3"}, "network"),
        ({"network": "64x64x17"}, "network"),
    ],
)
def test_settings_are_checked(wrong, message):
    with pytest.raises(RequestError, match=message):
        BenchSettings(**wrong)


@pytest.fixture
def no_torch(tmp_path, monkeypatch):
    """Child processes find a package `torch` that is not there, whether or not it is installed."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *filter(None, sys.path)]))


def test_a_comparison_goes_on_without_what_is_not_installed(no_torch):
    shown: list[Progress] = []
    settings = BenchSettings(
        rounds=2, seconds=0.1, members=(1,), without=("ours-1", "torch-per-core", "start-up"), images=200
    )
    result = json.loads(json.dumps(compare(settings, shown.append)))
    assert result["left_out"] == dict.fromkeys(["torch", "pythae", "ceiling-torch"], INSTALL)
    assert result["step"]["parameters"] == 349_643
    assert result["step"]["images"] == 338
    assert [turn["contestant"] for turn in result["turns"]] == ["ceiling-xla"] * 2
    assert len(result["turns"][0]["squares_gflops"]) == len(SQUARES)
    assert result["turns"][0]["peak_bytes"] > 10**7
    assert [at.doing for at in shown][-1] == "round 2 of 2: ceiling-xla"
    assert all(at.done <= at.total + ALGEBRA for at in shown)
    assert len(tables(result)["Left out"]) == 3


def test_workers_say_why_they_cannot_work(tmp_path, no_torch):
    def first_answer(name):
        worker = Worker(Job(name, str(tmp_path)))
        try:
            worker.wait_ready()
        finally:
            worker.close()

    with pytest.raises(NotInstalledError, match="torch"):
        first_answer("torch")
    with pytest.raises(RatewarpError, match="KeyError: 'nobody'"):
        first_answer("nobody")


def test_a_worker_that_dies_is_reported(tmp_path):
    worker = Worker(Job("prepare", str(tmp_path)))
    worker.wait_ready()
    worker._process.kill()
    with pytest.raises(RatewarpError, match="process ended: exit code -9"):
        worker.ask()
    worker.close()


def test_teams_add_up_their_processes(tmp_path, monkeypatch):
    answers = [
        {"steps": 10, "seconds": float(n), "cpu_seconds": float(n), "peak_bytes": 5 * n} for n in (1, 2)
    ]

    class Fake:
        def __init__(self, job):
            self.answer = answers.pop(0)

        def send(self, **request):
            self.request = request

        def receive(self):
            return self.answer

    monkeypatch.setattr("ratewarp.bench.contest.Worker", Fake)
    turn = Team(Entry("two", "two processes", "torch", members=3, processes=2), str(tmp_path)).turn(steps=10)
    assert (turn["model_steps"], turn["peak_bytes"], turn["cpu_seconds"]) == (60, 15, 3)
    assert turn["seconds"] < 1  # the parent's clock


def test_turns_are_calibrated_to_their_length(tmp_path, monkeypatch):
    class Fake:
        def __init__(self, job):
            pass

        def send(self, steps):
            self.steps = max(steps, 100)

        def receive(self):
            return {"steps": self.steps, "seconds": 0.01 * self.steps, "cpu_seconds": 1.0, "peak_bytes": None}

    monkeypatch.setattr("ratewarp.bench.contest.Worker", Fake)
    team = Team(Entry("one", "one process", "ours"), str(tmp_path))
    team.calibrate(5.0)
    assert (team.request, team.expected) == ({"steps": 500}, pytest.approx(5.0))
    team.calibrate(0.1)
    assert team.expected == pytest.approx(1.0)  # a whole chunk takes longer than was asked for


def _invoke(monkeypatch, arguments, result):
    monkeypatch.setattr("ratewarp.bench.compare", lambda settings, show: result)
    monkeypatch.setattr(sys, "argv", ["ratewarp", "bench", *arguments])
    return CliRunner().invoke(cli.app, ["bench", *arguments])


def test_command_prints_tables_and_writes_once(tmp_path, monkeypatch):
    out = tmp_path / "bench.json"
    answer = _invoke(monkeypatch, ["--out", str(out)], _result())
    assert answer.exit_code == 0
    assert "ours-2" in answer.stdout
    assert "349,643 parameters" in answer.stdout
    assert json.loads(out.read_text())["contestants"]["torch"]["members"] == 1
    again = _invoke(monkeypatch, ["--out", str(out)], _result())
    assert isinstance(again.exception, RequestError)
    assert "does not exist yet" in str(again.exception)


def test_command_prints_json_and_reports_failure(monkeypatch):
    answer = _invoke(
        monkeypatch, ["--json"], _result(left_out={"torch": "failed: OSError: no", "pythae": INSTALL})
    )
    assert answer.exit_code == 1
    assert json.loads(answer.stdout.splitlines()[-1])["left_out"]["pythae"] == INSTALL
    assert "torch failed" in answer.output
    wrong = _invoke(monkeypatch, ["--members", "1,many"], {})
    assert isinstance(wrong.exception, RequestError)


def test_roster_names_are_unique():
    names = [entry.name for entry in roster([1, 8, 40])]
    assert len(set(names)) == len(names)


def test_a_comparison_of_a_network_by_size(no_torch):
    settings = BenchSettings(
        rounds=1,
        seconds=0.1,
        members=(1,),
        without=("torch", "torch-per-core", "ceiling-xla", "ceiling-torch", "start-up"),
        images=300,
        network="14x16x2",
    )
    result = json.loads(json.dumps(compare(settings)))
    step = result["step"]
    assert result["left_out"] == {"pythae": UNABLE}
    assert (step["network"], step["image_shape"], step["drawn"]) == (
        "14x16x2",
        [14, 16, 2],
        "random, 8-bit",
    )
    assert [(layer["filters"], layer["way"]) for layer in step["layers"]] == [(32, "blocks"), (32, "tiles")]
    assert result["contestants"]["ours-1"]["ms_per_model_step"]["median"] > 0
    assert "images of 14 × 16 × 2, random, 8-bit, 300 of them" in next(iter(tables(result)))


def _in_torch(torch, layer):
    """Parameters of one of this package's layers, in PyTorch's order of axes."""
    weight = torch.from_numpy(np.array(layer.weight))
    if weight.ndim == 2:
        return weight.T, torch.from_numpy(np.array(layer.bias))
    return weight.permute(3, 2, 0, 1), torch.from_numpy(np.array(layer.bias))


@pytest.mark.parametrize(
    ("network", "shape", "parameters"),
    [("published", (13, 13, 1), 349_643), ("28x28x1", (28, 28, 1), 108_747), ("9x18x3", (9, 18, 3), None)],
)
def test_pytorch_trains_the_same_network(network, shape, parameters):
    torch = pytest.importorskip("torch")
    from ratewarp.bench import torch_peer

    model = network_of(network).build(shape, key=jax.random.key(0))
    layers = layers_of(network)
    encoder, decoder = torch_peer.Encoder(layers), torch_peer.Decoder(layers)
    count = sum(p.numel() for one in (encoder, decoder) for p in one.parameters())
    assert count == (parameters or sum(leaf.size for leaf in jax.tree.leaves(model)))
    rows, columns, filters = model.decoder.bottom_shape
    ours = [
        *model.encoder.convolutions,
        model.encoder.mean,
        model.encoder.log_variance,
        model.decoder.linear,
        *model.decoder.convolutions,
    ]
    theirs = [m for one in (encoder, decoder) for m in one.modules() if hasattr(m, "weight")]
    images = np.random.default_rng(0).integers(0, 2, (6, *shape)).astype(np.float32)
    with torch.no_grad():
        for layer, module in zip(ours, theirs, strict=True):
            weight, bias = _in_torch(torch, layer)
            # features: ours are rows × columns × channels
            if layer in (model.encoder.mean, model.encoder.log_variance):
                weight = weight.reshape(-1, rows, columns, filters).permute(0, 3, 1, 2).flatten(1)
            if layer is model.decoder.linear:
                weight, bias = (
                    x.reshape(rows, columns, filters, -1).permute(2, 0, 1, 3).reshape(x.shape)
                    for x in (weight, bias)
                )
            module.weight.copy_(weight)
            module.bias.copy_(bias)
        found = [x.numpy() for x in encoder(torch.from_numpy(images.transpose(0, 3, 1, 2)))]
        pictures = decoder(torch.from_numpy(found[0])).numpy().transpose(0, 2, 3, 1)
    expected = eqx.filter_jit(model.encoder)(images)
    np.testing.assert_allclose(found, [np.asarray(x) for x in expected], atol=ALGEBRA)
    np.testing.assert_allclose(
        pictures, jax.nn.sigmoid(eqx.filter_jit(model.decoder)(found[0])), atol=ALGEBRA
    )


@pytest.mark.parametrize("name", ["torch", "pythae"])
def test_peers_train(tmp_path, name):
    pytest.importorskip(name)
    np.save(tmp_path / IMAGES, np.random.default_rng(0).integers(0, 2, (4, 20, 13, 13, 1)).astype(np.uint8))
    (tmp_path / LAYERS_FILE).write_text(json.dumps(layers_of("published")))
    worker = Worker(Job(name, str(tmp_path), threads=1 if name == "torch" else None))
    worker.wait_ready()
    answer = worker.ask(steps=3)
    worker.close()
    assert answer["steps"] == 3
    assert answer["seconds"] > 0
    assert name != "torch" or answer["threads"] == 1

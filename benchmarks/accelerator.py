"""Training on an accelerator: how long a step takes by number of members, way of computing and precision, and
how exact codes are.

    python benchmarks/accelerator.py OUT.json [--seconds 2] [--only WORDS]
    python benchmarks/accelerator.py --numbers

Cases are compiled in processes of their own, six at once; then, one after the other, each trains for so many
seconds while the others wait. PyTorch's plain loop trains the same networks, one model, where it is
installed. On a machine without an accelerator all runs on the CPU, which shows no more than that it works.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

AT_ONCE = 6
COMPILE_SECONDS = 60  # a case that is not compiled by then is left out
IMAGES = 20_000
SEED = 8


class Case(NamedTuple):
    """One way to train.

    Attributes:
        network: as `ratewarp bench` takes it, or `perceptron`.
        way: of every convolution; `rule` for the package's own choice; `torch` for PyTorch's loop.
        members: trained together.
        precision: of the factors of products.
    """

    network: str
    way: str
    members: int
    precision: str = "float32"


CASES = [
    *(Case("published", "rule", members) for members in (1, 8, 40, 160)),
    Case("published", "blocks", 40),
    *(Case("published", "rule", 40, precision) for precision in ("tensorfloat32", "bfloat16")),
    *(Case("28x28x1", way, 40) for way in ("rule", "tiles")),
    *(Case("64x64x3", "rule", members) for members in (1, 8, 40)),
    Case("64x64x3", "tiles", 8),
    *(Case("perceptron", "rule", members) for members in (40, 1036)),
    *(Case(network, "torch", 1) for network in ("published", "28x28x1", "64x64x3")),
]


class Compiled:
    """A process that has compiled a case, and trains when it is told to."""

    def __init__(self, case: Case, folder: Path):
        self.case, self._log = case, open(folder / f"{time.monotonic_ns()}.log", "w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--case", json.dumps(case)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        )

    def answer(self) -> dict[str, Any]:
        """Its next line, or why there is none."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        while line and not line.startswith("{"):
            line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._log.seek(0)
        return {"failed": (self._log.read().strip().splitlines() or ["ended"])[-1][:400]}

    def go(self, seconds: float) -> dict[str, Any]:
        """Trains for so long."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        except OSError:
            pass
        return self.answer()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def compare(cases: list[Case], seconds: float, out: Path) -> None:
    """Times all cases, and writes what is known after each."""
    found = []
    for first in range(0, len(cases), AT_ONCE):
        begun = time.perf_counter()
        with TemporaryDirectory() as folder:
            processes = [Compiled(case, Path(folder)) for case in cases[first : first + AT_ONCE]]
            try:
                answers = [one.answer() for one in processes]
                print(f"compiled in {time.perf_counter() - begun:.0f} s", flush=True)
                for one, ready in zip(processes, answers, strict=True):
                    result = ready if "failed" in ready else {**ready, **one.go(seconds)}
                    one.end()
                    found.append({**one.case._asdict(), **result})
                    shown = result.get("failed") or f"{result['ms_a_model_step']:.4f} ms a model-step"
                    print(*one.case, shown, f"{result.get('first_seconds', 0):.0f} s", flush=True)
                    out.write_text(json.dumps({"cases": found}, indent=1))
            finally:
                for one in processes:
                    one.end()


def compiled(case: Case) -> None:
    """Compiles a case, says so, waits for the word, trains, and says how long a step took."""
    signal.alarm(COMPILE_SECONDS)
    begun = time.perf_counter()
    if case.way == "torch":
        advance, device = _torch(case)
    else:
        advance, device = _ours(case)
    advance()
    signal.alarm(0)
    print(json.dumps({"device": device, "first_seconds": time.perf_counter() - begun}), flush=True)
    seconds = float(sys.stdin.readline())
    advance()
    begun, times = time.perf_counter(), []
    while time.perf_counter() - begun < seconds or len(times) < 3:
        before = time.perf_counter()
        steps = advance()
        times.append((time.perf_counter() - before) * 1000 / steps / case.members)
    print(
        json.dumps({"ms_a_model_step": median(times), "pieces": len(times), "best": min(times)}), flush=True
    )


def _ours(case: Case) -> Any:
    import jax
    import jax.numpy as jnp
    import numpy as np

    from ratewarp.bench.ours import members_of
    from ratewarp.bench.step import image_shape_of
    from ratewarp.bench.subject import network_of, pixels_of
    from ratewarp.likelihoods import BernoulliMean
    from ratewarp.networks import MLP, convolutional
    from ratewarp.sources import Pool
    from ratewarp.training.coder import Coder
    from ratewarp.training.loop import Plan, train
    from ratewarp.training.recipes import Published

    if case.way not in ("rule", "torch"):
        convolutional.way_of = lambda axes, channels, pixels, backend: case.way
    perceptron = case.network == "perceptron"
    named = "published" if perceptron else case.network
    network = MLP(widths=(64, 64), latents=6) if perceptron else network_of(named)
    shape = image_shape_of(named)
    generator = np.random.default_rng(SEED)
    images = generator.integers(0, 2 if named == "published" else 256, (IMAGES, *shape), dtype=np.uint8)
    images = images.astype(bool) if named == "published" else images
    coder = Coder(network, BernoulliMean(), shape, pixels_of(named))
    plan = Plan(coder, (), Published(batch_size=64, precision=case.precision))
    pool = Pool(jnp.asarray(images), jnp.arange(0, IMAGES, 100, dtype=jnp.int32))
    members = members_of(list(range(case.members)), 1_000_000, IMAGES // 100, 100)
    pieces, done = train(plan, members, pool), [0]

    def advance() -> int:
        stop, state, _ = next(pieces)
        jax.block_until_ready(state)
        steps, done[0] = stop - done[0], stop
        return steps

    return advance, jax.devices()[0].device_kind


def _torch(case: Case) -> Any:
    import torch

    from ratewarp.bench.step import LEARNING_RATE, image_shape_of
    from ratewarp.bench.subject import layers_of
    from ratewarp.bench.torch_peer import Decoder, Encoder, capacity_at, train_step

    device = "cuda" if torch.cuda.is_available() else "cpu"
    layers = [{**layer} for layer in layers_of(case.network)]
    encoder, decoder = Encoder(layers).to(device), Decoder(layers).to(device)
    height, width, channels = image_shape_of(case.network)
    images = torch.randint(0, 256, (IMAGES, channels, height, width), dtype=torch.uint8, device=device)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=LEARNING_RATE)

    def advance(steps: int = 100) -> int:
        for step in range(steps):
            batch = images[torch.randint(IMAGES, (64,), device=device)].float().div_(255.0)
            train_step(encoder, decoder, optimizer, batch, capacity_at(step))
        if device == "cuda":
            torch.cuda.synchronize()
        return steps

    return advance, torch.cuda.get_device_name() if device == "cuda" else "cpu"


def print_numbers() -> None:
    """Largest error of codes and reconstructions on this device, as a share of the largest on the CPU: of
    networks as they are called, and of the same where JAX chooses the precision of products."""
    import equinox as eqx
    import jax
    import numpy as np

    from ratewarp.bench.step import image_shape_of
    from ratewarp.bench.subject import network_of
    from ratewarp.likelihoods import BernoulliMean
    from ratewarp.networks import MLP, arrays_of
    from ratewarp.runs.trained import TrainedNetworks
    from ratewarp.training.coder import Coder

    def there_and_back(trained: TrainedNetworks, images: Any, *, plain: bool = False) -> Any:
        own = trained.coder.networks(trained.arrays) if plain else trained
        mean = own.encode(images)[0]
        return mean, trained.coder.likelihood.expected(own.decode(mean)) if plain else own.decode(mean)

    found = {}
    for name in ("64x64x3", "perceptron"):
        perceptron = name == "perceptron"
        named = "published" if perceptron else name
        network = MLP(widths=(64, 64), latents=6) if perceptron else network_of(named)
        shape = image_shape_of(named)
        arrays = arrays_of(network.build(shape, key=jax.random.key(SEED)))
        arrays = jax.tree.map(lambda leaf: leaf * 3, arrays)  # as large as trained ones
        trained = TrainedNetworks(Coder(network, BernoulliMean(), shape, "8-bit"), arrays)
        images = np.random.default_rng(SEED).random((256, *shape), np.float32)
        here = eqx.filter_jit(there_and_back)(trained, images)
        plain = eqx.filter_jit(there_and_back)(trained, images, plain=True)
        cpu = jax.devices("cpu")[0]
        with jax.default_device(cpu), jax.default_matmul_precision("float32"):
            moved = trained._replace(arrays=jax.device_put(arrays, cpu))
            there = eqx.filter_jit(there_and_back)(moved, jax.device_put(images, cpu))
        found[name] = {
            label: [
                float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(b).max())
                for a, b in zip(one, there, strict=True)
            ]
            for label, one in (("ratewarp", here), ("jax's default", plain))
        }
    print(json.dumps(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="cases whose words hold this")
    parser.add_argument("--case", type=json.loads)
    parser.add_argument("--numbers", action="store_true")
    given = parser.parse_args()
    if given.case:
        compiled(Case(*given.case))
    elif given.numbers:
        print_numbers()
    else:
        chosen = [case for case in CASES if given.only in " ".join(map(str, case))]
        compare(chosen, given.seconds, given.out)

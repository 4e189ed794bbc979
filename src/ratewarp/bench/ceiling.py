# pyright: reportMissingImports=false
"""How fast this machine multiplies float32 matrices, all cores at work: the most any training step made of
products can reach.

Each core multiplies for itself. A product x·A is followed by (x·A)·Aᵀ, which takes the result back to the
shape of x and is the next one's input: no product can be left out or moved out of the loop, and nothing but
products is timed. A has orthonormal rows or columns, so that numbers neither grow nor vanish.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

import numpy as np

from ratewarp._cores import cpu_cores
from ratewarp.bench.worker import Job, Turn

_BURST_SECONDS = 0.1  # at most
_FIRST_GUESS = 50e9  # operations a second


class Product(NamedTuple):
    """Sizes of x (rows × inner) and A (inner × columns)."""

    rows: int
    inner: int
    columns: int

    def __str__(self) -> str:
        return f"({self.rows}, {self.inner}) × ({self.inner}, {self.columns})"


SQUARES = (Product(256, 256, 256), Product(512, 512, 512), Product(1024, 1024, 1024))
# sizes met in the published model at batch 64
LAYERS = (Product(64, 256, 256), Product(576, 288, 64), Product(64, 1024, 256))

Burst = Callable[[int], float]  # does so many pairs of products on every core, returns seconds


def measure(burst: Burst, product: Product, count: int, seconds: float) -> float:
    """Best rate over bursts for about `seconds`, 10⁹ operations a second.

    Arguments:
        burst: does so many pairs of products on each core.
        product: the sizes.
        count: cores at work.
        seconds: time to spend.
    """
    operations = 4 * product.rows * product.inner * product.columns * count  # of one pair on every core
    burst(1)  # compiles
    length = min(_BURST_SECONDS, seconds / 4)
    pairs = max(1, round(length * _FIRST_GUESS / operations))
    end = time.perf_counter() + seconds
    best = 0.0
    while not best or time.perf_counter() < end:
        took = burst(pairs)
        best = max(best, pairs * operations / took)
        pairs = max(1, round(length * best / operations))
    return best / 1e9


def start_xla(job: Job) -> Turn:
    """XLA's products, one device per core."""
    import os

    flags = (
        os.environ.get("XLA_FLAGS", ""),
        f"--xla_force_host_platform_device_count={cpu_cores()}",
        "--xla_cpu_multi_thread_eigen=false",
    )
    os.environ["XLA_FLAGS"] = " ".join(flags)
    import jax
    from jax import lax

    @jax.jit
    def run(x: jax.Array, there: jax.Array, back: jax.Array, pairs: jax.Array) -> jax.Array:
        return lax.fori_loop(0, pairs, lambda _, x: (x @ there) @ back, x)

    pool = ThreadPoolExecutor(jax.local_device_count())

    def prepare(product: Product) -> Burst:
        matrices = _matrices(product)
        arguments = [
            [jax.device_put(matrix, device) for matrix in matrices] for device in jax.local_devices()
        ]

        def burst(pairs: int) -> float:
            begun = time.perf_counter()
            list(pool.map(lambda own: run(*own, np.int32(pairs)).block_until_ready(), arguments))
            return time.perf_counter() - begun

        return burst

    return _turn(prepare, jax.local_device_count())


def start_torch(job: Job) -> Turn:
    """PyTorch's products, one single-thread loop per core."""
    import torch

    pool = ThreadPoolExecutor(cpu_cores(), initializer=lambda: torch.set_num_threads(1))

    def prepare(product: Product) -> Burst:
        starting = Barrier(cpu_cores() + 1)
        matrices = _matrices(product)
        arguments = [[torch.tensor(matrix) for matrix in matrices] for _ in range(cpu_cores())]

        def work(own: list[torch.Tensor], pairs: int) -> None:
            x, there, back = own
            hidden = torch.empty(product.rows, product.columns)
            starting.wait()
            for _ in range(pairs):
                torch.mm(x, there, out=hidden)
                torch.mm(hidden, back, out=x)

        def burst(pairs: int) -> float:
            running = [pool.submit(work, own, pairs) for own in arguments]
            starting.wait()
            begun = time.perf_counter()
            for one in running:
                one.result()
            return time.perf_counter() - begun

        return burst

    return _turn(prepare, cpu_cores())


def _turn(prepare: Callable[[Product], Burst], count: int) -> Turn:
    bursts = {product: prepare(product) for product in (*SQUARES, *LAYERS)}

    def turn(seconds: float) -> dict[str, Any]:
        share = seconds / len(bursts)
        rates = {product: measure(burst, product, count, share) for product, burst in bursts.items()}
        return {
            "squares_gflops": {str(product): rates[product] for product in SQUARES},
            "layers_gflops": {str(product): rates[product] for product in LAYERS},
            "devices": count,
        }

    return turn


def _matrices(product: Product) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, A and Aᵀ, each laid out row by row."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((product.rows, product.inner), np.float32)
    long, short = max(product.inner, product.columns), min(product.inner, product.columns)
    normal = draw.standard_normal(long)
    reflection = np.eye(long) - 2 / (normal @ normal) * np.outer(normal, normal)  # orthogonal, and dense
    basis = reflection[:, :short].astype(np.float32)
    there = basis if product.inner == long else basis.T
    return x, np.ascontiguousarray(there), np.ascontiguousarray(there.T)

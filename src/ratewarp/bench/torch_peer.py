# pyright: reportMissingImports=false
"""The same network in PyTorch, trained by a plain eager loop."""

from __future__ import annotations

import json
import time
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ratewarp.bench.step import BATCH_SIZE, CAPACITY, LATENTS, LEARNING_RATE, PRESSURE, PUBLISHED
from ratewarp.bench.worker import IMAGES, LAYERS, Job, Turn

LEAK = 0.01

Layers = list[dict[str, Any]]  # of `subject.layers_of`


class Encoder(nn.Module):
    """Image to mean and log variance of the code."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for layer in layers:
            modules += [nn.Conv2d(layer["channels"], layer["filters"], **_window(layer)), nn.LeakyReLU(LEAK)]
        self.layers = nn.Sequential(*modules, nn.Flatten())
        self.mean = nn.Linear(prod(_bottom(layers)), LATENTS)
        self.log_variance = nn.Linear(prod(_bottom(layers)), LATENTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(images)
        return self.mean(features), self.log_variance(features)


class Decoder(nn.Module):
    """Code to image."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for layer in reversed(layers):
            convolution = nn.ConvTranspose2d(
                layer["filters"], layer["channels"], **_window(layer), output_padding=_output_padding(layer)
            )
            modules += [convolution, nn.LeakyReLU(LEAK)]
        modules[-1] = nn.Sigmoid()
        bottom = _bottom(layers)
        self.layers = nn.Sequential(nn.Linear(LATENTS, prod(bottom)), nn.Unflatten(1, bottom), *modules)

    def forward(self, codes: Tensor) -> Tensor:
        return self.layers(codes)


def _window(layer: dict[str, Any]) -> dict[str, int]:
    return {"kernel_size": layer["kernel"], "stride": layer["stride"], "padding": layer["padding"]}


def _bottom(layers: Layers) -> tuple[int, int, int]:
    """Channels, rows and columns behind the last convolution."""
    rows, columns = layers[-1]["output_size"]
    return layers[-1]["filters"], rows, columns


def _output_padding(layer: dict[str, Any]) -> tuple[int, int]:
    """Pixels that the large image has beyond what the transposed convolution reaches."""
    kernel, stride, padding = (layer[name] for name in ("kernel", "stride", "padding"))
    down, across = (
        size - ((small - 1) * stride - 2 * padding + kernel)
        for size, small in zip(layer["size"], layer["output_size"], strict=True)
    )
    return down, across


def published_loss(
    images: Tensor, reconstructions: Tensor, mean: Tensor, log_variance: Tensor, capacity: float
) -> Tensor:
    """Squared error per pixel + pressure · |rate − capacity|."""
    rate = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp(), dim=1).mean()
    return functional.mse_loss(reconstructions, images) + PRESSURE * torch.abs(rate - capacity)


def capacity_at(step: int) -> float:
    """Target rate of the published schedule, nats."""
    return CAPACITY * min(step / 2500, 1) * (0.25 if step < 1500 else 1.0)


def train_step(
    encoder: Encoder, decoder: Decoder, optimizer: torch.optim.Optimizer, batch: Tensor, capacity: float
) -> None:
    """One update on a batch of images as numbers."""
    mean, log_variance = encoder(batch)
    codes = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    loss = published_loss(batch, decoder(codes), mean, log_variance, capacity)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def start(job: Job) -> Turn:
    """Trains one model with as many threads as the job says; a turn is so many steps."""
    if job.threads:
        torch.set_num_threads(job.threads)
    images, layers = load_images(job), load_layers(job)
    encoder, decoder = Encoder(layers), Decoder(layers)
    largest = None if job.network == PUBLISHED else 255.0  # binary images are numbers already
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=LEARNING_RATE)
    done = 0

    def turn(steps: int) -> dict[str, Any]:
        nonlocal done
        begun = time.perf_counter()
        for step in range(done, done + steps):
            batch = images[torch.randint(len(images), (BATCH_SIZE,))].float()
            batch = batch if largest is None else batch.div_(largest)
            train_step(encoder, decoder, optimizer, batch, capacity_at(step))
        done += steps
        return {"steps": steps, "seconds": time.perf_counter() - begun, "threads": torch.get_num_threads()}

    return turn


def load_images(job: Job) -> Tensor:
    """All images, bytes, channels before rows and columns."""
    images = torch.from_numpy(np.load(Path(job.folder) / IMAGES))
    return images.flatten(0, 1).permute(0, 3, 1, 2).contiguous()


def load_layers(job: Job) -> Layers:
    """The encoder's convolutions, from image to bottom."""
    return json.loads((Path(job.folder) / LAYERS).read_text())

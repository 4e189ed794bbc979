# pyright: reportMissingImports=false
"""The published model in PyTorch, trained by a plain eager loop."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ratewarp.bench.step import BATCH_SIZE, CAPACITY, LATENTS, LEARNING_RATE, PRESSURE
from ratewarp.bench.worker import IMAGES, Job, Turn

LEAK = 0.01
FEATURES = (256, 2, 2)  # below the last convolution


class Encoder(nn.Module):
    """Image to mean and log variance of the code."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.LeakyReLU(LEAK),
            nn.Conv2d(64, 256, 3, stride=2, padding=1),
            nn.LeakyReLU(LEAK),
            nn.Flatten(),
        )
        self.mean = nn.Linear(1024, LATENTS)
        self.log_variance = nn.Linear(1024, LATENTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(images)
        return self.mean(features), self.log_variance(features)


class Decoder(nn.Module):
    """Code to image."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(LATENTS, 1024),
            nn.Unflatten(1, FEATURES),
            nn.ConvTranspose2d(256, 64, 3, stride=2, padding=1),
            nn.LeakyReLU(LEAK),
            nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
            nn.LeakyReLU(LEAK),
            nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )

    def forward(self, codes: Tensor) -> Tensor:
        return self.layers(codes)


def published_loss(
    images: Tensor, reconstructions: Tensor, mean: Tensor, log_variance: Tensor, capacity: float
) -> Tensor:
    """Squared error per pixel + pressure · |rate − capacity|."""
    rate = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp(), dim=1).mean()
    return functional.mse_loss(reconstructions, images) + PRESSURE * torch.abs(rate - capacity)


def capacity_at(step: int) -> float:
    """Target rate of the published schedule, nats."""
    return CAPACITY * min(step / 2500, 1) * (0.25 if step < 1500 else 1.0)


def start(job: Job) -> Turn:
    """Trains one model with as many threads as the job says; a turn is so many steps."""
    if job.threads:
        torch.set_num_threads(job.threads)
    images = load_images(job)
    encoder, decoder = Encoder(), Decoder()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=LEARNING_RATE)
    done = 0

    def turn(steps: int) -> dict[str, Any]:
        nonlocal done
        begun = time.perf_counter()
        for step in range(done, done + steps):
            batch = images[torch.randint(len(images), (BATCH_SIZE,))].float()
            mean, log_variance = encoder(batch)
            codes = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
            loss = published_loss(batch, decoder(codes), mean, log_variance, capacity_at(step))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        done += steps
        return {"steps": steps, "seconds": time.perf_counter() - begun, "threads": torch.get_num_threads()}

    return turn


def load_images(job: Job) -> Tensor:
    """All images, bytes, channels before rows and columns."""
    images = torch.from_numpy(np.load(Path(job.folder) / IMAGES))
    return images.flatten(0, 1).permute(0, 3, 1, 2).contiguous()

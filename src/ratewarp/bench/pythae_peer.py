# pyright: reportMissingImports=false
"""pythae's `BetaVAE` with the same networks, trained by pythae's own `BaseTrainer`."""

from __future__ import annotations

import time
from typing import Any

import torch
from pythae.data.datasets import BaseDataset, collate_dataset_output
from pythae.models import BetaVAE, BetaVAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler

from ratewarp.bench.step import BATCH_SIZE, LATENTS, LEARNING_RATE
from ratewarp.bench.torch_peer import Decoder, Encoder, Layers, load_images, load_layers
from ratewarp.bench.worker import Job, Turn


class PythaeEncoder(BaseEncoder):
    """The published encoder, in pythae's terms."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.network = Encoder(layers)

    def forward(self, x: Tensor) -> ModelOutput:
        mean, log_variance = self.network(x)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class PythaeDecoder(BaseDecoder):
    """The published decoder, in pythae's terms."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.network = Decoder(layers)

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.network(z))


def start(job: Job) -> Turn:
    """Trains one model; a turn is one epoch of so many batches, timed without what the trainer does between
    epochs.
    """
    images, layers = load_images(job), load_layers(job)
    dataset = BaseDataset(images, torch.zeros(len(images)))
    config = BetaVAEConfig(
        input_dim=tuple(images.shape[1:]), latent_dim=LATENTS, beta=1.0, reconstruction_loss="mse"
    )
    trainer = BaseTrainer(
        BetaVAE(config, PythaeEncoder(layers), PythaeDecoder(layers)),
        train_dataset=dataset,
        training_config=BaseTrainerConfig(
            output_dir=job.folder,
            learning_rate=LEARNING_RATE,
            optimizer_cls="Adam",
            per_device_train_batch_size=BATCH_SIZE,
            no_cuda=True,
        ),
    )
    trainer.prepare_training()
    trainer.callback_handler.on_train_begin(training_config=trainer.training_config, model_config=config)

    def turn(steps: int) -> dict[str, Any]:
        # The trainer's own loader in all but length: an epoch of `steps` batches instead of all images.
        sampler = RandomSampler(dataset, num_samples=steps * BATCH_SIZE)
        trainer.train_loader = DataLoader(
            dataset, BATCH_SIZE, sampler=sampler, collate_fn=collate_dataset_output
        )
        about = {"training_config": trainer.training_config, "train_loader": trainer.train_loader, "epoch": 1}
        trainer.callback_handler.on_epoch_begin(**about, eval_loader=None)
        begun = time.perf_counter()
        trainer.train_step(epoch=1)
        seconds = time.perf_counter() - begun
        trainer.callback_handler.on_epoch_end(training_config=trainer.training_config)
        return {"steps": steps, "seconds": seconds, "threads": torch.get_num_threads()}

    return turn

"""Codes of a small network trained on a task, and of one trained without it: writes digits.npz.

    python examples/digits.py ratewarp measure digits.npz

Handwritten digits of 8 × 8 pixels, which come with scikit-learn. `codes`: eight hidden units of a network
that tells even digits from odd ones. `reference`: eight hidden units of a network that reproduces the image.
Latents of a PyTorch model are saved in the same way: `np.savez("latents.npz", codes=z.detach().cpu().numpy(),
labels=y)`.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor


def hidden(network: MLPClassifier | MLPRegressor, images: np.ndarray, layers: int) -> np.ndarray:
    """Activity after some layers, before the last of them is rectified."""
    activity = images
    for layer in range(layers):
        activity = activity @ network.coefs_[layer] + network.intercepts_[layer]
        if layer < layers - 1:
            activity = np.maximum(activity, 0)
    return activity


def main() -> None:
    """Trains both networks and writes what they make of images they have not seen."""
    data = load_digits()
    images, digit = data.data / 16, data.target
    order = np.random.default_rng(0).permutation(len(images))
    seen, new = order[:900], order[900:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        asked = MLPClassifier(hidden_layer_sizes=(64, 8), max_iter=60, random_state=0).fit(
            images[seen], digit[seen] % 2
        )
        copies = MLPRegressor(hidden_layer_sizes=(64, 8, 64), max_iter=60, random_state=0).fit(
            images[seen], images[seen]
        )
    parity = np.array(["even", "odd"])[digit[new] % 2]
    np.savez(
        Path("digits.npz"),
        codes=hidden(asked, images[new], 2),
        reference=hidden(copies, images[new], 2),
        labels=parity,
        digit=digit[new],
    )
    print("wrote digits.npz")


if __name__ == "__main__":
    main()

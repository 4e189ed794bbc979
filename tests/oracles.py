"""Slow, plain computations that the package's numbers are held against, and the tolerances they are held to."""

from __future__ import annotations

import numpy as np

ALGEBRA = 1e-5  # float32 sums and products
PUBLISHED = 1e-3  # numbers read from the publication's own codes
STANDARD_ERRORS = 5.0  # statistical claims with a fixed seed


def convolution(images: np.ndarray, weight: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Direct sums: images (batch, height, width, channels), weight (taps, taps, channels, filters)."""
    batch, height, width, _ = images.shape
    k, l, _, filters = weight.shape
    rows, columns = (height + 2 * padding - k) // stride + 1, (width + 2 * padding - l) // stride + 1
    out = np.zeros((batch, rows, columns, filters))
    for r in range(rows):
        for c in range(columns):
            for a in range(k):
                for b in range(l):
                    i, j = stride * r - padding + a, stride * c - padding + b
                    if 0 <= i < height and 0 <= j < width:
                        out[:, r, c] += images[:, i, j] @ weight[a, b]
    return out


def transposed_convolution(images: np.ndarray, weight: np.ndarray, stride: int, padding: int, output_padding: int) -> np.ndarray:
    """Direct sums: every input pixel spreads its weighted taps over the output."""
    batch, height, width, _ = images.shape
    k, l, _, filters = weight.shape
    rows = (height - 1) * stride - 2 * padding + k + output_padding
    columns = (width - 1) * stride - 2 * padding + l + output_padding
    out = np.zeros((batch, rows, columns, filters))
    for i in range(height):
        for j in range(width):
            for a in range(k):
                for b in range(l):
                    r, c = stride * i - padding + a, stride * j - padding + b
                    if 0 <= r < rows and 0 <= c < columns:
                        out[:, r, c] += images[:, i, j] @ weight[a, b]
    return out


def class_distortion(codes: np.ndarray, reference: np.ndarray, classes: np.ndarray, *, logarithmic: bool = False) -> np.ndarray:
    """Double loop over items."""
    sums: dict[tuple[int, int], list[float]] = {}
    for i in range(len(codes)):
        for j in range(len(codes)):
            above = float(np.sqrt(np.sum((codes[i] - codes[j]) ** 2)))
            below = float(np.sqrt(np.sum((reference[i] - reference[j]) ** 2)))
            if logarithmic and above == below == 0:
                continue
            ratio = 1.0 if above == below == 0 else above / below
            sums.setdefault((int(classes[i]), int(classes[j])), []).append(np.log(ratio) if logarithmic else ratio)
    labels = sorted({a for a, _ in sums})
    everything = np.mean([v for values in sums.values() for v in values])
    return np.array([[np.mean(sums[a, b]) - everything for b in labels] for a in labels])

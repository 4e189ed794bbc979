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


def transposed_convolution(
    images: np.ndarray, weight: np.ndarray, stride: int, padding: int, output_padding: int
) -> np.ndarray:
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


def class_distortion(
    codes: np.ndarray, reference: np.ndarray, classes: np.ndarray, *, logarithmic: bool = False
) -> np.ndarray:
    """Double loop over items."""
    sums: dict[tuple[int, int], list[float]] = {}
    for i in range(len(codes)):
        for j in range(len(codes)):
            above = float(np.sqrt(np.sum((codes[i] - codes[j]) ** 2)))
            below = float(np.sqrt(np.sum((reference[i] - reference[j]) ** 2)))
            if logarithmic and above == below == 0:
                continue
            ratio = 1.0 if above == below == 0 else above / below
            sums.setdefault((int(classes[i]), int(classes[j])), []).append(
                np.log(ratio) if logarithmic else ratio
            )
    labels = sorted({a for a, _ in sums})
    everything = np.mean([v for values in sums.values() for v in values])
    return np.array([[np.mean(sums[a, b]) - everything for b in labels] for a in labels])


def corridor_means(rows: tuple[int, int, int] = (6, 1, 6)) -> np.ndarray:
    """Noise-free Corridors images, pixel by pixel: stimuli (x_UC, x_LC) in row-major order, pixels flattened."""
    images = []
    for upper in range(13):
        for lower in range(13):
            places = [upper] * rows[0] + [None] * rows[1] + [lower] * rows[2]
            images.append(
                [
                    0.0 if x is None else 1 - np.exp(-((c - x) ** 2) / (2 * 1.2**2))
                    for x in places
                    for c in range(13)
                ]
            )
    return np.array(images)


def blahut_arimoto(p: np.ndarray, d: np.ndarray, beta: float, steps: int = 20000) -> tuple[float, float]:
    """Rate (nats) and distortion at slope β after so many alternating steps."""
    q = np.full(d.shape[1], 1 / d.shape[1])
    for _ in range(steps):
        r = q * np.exp(-beta * d)
        r /= r.sum(axis=1, keepdims=True)
        q = p @ r
    terms = np.where(r > 0, r * (np.log(np.where(r > 0, r, 1)) - np.log(np.where(q > 0, q, 1))), 0)
    return max(0.0, float(p @ terms.sum(axis=1))), float(p @ (r * d).sum(axis=1))


def least_lagrangian(p: np.ndarray, d: np.ndarray, beta: float) -> float:
    """min I + βD over channels, nats: sequential quadratic programming over the output probabilities, from
    several starts.
    """
    from scipy.optimize import minimize

    kernel = np.exp(-beta * d)
    starts = [
        np.full(d.shape[1], 1 / d.shape[1]),
        *np.random.default_rng(0).dirichlet(np.ones(d.shape[1]), size=3),
    ]
    found = [
        minimize(
            lambda q: -p @ np.log(kernel @ np.maximum(q, 0) / np.maximum(q, 0).sum()),
            start,
            jac=lambda q: 1 - kernel.T @ (p / (kernel @ np.maximum(q, 1e-15))),
            bounds=[(0, 1)] * len(start),
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1, "jac": np.ones_like},
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 1000},
        ).fun
        for start in starts
    ]
    return float(min(found))

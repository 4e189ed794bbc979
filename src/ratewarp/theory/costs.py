"""What an imperfect reproduction costs: squared error, log loss, and weighted sums of them.

A cost is a few small functions of points, where a point is whatever stands for a stimulus (an image, a
distribution over labels), laid out as a row of numbers. Costs compose: `Weighted` is a cost made of costs.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from ratewarp._checks import refuse
from ratewarp.theory.number_checks import check_array, check_classes, check_number, check_whole

_EXTREME = 1e150  # sizes whose squares are still numbers
# distance of the means from 0, in units of their range, from which they are counted from their middle
_FAR = 10.0


@runtime_checkable
class Cost(Protocol):
    """Cost d(s, y) of reproducing stimulus s by point y, where the best point for many stimuli has a closed
    form.
    """

    @property
    def stimuli(self) -> int:
        """Number of stimuli."""
        ...

    def distances(
        self, points: Float[np.ndarray, "points coordinates"]
    ) -> Float[np.ndarray, "stimuli points"]:
        """d(s, y) of every stimulus and point, at least 0; ∞ where a point must never stand for it."""
        ...

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points coordinates"]:
        """A point that minimises Σ_s w_s d(s, y), for every row w of weights (non-negative, summing to 1).

        Where a stimulus of weight 1 has several best points, one of them may be the best of another stimulus,
        too: the rate at the smallest distortion then rests on this choice, and its certificate says searched.
        """
        ...

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> Cost:
        """The same cost of these stimuli only. Its points may be laid out otherwise, in as few coordinates as
        will do.
        """
        ...


@runtime_checkable
class Bounded(Protocol):
    """A cost whose c(y) = Σ_s w_s exp(−β d(s, y)) has a known bound, so that certificates are proved where it
    is tight.
    """

    def ceiling(self, beta: float, logw: Float[np.ndarray, " stimuli"]) -> float:
        """At least max_y log c(y), given log w, of stimuli of which no two cost the same everywhere.

        At β = ∞ a stimulus counts with w_s where y is a best point of it, and with 0 elsewhere.
        """
        ...


@runtime_checkable
class Softening(Protocol):
    """A cost that keeps stimuli apart at large β only: below, the highest c may lie between stimuli that it
    tells apart.
    """

    def firm(self, beta: float) -> Cost | None:
        """What of the cost still keeps stimuli apart at β: the cost itself, a part of it, or nothing."""
        ...


class SquaredError:
    """Squared error per pixel: d(s, y) = ‖m_s − y‖² / P.

    Arguments:
        means: m_s, what would be a perfect reproduction of every stimulus, such as its noise-free image; one
            entry a stimulus, of any shape with P pixels. A point is a flattened image.
        pixels: P where it is not the number of coordinates of a mean, as after a change of coordinates.

    Raises:
        RequestError: means that are not finite numbers of size at most 1e+150.

    Examples:
        >>> SquaredError([[0.0, 0.0], [1.0, 1.0]]).distances(np.array([[0.5, 0.5]]))
        array([[0.25],
               [0.25]])
    """

    def __init__(self, means: object, pixels: int | None = None):
        array = check_array(means, "means", "an array of finite numbers, one entry per stimulus")
        if array.ndim < 1:
            refuse("means", "an array of finite numbers, one entry per stimulus", means)
        self.means: Float[np.ndarray, "stimuli pixels"] = array.reshape(len(array), -1)
        self.pixels = self.means.shape[1] if pixels is None else check_whole(pixels, "pixels", 1)
        if np.abs(self.means).max(initial=0) > _EXTREME:
            refuse("means", f"of size at most {_EXTREME:g}", float(np.abs(self.means).max()))
        middle = self.means.mean(axis=0)
        far = np.abs(middle).max() > _FAR * np.ptp(self.means, axis=0).max()
        self._origin = middle if far else None  # squares of numbers far from 0 would cancel
        self._from_origin = self.means - middle if far else self.means
        self._squares = np.sum(self._from_origin**2, axis=1) / self.pixels

    @property
    def stimuli(self) -> int:
        return len(self.means)

    def distances(self, points: Float[np.ndarray, "points pixels"]) -> Float[np.ndarray, "stimuli points"]:
        points = points if self._origin is None else points - self._origin
        # in place from here on: most of a curve's time goes into this
        found = points @ (-2 / self.pixels * self._from_origin).T
        found += self._squares
        found += np.sum(points**2, axis=1)[:, None] / self.pixels
        return np.maximum(found, 0, out=found).T

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points pixels"]:
        return weights @ self.means

    def ceiling(self, beta: float, logw: Float[np.ndarray, " stimuli"]) -> float:
        """log max w at β = ∞, where means are the only best points; log Σ w below, which no distance can
        exceed.
        """
        return float(logw.max() if np.isinf(beta) else np.asarray(logsumexp(logw)))

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> SquaredError:
        """In the coordinates of the means' principal axes: the best points lie in their span, and turning
        keeps distances.
        """
        centred = self.means[kept] - self.means[kept].mean(axis=0)
        left, singular, _ = np.linalg.svd(centred, full_matrices=False)
        needed = max(1, int(np.sum(singular > 1e-12 * max(singular[0], 1e-300))))
        return SquaredError((left * singular)[:, :needed], self.pixels)


class LogLoss:
    """Log loss of telling a label, nats: d(s, y) = −log y[label_s].

    Arguments:
        labels: class of every stimulus, 0, 1, …. A point is a distribution over the classes.
        classes: number of classes; by default the largest label plus 1.

    Raises:
        RequestError: labels that are not whole numbers from 0, or fewer classes than labels name.

    Examples:
        >>> LogLoss([0, 1, 1]).distances(np.array([[0.5, 0.5]])).ravel().round(3)
        array([0.693, 0.693, 0.693])
    """

    def __init__(self, labels: object, classes: int | None = None):
        self.labels: Int[np.ndarray, " stimuli"] = check_classes(labels)
        self.classes = int(self.labels.max()) + 1 if classes is None else check_whole(classes, "classes", 1)
        if self.classes <= self.labels.max():
            refuse("classes", f"at least {self.labels.max() + 1}, one more than the largest label", classes)

    @property
    def stimuli(self) -> int:
        return len(self.labels)

    def distances(self, points: Float[np.ndarray, "points classes"]) -> Float[np.ndarray, "stimuli points"]:
        with np.errstate(divide="ignore"):
            return np.maximum(-np.log(points), 0)[:, self.labels].T

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points classes"]:
        return weights @ np.eye(self.classes)[self.labels]

    def ceiling(self, beta: float, logw: Float[np.ndarray, " stimuli"]) -> float:
        """log max of Σ_l a_l y_l^β over distributions y, a_l the sum of the w of label l: one label for β ≥
        1, Hölder's bound below.
        """
        highest = logw.max()
        sums = np.bincount(self.labels, np.exp(logw - highest), self.classes)
        with np.errstate(divide="ignore"):
            logs = np.log(sums) + highest
        return float(logs.max() if beta >= 1 else (1 - beta) * np.asarray(logsumexp(logs / (1 - beta))))

    def firm(self, beta: float) -> LogLoss | None:
        """Σ_l a_l y_l^β is convex from β = 1 on, so that one label is the best; below it is concave, and all
        labels take part.
        """
        return self if beta >= 1 else None

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> LogLoss:
        """Classes that none of the stimuli has are left out."""
        present, labels = np.unique(self.labels[kept], return_inverse=True)
        return LogLoss(labels, len(present))


class Weighted:
    """Weighted sum of costs of the same stimuli: d(s, y) = Σ_t w_t d_t(s, y_t), y = (y_1, y_2, …).

    Squared error with weight 1 and log losses with the weights of tasks give a task-weighted distortion;
    squared error with weight 0 is the end where only the tasks count.

    Arguments:
        terms: pairs of weight (0 or more, at least one positive) and cost. A point is the terms' points side
            by side.

    Raises:
        RequestError: no terms, weights that are negative or all 0, or costs of different numbers of stimuli.

    Examples:
        >>> both = Weighted((1.0, SquaredError([[0.0], [1.0]])), (0.5, LogLoss([0, 1])))
        >>> both.distances(both.points(np.array([[0.5, 0.5]]))).round(3)
        array([[0.597],
               [0.597]])
    """

    def __init__(self, *terms: tuple[float, Cost]):
        requirement = "pairs of a weight of at least 0 (one of them positive) and a cost"
        if not terms or any(
            not isinstance(term, tuple) or len(term) != 2 or not isinstance(term[1], Cost) for term in terms
        ):
            refuse("terms", requirement, terms)
        self.weights = [check_number(weight, "weight", least=0) for weight, _ in terms]
        self.costs = [cost for _, cost in terms]
        if not any(self.weights):
            refuse("terms", requirement, self.weights)
        if len({cost.stimuli for cost in self.costs}) > 1:
            refuse("terms", "costs of the same stimuli", f"{[cost.stimuli for cost in self.costs]} stimuli")
        one = np.eye(1, self.stimuli)
        self._splits = np.cumsum([cost.points(one).shape[1] for cost in self.costs])[:-1]

    @property
    def stimuli(self) -> int:
        return self.costs[0].stimuli

    def distances(
        self, points: Float[np.ndarray, "points coordinates"]
    ) -> Float[np.ndarray, "stimuli points"]:
        parts = zip(self.weights, self.costs, np.split(points, self._splits, axis=1), strict=True)
        total = np.zeros((self.stimuli, len(points)))
        for weight, cost, part in parts:
            if weight > 0:  # 0 · ∞ is 0 here
                total += weight * cost.distances(part)
        return total

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points coordinates"]:
        return np.hstack([cost.points(weights) for cost in self.costs])

    def ceiling(self, beta: float, logw: Float[np.ndarray, " stimuli"]) -> float:
        """The least ceiling of a term, since the others only lower c; log max w at β = ∞ where all best
        points are unique.
        """
        counted = [
            (weight, cost) for weight, cost in zip(self.weights, self.costs, strict=True) if weight > 0
        ]
        if np.isinf(beta) and all(isinstance(cost, SquaredError | LogLoss) for _, cost in counted):
            return float(logw.max())
        return min(
            (cost.ceiling(beta * weight, logw) for weight, cost in counted if isinstance(cost, Bounded)),
            default=np.inf,
        )

    def firm(self, beta: float) -> Cost | None:
        """Without the tasks of weight below 1/β, of which a label may be left open."""
        counted = [
            (weight, cost) for weight, cost in zip(self.weights, self.costs, strict=True) if weight > 0
        ]
        parts = [
            cost.firm(beta * weight) if isinstance(cost, Softening) else cost for weight, cost in counted
        ]
        if all(part is cost for part, (_, cost) in zip(parts, counted, strict=True)):
            return self
        kept = [(weight, part) for part, (weight, _) in zip(parts, counted, strict=True) if part is not None]
        return Weighted(*kept) if kept else None

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> Weighted:
        """Terms of weight 0 are left out."""
        terms = zip(self.weights, self.costs, strict=True)
        return Weighted(*[(weight, cost.restricted(kept)) for weight, cost in terms if weight > 0])

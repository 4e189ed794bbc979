"""Reproduction points found along with the channel."""

import numpy as np
import pytest
from scipy.stats import binom

from ratewarp import RequestError
from ratewarp.theory import LogLoss, SquaredError, Weighted, rate_distortion


def clusters(seed: int = 0, stimuli: int = 12, pixels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(stimuli)), rng.normal(size=(stimuli, pixels)) + 3 * rng.integers(
        0, 2, (stimuli, 1)
    )


def assert_achieves(curve, p, rates):
    """Every channel has the rate and the distortion that the curve claims."""
    for rate in rates:
        channel = curve.channel(rate)
        r, q = channel.probabilities, p @ channel.probabilities
        terms = np.where(r > 0, r * np.log(np.where(r > 0, r, 1) / np.where(q > 0, q, 1)), 0)
        assert p @ terms.sum(axis=1) == pytest.approx(rate, abs=1e-8)
        assert p @ (r * np.where(r > 0, channel.distortions, 0)).sum(axis=1) == pytest.approx(
            curve.distortion(rate), abs=1e-8
        )


def test_free_points_beat_every_grid_and_a_fine_grid_nearly_beats_them():
    p, means = np.array([0.2, 0.1, 0.3, 0.4]), np.array([0.0, 0.3, 0.55, 1.0])
    grid = np.linspace(0, 1, 401)
    rates = [0.1, 0.4, 0.8, 1.1]
    free, fixed = (
        rate_distortion(p, SquaredError(means), rates=rates),
        rate_distortion(p, (means[:, None] - grid) ** 2, rates=rates),
    )
    assert np.all(free.distortion_below(rates) <= fixed.distortion(rates) + 1e-12)
    assert np.all(fixed.distortion(rates) - free.distortion(rates) < 1e-5)
    assert np.all(free.distortion(rates) - fixed.distortion_below(rates) < 5e-5)


@pytest.mark.parametrize("means", [[0.0, 0.001, 1.0], np.linspace(0, 1, 60)])
def test_stimuli_closer_than_points_are_told_apart(means):
    p = np.full(len(means), 1 / len(means))
    curve = rate_distortion(p, SquaredError(np.reshape(means, (-1, 1))), points=6)
    assert curve.maximum_rate == pytest.approx(np.log(len(means)))
    assert curve.distortion(curve.maximum_rate) == 0
    assert curve.table["gap_nats"].max() <= 1e-4


def test_means_far_from_zero_lose_nothing():
    p, means = clusters()
    near, far = (rate_distortion(p, SquaredError(means + offset), points=5) for offset in (0, 1e7))
    assert far.distortion(1.0) == pytest.approx(near.distortion(1.0), rel=1e-6)
    channel = far.channel(1.0)
    assert p @ np.sum(channel.probabilities * channel.distortions, axis=1) == pytest.approx(
        far.distortion(1.0), rel=1e-6
    )
    with pytest.raises(RequestError, match="means must be of size at most"):
        SquaredError([[1e200]])


def test_squared_error_ends_and_channels():
    p, means = clusters()
    curve = rate_distortion(p, SquaredError(means), points=10)
    assert curve.maximum_rate == pytest.approx(-p @ np.log(p))
    assert curve.distortion(0) == pytest.approx(p @ np.mean((means - p @ means) ** 2, axis=1))
    assert curve.distortion(curve.maximum_rate) == pytest.approx(0, abs=1e-12)
    assert curve.table.gap_nats.max() <= 1e-4
    assert_achieves(curve, p, curve.asked)
    channel = curve.channel(0.7)
    centroids = (p[:, None] * channel.probabilities / channel.weights).T @ means
    assert channel.points == pytest.approx(centroids, abs=0.05)


def test_squared_error_does_not_mind_shift_rotation_order_or_shape():
    p, means = clusters(1, stimuli=8, pixels=4)
    rng = np.random.default_rng(0)
    order, turned = rng.permutation(8), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    plain = rate_distortion(p, SquaredError(means), rates=[0.5, 1.0]).distortion([0.5, 1.0])
    moved = rate_distortion(
        p[order], SquaredError((means @ turned + 7)[order].reshape(8, 2, 2)), rates=[0.5, 1.0]
    ).distortion([0.5, 1.0])
    assert moved == pytest.approx(plain, abs=2e-4)


def test_one_label_is_a_straight_line():
    """R = H(Y) − D: an erasure channel does it, and log loss at rate R is at least H(Y) − R."""
    p, labels = np.full(10, 0.1), np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    share = np.bincount(labels) / 10
    entropy = -share @ np.log(share)
    curve = rate_distortion(p, LogLoss(labels), points=8)
    assert curve.maximum_rate == pytest.approx(entropy)
    assert curve.table.distortion.to_numpy() == pytest.approx(
        entropy - curve.table.rate_nats.to_numpy(), abs=1e-6
    )
    assert set(curve.table.certificate) == {"proved"}
    assert curve.slope([0.1, 0.5]) == pytest.approx([-1, -1], abs=1e-6)
    assert_achieves(curve, p, curve.asked)


@pytest.mark.parametrize("beta", [0.2, 0.9, 1.0, 3.0])
def test_ceiling_of_log_loss_is_the_highest_point(beta):
    rng = np.random.default_rng(0)
    cost, logw = LogLoss([0, 1, 1, 2]), rng.normal(size=4)
    y = np.concatenate([rng.dirichlet(np.ones(3), size=20000), np.eye(3)])
    heights = np.log(np.exp(logw - beta * cost.distances(y).T).sum(axis=1))
    assert heights.max() <= cost.ceiling(beta, logw) + 1e-12
    assert heights.max() == pytest.approx(cost.ceiling(beta, logw), abs=1e-3)


def test_two_labels_with_weights():
    """Each nat goes first where it is worth most: the label of weight 2, then that of weight 1."""
    labels = np.indices((2, 3)).reshape(2, -1)
    cost = Weighted((2.0, LogLoss(labels[0])), (1.0, LogLoss(labels[1])))
    curve = rate_distortion(np.full(6, 1 / 6), cost, rates=[0.0, 0.3, np.log(2), 1.0, np.log(6)])
    expected = [2 * np.log(2) + np.log(3), 2 * (np.log(2) - 0.3) + np.log(3), np.log(3), np.log(6) - 1.0, 0]
    assert curve.table.distortion.to_numpy() == pytest.approx(expected, abs=3e-4)
    assert curve.table.gap_nats.max() <= 1e-4


def test_weight_zero_is_absence():
    p, means = clusters(2, stimuli=6)
    labels = [0, 1, 0, 1, 1, 0]
    both = rate_distortion(p, Weighted((0.0, SquaredError(means)), (1.0, LogLoss(labels))), rates=[0.2, 0.4])
    assert both.distortion([0.2, 0.4]) == pytest.approx(
        rate_distortion(p, LogLoss(labels), rates=[0.2, 0.4]).distortion([0.2, 0.4])
    )
    assert both.channel(0.3).points.shape[1] == means.shape[1] + 2
    assert_achieves(both, p, [0.2, 0.4])


def test_a_task_that_costs_more_is_served_at_the_expense_of_the_image():
    p, means = clusters(3, stimuli=9)
    labels = np.arange(9) % 2

    def image_error(weight: float) -> float:
        curve = rate_distortion(
            p, Weighted((1.0, SquaredError(means)), (weight, LogLoss(labels, 3))), rates=[1.0]
        )
        assert curve.table.gap_nats.max() <= 1e-4
        channel = curve.channel(1.0)
        return float(
            p @ (channel.probabilities * SquaredError(means).distances(channel.points[:, :5])).sum(axis=1)
        )

    assert image_error(0.0) < image_error(2.0) < image_error(20.0)


def test_the_unit_of_pixels_does_not_matter():
    p, means = clusters(5, stimuli=7)
    labels = np.arange(7) % 2
    found = [
        rate_distortion(
            p, Weighted((1 / scale**2, SquaredError(scale * means)), (1.0, LogLoss(labels))), rates=[0.4, 1.2]
        )
        for scale in (1.0, 255.0)
    ]
    assert found[1].table.gap_nats.max() <= 1e-4
    assert found[1].distortion([0.4, 1.2]) == pytest.approx(found[0].distortion([0.4, 1.2]), abs=5e-4)


def test_stimuli_that_cost_the_same_are_one_and_absent_ones_still_have_a_row():
    p, means = clusters(4, stimuli=5, pixels=3)
    split, absent = np.append(p, [p[0] / 2, 0.0]), np.vstack([means, means[:1], 9 + means[:1]])
    split[0] /= 2
    plain, curve = (
        rate_distortion(*one, rates=[0.6])
        for one in [(p, SquaredError(means)), (split, SquaredError(absent))]
    )
    assert curve.maximum_rate == pytest.approx(plain.maximum_rate)
    assert curve.distortion(0.6) == pytest.approx(plain.distortion(0.6), abs=1e-4)
    assert curve.channel(0.6).probabilities.sum(axis=1) == pytest.approx(np.ones(7))
    assert_achieves(curve, split, [0.3, 0.6, curve.maximum_rate])


def test_one_stimulus():
    curve = rate_distortion([1.0], SquaredError([[0.5, 0.5]]), points=2)
    assert curve.table.distortion.tolist() == [0, 0]


def test_a_cost_of_ones_own():
    class Absolute:  # squared error in disguise, without any shortcut
        stimuli = 4
        means = np.array([[0.0], [0.4], [0.7], [1.0]])

        def distances(self, points):
            return (self.means - points.T) ** 2

        def points(self, weights):
            return weights @ self.means

        def restricted(self, kept):
            return self

    p = np.full(4, 0.25)
    own, ours = (
        rate_distortion(p, Absolute(), rates=[0.5]),
        rate_distortion(p, SquaredError(Absolute.means), rates=[0.5]),
    )
    assert own.distortion(0.5) == pytest.approx(ours.distortion(0.5), abs=2e-5)
    assert set(own.table.certificate) == {"searched"}


class DeadZone:
    """Errors up to 0.3 cost nothing, so that a stimulus has many best points, of which `points` knows one."""

    stimuli = 4
    means = np.array([[0.0], [0.4], [0.7], [1.0]])

    def distances(self, points):
        return np.maximum(np.abs(self.means - points.T) - 0.3, 0) ** 2

    def points(self, weights):
        return weights @ self.means

    def restricted(self, kept):
        return self


def test_the_smallest_distortion_is_proved_where_best_points_are_unique():
    p, labels = np.full(4, 0.25), [0, 1, 1, 0]
    squares = SquaredError(DeadZone.means)
    for cost in (squares, Weighted((1.0, squares), (0.5, LogLoss(labels))), LogLoss(labels)):
        assert rate_distortion(p, cost, points=2).table.certificate.tolist() == ["proved", "proved"]
    assert rate_distortion(p, DeadZone(), points=2).table.certificate.tolist() == ["proved", "searched"]


def test_a_cost_without_unique_best_points_warns_of_nothing():
    curve = rate_distortion(np.full(4, 0.25), DeadZone(), points=5)
    assert np.all(np.isfinite(curve.table[["distortion", "slope", "gap_nats"]]))


@pytest.mark.parametrize("beta", [0.3, 2.0, np.inf])
def test_ceiling_of_a_sum_is_above_every_point(beta):
    rng = np.random.default_rng(1)
    cost, logw = (
        Weighted((1.0, SquaredError(DeadZone.means)), (0.5, LogLoss([0, 1, 1, 0]))),
        rng.normal(size=4),
    )
    points = cost.points(np.concatenate([rng.dirichlet(np.ones(4), size=3000), np.eye(4)]))
    d = cost.distances(points)
    kernel = np.exp(-beta * d) if np.isfinite(beta) else (d <= 1e-12).astype(float)
    assert np.log((kernel.T @ np.exp(logw)).max()) <= cost.ceiling(beta, logw) + 1e-12


def test_tasks_of_small_weight_are_soft():
    squares, labels = SquaredError(DeadZone.means), LogLoss([0, 1, 1, 0])
    both = Weighted((1.0, squares), (0.5, labels))
    assert both.firm(2.0) is both
    assert [type(part) for part in both.firm(1.9).costs] == [SquaredError]
    assert Weighted((0.5, labels)).firm(1.9) is None
    nested = Weighted((1.0, squares), (2.0, Weighted((0.25, labels), (0.0, squares))))
    assert nested.firm(2.0) is nested
    assert len(nested.firm(1.9).costs) == 1


@pytest.mark.parametrize("stimuli", [31, 61])
def test_long_tails(stimuli):
    """Binomial(n, 0.3): stimuli that hardly ever come need no point of their own, and the certificate holds
    all the same.
    """
    x = np.arange(stimuli)
    p = binom(stimuli - 1, 0.3).pmf(x)
    curve = rate_distortion(p, SquaredError(x[:, None]), rates=[0.5, 1.2])
    assert curve.table.gap_nats.max() <= 1e-4
    fixed = rate_distortion(
        p, (x[:, None] - np.linspace(0, stimuli - 1, 4 * stimuli - 3)) ** 2, rates=[0.5, 1.2]
    )
    assert np.all(curve.distortion_below([0.5, 1.2]) <= fixed.distortion([0.5, 1.2]) + 1e-9)
    assert np.all(fixed.distortion_below([0.5, 1.2]) <= 1.001 * curve.distortion([0.5, 1.2]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SquaredError([[0.0], [np.nan]]), "means must be .* got 'nan at"),
        (lambda: LogLoss([0, -1]), "labels must be"),
        (lambda: LogLoss([0.5, 1]), "labels must be"),
        (lambda: LogLoss([0, 3], classes=2), "classes must be at least 4.* got 2"),
        (lambda: Weighted(), "terms must be"),
        (lambda: Weighted((-1.0, LogLoss([0]))), "weight must be"),
        (lambda: Weighted((0.0, LogLoss([0]))), "terms must be"),
        (
            lambda: Weighted((1.0, LogLoss([0])), (1.0, LogLoss([0, 1]))),
            "terms must be costs of the same stimuli",
        ),
        (lambda: rate_distortion([0.5, 0.5], LogLoss([0])), "cost must be a cost of the 2 stimuli"),
    ],
)
def test_refusals(build, message):
    with pytest.raises(RequestError, match=message):
        build()

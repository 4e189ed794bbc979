"""Where a model stands against the bound: the curves of a study, held against codes that achieve them and
codes that do not.
"""

import numpy as np
import pandas as pd
import pytest

from oracles import STANDARD_ERRORS, corridor_means
from ratewarp import Study
from ratewarp.results import bounds
from ratewarp.results.bounds import BOUND, bound_rows, distance, semantic_curve, task_cost, task_curve
from ratewarp.studies import Setting
from ratewarp.theory import Channel, LogLoss, SquaredError, Weighted

POINTS, COARSE = 6, 0.03


@pytest.fixture(scope="module", autouse=True)
def coarse():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "TOLERANCE", COARSE)
        bounds._solved.cache_clear()
        yield
    bounds._solved.cache_clear()


@pytest.fixture(scope="module")
def uniform():
    return semantic_curve(Setting(), POINTS)


def rate_and_distortion(p: np.ndarray, channel: Channel, means: np.ndarray) -> tuple[float, float]:
    """Mutual information and squared error per pixel of a channel, point by point."""
    rate = distortion = 0.0
    for k, point in enumerate(channel.points):
        column = channel.probabilities[:, k]
        used = column > 0
        rate += float(p[used] * column[used] @ np.log(column[used] / (p @ column)))
        distortion += float(p * column @ np.mean((means - point) ** 2, axis=1))
    return rate, distortion


@pytest.mark.parametrize("rule", ["uniform", "E1M1"])
@pytest.mark.parametrize("at", [1, 3])
def test_an_optimal_code_is_on_the_bound_and_a_worse_one_is_not(rule, at):
    setting = Setting(frequency=rule)
    curve, p, means = semantic_curve(setting, POINTS), setting.probabilities(), corridor_means()
    channel = curve.channel(curve.asked[at])
    rate, error = rate_and_distortion(p, channel, means)
    own = distance(curve, (rate, 0.0), (error, 0.0))
    assert -1e-9 <= own.excess_nats <= COARSE
    assert -1e-9 <= own.excess_distortion <= COARSE * -own.bound_slope * 1.1
    assert 0 < own.efficiency <= 1
    assert own.excess_nats == pytest.approx(rate * (1 - own.efficiency))
    blurred = 0.8 * channel.probabilities + 0.2 * channel.weights
    worse = distance(curve, (rate, 0.0), (rate_and_distortion(p, _with(channel, blurred), means)[1], 0.0))
    assert worse.excess_nats > rate / 3
    assert worse.efficiency < own.efficiency
    dearer = distance(curve, (rate + 0.5, 0.0), (error, 0.0))
    assert dearer.excess_nats == pytest.approx(own.excess_nats + 0.5)
    assert dearer.bound_rate_nats == own.bound_rate_nats


def _with(channel: Channel, probabilities: np.ndarray) -> Channel:
    return Channel(probabilities, channel.points, channel.weights, channel.distortions)


def test_ends(uniform):
    means = corridor_means()
    silent = np.mean((means - means.mean(axis=0)) ** 2)
    assert uniform.distortion(0) == pytest.approx(silent)
    assert uniform.maximum_rate == pytest.approx(np.log(169))
    assert uniform.distortion(np.log(169)) == pytest.approx(0, abs=1e-12)
    nothing = distance(uniform, (0.0, 0.0), (float(silent), 0.0))
    assert nothing.bound_rate_nats == nothing.excess_nats == pytest.approx(0, abs=1e-9)
    assert np.isnan(nothing.efficiency)
    everything = distance(uniform, (np.log(169), 0.0), (1e-12, 0.0))
    # next to the end the coarse tangents are a little low
    assert np.log(169) - 0.6 < everything.bound_rate_nats <= np.log(169)
    assert everything.efficiency == pytest.approx(everything.bound_rate_nats / np.log(169))
    assert distance(uniform, (np.log(169), 0.0), (0.0, 0.0)).efficiency == pytest.approx(1)
    assert everything.bound_slope == 0


def test_worse_than_silence_has_the_bound_of_silence(uniform):
    bad = distance(uniform, (0.4, 0.01), (0.2, 0.001))
    assert (bad.bound_rate_nats, bad.excess_nats, bad.efficiency) == (0, 0.4, 0)
    assert bad.excess_nats_se == pytest.approx(0.01)
    assert bad.excess_distortion > 0.1


def test_numbers_at_the_edge_stay_finite(uniform):
    """A rate that rounding put below 0, and distortions that are as near to 0 as their error."""
    assert distance(uniform, (-1e-8, 0.0), (0.1, 0.0)).excess_distortion < 0.01
    assert np.isnan(distance(uniform, (1.0, np.nan), (0.1, np.nan)).excess_nats_se)  # of one image a stimulus
    for rate, error in [(7.0, (1e-5, 2e-5)), (7.0, (0.0, 0.0)), (7.0, (1e-5, 1e-5))]:
        found = distance(uniform, (rate, 0.01), error)
        assert found.bound_rate_nats <= np.log(169) + 1e-9
        assert np.all(np.isfinite(found))


def test_standard_error_by_simulation(uniform):
    rng = np.random.default_rng(0)
    rate, error, draws = (2.5, 0.02), (0.03, 0.0004), 4000
    rates, errors = rng.normal(*rate, draws), rng.normal(*error, draws)
    spread = np.std(
        [distance(uniform, (r, 0.0), (d, 0.0)).excess_nats for r, d in zip(rates, errors, strict=True)]
    )
    found = distance(uniform, rate, error).excess_nats_se
    assert abs(found - spread) <= STANDARD_ERRORS * spread / np.sqrt(2 * draws) + 0.03 * spread
    assert found > rate[1]
    assert distance(uniform, rate, (0.03, 0.0)).excess_nats_se == pytest.approx(rate[1])


def test_slope_is_the_worth_of_a_nat(uniform):
    slope = distance(uniform, (2.0, 0.0), (0.05, 0.0)).bound_slope
    assert slope == pytest.approx(float(uniform.distortion(2.5) - uniform.distortion(1.5)), rel=0.1)


def test_equal_settings_share_one_solved_curve():
    assert semantic_curve(Setting(), POINTS) is semantic_curve(
        Setting(recipe={"steps": 7}, tasks=["E2M1"]), POINTS
    )
    assert task_curve(Setting(), POINTS) is semantic_curve(Setting(), POINTS)
    assert semantic_curve(Setting(), POINTS) is not semantic_curve(Setting(frequency="E1M1"), POINTS)


def weights(**keys) -> list[float]:
    cost = task_cost(Setting(**keys))
    assert isinstance(cost, Weighted)
    assert isinstance(cost.costs[0], SquaredError)
    assert all(isinstance(one, LogLoss) for one in cost.costs[1:])
    return cost.weights


def test_many_class_weight_is_of_the_published_recipe_and_of_many_classes():
    published = {"name": "published", "task_weight": 0.5, "many_class_weight": 4.0}
    assert weights(tasks=["E2M3", "E2M4"], recipe=published) == [1, 0.5, 2.0]
    assert weights(tasks=["E2M3", "E2M4"], recipe={"task_weight": 0.5}) == [1, 0.5, 0.5]
    assert weights(tasks=["E2M1"], recipe=published) == [1, 0.5]
    assert weights(tasks=[{"name": "three", "label": "(x_UC > 3) + (x_UC > 8)"}], recipe=published) == [
        1,
        2.0,
    ]
    assert isinstance(task_cost(Setting(recipe=published)), SquaredError)


def test_a_task_curve_costs_image_and_label():
    setting = Setting(tasks=["E2M1"], recipe={"task_weight": 0.5})
    curve, p, means = task_curve(setting, POINTS), setting.probabilities(), corridor_means()
    labels = setting.labellings()[0].labels
    share = labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    silent = np.mean((means - means.mean(axis=0)) ** 2)
    assert curve.distortion(0) == pytest.approx(silent + 0.5 * entropy)
    channel = curve.channel(1.2)
    loss = LogLoss(labels).distances(channel.points[:, 169:])
    image = np.array([[np.mean((m - y[:169]) ** 2) for y in channel.points] for m in means])
    paid = np.where(channel.probabilities > 0, image + 0.5 * loss, 0)
    assert p @ np.sum(channel.probabilities * paid, axis=1) == pytest.approx(curve.distortion(1.2), abs=1e-8)
    assert np.all(
        curve.distortion([0.0, 1.0, 3.0]) >= semantic_curve(setting, POINTS).distortion_below([0.0, 1.0, 3.0])
    )


def table_of(**keys) -> pd.DataFrame:
    study = Study(bound_points=POINTS, **keys)
    highest = max(study.capacities_nats)
    return pd.DataFrame(
        {"model": model, **row}
        for model, setting in study.settings.items()
        for row in bound_rows(setting, POINTS, highest)
    )


def test_rows():
    models = {"even": {}, "skewed": {"frequency": "E1M1"}, "again": {"tasks": ["E2M1"]}}
    table = table_of(models=models, capacities_nats=[0.3, 8])
    assert list(table.columns) == BOUND
    assert list(dict.fromkeys(table["model"])) == list(models)
    for name, setting in Study(models=models, capacities_nats=[1]).settings.items():
        rows, p = table[table["model"] == name].reset_index(drop=True), setting.probabilities()
        assert rows["rate_nats"].iloc[-1] == pytest.approx(1.15 * 8)
        assert np.all(np.diff(rows["rate_nats"]) > 0)
        assert rows["rate_bits"].to_numpy() == pytest.approx(rows["rate_nats"].to_numpy() / np.log(2))
        assert np.all(rows["distortion_below"] <= rows["distortion"] + 1e-12)
        assert np.all(rows["raw_low"] <= rows["raw_high"] + 1e-9)
        # the noise of pixels is beyond any code of so few nats
        assert np.all(rows["distortion"] <= rows["raw_low"])
        assert np.all(rows["slope"] <= 0)
        assert np.all(rows["gap_nats"].between(0, COARSE))
        assert set(rows["certificate"]) <= {"proved", "searched"}
        entropy = -p @ np.log(p)
        assert rows.loc[rows["rate_nats"] > entropy + 1e-9, "distortion"].abs().max() < 1e-12
    by_model = {
        name: rows.drop(columns="model").reset_index(drop=True) for name, rows in table.groupby("model")
    }
    pd.testing.assert_frame_equal(by_model["even"], by_model["again"])
    assert by_model["skewed"]["distortion"].iloc[0] < 0.95 * by_model["even"]["distortion"].iloc[0]


def test_small_capacities_ask_for_no_rate_twice():
    table = table_of(capacities_nats=[0.3])
    assert table["rate_nats"].iloc[-1] == pytest.approx(np.log(169))
    assert table["rate_nats"].is_unique


def test_a_curve_is_of_the_likelihood_s_distortion():
    source = {"size": 3}
    squared, loss = (
        semantic_curve(Setting(source=source, likelihood=one), POINTS) for one in ("gaussian", "bernoulli")
    )
    means = Setting(source=source).source.mean_images().reshape(9, -1)
    centre = means.mean(axis=0)
    assert float(squared.distortion(0)) == pytest.approx(np.mean((means - centre) ** 2), rel=1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = means * np.log(means / centre), (1 - means) * np.log((1 - means) / (1 - centre))
    assert float(loss.distortion(0)) == pytest.approx(
        np.mean(sum(np.nan_to_num(one) for one in parts)), rel=1e-6
    )

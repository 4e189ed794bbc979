"""What figures and page show of a run, read once from its directory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import RequestError
from ratewarp.geometry import ClassDistortion, class_distortion_matrix, embed, scaled_tuning, tuning_curves
from ratewarp.store import RunDirectory
from ratewarp.studies import Condition, Setting, Study
from ratewarp.studies.condition import FREQUENCY_SCHEME


@dataclass(frozen=True)
class ConditionView:
    """One condition as it is drawn.

    Attributes:
        condition: what was trained.
        record: what is stored of it.
        points: its codes on a map, turned towards the reference's map; NaN if the codes are not finite.
        stress: share of distance the map could not keep, 0–1.
        tuning: tuning curves scaled to 0–1 over all latents, most informative latent first.
        order: the latents in that order.
        latent_rates: rate of each latent in that order, nats.
    """

    condition: Condition
    record: xr.Dataset
    points: np.ndarray
    stress: float
    tuning: np.ndarray
    order: np.ndarray
    latent_rates: np.ndarray

    @property
    def stimuli(self) -> np.ndarray:
        """Stimulus of every code."""
        return self.record["stimulus"].values

    @property
    def codes(self) -> np.ndarray:
        """Posterior means of the stored images."""
        return self.record["code"].values

    @property
    def sound(self) -> bool:
        """Whether the codes are finite; if not, the model diverged and has nothing to draw."""
        return bool(np.isfinite(self.codes).all())


@dataclass(frozen=True)
class RunView:
    """A finished run: its study, tables, and a view of each condition of the first seed."""

    run: RunDirectory

    @cached_property
    def study(self) -> Study:
        return Study(**self.run.study)

    @cached_property
    def models(self) -> pd.DataFrame:
        return self.run.table("models")

    @cached_property
    def tasks(self) -> pd.DataFrame:
        return self.run.table("tasks", needs=["f1_batches"])

    @cached_property
    def published_models(self) -> set[str]:
        """Models of the study whose frequency and tasks are those of the published model of the same name."""
        known: dict[str, tuple[object, object]] = {"baseline": ("uniform", ())}
        known |= {name: (name, ()) for name in ("E1M1", "E1M2")}
        known |= {name: ("uniform", (name,)) for name in ("E2M1", "E2M2", "E2M3", "E2M4", "E2M5")}
        return {name for name, setting in self.study.settings.items() if known.get(name) == (setting.frequency, setting.tasks)}

    def record(self, condition: Condition) -> xr.Dataset:
        """What is stored of a condition."""
        return self.run.record(condition.id)

    @cached_property
    def shown(self) -> dict[tuple[str, float], ConditionView]:
        """Views by model and capacity, of the first seed; references before the rest, so that maps can be turned towards them."""
        seed = self.study.seeds[0]
        conditions = [c for c in self.study.conditions if c.seed == seed]
        views: dict[tuple[str, float], ConditionView] = {}
        for condition in sorted(conditions, key=lambda c: c.model != self.study.reference):
            reference = views.get((self.study.reference, condition.capacity_nats))
            views[condition.model, condition.capacity_nats] = _view(condition, self.run.record(condition.id), reference)
        return views

    @property
    def seed_note(self) -> str:
        """Which seed `shown` is of."""
        seeds = self.study.seeds
        return f"seed {seeds[0]}" + (f" (the first of {len(seeds)})" if len(seeds) > 1 else "")

    @property
    def capacities(self) -> list[float]:
        """Capacities from large to small, as the figures stack them."""
        return sorted(self.study.capacities_nats, reverse=True)

    @property
    def panel_capacities(self) -> list[float]:
        """Capacities that figures with a row for each show: all, or the largest and the smallest of more than three."""
        return self.capacities if len(self.capacities) <= 3 else [self.capacities[0], self.capacities[-1]]

    def reference_of(self, view: ConditionView) -> ConditionView:
        """The view this one is compared with."""
        return self.shown[self.study.reference, view.condition.capacity_nats]

    def distortion_matrix(self, view: ConditionView, scheme: str) -> ClassDistortion | None:
        """Class distortion matrix of a condition against its reference, under one of its labellings; None where it is not defined."""
        labels = view.condition.setting.class_schemes()[scheme]
        try:
            return class_distortion_matrix(view.codes, self.reference_of(view).codes, labels[view.stimuli])
        except RequestError:  # not finite, or a reference that has collapsed
            return None


def class_names(scheme: str, classes: int) -> list[str]:
    """Names of the classes of a labelling with two classes; empty for more."""
    if classes != 2:
        return []
    return ["rare", "frequent"] if scheme == FREQUENCY_SCHEME else ["no", "yes"]


def scheme_title(scheme: str, setting: Setting) -> str:
    """What the classes of a labelling mean."""
    if scheme == FREQUENCY_SCHEME:
        return "frequency of the stimulus"
    rule = next(one.expression for one in setting.labellings() if one.name == scheme)
    for sign, symbol in (("<=", "≤"), (">=", "≥"), ("==", "=")):
        rule = rule.replace(sign, symbol)
    return f"{scheme}: {rule}"


def _view(condition: Condition, record: xr.Dataset, reference: ConditionView | None) -> ConditionView:
    codes, variances = record["code"].values.astype(float), record["variance"].values.astype(float)
    rates = (0.5 * (codes**2 + variances - np.log(variances) - 1)).mean(axis=0)
    order = np.argsort(-rates, kind="stable")
    if np.isfinite(codes).all():
        align = reference.points if reference is not None and reference.sound else None
        plane = embed(codes, align_to=align)
        points, stress = plane.points, plane.stress
        tuning = scaled_tuning(tuning_curves(codes, record["stimulus"].values))[:, order]
    else:
        points, stress = np.full((len(codes), 2), np.nan), np.nan
        tuning = np.full((record.sizes["stimulus_index"], codes.shape[1]), np.nan)
    return ConditionView(condition, record, points, stress, tuning, order, rates[order])

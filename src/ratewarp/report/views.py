"""What figures and page show of a run, read once from its directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import RequestError
from ratewarp._sums import gaussian_divergence
from ratewarp.geometry import ClassDistortion, class_distortion_matrix, scaled_tuning, tuning_curves
from ratewarp.report.factor_grid import FactorGrid, factor_grid
from ratewarp.report.known_maps import embed
from ratewarp.report.selection import (
    MOST_FIGURES,
    MOST_LEVELS,
    MOST_MAPPED,
    MOST_MODELS,
    Selection,
    some_models,
    thinned,
)
from ratewarp.report.style import category_colours, class_colours
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs.directory import RunDirectory
from ratewarp.sources import Corridors
from ratewarp.studies import CAPACITY, Axis, Cell, Condition, Setting, Study, stored_study
from ratewarp.studies.condition import FREQUENCY_SCHEME

Made = TypeVar("Made")


@dataclass(frozen=True)
class ConditionView:
    """One condition as it is drawn.

    Attributes:
        condition: what was trained.
        level: its place on the main axis, as of `RunView.levels`.
        label: that place in words.
        record: what is stored of it.
        points: its codes on a map, turned towards the reference's map; NaN if the codes are not finite, for
            stimuli that do not occur, and for those of very many codes that are not on the map.
        stress: share of distance the map could not keep, 0–1.
        tuning: tuning curves scaled to 0–1 over all latents, most informative latent first.
        order: the latents in that order.
        latent_rates: rate of each latent in that order, nats.
    """

    condition: Condition
    level: int
    label: str
    record: xr.Dataset
    points: np.ndarray
    stress: float
    tuning: np.ndarray
    order: np.ndarray
    latent_rates: np.ndarray

    @cached_property
    def grid(self) -> FactorGrid:
        """The factors of its stimuli."""
        return factor_grid(self.record, self.condition.setting.source)

    @property
    def stimuli(self) -> np.ndarray:
        """Stimulus of every code."""
        return self.record["stimulus"].values

    @property
    def occurs(self) -> np.ndarray:
        """Whether the stimulus of every code occurs; one that does not is not drawn."""
        return self.record["frequency"].values[self.stimuli] > 0

    @property
    def mapped(self) -> np.ndarray:
        """Which codes are on the map."""
        return np.isfinite(self.points.sum(axis=1))

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
    """A finished run: its study, tables, and a view of each condition of the first seed.

    Figures show models along one axis, the main one: the capacity where there is one, else the first. Of
    further axes they show one place, of numbers the middle one; the tables hold all.

    Attributes:
        run: the run directory.
        there: what can be read of a run of which parts are missing; without it, a part that cannot be read
            raises `RatewarpError`.
    """

    run: RunDirectory
    there: WhatIsThere | None = None

    @cached_property
    def study(self) -> Study:
        return self.there.study if self.there else stored_study(self.run.study, self.run.path)

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables of the run."""
        return self.there.table(name) if self.there else self.run.table(name)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the run."""
        return self.there.manifest if self.there else self.run.manifest

    @property
    def gaps(self) -> list[str]:
        """What is missing of the run, a sentence each, of all that was asked for so far; without the path of
        its folder, which is nobody's business.
        """
        path, name = str(self.run.path), self.run.path.resolve().name
        return [one.replace(path, name) for one in (self.there.gaps if self.there else [])]

    def readable(self, make: Callable[[], Made], what: str) -> Made | None:
        """What is made of stored files; None, and a sentence among `gaps` that the page is without `what`,
        where one of them is damaged and the run is shown as it is.
        """
        return self.there.or_none(make, what) if self.there else make()

    @cached_property
    def settings(self) -> dict[str, Setting]:
        """Whole setting of every model, at the place of further axes that is shown."""
        found = dict(self.study.settings)
        if len(self.study.crossed) > 1:
            for cell, condition in reversed(self._drawn_cells.items()):
                found[cell.model] = condition.setting
        return found

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition of the study."""
        return self.study.conditions

    @cached_property
    def drawn(self) -> Selection:
        """Models that figures show: all, or of many the reference and some others."""
        return some_models(list(self.settings), self.study.reference, MOST_MODELS)

    @cached_property
    def model_schemes(self) -> list[tuple[str, str]]:
        """Drawn models but the reference, each with its labellings; of very many, some that are evenly
        thinned.
        """
        return thinned(self._all_model_schemes, MOST_FIGURES)

    @cached_property
    def _all_model_schemes(self) -> list[tuple[str, str]]:
        others = [name for name in self.drawn.names if name != self.study.reference]
        return [(name, scheme) for name in others for scheme in self.settings[name].class_schemes()]

    @property
    def figures_note(self) -> str:
        """Of how many of the drawn models' labellings there are figures, where that is not all."""
        shown, possible = len(self.model_schemes), len(self._all_model_schemes)
        return "" if shown == possible else f"{shown} of {possible} labellings of these models, evenly spread"

    @cached_property
    def models(self) -> pd.DataFrame:
        """The table of models: of the conditions that are drawn, with where curves show each (`abscissa`)."""
        return self._drawn_rows(self.table("models"))

    @cached_property
    def geometry(self) -> pd.DataFrame:
        """The table of measures, likewise."""
        return self._drawn_rows(self.table("geometry"))

    def _drawn_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        kept = pd.DataFrame(table[table["condition"].isin(self._abscissae)])
        return kept.assign(abscissa=[self._abscissae[one] for one in kept["condition"]])

    def drawn_curves(self, name: str) -> pd.DataFrame:
        """A table without conditions (bound, normative codes): the rows of the places that are drawn."""
        table = self.table(name)
        for axis in self.study.crossed[1:]:
            for key, value in axis.at(shown_place(axis)).items():
                table = pd.DataFrame(
                    table[table[key].isna() | (table[key] == value) | (table[key].astype(str) == str(value))]
                )
        return table

    @cached_property
    def _abscissae(self) -> dict[str, float]:
        """Condition that is drawn → its capacity, or where it has none, the mean rate that the seeds of its
        cell reached.
        """
        if self.aims:
            return {condition.id: condition.capacity_nats or 0.0 for condition in self._drawn_cells.values()}
        rates = dict(self.table("models")[["condition", "rate_nats"]].itertuples(index=False))
        reached: dict[tuple[str, object], list[float]] = {}
        for cell, condition in self._drawn_cells.items():
            reached.setdefault((cell.model, cell.place), []).append(rates.get(condition.id, np.nan))
        return {
            condition.id: float(np.mean(reached[cell.model, cell.place]))
            if condition.capacity_nats is None
            else condition.capacity_nats
            for cell, condition in self._drawn_cells.items()
        }

    @cached_property
    def _drawn_cells(self) -> dict[Cell, Condition]:
        """Cells at the shown place of every axis but the main one."""
        places = [shown_place(axis) for axis in self.study.crossed[1:]]
        return {
            cell: condition
            for cell, condition in self.study.cells.items()
            if all(own in (None, shown) for own, shown in zip(cell.place[1:], places, strict=True))
        }

    @property
    def further_note(self) -> str:
        """At which places of further axes figures show the models; empty where there are none."""
        return ", ".join(
            f"{key} = {value}"
            for axis in self.study.crossed[1:]
            for key, value in axis.at(shown_place(axis)).items()
        )

    @property
    def aims(self) -> bool:
        """Whether every model has a target rate."""
        return all(condition.capacity_nats is not None for condition in self._drawn_cells.values())

    @property
    def abscissa_title(self) -> str:
        """What curves are drawn against."""
        if self.aims:
            return "capacity, nats"
        return "capacity, or rate reached, nats" if self.study.capacities_nats else "rate reached, nats"

    @cached_property
    def others(self) -> pd.DataFrame:
        """Rows of the models that are not drawn, without those that diverged."""
        sound = self.models["status"] != "diverged"
        return pd.DataFrame(self.models[~self.models["model"].isin(self.drawn.names) & sound])

    @cached_property
    def tasks(self) -> pd.DataFrame:
        if self.there:
            return self._drawn_rows(self.table("tasks"))
        return self._drawn_rows(self.run.table("tasks", needs=["f1_batches"]))

    @cached_property
    def published_models(self) -> set[str]:
        """Models of the study whose frequency and tasks are those of the published model of the same name;
        none where images or distortion are not the publication's.
        """
        if self.study.source != Corridors() or not self.study.likelihood.SQUARED:
            return set()
        known: dict[str, tuple[object, object]] = {"baseline": ("uniform", ())}
        known |= {name: (name, ()) for name in ("E1M1", "E1M2")}
        known |= {name: ("uniform", (name,)) for name in ("E2M1", "E2M2", "E2M3", "E2M4", "E2M5")}
        return {
            name
            for name, setting in self.settings.items()
            if known.get(name) == (setting.frequency, setting.tasks)
        }

    def record(self, condition: Condition) -> xr.Dataset:
        """What is stored of a condition."""
        return self.there.record(condition) if self.there else self.run.record(condition.id)

    def condition_of(self, model: str, level: int) -> Condition:
        """A condition of the first seed."""
        return self._first_seed[model, level]

    def shown(self, model: str, level: int) -> ConditionView:
        """A condition of the first seed, its map turned towards that of the reference; made when first asked
        for.
        """
        if (model, level) not in self._views:
            reference = self.shown(self.study.reference, level) if model != self.study.reference else None
            condition = self._first_seed[model, level]
            self._views[model, level] = _view(
                condition, level, self.label(level), self.record(condition), reference
            )
        return self._views[model, level]

    @cached_property
    def _views(self) -> dict[tuple[str, int], ConditionView]:
        return {}

    @cached_property
    def _first_seed(self) -> dict[tuple[str, int], Condition]:
        """A model that does not vary along the main axis is the same at every level."""
        found = {}
        for cell, condition in self._drawn_cells.items():
            if cell.seed == self.study.seeds[0]:
                own = cell.place[0] if cell.place else 0
                found |= {
                    (cell.model, level): condition
                    for level in (range(self._level_count) if own is None else [own])
                }
        return found

    @property
    def _main(self) -> Axis | None:
        """The axis that figures show models along."""
        return self.study.crossed[0] if self.study.crossed else None

    @property
    def _level_count(self) -> int:
        return len(self._main.values) if self._main else 1

    def label(self, level: int) -> str:
        """A level in words."""
        values = self._main.at(level) if self._main else {}
        if CAPACITY in values:
            return f"{values[CAPACITY]:g} nats"
        return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in values.items()) or "its rate"

    @cached_property
    def mapped_note(self) -> str:
        """How many of the codes are on maps, where these are not all."""
        stimuli = self.shown(self.study.reference, self.levels[0]).stimuli
        shown = int(on_map(stimuli).sum())
        return "" if shown == len(stimuli) else f"maps of {shown:,} of {len(stimuli):,} codes, evenly spread"

    @property
    def seed_note(self) -> str:
        """Which seed `shown` is of."""
        seeds = self.study.seeds
        return f"seed {seeds[0]}" + (f" (the first of {len(seeds)})" if len(seeds) > 1 else "")

    def note(self, *parts: str) -> str:
        """What to know of what a figure shows: which models, and these parts."""
        return " · ".join(filter(None, (self.drawn.note, *parts)))

    @cached_property
    def levels(self) -> list[int]:
        """Places on the main axis, from high to low capacity, or rate that the reference reached, as figures
        stack them.
        """
        heights = [
            self._abscissae[self._first_seed[self.study.reference, level].id]
            for level in range(self._level_count)
        ]
        return sorted(range(self._level_count), key=lambda level: -heights[level])

    @property
    def map_levels(self) -> list[int]:
        """Levels of the overview's rows: all, or of many some that are evenly spread."""
        return thinned(self.levels, MOST_LEVELS)

    @property
    def panel_levels(self) -> list[int]:
        """Levels that figures with a row for each show: all, or the highest and the lowest of more than
        three.
        """
        return self.levels if len(self.levels) <= 3 else [self.levels[0], self.levels[-1]]

    def reference_of(self, view: ConditionView) -> ConditionView:
        """The view this one is compared with."""
        return self.shown(self.study.reference, view.level)

    def distortion_matrix(self, view: ConditionView, scheme: str) -> ClassDistortion | None:
        """Class distortion matrix of a condition against its reference, under one of its labellings; None
        where it is not defined.
        """
        labels = view.condition.setting.class_schemes()[scheme]
        reference = self.reference_of(view)
        kept = view.occurs & reference.occurs
        try:
            return distortion_of_some(
                view.codes, reference.codes, labels[view.stimuli], kept, int(labels.max()) + 1
            )
        except RequestError:  # not finite, or a reference that has collapsed
            return None


def distortion_of_some(
    codes: np.ndarray, reference: np.ndarray, labels: np.ndarray, kept: np.ndarray, classes: int
) -> ClassDistortion:
    """Class distortion matrix of some of the items; NaN in the rows and columns of classes that none of them
    has.
    """
    present, compact = np.unique(labels[kept], return_inverse=True)
    found = class_distortion_matrix(codes[kept], reference[kept], compact)
    if len(present) == classes:
        return found
    values = np.full((classes, classes), np.nan)
    values[np.ix_(present, present)] = found.values
    return ClassDistortion(values, np.arange(classes), np.bincount(labels[kept], minlength=classes))


def on_map(stimuli: np.ndarray) -> np.ndarray:
    """Which of the codes are laid out on a map, by their stimuli, which are in order: of very many the first
    ones of every stimulus or, where there are too many stimuli, of some that are evenly spread.
    """
    if len(stimuli) <= MOST_MAPPED:
        return np.ones(len(stimuli), bool)
    found, first, counts = np.unique(stimuli, return_index=True, return_counts=True)
    each = np.arange(len(stimuli)) - np.repeat(first, counts)  # which of the codes of its stimulus
    if len(found) <= MOST_MAPPED:
        return each < MOST_MAPPED // len(found)
    return (each == 0) & np.isin(stimuli, thinned(found.tolist(), MOST_MAPPED))


def class_names(scheme: str, classes: int, setting: Setting) -> list[str]:
    """Names of the classes of a labelling that has two, or that is a factor without order; empty for
    others.
    """
    if scheme == FREQUENCY_SCHEME:
        return ["rare", "frequent"]
    return (_values_of_label(scheme, setting) or ["no", "yes"] * (classes == 2))[:classes]


def _values_of_label(scheme: str, setting: Setting) -> list[str]:
    """Values of the factor without order that a labelling names, and nothing else; empty for others."""
    rule = _rule(scheme, setting).strip()
    for column, factor in enumerate(setting.source.factors):
        if factor.name == rule and factor.kind == "categorical":
            return [str(factor.values[place]) for place in np.unique(setting.source.stimuli[:, column])]
    return []


def class_palette(scheme: str, classes: int, setting: Setting) -> list[str]:
    """A colour for every class of a labelling."""
    plain = classes > 2 and class_names(scheme, classes, setting)
    return category_colours(classes) if plain else class_colours(classes)


def scheme_colours(scheme: str, setting: Setting) -> np.ndarray:
    """Colour of every measured stimulus by its class under a labelling."""
    labels = setting.class_schemes()[scheme]
    return np.array(class_palette(scheme, int(labels.max()) + 1, setting))[labels]


def scheme_title(scheme: str, setting: Setting) -> str:
    """What the classes of a labelling mean."""
    if scheme == FREQUENCY_SCHEME:
        return "frequency of the stimulus"
    rule = _rule(scheme, setting)
    if rule == scheme:
        return scheme
    for sign, symbol in (("<=", "≤"), (">=", "≥"), ("==", "=")):
        rule = rule.replace(sign, symbol)
    return f"{scheme}: {rule}"


def _rule(scheme: str, setting: Setting) -> str:
    return next(one.expression for one in setting.labellings() if one.name == scheme)


def _view(
    condition: Condition, level: int, label: str, record: xr.Dataset, reference: ConditionView | None
) -> ConditionView:
    codes, variances = record["code"].values.astype(float), record["variance"].values.astype(float)
    stimuli, frequency = record["stimulus"].values, record["frequency"].values
    occurs = frequency[stimuli] > 0
    rates = gaussian_divergence(codes, variances)[occurs].mean(axis=0)
    kept = occurs & on_map(stimuli)
    order = np.argsort(-rates, kind="stable")
    points, stress = np.full((len(codes), 2), np.nan), np.nan
    tuning = np.full((len(frequency), codes.shape[1]), np.nan)
    if np.isfinite(codes).all():
        towards = (
            reference.points[kept] if reference is not None and reference.sound else np.array([[np.nan]])
        )
        plane = embed(codes[kept], align_to=towards if np.isfinite(towards).all() else None)
        points[kept], stress = plane.points, plane.stress
        tuning[frequency > 0] = scaled_tuning(tuning_curves(codes, stimuli)[frequency > 0])[:, order]
    return ConditionView(condition, level, label, record, points, stress, tuning, order, rates[order])


def shown_place(axis: Axis) -> int:
    """Which place of a further axis figures show: of three and more numbers the middle one, since at the ends
    there is often nothing or too much; else the first.
    """
    numbers = all(isinstance(value, int | float) for values in axis.values for value in values)
    return len(axis.values) // 2 if numbers and len(axis.values) > 2 else 0

"""A study: a base setting, named differences from it, and the capacities and seeds they are crossed with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated, Any, cast

from pydantic import Field, ValidationError, model_validator

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp.models import check_network
from ratewarp.sources import Task
from ratewarp.studies.condition import Capacity, Condition, Seed, Setting, SettingKeys, TaskChoice, Text
from ratewarp.studies.explain import explain
from ratewarp.studies.identity import TAGS
from ratewarp.studies.kept import once

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")]

SHARED = ("source", "validation_each", "codes_each", "data_seed")  # what models may not change
MAX_POOL_BYTES = 4_000_000_000
MAX_CONDITIONS = 100_000
_FEWEST_STIMULI = 2  # that occur, so that there is something to tell apart
_AT = "at"  # key of a model for what it changes at single capacities
DEFAULT_MODELS: dict[str, dict[str, Any]] = {"model": {}}


class Study(SettingKeys):
    """A family of conditions: every model × capacity × seed.

    The keys of `SettingKeys` (source, frequency, tasks, network, recipe, data sizes) hold for all models; each model names what
    it changes.

    Attributes:
        name: short, used for the run directory.
        title: heading of the page.
        description: what it is for, a sentence or two.
        models: name → the keys that this model changes; under `at`, capacity → `{recipe: …}`, what it changes of the recipe at that
            capacity alone.
        capacities_nats: target rates, nats.
        seeds: one model is trained for each.
        reference: name of the model whose codes the others' warps are measured against, at equal capacity and seed; the first
            model if not given.
        readouts: model → tasks for which heads are trained on its frozen codes, once it is trained: the regime `disjoint` where
            the model has no task of its own, `transfer` where it has. Heads follow the study's recipe: its steps, batches and
            learning rate.
        bound_points: rates at which the rate–distortion bound is solved, at least 2, or 0 for none; it takes seconds with hundreds of
            stimuli, minutes with thousands.

    Raises:
        RequestError: naming the key, what is required, what came and the nearest valid name.

    Examples:
        >>> study = Study(name="mine", models={"even": {}, "skewed": {"frequency": "E1M1"}}, capacities_nats=[0.3, 10])
        >>> [condition.model for condition in study.conditions]
        ['even', 'even', 'skewed', 'skewed']
    """

    name: ModelName = "study"
    title: Text = ""
    description: Text = ""
    models: Annotated[dict[ModelName, dict[str, Any]], Field(min_length=1, default_factory=lambda: dict(DEFAULT_MODELS))]
    capacities_nats: Annotated[tuple[Capacity, ...], Field(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    reference: str = ""
    readouts: dict[ModelName, Annotated[tuple[TaskChoice, ...], Field(min_length=1)]] = Field(default_factory=dict)
    bound_points: Annotated[int, Field(ge=0, le=1000)] = 24

    def __init__(self, /, **data: Any):
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise RequestError(explain(error, Study)) from None

    @model_validator(mode="before")
    @classmethod
    def _name_reference(cls, data: Any) -> Any:
        models = data.get("models", DEFAULT_MODELS) if isinstance(data, dict) else None
        if isinstance(models, dict) and models and not data.get("reference"):
            return {**data, "reference": next(iter(models))}
        return data

    @model_validator(mode="after")
    def _check(self) -> Study:
        if self.reference not in self.models:
            refuse_name("reference", "model", self.reference, self.models)
        if self.bound_points == 1:
            refuse("bound_points", "0, for no bound, or at least 2", self.bound_points)
        for name in ("capacities_nats", "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise RequestError(f"{name} must differ from each other; got {list(values)}")
        self._check_size()
        for name, setting in self.settings.items():
            _check_setting(setting, f"models.{name}")
            _check_at(self.models[name].get(_AT, {}), self.capacities_nats, f"models.{name}.{_AT}")
        _ = self._cells  # what models change at single capacities fits the recipe, and so do tables of pressures
        for name in self.readouts:
            if name not in self.models:
                refuse_name("readouts", "model", name, self.models)
            try:
                self.readout_tasks(name)
            except RequestError as error:
                raise RequestError(f"readouts.{name}: {error}") from None
        return self

    def _check_size(self) -> None:
        conditions = len(self.models) * len(self.capacities_nats) * len(self.seeds)
        if conditions > MAX_CONDITIONS:
            refuse("models × capacities_nats × seeds", f"at most {MAX_CONDITIONS:,} conditions", conditions)

    @property
    def settings(self) -> dict[str, Setting]:
        """Model name → its whole setting."""
        return once(self, "settings", _FIELDS, self._make_settings)

    def _make_settings(self) -> dict[str, Setting]:
        base = self.model_dump(include=set(Setting.model_fields))
        return {name: _setting(base, _without_at(difference), f"models.{name}") for name, difference in self.models.items()}

    def setting_at(self, model: str, capacity_nats: float) -> Setting:
        """The whole setting of a model at one capacity; a table of pressures is its entry there."""
        return self._cells.get((model, capacity_nats)) or self._cell(model, capacity_nats)

    @property
    def _cells(self) -> Mapping[tuple[str, float], Setting]:
        """The setting of every model at every capacity."""
        cells = product(self.models, self.capacities_nats)
        return once(self, "cells", _FIELDS, lambda: {(name, capacity): self._cell(name, capacity) for name, capacity in cells})

    def _cell(self, model: str, capacity_nats: float) -> Setting:
        own = self.settings[model]
        changes = [change for at, change in self.models[model].get(_AT, {}).items() if float(at) == capacity_nats]
        setting = _setting(own.model_dump(), changes[0], f"models.{model}.{_AT}.{capacity_nats:g}") if changes else own
        try:
            recipe = setting.recipe.at(capacity_nats)
        except RequestError as error:
            raise RequestError(f"models.{model}.{error}") from None
        return setting if recipe is setting.recipe else setting.model_copy(update={"recipe": recipe})

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every cell, models outermost, seeds innermost."""
        return tuple(self._places.values())

    @property
    def _places(self) -> Mapping[tuple[str, float, int], Condition]:
        return once(self, "places", _FIELDS, self._make_places)

    def _make_places(self) -> Mapping[tuple[str, float, int], Condition]:
        found = {}
        for (name, capacity), setting in self._cells.items():
            for seed in self.seeds:
                condition = Condition(model=name, capacity_nats=capacity, seed=seed, setting=setting)
                found[name, capacity, seed] = condition
        return found

    def readout_tasks(self, model: str) -> tuple[Task, ...]:
        """Tasks for which heads are trained on the frozen codes of a model."""
        choices = self.readouts.get(model, ())
        return self.settings[model].model_copy(update={"tasks": choices}).labellings()

    def part(self, models: Sequence[str] = (), capacities: Sequence[float] = ()) -> Study:
        """The study with some of its models and capacities only; the reference model is kept in any case.

        Arguments:
            models: names; all if empty.
            capacities: in nats; all if empty.

        Raises:
            RequestError: a model or capacity that the study does not have.

        Examples:
            >>> study = Study(models={"a": {}, "b": {}, "c": {}}, capacities_nats=[1, 3, 10])
            >>> [(c.model, c.capacity_nats) for c in study.part(models=["c"], capacities=[10]).conditions]
            [('a', 10.0), ('c', 10.0)]
        """
        for name in models:
            if name not in self.models:
                refuse_name("models", "model", name, self.models)
        for capacity in capacities:
            if capacity not in self.capacities_nats:
                had = ", ".join(f"{c:g}" for c in self.capacities_nats)
                raise RequestError(f"capacities must be among the study's ({had} nats); got {capacity:g}")
        kept = [name for name in self.models if not models or name in {*models, self.reference}]
        left = [c for c in self.capacities_nats if not capacities or c in capacities]
        changes = {
            "models": {name: _at_some(self.models[name], left) for name in kept},
            "capacities_nats": left,
            "readouts": {name: tasks for name, tasks in self.readouts.items() if name in kept},
        }
        return Study(**{**self.model_dump(), **changes})

    def reference_for(self, condition: Condition) -> Condition:
        """The condition whose codes this one's warp is measured against: the reference model at equal capacity and seed."""
        capacity, seed = condition.capacity_nats, condition.seed
        known = self._places.get((self.reference, capacity, seed))
        return known or Condition(model=self.reference, capacity_nats=capacity, seed=seed, setting=self._cell(self.reference, capacity))


_FIELDS = tuple(Study.model_fields)


def of_all_models(setting: Setting) -> tuple[Any, ...]:
    """What models may not change, because their codes are of the same images."""
    return tuple(getattr(setting, name) for name in SHARED)


def _setting(base: Mapping[str, Any], difference: Mapping[str, Any], place: str) -> Setting:
    shared = next((key for key in SHARED if key in difference), None)
    if shared:
        raise RequestError(
            f"{place}.{shared} must be the same for all models, so that their codes are of the same images; set {shared} for the study"
        )
    try:
        return Setting.model_validate(merge(base, difference))
    except ValidationError as error:
        raise RequestError(explain(error, Setting, place)) from None


def _without_at(difference: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in difference.items() if key != _AT}


def _at_some(difference: Mapping[str, Any], capacities: Sequence[float]) -> dict[str, Any]:
    """What a model changes, at these capacities."""
    changes = {at: change for at, change in difference.get(_AT, {}).items() if float(at) in capacities}
    return {**_without_at(difference), **({_AT: changes} if changes else {})}


def _check_at(changes: Any, capacities: Sequence[float], place: str) -> None:
    """Changes at single capacities are of the recipe, at capacities that the study has."""
    had = ", ".join(f"{c:g}" for c in capacities)
    if not isinstance(changes, Mapping):
        refuse(place, "a table from capacity to {recipe: …}", changes)
    for at, change in changes.items():
        try:
            known = float(at) in capacities
        except (TypeError, ValueError, OverflowError):
            known = False
        if not known:
            refuse(place, f"a table from capacities of the study ({had} nats) to {{recipe: …}}", at)
        if not isinstance(change, Mapping) or set(change) != {"recipe"}:
            refuse(f"{place}.{at}", "{recipe: …}; other keys hold for all capacities", change)
    if len({float(at) for at in changes}) < len(changes):
        refuse(place, "a table in which every capacity stands once", list(changes))


def _check_setting(setting: Setting, place: str) -> None:
    """Rules over factors are tried on the source, so that a mistake shows before anything is trained."""
    try:
        check_network(setting.network, setting.source.image_shape)
        counts = setting.image_counts()
        setting.class_schemes()
    except RequestError as error:
        raise RequestError(f"{place}: {error}") from None
    occurring = int(setting.occurring().sum())
    if occurring < _FEWEST_STIMULI:
        refuse(f"{place}: frequency", f"positive at {_FEWEST_STIMULI} stimuli at least; the others do not occur", f"{occurring} of them")
    pool_bytes = int(counts.max()) * len(counts) * math.prod(setting.source.image_shape)
    if pool_bytes > MAX_POOL_BYTES:
        raise RequestError(
            f"{place}: {counts.max():,} images of the most frequent stimulus need {pool_bytes / 1e9:.1f} GB; lower training_images"
            f" (now {setting.training_images:,}) or make the frequency less uneven"
        )
    if setting.codes_each > setting.validation_each:
        raise RequestError(f"{place}: codes_each must be at most validation_each ({setting.validation_each}); got {setting.codes_each}")


def merge(base: Mapping[str, Any], difference: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `difference` laid over it, key by key; a variant with another name replaces the base's whole.

    Examples:
        >>> merge({"recipe": {"name": "principled", "steps": 5}, "tasks": ()}, {"recipe": {"steps": 7}})
        {'recipe': {'name': 'principled', 'steps': 7}, 'tasks': ()}
        >>> merge({"recipe": {"name": "principled", "steps": 5}}, {"recipe": "published"})
        {'recipe': 'published'}
    """
    merged = dict(base)
    for key, value in difference.items():
        below = base.get(key)
        merged[key] = merge(cast(Mapping[str, Any], below), value) if _same_variant(below, value) else value
    return merged


def _same_variant(below: Any, value: Any) -> bool:
    """Whether both are mappings, and the upper one does not name another variant."""
    if not (isinstance(value, Mapping) and isinstance(below, Mapping)):
        return False
    return all(value.get(tag, below.get(tag)) == below.get(tag) for tag in TAGS)

"""A study: a base setting, named differences from it, and the axes they are crossed with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError, model_validator

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp._explain import explain
from ratewarp.sources import PIXELS, Task
from ratewarp.studies.axes import CAPACITY, SEED, Axis, read_axis
from ratewarp.studies.condition import (
    Capacity,
    Condition,
    Seed,
    Setting,
    SettingKeys,
    TaskChoice,
    Text,
    taken,
)
from ratewarp.studies.crossing import Crossing, Place, is_key
from ratewarp.studies.differences import changed
from ratewarp.studies.kept import once

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")]

SHARED = ("source", "likelihood", "measured_stimuli", "validation_each", "codes_each", "data_seed")
MOST_CONDITIONS = 1_000_000
_FEWEST_STIMULI = 2  # that occur, so that there is something to tell apart
_MOST_HELD_OUT_BYTES = 4_000_000_000
_AT = "at"  # key of a model for what it changes at single capacities
DEFAULT_MODELS: dict[str, dict[str, Any]] = {"model": {}}


_SHORT = {CAPACITY: "capacities_nats", SEED: "seeds"}  # axes with a short way to say them


class Cell(NamedTuple):
    """Where a condition of a study stands."""

    model: str
    place: Place
    seed: int


class Study(SettingKeys):
    """A family of conditions: every model × capacity × place on further axes × seed.

    The keys of `SettingKeys` (source, frequency, tasks, network, recipe, data sizes) hold for all models;
    each model names what it changes.

    Attributes:
        name: short, used for the run directory.
        title: heading of the page.
        description: what it is for, a sentence or two.
        models: name → the keys that this model changes; under `at`, capacity → `{recipe: …}`, what it changes
            of the recipe at that capacity alone.
        capacities_nats: target rates, nats; may be left out where no model is trained to a target rate.
        seeds: one model is trained for each.
        axes: key → its values, as `studies.axes.read_axis` reads them: any key with dots
            (`recipe.task_weight`), or a parameter that an expression names. A model does not vary along an
            axis whose key it sets itself or whose parameter it does not name. `capacity_nats` and `seed` may
            stand here, too.
        max_conditions: a study of more conditions is refused.
        reference: name of the model whose codes the others' warps are measured against, at equal seed and in
            the same place on the axes along which it varies; the first model if not given.
        readouts: model → tasks for which heads are trained on its frozen codes, once it is trained: the
            regime `disjoint` where the model has no task of its own, `transfer` where it has. Heads follow
            the study's recipe: its steps, batches and learning rate.
        bound_points: rates at which the rate–distortion bound is solved, at least 2, or 0 for none; it takes
            seconds with hundreds of stimuli, minutes with thousands.

    Raises:
        RequestError: naming the key, what is required, what came and the nearest valid name.

    Examples:
        >>> models = {"even": {}, "skewed": {"frequency": "E1M1"}}
        >>> study = Study(name="mine", models=models, capacities_nats=[0.3, 10])
        >>> [condition.model for condition in study.conditions]
        ['even', 'even', 'skewed', 'skewed']
    """

    name: ModelName = "study"
    title: Text = ""
    description: Text = ""
    models: Annotated[
        dict[ModelName, dict[str, Any]], Field(min_length=1, default_factory=lambda: dict(DEFAULT_MODELS))
    ]
    capacities_nats: tuple[Capacity, ...] = ()
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    axes: dict[str, Any] = Field(default_factory=dict)
    max_conditions: Annotated[int, Field(ge=1, le=MOST_CONDITIONS)] = 100_000
    reference: str = ""
    readouts: dict[ModelName, Annotated[tuple[TaskChoice, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
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

    @model_validator(mode="before")
    @classmethod
    def _take_objects(cls, data: Any) -> Any:
        """What models and axes give from Python is checked once, and then known by its description."""
        if not isinstance(data, dict):
            return data
        models, axes = data.get("models"), data.get("axes")
        if isinstance(models, Mapping):
            data = {
                **data,
                "models": {
                    name: taken(own) if isinstance(own, Mapping) else own for name, own in models.items()
                },
            }
        return {**data, "axes": taken(axes)} if isinstance(axes, Mapping) else data

    @model_validator(mode="before")
    @classmethod
    def _take_short_axes(cls, data: Any) -> Any:
        """`axes.capacity_nats` and `axes.seed` are kept as `capacities_nats` and `seeds`."""
        axes = data.get("axes") if isinstance(data, dict) else None
        if not isinstance(axes, Mapping):
            return data
        taken = {}
        for key, short in _SHORT.items():
            if key not in axes:
                continue
            if data.get(short):
                raise RequestError(f"axes.{key}: {short} is the same axis; leave one of them out")
            taken[short] = [value for (value,) in read_axis(key, axes[key]).values]
        return {**data, **taken, "axes": {key: value for key, value in axes.items() if key not in _SHORT}}

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
        if len(self.models) > self.max_conditions:
            refuse(
                "models",
                f"at most {self.max_conditions:,}, unless max_conditions is raised",
                len(self.models),
            )
        for name, setting in self.settings.items():
            _check_setting(setting, f"models.{name}")
            _check_at(self.models[name].get(_AT, {}), self.capacities_nats, f"models.{name}.{_AT}")
        crossing = self._crossing
        crossing.check()
        self._check_size(crossing)
        for (name, place), setting in self._cells.items():
            if setting.recipe.TARGETS_RATE != self.settings[name].recipe.TARGETS_RATE:
                raise RequestError(
                    "axes: recipes with a target rate and without one cannot stand on one axis; make them"
                    " different models"
                )
            if self._further(place):
                _check_setting(setting, f"axes, at {crossing.described(place)}: models.{name}")
        for name in self.readouts:
            if name not in self.models:
                refuse_name("readouts", "model", name, self.models)
            try:
                self.readout_tasks(name)
            except RequestError as error:
                raise RequestError(f"readouts.{name}: {error}") from None
        return self

    def _check_size(self, crossing: Crossing) -> None:
        conditions = len(self.seeds) * sum(map(crossing.size, self.models))
        if conditions > self.max_conditions:
            axes = [
                *(f"{len(axis.values):,} of {axis.name}" for axis in crossing.axes),
                f"{len(self.seeds):,} seeds",
            ]
            raise RequestError(
                f"models and axes must be crossed to at most {self.max_conditions:,} conditions, unless"
                " max_conditions is raised; got"
                f" {conditions:,}: {len(self.models):,} models × {' × '.join(axes)}"
            )

    @property
    def settings(self) -> dict[str, Setting]:
        """Model name → its whole setting."""
        return once(self, "settings", _FIELDS, self._make_settings)

    def _make_settings(self) -> dict[str, Setting]:
        base = self.model_dump(include=set(Setting.model_fields))
        crossed = [read_axis(name, written) for name, written in self.axes.items()]
        first = {key: value for axis in crossed for key, value in axis.at(0).items() if not is_key(key)}
        base["parameters"] = {**first, **dict(self.parameters)}
        return {
            name: _setting(base, _without_at(difference), f"models.{name}")
            for name, difference in self.models.items()
        }

    @property
    def crossed(self) -> tuple[Axis, ...]:
        """The axes but the seeds: capacity first, then those under `axes`."""
        return self._crossing.axes

    @property
    def further_keys(self) -> list[str]:
        """Keys of the axes but capacity and seed; tables have a column for each."""
        return [key for axis in self.crossed for key in axis.keys if key != CAPACITY]

    @property
    def _crossing(self) -> Crossing:
        return once(self, "crossing", _FIELDS, self._make_crossing)

    def _make_crossing(self) -> Crossing:
        further = [read_axis(name, written) for name, written in self.axes.items()]
        taken = {key for axis in further for key in axis.keys}
        if SEED in taken:
            raise RequestError(
                f"axes.{SEED} cannot move together with other keys; every seed is trained at every place"
            )
        short = (
            [Axis((CAPACITY,), tuple((one,) for one in self.capacities_nats))] if self.capacities_nats else []
        )
        return Crossing(self.models, self.settings, (*short, *further))

    def _further(self, place: Place) -> bool:
        """Whether a place is on an axis other than capacity alone."""
        return any(
            index is not None and axis.keys != (CAPACITY,)
            for axis, index in zip(self.crossed, place, strict=True)
        )

    @property
    def _cells(self) -> Mapping[tuple[str, Place], Setting]:
        """The setting of every model at each of its places."""
        return once(self, "cells", _FIELDS, self._make_cells)

    def _make_cells(self) -> Mapping[tuple[str, Place], Setting]:
        return {
            (name, place): self._cell(name, place)
            for name in self.models
            for place in self._crossing.places(name)
        }

    def _cell(self, model: str, place: Place) -> Setting:
        """The setting of a model at a place, with what it changes at that capacity alone; a table of
        pressures is its entry there.
        """
        setting, capacity = self._crossing.setting(model, place), self._crossing.values(place).get(CAPACITY)
        changes = [change for at, change in self.models[model].get(_AT, {}).items() if float(at) == capacity]
        if changes:
            setting = changed(setting.model_dump(), changes[0], f"models.{model}.{_AT}.{capacity:g}")
        try:
            recipe = setting.recipe.at(capacity)
        except RequestError as error:
            raise RequestError(f"models.{model}.{error}") from None
        return setting if recipe is setting.recipe else setting.model_copy(update={"recipe": recipe})

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every cell, models outermost, then capacities, further axes, and seeds."""
        return tuple(self.cells.values())

    @property
    def cells(self) -> Mapping[Cell, Condition]:
        """Every condition, by where it stands."""
        return once(self, "places", _FIELDS, self._make_conditions)

    def _make_conditions(self) -> Mapping[Cell, Condition]:
        found = {}
        for (name, place), setting in self._cells.items():
            capacity = self._crossing.values(place).get(CAPACITY)
            for seed in self.seeds:
                found[Cell(name, place, seed)] = Condition(
                    model=name, capacity_nats=capacity, seed=seed, setting=setting
                )
        return found

    def values_at(self, place: Place) -> dict[str, Any]:
        """Key → value of every axis at a place, but of those along which the model does not vary."""
        return self._crossing.values(place)

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

    def reference_of(self, cell: Cell) -> Cell | None:
        """The cell whose codes the warp in a cell is measured against; None where there is none in the same
        place.
        """
        place = self._crossing.reference(cell.place, self.reference)
        return None if place is None else Cell(self.reference, place, cell.seed)

    def setting_at(self, cell: Cell) -> Setting:
        """The setting of a cell, apart from what its model changes of the recipe at that capacity alone."""
        return self._crossing.setting(cell.model, cell.place)


_FIELDS = tuple(Study.model_fields)


def study_schema() -> str:
    """The JSON schema of study files."""
    return json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema()},
        indent=2,
        ensure_ascii=False,
    )


def of_all_models(setting: Setting) -> tuple[Any, ...]:
    """What models may not change, because they are compared with each other."""
    return tuple(getattr(setting, name) for name in SHARED)


def _setting(base: Mapping[str, Any], difference: Mapping[str, Any], place: str) -> Setting:
    shared = next((key for key in SHARED if key in difference), None)
    if shared:
        raise RequestError(
            f"{place}.{shared} must be the same for all models, so that they can be compared; set {shared}"
            " for the study"
        )
    return changed(base, difference, place)


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
        setting.likelihood.check(setting.source.pixels)
        setting.network.check(setting.source.image_shape)
        setting.image_counts()
        setting.class_schemes()
    except RequestError as error:
        raise RequestError(f"{place}: {error}") from None
    _check_room(setting, place)
    occurring = int(setting.occurring().sum())
    if occurring < _FEWEST_STIMULI:
        refuse(
            f"{place}: frequency",
            f"positive at {_FEWEST_STIMULI} stimuli at least; the others do not occur",
            f"{occurring} of them",
        )
    if setting.codes_each > setting.validation_each:
        raise RequestError(
            f"{place}: codes_each must be at most validation_each ({setting.validation_each}); got"
            f" {setting.codes_each}"
        )


def _check_room(setting: Setting, place: str) -> None:
    """Held-out images are all in memory when models are measured."""
    image = prod(setting.source.image_shape) * PIXELS[setting.source.pixels].dtype.itemsize
    needed = len(setting.measured()) * setting.images_each() * image
    if needed > _MOST_HELD_OUT_BYTES:
        refuse(
            f"{place}: validation_each",
            f"small enough for held-out images of at most {_MOST_HELD_OUT_BYTES / 1e9:g} GB; or make"
            " measured_stimuli smaller",
            f"{setting.validation_each}, for {needed / 1e9:.3g} GB",
        )

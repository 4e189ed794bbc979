"""Crossing: every model of a study at every place on the axes along which it varies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ratewarp._checks import RequestError, refuse, refuse_name, shorten
from ratewarp.studies.axes import CAPACITY, Axis
from ratewarp.studies.condition import Capacity, Setting
from ratewarp.studies.differences import changed, nested, sets

Place = tuple[int | None, ...]  # on every axis; None on those along which the model does not vary

_PARAMETERS = "parameters"
_CAPACITIES = TypeAdapter(Capacity)


@dataclass(frozen=True)
class Crossing:
    """Models and axes.

    Attributes:
        differences: model → what it changes.
        settings: model → its setting apart from the axes.
        axes: all but the seeds.
    """

    differences: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Setting]
    axes: tuple[Axis, ...]

    def check(self) -> None:
        """Checks keys and what models set of them.

        Raises:
            RequestError: naming the axis or model.
        """
        keys = [key for axis in self.axes for key in axis.keys]
        for key in keys:
            if keys.count(key) > 1:
                raise RequestError(f"axes: {key} is on two axes; a key stands on one")
            if not is_key(key) and not any(key in names for names in self._named.values()):
                known = [*Setting.model_fields, *set().union(*self._named.values()), CAPACITY]
                refuse_name("axes", "key, nor parameter of an expression,", key, known)
        for axis in self.axes:
            for value in (values.get(CAPACITY, 1.0) for values in map(axis.at, range(len(axis.values)))):
                try:
                    _CAPACITIES.validate_python(value)
                except ValidationError:
                    refuse(f"axes.{axis.name}", "a capacity of 0.001 to 100 nats at every place", value)
        if CAPACITY not in keys:
            for name, setting in self.settings.items():
                if setting.recipe.TARGETS_RATE:
                    raise RequestError(
                        f"capacities_nats must be given: models.{name} is trained to a target rate"
                        f" ({setting.recipe.name})"
                    )

    @cached_property
    def _named(self) -> dict[str, set[str]]:
        """Model → names that its expressions use."""
        return {name: setting.named() for name, setting in self.settings.items()}

    @cached_property
    def varying(self) -> dict[str, tuple[bool, ...]]:
        """Model → whether it varies along each axis."""
        return {name: tuple(self._varies(name, axis) for axis in self.axes) for name in self.settings}

    def _varies(self, model: str, axis: Axis) -> bool:
        fixed = [key for key in axis.keys if sets(self.differences[model], _path(key))]
        if fixed and len(fixed) < len(axis.keys):
            others = ", ".join(key for key in axis.keys if key not in fixed)
            raise RequestError(
                f"models.{model} sets {', '.join(fixed)}, which moves together with {others}; set all of"
                " them, or none"
            )
        if CAPACITY in axis.keys:
            return self.settings[model].recipe.TARGETS_RATE
        return not fixed and any(is_key(key) or key in self._named[model] for key in axis.keys)

    def size(self, model: str) -> int:
        """Number of places of a model."""
        return prod(
            len(axis.values) for axis, varies in zip(self.axes, self.varying[model], strict=True) if varies
        )

    def places(self, model: str) -> Iterator[Place]:
        """Places of a model, the first axis outermost."""
        rows = zip(self.axes, self.varying[model], strict=True)
        yield from product(*(range(len(axis.values)) if varies else (None,) for axis, varies in rows))

    def values(self, place: Place) -> dict[str, Any]:
        """Key → value at a place."""
        at = [axis.at(index) for axis, index in zip(self.axes, place, strict=True) if index is not None]
        return {key: value for values in at for key, value in values.items()}

    def described(self, place: Place) -> str:
        """A place in words, for messages."""
        return _described(self.values(place))

    @cached_property
    def _made(self) -> dict[tuple[str, Place], Setting]:
        return {}

    def setting(self, model: str, place: Place) -> Setting:
        """The setting of a model at a place.

        Raises:
            RequestError: a value that does not fit its key.
        """
        values, own = self.values(place), self.settings[model]
        values.pop(CAPACITY, None)
        if not values:
            return own
        known = (
            model,
            tuple(
                index if axis.keys != (CAPACITY,) else None
                for axis, index in zip(self.axes, place, strict=True)
            ),
        )
        if known not in self._made:
            try:
                self._made[known] = _laid_over(own, values, f"models.{model}")
            except RequestError as error:
                raise RequestError(f"axes, at {_described(values)}: {error}") from None
        return self._made[known]

    def reference(self, place: Place, reference: str) -> Place | None:
        """Where the reference of a model at a place is; None where the reference varies along an axis that
        the model does not.
        """
        varying = self.varying[reference]
        if any(varies and index is None for varies, index in zip(varying, place, strict=True)):
            return None
        return tuple(index if varies else None for varies, index in zip(varying, place, strict=True))


def is_key(key: str) -> bool:
    """Whether a name on an axis is a key of a setting, or the capacity, rather than a parameter of an
    expression.
    """
    return key == CAPACITY or key.split(".")[0] in Setting.model_fields


def _path(key: str) -> Sequence[str]:
    return key.split(".") if is_key(key) else (_PARAMETERS, key)


def _described(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {shorten(value)}" for key, value in values.items())


def _laid_over(own: Setting, values: Mapping[str, Any], place: str) -> Setting:
    """A setting with the values of axes laid over it, in their order; parameters are added one by one."""
    setting = own
    for key, value in values.items():
        path, data = _path(key), setting.model_dump()
        if path[0] == _PARAMETERS:
            data[_PARAMETERS] = {**dict(data[_PARAMETERS]), path[-1]: value}
            setting = changed(data, {}, place)
        else:
            setting = changed(data, nested(path, value), place)
    return setting

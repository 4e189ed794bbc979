"""Differences: what a model or a place on an axis changes, laid over what holds otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from ratewarp._checks import RequestError
from ratewarp._explain import explain
from ratewarp.studies.condition import Setting
from ratewarp.studies.identity import TAGS


def changed(base: Mapping[str, Any], difference: Mapping[str, Any], place: str) -> Setting:
    """The setting that `difference` makes of `base`, both as plain data; `place` names it in messages.

    Parameters that no expression names are left out: they change nothing.

    Raises:
        RequestError: a key or value that does not fit.
    """
    try:
        setting = Setting.model_validate(merge(base, difference))
    except ValidationError as error:
        raise RequestError(explain(error, Setting, place)) from None
    if not setting.parameters:
        return setting
    named = setting.named()
    return setting.model_copy(
        update={"parameters": tuple(pair for pair in setting.parameters if pair[0] in named)}
    )


def merge(base: Mapping[str, Any], difference: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `difference` laid over it, key by key; a variant with another name replaces the base's
    whole.

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


def nested(parts: Sequence[str], value: Any) -> dict[str, Any]:
    """A value under its keys.

    Examples:
        >>> nested(["a", "b"], 1)
        {'a': {'b': 1}}
    """
    for part in reversed(parts):
        value = {part: value}
    return value


def sets(difference: Mapping[str, Any], parts: Sequence[str]) -> bool:
    """Whether a difference says what stands under these keys, or replaces what holds them.

    Examples:
        >>> steps = {"recipe": {"steps": 7}}
        >>> [sets(steps, parts) for parts in (["recipe", "steps"], ["recipe"], ["recipe", "decay"])]
        [True, True, False]
        >>> sets({"recipe": "swift"}, ["recipe", "steps"])
        False
    """
    below: Any = difference
    for part in parts:
        if not isinstance(below, Mapping) or part not in below:
            return False
        below = below[part]
    return True

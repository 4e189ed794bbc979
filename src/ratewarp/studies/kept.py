"""What is computed from a frozen model is computed once, and kept beside its fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import BaseModel

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class _Kept:
    """A value, and the contents of the fields that it was computed from."""

    of: tuple[Any, ...]
    value: Any

    def __reduce__(self) -> tuple[Any, ...]:
        """Nothing kept goes along to another process, or into a deep copy."""
        return _Kept, ((), None)


def once(model: BaseModel, name: str, fields: Sequence[str], make: Callable[[], Value]) -> Value:
    """What `make` returns, computed when first asked for and again only where a field holds another object.

    Such a field is one of a copy, made by `model_copy(update=…)`, which takes with it all that is kept.

    Arguments:
        model: a frozen model.
        name: of the value.
        fields: names of the fields that the value depends on.
        make: computes it from these fields alone.
    """
    held = cast(dict[str, Any], model.__dict__)
    of = tuple(held[field] for field in fields)
    place = f"_kept_{name}"
    kept = held.get(place)
    if kept is None or list(map(id, kept.of)) != list(map(id, of)):
        kept = _Kept(of, make())
        held[place] = kept  # beside the fields: no part of equality, hash or what is written
    return kept.value


def fixed(array: np.ndarray) -> np.ndarray:
    """The array, which nobody can change from now on."""
    array.setflags(write=False)
    return array

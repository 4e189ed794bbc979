"""Identity: what makes two conditions the same, or two members fit one compiled program. The only place that
says so.

A condition's id hashes its contents. The keys of `FIRST`, those of the first version, count whatever their
values, in this order; one that came later counts only where it differs from its default. So a new key with a
default changes no id, and what is stored stays known. The default of a later key never changes, since ids do
not say which one they mean; `tests/studies/defaults.txt` holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

# keys that say which variant of a thing it is; they always count, unless `FIRST` says what does
TAGS = ("name", "kind")

_CONSTRAINED = (
    *("steps", "batch_size", "learning_rate", "task_weight", "capacity_ramp", "task_ramp"),
    *("multiplier_start", "multiplier_speed", "multiplier_gain", "precision", "name"),
)
FIRST: Mapping[str, tuple[str, ...]] = {
    "Condition": ("model", "capacity_nats", "seed", "setting"),
    "Setting": (
        *("source", "frequency", "tasks", "network", "recipe"),
        *("training_images", "validation_each", "codes_each", "data_seed"),
    ),
    "TaskRule": ("name", "label"),
    "Corridors": ("kind",),
    "Convolutional": ("latents", "convolutions"),
    "ConvolutionConfig": ("filters", "kernel", "stride", "padding"),
    "Principled": _CONSTRAINED,
    "Swift": _CONSTRAINED,
    "Published": (
        *(
            "name",
            "steps",
            "batch_size",
            "learning_rate",
            "pressure",
            "task_weight",
            "many_class_weight",
            "decay",
            "steps_per_epoch",
        ),
        *(
            "capacity_ramp_steps",
            "quarter_steps",
            "task_ramp_steps",
            "double_softmax",
            "validation_batches",
            "processes",
            "precision",
        ),
    ),
}


def contents(value: Any) -> Any:
    """What counts of a frozen model, as plain data; the order of its fields does not count.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> contents(Corridors())
        {'kind': 'corridors'}
    """
    if isinstance(value, BaseModel):
        fields, first = type(value).model_fields, FIRST.get(type(value).__name__, ())
        later = {name: getattr(value, name) for name in sorted(fields.keys() - set(first))}
        tags = () if first else TAGS
        changed = [name for name, own in later.items() if name in tags or own != fields[name].get_default()]
        return {name: contents(getattr(value, name)) for name in (*first, *changed)}
    if hasattr(value, "identity"):  # what a user gave from Python says so itself
        return value.identity
    return [contents(one) for one in value] if isinstance(value, list | tuple) else value


def digest(value: Any, digits: int) -> str:
    """Hash of what counts of a frozen model, or of a list of them and of plain data.

    Arguments:
        value: what is hashed.
        digits: of the hash, hexadecimal.
    """
    return sha256(to_json(contents(value))).hexdigest()[:digits]

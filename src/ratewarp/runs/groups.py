"""Groups: conditions that one compiled program can train. A matter of the study alone, without any device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ratewarp.studies import Condition, Setting


def groups(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Conditions that one compiled program can train, in order of first appearance."""
    found: dict[Any, list[Condition]] = {}
    for condition in conditions:
        found.setdefault(compile_key(condition.setting), []).append(condition)
    return list(found.values())


def compile_key(setting: Setting) -> tuple[Setting, tuple[int, ...]]:
    """What settings that one compiled program can train have in common."""
    return setting.shared(), setting.classes()


def steps_of(condition: Condition) -> int:
    """Training steps of a condition."""
    return condition.setting.recipe.steps

"""Tasks: labellings of a source's stimuli."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Int

from ratewarp._checks import refuse, refuse_name
from ratewarp.sources.expressions import evaluate
from ratewarp.sources.source import Source, variables_of

MAX_CLASSES = 1000


@dataclass(frozen=True)
class Task:
    """A labelling of the stimuli of a source.

    Attributes:
        name: what tables and figures call it.
        expression: the rule over factors that gives the label.
        labels: class of every stimulus, 0 … classes − 1; for a condition, 1 where it is true.
        classes: how many there are, at least 2.
    """

    name: str
    expression: str
    labels: Int[np.ndarray, " stimuli"]
    classes: int


def task_names(names: tuple[str, ...], source: Source) -> tuple[str, ...]:
    """`names` with every task set of a source (E2M5) replaced by the tasks it holds, each once, in order.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> task_names(("E2M5",), Corridors())
        ('E2M1', 'E2M2', 'E2M3', 'E2M4')
    """
    flat = [task for name in names for task in source.task_sets.get(name, (name,))]
    return tuple(dict.fromkeys(flat))


def task(
    name: str,
    source: Source,
    *,
    expression: str | None = None,
    parameters: Mapping[str, float] = MappingProxyType({}),
    argument: str = "tasks",
) -> Task:
    """The task called `name` on `source`.

    Arguments:
        name: one of the source's tasks (E2M1 … E2M4 of Corridors), or any name if `expression` is given.
        source: where the stimuli come from.
        expression: rule over the factors: a condition (two classes), a whole number from 0 (that many
            classes), or the name of a categorical factor (a class for each of its values that occurs, in
            their order).
        parameters: name → value, of what the expression may name besides factors.
        argument: name used in error messages.

    Returns:
        The labelling.

    Raises:
        RequestError: unknown name, bad expression, labels that are not whole numbers from 0, or a class
            without stimuli.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> int(task("E2M3", Corridors()).labels.sum())
        13
        >>> task("right", Corridors(), expression="x_UC > 9").classes
        2
    """
    if expression is None and name not in source.tasks:
        refuse_name(argument, "task", name, [*source.tasks, *source.task_sets])
    rule = source.tasks[name] if expression is None else expression
    values = _values(rule, source, parameters, f"{argument} ({name})")
    labels = np.round(values).astype(int)
    if np.any(labels != values) or labels.min() < 0 or labels.max() >= MAX_CLASSES:
        refuse(
            f"{argument} ({name})", f"a condition, or whole numbers from 0 to at most {MAX_CLASSES - 1}", rule
        )
    missing = sorted(set(range(max(2, labels.max() + 1))) - set(labels.tolist()))
    if missing:
        refuse(
            f"{argument} ({name})",
            f"a labelling in which every class occurs (class {missing[0]} never does)",
            rule,
        )
    return Task(name, rule, labels, int(labels.max()) + 1)


def _values(rule: str, source: Source, parameters: Mapping[str, float], argument: str) -> np.ndarray:
    categories = {
        factor.name: column
        for factor, column in zip(source.factors, source.stimuli.T, strict=True)
        if factor.kind == "categorical"
    }
    if rule.strip() in categories:
        return np.unique(categories[rule.strip()], return_inverse=True)[1]
    return evaluate(
        rule, variables_of(source, parameters, argument), length=len(source.stimuli), argument=argument
    )

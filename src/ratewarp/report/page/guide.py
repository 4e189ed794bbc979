"""For who never heard of the warps: what each is, where to look for it, and the condition of a run that
shows it best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ratewarp.report.page.figures_in_words import short
from ratewarp.report.page.told_tables import AXES, PROTOTYPES, RATIO, SLOPE
from ratewarp.report.views import RunView, scheme_title
from ratewarp.studies import Setting
from ratewarp.studies.condition import FREQUENCY_SCHEME

# measures of a warp, of which the first that the run has counts; what it is; where to look
_WARPS = (
    (
        "Prototypization",
        (PROTOTYPES,),
        "Codes of stimuli of one class draw together towards the class's prototype: more of what varies in"
        " the code lies between classes, less within them.",
        "On the maps, dots of one colour gather beside those of the other.",
    ),
    (
        "Specialization",
        (RATIO, SLOPE),
        "Capacity goes to frequent stimuli: in the code they lie farther apart from each other than rare"
        " ones do.",
        "On the maps, dots of frequent stimuli spread where rare ones crowd.",
    ),
    (
        "Orthogonalization",
        (AXES,),
        "The task gets a latent of its own, at right angles to everything else that the code says: one latent"
        " alone tells the classes apart, instead of several together.",
        "A map turns as it likes, and cannot show it: look at single latents.",
    ),
)
_LIT = (
    "The button colours both maps by what one latent of the model says, and lights up one class: most of it"
    " lies at one end of that latent, most of the other class at the other."
)
_UNIFORM = "uniform"
_USED = 0.01  # share of the largest variance of a latent, from which one is looked at
_TWO = 2  # classes, which the ends of one latent can tell apart
_SEVERAL = 2  # latents in use: a latent that is alone stands out from nothing


def guide(view: RunView) -> list[dict[str, Any]]:
    """The three warps in words, each with the condition whose change from the reference is largest among
    those whose interval lies above 0, None where there is none; where that is of a task with two classes and
    a matter of latents, also with the task and the latent that tells its classes apart best.
    """
    models = view.table("models")[["condition", "status", "active_units"]]
    rows = view.table("geometry").merge(models, on="condition")
    found = []
    for title, measures, meaning, look in _WARPS:
        condition, task = _best(rows, measures) or (None, "")
        one = {"title": title, "meaning": meaning, "look": look, "condition": condition}
        latent = _clearest_latent(view, condition, task) if condition and AXES in measures else None
        found.append(one if latent is None else {**one, "look": _LIT, "latent": latent, "task": task})
    return found


def _clearest_latent(view: RunView, condition: str, task: str) -> int | None:
    """The latent of which the largest share of the variance lies between the two classes of a task; None
    where they are more, or nothing is known of them.
    """
    (own,) = (one for one in view.study.conditions if one.id == condition)
    record = view.record(own)
    tasks = [str(one) for one in record["task"].values]
    if task not in tasks:
        return None
    codes = record["code"].values
    labels = record["label"].values[tasks.index(task)][record["stimulus"].values]
    if len(np.unique(labels)) != _TWO:
        return None
    within = sum(_spread(codes[labels == one]) for one in np.unique(labels))
    spread = _spread(codes)
    used = spread > _USED * spread.max()
    if not used.any():  # of a record that is not there, too
        return None
    return int(np.argmax(np.where(used, 1 - within / np.where(used, spread, 1), -1)))


def _spread(codes: Float[np.ndarray, "items latents"]) -> Float[np.ndarray, " latents"]:
    """Sum of squared distances from the mean, of every latent."""
    return np.square(codes - codes.mean(axis=0)).sum(axis=0)


def _best(rows: pd.DataFrame, measures: tuple[str, ...]) -> tuple[str, str] | None:
    """Condition and task."""
    for measure in measures:
        own = rows[(rows["measure"] == f"{measure}_change") & (rows["status"] == "ok")]
        clear = pd.DataFrame(own[own["low"] > 0])
        if measure == AXES:
            several = pd.DataFrame(clear[clear["active_units"] >= _SEVERAL])
            clear = several if len(several) else clear
        if len(clear):
            first = clear.sort_values("value", ascending=False).iloc[0]
            return str(first["condition"]), str(first["task"])
    return None


def about_model(view: RunView, model: str) -> str:
    """What sets a model apart: how often it sees which stimuli, and what it is asked for; with the sliders
    that change it.
    """
    own = {cell.place: one.setting for cell, one in view.study.cells.items() if cell.model == model}
    words = [f"{short(model)} {_seen(list(own.values()))} and {_trained(list(own.values()))}."]
    moved = [key for key in view.study.further_keys if any(key in view.study.values_at(at) for at in own)]
    if moved:
        words.append(f"It was trained at every {_listed(moved)}: the controls say which is shown.")
    if model == view.study.reference:
        words.append("It is the reference that others are compared with.")
    return " ".join(words)


def _seen(own: Sequence[Setting]) -> str:
    """How often a model sees which stimuli, wherever it was trained."""
    first = own[0]
    if any(one.frequency != first.frequency for one in own):
        return "sees stimuli by one of several frequencies"
    if first.frequency == _UNIFORM:
        return "sees every stimulus equally often"
    if not isinstance(first.frequency, str):
        return "sees stimuli by frequencies that were given as numbers"
    rule = first.source.frequencies.get(first.frequency, "")
    return f"sees stimuli by the frequency {short(first.frequency)}" + (f" ({short(rule)})" if rule else "")


def _trained(own: Sequence[Setting]) -> str:
    """What a model is asked for, wherever it was trained."""
    named = {tuple(task.name for task in one.labellings()) for one in own}
    if len(named) > 1:
        return "has one of several sets of tasks"
    if not named.pop():
        return "has no task"
    classes = [(one, tuple(task.classes for task in one.labellings())) for one in own]
    weights = [weight for one, numbers in classes for weight in one.recipe.task_weights(numbers)]
    tasks = "; ".join(_asked(own[0], task.name) for task in own[0].labellings())
    if not any(weights):
        return f"has a task that counts nothing ({tasks})"
    without = "" if all(weights) else "; with a weight of 0 it is not trained for it"
    return f"is also trained to tell {tasks}{without}"


def _listed(names: Sequence[str]) -> str:
    *most, last = map(short, names)
    return f"{', '.join(most)} and {last}" if most else last


def _asked(setting: Setting, task: str) -> str:
    title = scheme_title(task, setting) if task in setting.class_schemes() else task
    return short(title if task != FREQUENCY_SCHEME else task)

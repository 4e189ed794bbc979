"""What the stage says of measured codes: each index that asks about a warp, with its interval, beside the
reference's where there is one.
"""

from __future__ import annotations

from math import isfinite, isnan

from ratewarp.codes.measurement import FORMS, Measurement
from ratewarp.geometry.representation import PLACES
from ratewarp.report.page.figures_in_words import ALIGNMENT, SHARE, TIMES, Found, Scale, short
from ratewarp.report.page.told_tables import AXES, DIMENSIONS, PROTOTYPES, SLOPE

_MOST_TASKS = 4
_NOISE = {"removed": ", trial noise taken off", "included": ", trial noise included", "": ""}
_SAID = {
    PROTOTYPES: (
        "{value} of the variance of the codes lies between the classes of {task}, adjusted for chance"
    ),
    AXES: (
        "the directions that tell the classes of {task} apart have an alignment of {value} with single"
        " latents (1: each lies along a latent)"
    ),
    SLOPE: (
        "the slope of log distance between neighbours on log frequency is {value} (0: frequent stimuli are"
        " told apart as well as rare ones)"
    ),
    DIMENSIONS: "the codes spread over about {value} of {latents} dimensions (participation ratio)",
}
_SCALES = {
    PROTOTYPES: SHARE,
    AXES: ALIGNMENT,
    SLOPE: TIMES,
    DIMENSIONS: Scale(1, 1, "", ""),
}
_MEANS = {
    (PROTOTYPES, "up"): "codes gather by class more than in the reference: prototypization",
    (PROTOTYPES, "down"): "codes gather by class less than in the reference",
    (AXES, "up"): "the task lies nearer to single latents than in the reference: orthogonalization",
    (AXES, "down"): "the task lies farther from single latents than in the reference",
    (SLOPE, "up"): "frequent stimuli are told apart better than in the reference: specialization",
    (SLOPE, "down"): "frequent stimuli are told apart less well than in the reference",
}


def sentences_of_codes(found: Measurement) -> list[str]:
    """Sentences in their order: plain text, in which names are those that the user gave."""
    told, numbers = [], _numbers(found)
    tasks = list(found.classes)
    for measure, of in ((PROTOTYPES, tasks), (AXES, tasks), (SLOPE, None), (DIMENSIONS, [""])):
        known = [task for name, task in numbers if name == measure] if of is None else of[:_MOST_TASKS]
        told += [_told(found, numbers, measure, task) for task in known if (measure, task) in numbers]
    more = len(tasks) - _MOST_TASKS
    if more > 0:
        told.append(f"And {more} more {'task' if more == 1 else 'tasks'}: see the indices below.")
    return told


def _numbers(found: Measurement) -> dict[tuple[str, str], tuple[Found, str]]:
    """Single numbers that are known, each in the form that counts, with the name of the form."""
    numbers: dict[tuple[str, str], tuple[Found, str]] = {}
    for form in reversed(FORMS):
        for row in found.table.to_dict("records"):
            single = all(row[place] is None or row[place] != row[place] for place in PLACES)
            if row["trial_noise"] == form and single and isfinite(row["value"]):
                one = Found(row["value"], row["low"], row["high"], row["note"])
                numbers[row["measure"], row["task"]] = one, form
    return numbers


def _told(
    found: Measurement, numbers: dict[tuple[str, str], tuple[Found, str]], measure: str, task: str
) -> str:
    own, form = numbers[measure, task]
    change = numbers.get((f"{measure}_change", task), (None, ""))[0]
    scale = _SCALES[measure]
    decimals = scale.decimals_for(change)
    latents, value = found.codes.shape[1], scale.told(own.value, decimals)
    text = _SAID[measure].format(value=value, task=short(task), latents=latents)
    text += f"{_interval(own, scale, decimals, found)}{_NOISE[form]}"
    if change is not None:
        text += _change(change, scale, decimals, measure)
    return f"{text[0].upper()}{text[1:]}."


def _interval(own: Found, scale: Scale, decimals: int, found: Measurement) -> str:
    if isnan(own.low) or isnan(own.high):
        return ""
    low, high = (scale.told(one, decimals) for one in (own.low, own.high))
    return f" ({100 * found.level:g} % interval over {found.units}: {low} to {high})"


def _change(change: Found, scale: Scale, decimals: int, measure: str) -> str:
    """What differs from the reference, and what that means where it is clear."""
    if not change.direction:
        return ""
    interval = scale.interval(change, decimals)
    if change.direction == "none":
        return f"; against the reference, no clear change ({interval})"
    means = _MEANS.get((measure, change.direction))
    return f"; against the reference, {interval}" + (f": {means}" if means else "")

"""A study file to start from, for images that were inspected: it runs as it is, and says what can be
changed.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from ratewarp._checks import escaped
from ratewarp.sources.image_files.inspection import ColumnFound, Inspection
from ratewarp.sources.own_columns import identifier

STEPS = 2600
_LONGEST_RULE = 300  # characters


class Given(NamedTuple):
    """Where the images come from, as a study file says it.

    Attributes:
        images: path of the file or folder.
        table: path of the table that describes them.
        array: name of the array that holds them.
        skip_bad: whether images that cannot be used are left out.
    """

    images: str
    table: str | None = None
    array: str | None = None
    skip_bad: bool = False


def starter_study(name: str, found: Inspection, given: Given) -> str:
    """Text of the study file.

    Arguments:
        name: of the study; letters that no name can have are left out.
        found: what the images are like.
        given: where they come from.
    """
    usable = [column for column in found.columns if not _why_not(column)]
    own = _own_name(name)
    lines = [
        *_found_words(found),
        f"name: {_text(own)}",
        f"title: {_text(f'Images of {name}' if own != 'study' else 'My images')}",
        *_source(found, given, usable),
        _network(found),
        _likelihood(found),
        "capacities_nats: [1, 3, 10]  # target rates",
        f"recipe: {{name: principled, steps: {STEPS}}}",
        "seeds: [0]",
        *_models(usable),
    ]
    return "\n".join(lines) + "\n"


def _own_name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:40]
    return plain if re.match("[A-Za-z]", plain) else "study"


def _found_words(found: Inspection) -> list[str]:
    size = " × ".join(map(str, found.shape))
    words = [
        f"{found.count:,} images of {size} (height × width × channels), {found.dtype}",
        f"numbers from {found.lowest:g} to {found.highest:g}; {found.scaling.words}",
    ]
    if found.duplicates.images:
        words.append(f"{found.duplicates.images:,} images equal an earlier one")
    if found.left_out:
        words.append(f"{len(found.left_out):,} were left out, since they cannot be used")
    if found.crossing is not None and len(found.crossing.columns) > 1:
        cross = found.crossing
        words.append(
            f"{cross.occurring:,} of {cross.possible:,} combinations of {', '.join(cross.columns)} occur"
        )
    return [f"# {escaped(line)}" for line in words]


def _source(found: Inspection, given: Given, usable: list[ColumnFound]) -> list[str]:
    labels = [column.name for column in usable if column.role == "label"]
    factors = [column.name for column in usable if column.role == "factor"]
    low, high = _number(found.lowest), _number(found.highest)
    lines = ["source:", f"  images: {_text(given.images)}"]
    lines += [f"  table: {_text(given.table)}"] if given.table is not None else []
    lines += [f"  array: {_text(given.array)}"] if given.array is not None else []
    lines += [f"  labels: {_list(labels)}  # columns of categories"] if labels else []
    lines += [f"  factors: {_list(factors)}  # columns of numbers that have an order"] if factors else []
    lines += (
        [f"  # circular: {{{factors[0]}: 360}}  # factors that repeat, with their period"] if factors else []
    )
    if found.scaling.pixels == "count":
        lines.append("  # counts stay as they are")
    elif found.scaling.zero is None:
        lines.append(f"  range: [{low}, {high}]  # numbers that become 0 and 1")
    else:
        lines.append("  # range: [0, 1]  # numbers of real-valued images that become 0 and 1")
    lines.append("  # held_out: 0.2  # share of the images that are measured on, not trained on")
    lines.append(f"  {'' if given.skip_bad else '# '}skip_bad: true  # leaves out images that cannot be used")
    for column in found.columns:
        if column.role in ("label", "factor", "numbers") and (why := _why_not(column)):
            lines.append(f"  # not used: {escaped(column.name)} {why}")
    return lines


def _why_not(column: ColumnFound) -> str:
    """Why a column cannot be a label or a factor."""
    if column.role not in ("label", "factor"):
        return f"has {column.distinct:,} different values, too many for a factor"
    return f"has no value for {column.missing:,} images" if column.missing else ""


def _network(found: Inspection) -> str:
    if found.shape[1] == 1:
        return "network: {kind: mlp, latents: 10}"
    return "network: {kind: convolutional, convolutions: by size, latents: 10}"


def _likelihood(found: Inspection) -> str:
    if found.scaling.pixels == "count":
        return "likelihood: poisson  # or gaussian"
    return "likelihood: gaussian  # or bernoulli-mean, for numbers within 0 and 1"


def _models(usable: list[ColumnFound]) -> list[str]:
    lines = ["models:", "  baseline: {}"]
    rules = [(column, rule) for column in usable if (rule := _condition(column))]
    if not rules:
        return lines
    column, rule = min(rules, key=lambda pair: pair[0].role != "label")
    lines.append(f"  frequent: {{frequency: {_quoted(f'5 if {rule} else 1')}}}  # more often than all others")
    label = identifier(column.name) if column.role == "label" else rule
    task = f"{{name: which_{_plain(column.name)}, label: {_quoted(label)}}}"
    lines.append(f"  task: {{tasks: [{task}]}}  # a head learns to tell them apart")
    return lines


def _condition(column: ColumnFound) -> str:
    """A rule that is true for some images and false for others; empty where none is found."""
    values = list(column.frequencies)
    if len(values) < 2:
        return ""
    if column.role == "factor":
        return f"{identifier(column.name)} > {_number(values[(len(values) - 1) // 2])}"
    rules = (f"{identifier(column.name)} == {_literal(value)}" for value in values)
    return next(filter(_sound, rules), "")


def _literal(value: Any) -> str:
    if not isinstance(value, str):
        return _number(value)
    mark = '"' if "'" in value else "'"
    return f"{mark}{value}{mark}"


def _sound(rule: str) -> bool:
    quotes = rule.count("'") in (0, 2) or rule.count('"') == 2
    return quotes and rule.isprintable() and "\\" not in rule and len(rule) < _LONGEST_RULE


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:30]


def _number(value: Any) -> str:
    """A number that reads back as it is."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def _list(names: list[str]) -> str:
    return f"[{', '.join(map(_text, names))}]"


def _text(value: str) -> str:
    """A text as YAML writes it on one line."""
    return yaml.safe_dump(value, width=10**9, allow_unicode=True, default_flow_style=True).splitlines()[0]


def _quoted(value: str) -> str:
    """A text in quotes, as YAML needs it inside braces."""
    return yaml.safe_dump(value, width=10**9, allow_unicode=True, default_style='"').splitlines()[0]

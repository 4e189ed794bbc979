"""A measurement, and one of several sets, as notebooks show them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from ratewarp._checks import escaped
from ratewarp.geometry.measuring import PLACES

if TYPE_CHECKING:
    from ratewarp.codes.measurement import Measurement
    from ratewarp.codes.several import Several

_MOST_ENTRIES = 10  # rows of one matrix or list
_MOST_NOTES = 20
_LONGEST = 60  # letters of a name
_HEADINGS = {"removed": "without trial noise", "included": "with trial noise", "": "codes as they are given"}
_NAMED = ("measure", "task", *PLACES)
_NUMBERS = ("value", "mean", "se", "interval", "sets", "p", "p_adjusted")


def one_line(found: Measurement) -> str:
    """What was measured, in one line of plain text.

    Examples:
        >>> from ratewarp import measure
        >>> import numpy as np
        >>> measure(np.arange(12.0).reshape(6, 2), permutations=0)
        <Measurement: 6 items, 2 latents; no task; 95% intervals over 6 items; 2 rows in .table>
    """
    items, latents = found.codes.shape
    tasks = ", ".join(f"{_name(task)} ({len(names)} classes)" for task, names in found.classes.items())
    parts = (
        f"{items:,} items, {latents:,} latents",
        f"tasks: {tasks}" if tasks else "no task",
        f"{found.level:.0%} intervals over {found.number:,} {found.units}",
        f"{len(found.table):,} rows in .table",
    )
    return f"<Measurement: {'; '.join(parts)}>"


def several_in_one_line(found: Several) -> str:
    """What was measured of several sets, in one line of plain text."""
    parts = (
        f"{len(found.sets):,} sets",
        *([f"{len(found.places):,} places of {_name(found.third)}"] if found.third is not None else []),
        f"{found.level:.0%} intervals over sets",
        f"{len(found.group):,} rows in .group, {len(found.table):,} in .table",
    )
    return f"<Several: {'; '.join(parts)}>"


def as_html(found: Measurement) -> str:
    """A table in HTML, grouped by trial noise; notes are numbered below it.

    Long matrices are cut, and every name is text, whatever is in it.
    """
    return _html(one_line(found), found.table, _NAMED, found.level, ".table")


def several_as_html(found: Several) -> str:
    """The table over sets in HTML, rows of one number together; see `as_html`."""
    group = found.group
    if found.third is None:
        return _html(several_in_one_line(found), group, _NAMED, found.level, ".group")
    number = group.groupby(list(_NAMED), sort=False).ngroup()
    ordered = group.iloc[number.argsort(kind="stable")]
    return _html(several_in_one_line(found), ordered, (*_NAMED, found.third), found.level, ".group")


def _html(said: str, table: pd.DataFrame, named: Sequence[str], level: float, where: str) -> str:
    notes = _Notes()
    columns = [name for name in named if _is_used(table, name)]
    numbers = [name for name in _NUMBERS if name == "interval" or _is_used(table, name)]
    head = "".join(f"<th style='text-align:left'>{escape(_name(name))}</th>" for name in columns)
    head += "".join(f"<th>{_title(name, level)}</th>" for name in numbers)
    body = []
    every = table.to_dict("records")
    forms = list(dict.fromkeys(row["trial_noise"] for row in every))
    for form in forms:
        rows = [row for row in every if row["trial_noise"] == form]
        if any(forms):
            width = len(columns) + len(numbers)
            heading = escape(_HEADINGS.get(form, escaped(form)))
            body.append(f"<tr><th colspan='{width}' style='text-align:left'>{heading}</th></tr>")
        body += _rows(rows, columns, numbers, notes, where)
    return (
        f"<div><p>{escape(said.strip('<>'))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{notes.below()}</div>"
    )


class _Notes:
    """Notes by the number under which they stand below the table."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def mark(self, note: str) -> str:
        if not note:
            return ""
        number = self.numbers.setdefault(note, len(self.numbers) + 1)
        return f"<sup title='{escape(escaped(note))}'>{number}</sup>"

    def below(self) -> str:
        shown = list(self.numbers.items())[:_MOST_NOTES]
        lines = [f"<sup>{number}</sup> {escape(escaped(note))}" for note, number in shown]
        more = len(self.numbers) - len(shown)
        lines += [f"and {more} more: see the column note of .table"] if more else []
        return f"<p style='font-size:smaller'>{'<br>'.join(lines)}</p>" if lines else ""


def _rows(
    rows: list[dict[Any, Any]], columns: list[str], numbers: list[str], notes: _Notes, where: str
) -> list[str]:
    """Rows of one form; of a matrix or a list, the first few."""
    out, shown = [], {}
    for row in rows:
        of = (row["measure"], row["task"])
        shown[of] = shown.get(of, 0) + 1
        if shown[of] <= _MOST_ENTRIES:
            out.append(_row(row, columns, numbers, notes))
    for (measure, task), count in shown.items():
        if count > _MOST_ENTRIES:
            what = f"{count - _MOST_ENTRIES:,} more of {_name(measure)} {_name(task)}".rstrip()
            out.append(
                f"<tr><td colspan='{len(columns) + len(numbers)}'>… {escape(what)}: see {where}</td></tr>"
            )
    return out


def _row(row: dict[Any, Any], columns: list[str], numbers: list[str], notes: _Notes) -> str:
    named = [_text(row[name]) for name in columns]
    named[0] += notes.mark(row.get("note", ""))
    cells = [f"<td style='text-align:left'>{one}</td>" for one in named]
    cells += [f"<td style='white-space:nowrap'>{_number(row, name)}</td>" for name in numbers]
    return f"<tr>{''.join(cells)}</tr>"


def _is_used(table: pd.DataFrame, name: str) -> bool:
    return name == "measure" or (name in table and any(not pd.isna(one) and one != "" for one in table[name]))


def _title(name: str, level: float) -> str:
    titles = {"interval": f"{level:.0%} interval", "p_adjusted": "p, corrected"}
    return titles.get(name, name)


def _text(one: Any) -> str:
    """A name, or the number of a latent or a place; nothing where there is none."""
    if pd.isna(one):
        return ""
    text = f"{one:.10g}" if isinstance(one, float) else str(one)  # numbers of latents are floats, too
    return escape(_name(text))


def _name(name: str) -> str:
    """A name on one line, cut where it is very long."""
    text = escaped(name)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _number(row: dict[Any, Any], name: str) -> str:
    if name == "interval":
        return "" if pd.isna(row["low"]) else f"[{_decimal(row['low'])}, {_decimal(row['high'])}]"
    if name == "sets":
        return f"{row[name]:,}"
    if name in ("p", "p_adjusted") and row[name] < 0.0005:
        return "&lt; 0.001"
    return "" if pd.isna(row[name]) else _decimal(row[name])


def _decimal(number: float) -> str:
    return f"{number:.3f}".replace("-", "−")

"""`ratewarp check-paper`: a run beside the publication."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ratewarp.cli.printing import FolderArgument, JsonOption, leave

if TYPE_CHECKING:
    from ratewarp.results.paper.comparison import Comparison


def check_paper(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Set a run of the study paper, or of a part of it, beside the publication's numbers and statements.

    Exit code 0: everything is there and within tolerance; 1: something is outside; 3: nothing is outside, but
    the run lacks conditions, or is not finished. Tables go to DIR/comparison, unless another process works on
    the run just now.
    """
    from ratewarp.results.paper.comparison import NEEDED, compare_published, comparison_json, write_comparison
    from ratewarp.runs.directory import open_run, writing_to
    from ratewarp.runs.run_lock import BusyError

    run = open_run(folder)
    if absent := [name for name in NEEDED if not run.has_table(name)]:
        print(
            f"{folder} is not finished (no table {', '.join(absent)}); comparing what it has stored",
            file=sys.stderr,
        )
    comparison = compare_published(run)
    try:
        with writing_to(run, "compare") as directory:
            write_comparison(directory, comparison)
        written = f"tables: {folder / 'comparison'}"
    except BusyError as error:
        written = f"the tables of the comparison are not written: {error}"
    if as_json:
        print(comparison_json(comparison))
    else:
        _print_check(comparison)
    print(written, file=sys.stderr)
    for line in comparison.missing:
        print(f"missing: {line}", file=sys.stderr)
    if not comparison.holds:
        leave("outside tolerance", 1)
    if not comparison.complete:
        nothing = all(threshold.holds is None for threshold in comparison.thresholds)
        leave(
            "incomplete: " + ("nothing to compare" if nothing else "what the run has is within tolerance"), 3
        )


def _print_check(comparison: Comparison) -> None:
    """Tables with every cell, then what holds."""
    words = {True: "yes", False: "no", None: "–"}
    for name in ("distortion", "f1", "class_distortion"):
        table = comparison.tables[name]
        shown = table.assign(
            **{
                name: [words[value] for value in table[name]]
                for name in ("inside", "counted")
                if name in table
            }
        )
        text = shown.to_string(index=False, na_rep="–", float_format=lambda value: f"{value:.4g}")
        print(f"{name}\n\n{text}\n")
    print("statements\n")
    for row in comparison.statements.to_dict("records"):
        verdict = {True: "holds", False: "does not hold", None: "not in this run"}[row["inside"]]
        print(f"{verdict:>15}  {row['statement']}")
        for part in row["evidence"].split("; "):
            print(f"{'':>17}{part}")
    print()
    for threshold in comparison.thresholds:
        if threshold.holds is None:
            print(
                f"{threshold.name}: nothing to compare ({threshold.needed} of {threshold.cells} wanted, none"
                " in this run)"
            )
            continue
        verdict = "holds" if threshold.holds else "does not hold"
        lacking = (
            f", {threshold.cells - threshold.compared} not in this run"
            if threshold.compared < threshold.cells
            else ""
        )
        wanted = f"{threshold.needed} of {threshold.cells} wanted{lacking}"
        print(f"{threshold.name}: {threshold.holding} of {threshold.compared} inside ({wanted}): {verdict}")
    beside = comparison.class_distortion.query("not counted").dropna(subset="inside")
    if len(beside):
        names = ", ".join(dict.fromkeys(beside["model"]))
        print(
            f"class_distortion of {names}, beside the threshold: {beside['inside'].sum()} of {len(beside)}"
            " inside"
        )

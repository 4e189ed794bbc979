"""The command `ratewarp measure`: reads files, measures, prints, draws."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratewarp._checks import RatewarpError, escaped, refuse
from ratewarp._files import can_be_made, is_folder

if TYPE_CHECKING:
    from ratewarp.codes.measurement import Measurement

_KEY = "KEY, several with commas, FILE or FILE:KEY"
_DECIMALS = 3
_NUMBERS = ("value", "mean", "se", "low", "high", "p", "p_adjusted")
_NAMED = 12  # classes whose names are printed


def measure(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Codes: npz, npy, csv, tsv, parquet, h5, hdf5, nc, zarr, mat or safetensors; or a folder of"
            " such files, one a subject, session or layer.",
        ),
    ],
    codes: Annotated[
        str | None, typer.Option(metavar="KEY", help="What to measure; found by name or shape if not given.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="KEY", help=f"Class of every item, a task a column: {_KEY}.")
    ] = None,
    factors: Annotated[
        str | None, typer.Option(metavar="KEY", help="Factor values of every item (or of every stimulus).")
    ] = None,
    stimuli: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Stimulus of every item; items of equal factors if not given."),
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Run of every item: what runs add to all their items is taken off."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="KEY", help="Codes of the same items to measure distortion against.")
    ] = None,
    frequency: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Frequency of every item's stimulus, or of every stimulus."),
    ] = None,
    noise: Annotated[
        str | None, typer.Option(metavar="KEY", help="Variance of every code, such as a posterior variance.")
    ] = None,
    reference_noise: Annotated[
        str | None, typer.Option(metavar="KEY", help="Variance of every reference code.")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Name of every item, by which rows of other files are matched."),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Image of every item, or of every stimulus; only for a page."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="codes; or distances, 'squared distances': dissimilarities of stimuli."),
    ] = None,
    reference_kind: Annotated[
        str | None, typer.Option(help="Of the reference; that of the codes where it looks like it.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(metavar="INDEX", help="Which of several dissimilarities, counted from 0, or mean."),
    ] = None,
    reference_subject: Annotated[
        str | None, typer.Option(metavar="INDEX", help="Likewise of the reference; the same if not given.")
    ] = None,
    extra: Annotated[
        bool,
        typer.Option("--extra", help="Also measure disentanglement and completeness (DCI), which is slow."),
    ] = False,
    interval: Annotated[
        str, typer.Option(help="jackknife; or bca, percentile: bootstraps, where they hold (see the docs).")
    ] = "jackknife",
    resamples: Annotated[
        int, typer.Option(help="Bootstrap draws, for bca and percentile; at most 100,000.")
    ] = 1000,
    permutations: Annotated[
        int,
        typer.Option(help="Permutations of labels and frequencies for tests, at most 1,000,000; 0 for none."),
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Of draws and permutations.")] = 0,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="'KEY == VALUE'", help="Only items that meet this; several times for several."),
    ] = None,
    average: Annotated[
        str | None, typer.Option(metavar="trials", help="'trials': measure the mean codes of stimuli.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out items with a missing value.")
    ] = False,
    third: Annotated[
        str, typer.Option(help="Name of the third axis of codes, such as time; of a folder of files.")
    ] = "time",
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw a figure: png, pdf or svg.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the results: csv, json or parquet (the table; of a folder two), nc (arrays), html"
            " (the page).",
        ),
    ] = None,
    page: Annotated[
        bool,
        typer.Option("--page", help="Write a page to look at the codes, named after FILE, in this folder."),
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Likewise, and open it in the browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure codes that you have: dimensions, prototypization, orthogonalization, specialization,
    distortion.

    Dissimilarities (--kind) are taken as codes that have these distances, and measured by what needs no axes.
    Arrays that are named labels, factors, stimuli, noise, frequency, ids or reference in FILE are used
    without being asked for.
    """
    import numpy as np

    from ratewarp.cli.measuring_folder import Chosen, of_folder
    from ratewarp.codes.keeping import check_new, contents
    from ratewarp.codes.measurement import measure as measured
    from ratewarp.codes.request import gather

    if figure is not None and (
        figure.suffix.lower() not in (".png", ".pdf", ".svg") or not can_be_made(figure)
    ):
        refuse("figure", "a png, pdf or svg file that does not exist yet, in a folder that does", str(figure))
    if out is not None:
        check_new(out, "out")
    opened = Path(f"{file.stem}.html") if page or show else None
    if opened is not None:
        _check_page(opened, file)
    wanted = {
        "codes": codes,
        "labels": labels,
        "factors": factors,
        "stimuli": stimuli,
        "runs": runs,
        "reference": reference,
        "reference_noise": reference_noise,
        "frequency": frequency,
        "noise": noise,
        "ids": ids,
        "images": images,
    }
    # what they may be is checked where they are used
    said: dict[str, Any] = {"kind": kind, "reference_kind": reference_kind, "subject": _subject(subject)}
    said["reference_subject"] = _subject(reference_subject)
    chosen = Chosen(tuple(where or ()), average, drop_missing)
    if is_folder(file) and file.suffix.lower() != ".zarr":
        knobs = {"interval": interval, "resamples": resamples, "seed": seed, "extra": extra}
        shown = {"third": third, "as_json": as_json, "out": out, "figure": figure}
        of_folder(file, wanted, said, chosen, **shown, **knobs)
        return
    request = chosen.of(file, gather(file, wanted, **said))
    for line in request.told:
        print(escaped(line), file=sys.stderr)
    knobs: dict[str, Any] = {
        "interval": interval,
        "resamples": resamples,
        "permutations": permutations,
        "seed": seed,
    }
    try:
        found = measured(**request.arguments, extra=extra, **knobs)
    except MemoryError:
        shape = " × ".join(f"{size:,}" for size in np.shape(request.arguments["codes"]))
        raise RatewarpError(
            f"codes of {shape} (items × latents) need more memory than this machine has; measure a part of"
            " the items or of the latents"
        ) from None
    print(json.dumps(contents(found)) if as_json else _as_text_of_one(found))
    if out is not None:
        found.save(out)
        print(f"results: {escaped(out)}", file=sys.stderr)
    if figure is not None:
        from ratewarp.report.measured import save_measured

        save_measured(found, figure)
        print(f"figure: {escaped(figure)}", file=sys.stderr)
    if opened is not None:
        from ratewarp.report.page.stage_page import stage

        stage(found, title=file.stem).save(opened)
        print(f"page: {escaped(opened)}", file=sys.stderr)
    if opened is not None and show:
        typer.launch(opened.resolve().as_uri())


def _check_page(page: Path, file: Path) -> None:
    """`RequestError` where no page can be written, before anything is measured."""
    if is_folder(file) and file.suffix.lower() != ".zarr":
        refuse("page", "asked for one file; of a folder there are figures (--figure)", f"folder {file}")
    if not can_be_made(page):
        required = f"a file {page.name} that does not exist yet in this folder (or --out NEW.html)"
        refuse("page", required, str(page))


def _as_text_of_one(found: Measurement) -> str:
    items, latents = found.codes.shape
    told = (
        f"{items:,} items, {latents} latents; {found.level:.0%} intervals over {found.number:,} {found.units}"
    )
    lines = [told]
    for argument, share in found.kept.items():
        lines.append(f"{argument}: by classical scaling, which kept {share:.1%} of the dissimilarities")
    for task, names in found.classes.items():
        listed = [f"{number} = {escaped(name)}" for number, name in enumerate(names[:_NAMED])]
        lines.append(f"{escaped(task)}: {', '.join(listed)}{', …' if len(names) > _NAMED else ''}")
    return "\n".join([*lines, "", _readable(found.table)])


def _subject(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text


def _readable(table: Any) -> str:
    from ratewarp.geometry.representation import PLACES

    columns = ["measure", "task", "trial_noise", *PLACES, "value", "low", "high", "p", "p_adjusted", "note"]
    return as_text(table[columns])


def as_text(table: Any) -> str:
    """A table as text: numbers to three decimals, nothing where there is nothing."""
    from ratewarp.geometry.representation import PLACES

    columns, shown = list(table.columns), table.copy()
    for column in [one for one in columns if one in _NUMBERS]:
        shown[column] = [f"{number:.{_DECIMALS}f}" if number == number else "" for number in shown[column]]
    for column in PLACES:
        shown[column] = [_place(one) for one in shown[column]]
    for column in [one for one in columns if one in ("measure", "task", "note", "set")]:
        shown[column] = [escaped(text) for text in shown[column]]
    shown = shown.loc[:, [column for column in columns if (shown[column] != "").any()]]
    return shown.to_string(index=False)


def _place(one: Any) -> str:
    """Name of a class, or number of a latent; nothing where there is none."""
    return "" if one != one or one is None else escaped(one) if isinstance(one, str) else f"{one:.0f}"

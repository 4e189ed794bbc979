"""What is drawn of the same study and tables is not drawn again; drawing of something else begins anew."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zlib
from contextlib import suppress
from functools import partial

import pytest
import yaml
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import pyplot as plt

from fabricated import fabricated_run, fabricated_tables
from ratewarp import _figure_helpers
from ratewarp.report import figure_processes
from ratewarp.report import pictures as pictures_module
from ratewarp.report.figure_files import Drawer, Order
from ratewarp.report.figures import drawings
from ratewarp.report.pictures import Pictures
from ratewarp.report.views import RunView
from ratewarp.runs.directory import open_run
from ratewarp.runs.run_files import signed

NAMES = ["one", "two", "none", "three"]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({"capacities_nats": [1]}))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "models.csv").write_text("model\nmodel\n")
    return open_run(tmp_path)


@pytest.fixture
def names_drawn(monkeypatch):
    """Names of the figures that are drawn, in order; the user interrupts before the figure that `stop` names."""
    found: list[str] = []
    stop = {"before": ""}

    def make(name):
        def draw(view):
            if name == stop["before"]:
                raise KeyboardInterrupt
            found.append(name)
            figure, axes = plt.subplots(figsize=(1, 1))
            axes.set_title(name)
            return figure if name != "none" else plt.close(figure)

        return draw

    monkeypatch.setattr(pictures_module, "drawings", lambda view: {name: make(name) for name in NAMES})
    return found, stop


def _draw(run, told=None):
    """The page's pictures; what is told goes to `told`."""
    told, found = [] if told is None else told, {}

    def when_shown(pictures):
        told.append("shown")
        found.update(pictures)

    Pictures(run).draw(RunView(run), lambda at: told.append(at.doing), lambda: None, when_shown)
    return found


def test_every_figure_is_written_and_told_of(run, names_drawn):
    told = []
    found = _draw(run, told)
    drawn = [f"drawing {name} (figure {number} of 4)" for number, name in enumerate(NAMES, 1)]
    printed = [
        f"writing files of {name} (figure {number} of 3)"
        for number, name in enumerate(["one", "two", "three"], 1)
    ]
    assert told == [*drawn, "shown", *printed]
    assert list(found) == ["one", "two", "three"]
    assert all(picture.source.startswith("data:image/webp;base64,") for picture in found.values())
    assert {picture.inches for picture in found.values()} == {1.0}
    assert {file.name for file in (run.path / "figures").iterdir()} == {
        f"{name}.{kind}" for name in found for kind in ("png", "pdf")
    }


def test_pictures_are_there_before_files(run, names_drawn):
    there = []
    Pictures(run).draw(
        RunView(run),
        lambda at: None,
        lambda: None,
        lambda pictures: there.extend([*pictures, (run.path / "figures").exists()]),
    )
    assert there == ["one", "two", "three", False]


def test_finished_figures_are_not_drawn_again_after_an_interruption(run, names_drawn):
    names, _ = names_drawn

    def interrupted(at):
        if at.doing == "writing files of two (figure 2 of 3)":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pictures(run).draw(RunView(run), interrupted, lambda: None, lambda pictures: None)
    whole = _draw(run)
    assert names == [*NAMES, "two", "three"]
    assert list(whole) == ["one", "two", "three"]
    assert plt.get_fignums() == []


def test_an_interruption_among_pictures_leaves_no_figure_open(run, names_drawn):
    _, stop = names_drawn
    stop["before"] = "three"
    with pytest.raises(KeyboardInterrupt):
        _draw(run)
    assert plt.get_fignums() == []
    stop["before"] = ""
    assert list(_draw(run)) == ["one", "two", "three"]


def test_a_whole_drawing_is_not_made_again(run, names_drawn):
    names, _ = names_drawn
    whole = _draw(run)
    files = {file: file.stat().st_mtime_ns for file in (run.path / "figures").iterdir()}
    told = []
    assert _draw(run, told) == whole
    assert told == ["shown"]
    assert names == NAMES
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_another_version_draws_anew(run, names_drawn, monkeypatch):
    names, _ = names_drawn
    _draw(run)
    monkeypatch.setattr(pictures_module, "version", lambda package: "0")
    _draw(run)
    assert names == [*NAMES, *NAMES]


@pytest.mark.parametrize("changed", ["tables/models.csv", "study.yaml"])
def test_other_inputs_are_drawn_anew(run, names_drawn, changed):
    names, _ = names_drawn
    _draw(run)
    file = run.path / changed
    file.write_text(file.read_text() + ("seeds: [0]\n" if changed == "study.yaml" else "model\n"))
    _draw(open_run(run.path))
    assert names == [*NAMES, *NAMES]


def test_a_file_that_was_removed_is_written_again_and_one_that_was_edited_is_left(run, names_drawn):
    names, _ = names_drawn
    _draw(run)
    removed, edited = (run.path / "figures" / f"two.{kind}" for kind in ("pdf", "png"))
    content = removed.read_bytes()
    removed.unlink()
    edited.write_bytes(b"mine")
    _draw(run)
    assert names == [*NAMES, "two"]
    assert removed.read_bytes() == content
    assert edited.read_bytes() == b"mine"


def test_other_processes_draw_what_this_one_does_not(run, names_drawn, monkeypatch):
    """One that cannot draw a figure leaves it to this process."""
    names, _ = names_drawn
    whole = _draw(run)
    shutil.rmtree(run.drawn)
    names.clear()
    monkeypatch.setattr(pictures_module, "FEWEST", 2)
    assert _draw(run) == whole  # the other one knows no figures of these names
    assert sorted(names) == sorted(NAMES)


def test_a_helper_draws_the_same(tiny_study, tmp_path, monkeypatch):
    run = fabricated_run(tiny_study, tmp_path / "run")
    fabricated_tables(run, tiny_study)
    view = RunView(run)
    drawer = Drawer({name: partial(make, view) for name, make in drawings(view).items()})
    order = Order("rate_distortion", ("png", "pdf"), 100)
    monkeypatch.setattr(_figure_helpers, "cpu_cores", lambda: 2)
    with _figure_helpers.early_helpers(run.path) as helpers:
        [helper] = helpers
        lines = [json.dumps([wanted, *order]) for wanted in ("picture", "files")]
        helper.stdin.write("\n".join([*lines, json.dumps(["picture", "none", [], 100]), ""]))
        helper.stdin.close()
        started, drawn, printed, failed = map(str.strip, helper.stdout)
    assert started == "started"
    assert tuple(json.loads(drawn)) == drawer.picture(order)
    assert figure_processes.from_plain(json.loads(printed)) == drawer.files(order)
    assert json.loads(failed) == "failed"
    assert helper.poll() is not None


@pytest.mark.parametrize("name", ["run", "none", "x" * 3000, "\0"])
def test_no_helper_starts_early_where_figures_may_stay_or_there_is_no_run(run, name):
    run.drawn.mkdir()
    with _figure_helpers.early_helpers(run.path if name == "run" else run.path / name) as helpers:
        assert helpers == []


def test_of_a_run_with_gaps_helpers_draw_nothing(run, names_drawn, monkeypatch):
    monkeypatch.setattr(_figure_helpers, "cpu_cores", lambda: 2)
    monkeypatch.setattr(RunView, "gaps", property(lambda view: ["a table is damaged"]))
    helpers = _figure_helpers.start_helpers(run.path)
    Pictures(run).draw(RunView(run), lambda at: None, lambda: None, lambda pictures: None, helpers)
    names, _ = names_drawn
    assert names == NAMES
    assert [one.poll() is not None for one in helpers] == [True]


def test_files_survive_the_way_from_another_process():
    for found in ({"png": bytes(range(256)), "pdf": b""}, {}):
        plain = json.loads(json.dumps(figure_processes.to_plain(found)))
        assert figure_processes.from_plain(plain) == found


@pytest.mark.parametrize("kind", ["flipped", "script", "signed script", "pipe"])
def test_what_is_no_picture_that_was_kept_does_not_get_into_the_page(run, names_drawn, kind):
    names, _ = names_drawn
    whole = _draw(run)
    names.clear()
    file = run.drawn / "two.txt"
    text = file.read_text()
    if kind == "flipped":
        file.write_text(text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:])
    elif kind == "pipe":
        file.unlink()
        os.mkfifo(file)
    else:
        forged = 'x" onerror="alert(1)'
        file.write_text(signed(forged) if kind == "signed script" else forged)
    assert _draw(run) == whole
    assert names == ["two"]


def test_fonts_of_a_pdf_have_their_letters_and_nothing_that_places_them():
    listed = list(subset.Options().drop_tables)

    def make():
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.set_title("Warps")
        return figure

    content, fonts = Drawer({"one": make}).files(Order("one", ("pdf",), 50))["pdf"], []
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        with suppress(zlib.error):
            text = zlib.decompress(part)
            fonts += [TTFont(io.BytesIO(text))] if text[:4] == b"\0\1\0\0" else []
    assert fonts
    assert all("glyf" in font and not {"GPOS", "GSUB"} & set(font.keys()) for font in fonts)
    assert sum(len(font.getGlyphOrder()) for font in fonts) > len("Warps")
    assert subset.Options().drop_tables == listed

"""Pages that are a stage alone: of codes that a user measured, of several runs, and a run in a notebook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from browsing import go, grave_findings, settled
from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables
from fabricated_pages import ALL_HOSTILE, HOSTILE
from ratewarp import measure, stage
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

STIMULI = 14


def measured(names: tuple[str, ...], folder: Path, title: str) -> Path:
    """A page of codes with a reference, images, a factor, and names of stimuli and classes."""
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(STIMULI), 3)
    means = rng.standard_normal((2, STIMULI, 3))
    noise = 0.2 * rng.standard_normal((2, len(of), 3))
    label = np.array([names[one % 2] for one in of])
    found = measure(
        means[0, of] + noise[0] + 3 * (of % 2)[:, None],
        {names[2]: label},
        stimuli=np.array([f"{one:02} {names[one % len(names)]}" for one in of]),
        factors={names[3]: of % 5},
        reference=means[1, of] + noise[1],
        images=rng.integers(0, 256, (STIMULI, 6, 6, 3), np.uint8),
        permutations=0,
    )
    return stage(found, title=title).save(folder / "codes.html")


def run_of(folder: Path, **keys) -> RunDirectory:
    given = {"models": {"baseline": {}, "E2M1": {"tasks": ["E2M1"]}}, "capacities_nats": [1, 3], "seeds": [0]}
    small = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 1, "bound_points": 3}
    study = Study(**{**small, **given, **keys})
    return fabricated_tables(fabricated_run(study, folder), study)


def opened(open_page, path: Path, **options) -> Page:
    page = open_page(path, reduced_motion="reduce", **options)
    settled(page)
    return page


def title_of(page: Page, side: str) -> str:
    return page.locator(f"#map-{side} h3").inner_text()


@pytest.fixture(scope="module")
def codes_page(browser, tmp_path_factory) -> Path:
    return measured(("cat", "dog", "kind", "size"), tmp_path_factory.mktemp("codes"), "two kinds")


def test_codes_stand_beside_their_reference_and_panels_without_anything_are_left_out(open_page, codes_page):
    page = opened(open_page, codes_page)
    assert [title_of(page, side) for side in ("own", "reference")] == ["two kinds", "reference"]
    shown = {
        name: page.locator(f"#{name}").is_visible()
        for name in ("plane", "traversal", "warp-panels", "heat", "tuning", "distances", "indices")
    }
    assert shown == {
        **dict.fromkeys(("plane", "traversal", "warp-panels", "heat"), False),
        **dict.fromkeys(("tuning", "distances", "indices"), True),
    }
    assert (
        "% of the variance of the codes lies between the classes of kind"
        in page.locator("#sentences").inner_text()
    )
    assert page.locator("#indices circle").count() >= 4
    page.locator(".behind summary").first.click()
    page.locator(".behind th", has_text="units of the codes").first.wait_for()


def test_pointing_at_a_code_shows_what_it_is_of(open_page, codes_page):
    page = opened(open_page, codes_page)
    canvas = page.locator("#map-own canvas").first
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert "stimulus=" in settled(page).url
    name = page.locator("#stimulus .caption").first.inner_text()
    number = int(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('stimulus')"))
    assert name == f"{number:02} {('cat', 'dog', 'kind', 'size')[number % 4]}"
    # another place where a stage is restored from its address
    other = opened(open_page, codes_page)
    go(other, page.url.partition("#")[2])
    assert other.locator("#stimulus .caption").first.inner_text() == name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_codes_is_accessible(open_page, codes_page, scheme):
    page = opened(open_page, codes_page, color_scheme=scheme)
    assert grave_findings(page) == []


def test_hostile_names_of_codes_are_text(open_page, tmp_path):
    page = opened(open_page, measured(HOSTILE[:4], tmp_path, ALL_HOSTILE[:400]))
    assert page.evaluate("window.hacked") is None
    assert HOSTILE[0] in page.locator("#controls").inner_text()
    assert HOSTILE[1][:20] in page.locator("#legend").text_content()


def test_runs_are_compared_model_beside_model(open_page, tmp_path):
    runs = [run_of(tmp_path / "a"), run_of(tmp_path / "b", capacities_nats=[2, 3])]
    page = opened(open_page, stage(runs).save(tmp_path / "both.html"))
    assert page.locator("#controls .chip").count() == 4
    assert title_of(page, "own").startswith("a · E2M1")
    assert title_of(page, "reference").startswith("a · baseline (reference)")
    page.get_by_label("beside").select_option("b · E2M1")
    page.wait_for_function("document.querySelector('#map-reference h3').textContent.startsWith('b · E2M1')")
    assert "beside=b" in settled(page).url
    slider = page.get_by_role("slider", name="capacity")
    slider.focus()
    page.keyboard.press("ArrowLeft")  # 2 nats, which the first run does not have
    page.wait_for_function("document.querySelector('#standing').textContent.includes('no such condition')")
    assert page.locator("h2", has_text="What differs").count() == 1
    row = page.locator("tr", has_text="capacities_nats").first.inner_text()
    assert "[1.0, 3.0]" in row
    assert "[2.0, 3.0]" in row


def test_a_notebook_shows_a_run_in_a_frame(open_page, tmp_path):
    shown = run_of(tmp_path / "run")._repr_html_()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><title>a notebook</title><p>Out[1]:</p>{shown}", encoding="utf-8")
    page = open_page(notebook)
    frame = page.frame_locator("iframe")
    frame.locator("#map-own canvas").first.wait_for()
    assert frame.locator("#controls .chip").count() == 2

"""A study of several axes, of which some conditions are not sound: the view over two axes, alerts where they
belong, and networks whose decoder the page does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from browsing import go, grave_findings, settled, visited

FRAMES = """() => new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
AS_BEFORE = """address => new Promise(done => {
  const count = () => done(document.querySelectorAll("#heat svg[data-before]").length);
  addEventListener("hashchange", () => setTimeout(count), { once: true });
  location.hash = address;
})"""
SOUND = "model=warped&place=1.1.1&seed=0"


@pytest.fixture(scope="module")
def page(browser, crossed_page) -> Iterator[Page]:
    page, seen = visited(browser, crossed_page, reduced_motion="reduce")
    settled(page)
    yield page
    page.context.close()
    assert seen == []


@pytest.fixture(scope="module")
def data(page) -> dict[str, Any]:
    """What the stage reads, as it reads it."""
    return page.evaluate(DATA)


DATA = """async () => {
  const { inflated } = await import("ratewarp/packed_arrays");
  return inflated(JSON.parse(document.getElementById("stage-data").textContent));
}"""


def _go(page: Page, address: str) -> None:
    page.locator("#heat").scroll_into_view_if_needed()  # elsewhere its cells are not drawn
    page.evaluate(FRAMES)
    go(page, address)


def _condition(data: dict[str, Any], model: str, place: list[int], seed: int) -> dict[str, Any]:
    (found,) = (
        one for one in data["conditions"] if (one["model"], one["place"], one["seed"]) == (model, place, seed)
    )
    return found


def _standing(page: Page) -> str:
    return page.locator("#standing").inner_text()


def test_cells_are_means_over_seeds_at_the_places_of_the_sliders(page, data):
    _go(page, f"{SOUND}&heat=2.1.2")
    label = page.locator("#heat select").first.evaluate("one => one.selectedOptions[0].title")
    (measured,) = (one for one in data["measures"] if label == f"{one['title']} ({one['task']})")
    values = {row[0]: row[1] for row in measured["rows"]}
    cells = page.locator("#heat [data-cell]")
    assert cells.count() == 4
    for across, down in np.ndindex(2, 2):
        ids = [_condition(data, "warped", [1, across, down], seed)["id"] for seed in (0, 1)]
        said = page.locator(f"#heat [data-cell='{across}.{down}']").get_attribute("aria-label") or ""
        assert float(said.split(": ")[1].split(",")[0]) == pytest.approx(
            np.mean([values[one] for one in ids]), rel=5e-3
        )
        assert "mean of 2" in said
    assert "mean over 2 seeds" in page.locator("#heat > .caption").inner_text()
    assert page.locator("#heat [aria-pressed=true]").get_attribute("data-cell") == "1.1"


def test_a_cell_takes_the_stage_there_by_mouse_and_by_keyboard(page):
    _go(page, f"{SOUND}&heat=2.1.2")
    page.locator("#heat [data-cell='0.1']").click()
    assert "place=1.0.1" in settled(page).url
    assert page.locator("#heat [aria-pressed=true]").get_attribute("data-cell") == "0.1"
    page.locator("#heat [data-cell='0.1']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "place=1.0.0" in settled(page).url
    assert page.locator("#heat [aria-pressed=true]").get_attribute("data-cell") == "0.0"
    assert page.evaluate("document.activeElement.dataset.cell") == "0.0"


def test_axes_are_chosen_and_change_places(page):
    _go(page, f"{SOUND}&heat=2.1.2")
    across = page.locator("#heat select").nth(1)
    across.select_option(label="capacity")
    assert "heat=2.0.2" in settled(page).url
    across.select_option(label="task_weight")
    assert "heat=2.2.0" in settled(page).url
    assert "at frequency_ratio 8" in page.locator("#heat > .caption").inner_text()


def test_cells_wait_until_they_are_seen_or_nothing_else_is_to_do(page):
    _go(page, f"{SOUND}&heat=2.1.2")
    page.evaluate("document.querySelector('#heat svg').dataset.before = ''")
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(FRAMES)
    assert page.evaluate(AS_BEFORE, "model=warped&place=0.1.1&seed=0&heat=2.1.2") == 1
    settled(page)
    assert page.locator("#heat svg:not([data-before]) [aria-pressed=true]").count() == 1
    assert page.locator("#heat svg[data-before]").count() == 0


def test_phases_are_named(page, data):
    _go(page, f"{SOUND}&heat=0.1.2")
    names, trained = data["phases"]["names"], data["phases"]["trained"]
    for across, down in np.ndindex(2, 2):
        said = page.locator(f"#heat [data-cell='{across}.{down}']").get_attribute("aria-label") or ""
        assert said.endswith(f": {names[trained[1][down][across]]}")
    shown = {names[one] for one in np.ravel(trained[1])}
    assert set(page.locator("#heat .entries > span").all_inner_texts()) == shown


def test_a_model_that_does_not_vary_has_no_squares(page):
    _go(page, "model=baseline&place=1.1.1&seed=0&heat=2.1.2")
    assert page.locator("#heat [data-cell]").count() == 0
    assert "baseline does not vary along these axes" in page.locator("#heat > .caption").inner_text()


def test_a_diverged_condition_leaves_the_stage_empty(page):
    _go(page, SOUND)
    page.wait_for_selector("#map-own .map[data-empty='']")
    _go(page, "model=warped&place=0.0.0&seed=0")
    page.wait_for_selector("#map-own .map:not([data-empty=''])")
    assert "diverged" in (page.locator("#map-own .map").get_attribute("data-empty") or "")
    assert "warped: diverged. Its numbers are not to be used." in _standing(page)
    blank = page.evaluate("""() => {
      const canvas = document.querySelector("#map-own canvas");
      return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.every(one => one === 0);
    }""")
    assert blank
    assert page.locator("#tuning svg").count() == 0
    assert page.locator("#traversal canvas").count() == 0
    assert page.locator("#distances svg").count() == 0
    assert grave_findings(page) == []


def test_a_missing_condition_is_told_to_be_missing(page):
    _go(page, "model=warped&place=0.1.0&seed=0")
    page.wait_for_selector("#map-own .map[data-empty*='missing']")
    assert "warped: missing." in _standing(page)


def test_one_that_missed_its_capacity_is_shown_with_its_alert(page):
    _go(page, "model=warped&place=0.0.1&seed=0")
    page.wait_for_selector("#map-own .map[data-empty='']")
    page.wait_for_selector("#traversal canvas.decoded")
    assert "warped: off target" in _standing(page)


def test_models_and_places_that_are_concerned_are_marked(page):
    _go(page, "model=warped&place=0.0.0&seed=0")
    page.wait_for_selector("#map-own .map[data-empty*='diverged']")
    assert page.locator(".chip", has_text="warped").locator(".mark-of").inner_text() == "✕"
    ratio, weight = (page.locator("#controls .slider").nth(one).locator(".marks span") for one in (1, 2))
    assert ratio.all_text_contents() == ["✕", "∅"]
    assert weight.all_text_contents() == ["✕", "⚠"]


def test_images_of_an_unknown_decoder_are_read_from_a_grid_and_told_so(page, data):
    decoder = _condition(data, "warped", [1, 1, 1], 0)["detail"]["decoder"]
    assert decoder["kind"] == "grid"
    _go(page, SOUND)
    page.wait_for_selector("#traversal canvas.decoded")
    said = page.locator("#traversal").inner_text()
    assert "images were decoded beforehand" in said
    before = page.evaluate("document.querySelector('canvas.decoded').toDataURL()")
    page.locator(".walk-row input").first.fill("2.5")
    assert page.evaluate("document.querySelector('canvas.decoded').toDataURL()") != before
    page.locator("#map-own canvas").focus()
    page.keyboard.press("Shift+ArrowUp")
    assert page.locator("#map-own img.preview").is_visible()
    assert "images decoded beforehand" in page.locator("#map-own .hint").inner_text()
    page.keyboard.press("Escape")

"""What is taken along from the panels of a stage, in a browser: numbers, drawings, links; tables and words."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from browsing import grave_findings, settled

INK = 128  # darker than this, on white


@pytest.fixture
def open_stage(open_page) -> Callable[..., Page]:
    def opened(path: Path, **options) -> Page:
        page = open_page(path, reduced_motion="reduce", **options)
        settled(page)
        return page

    return opened


def menu_of(page: Page, panel: str) -> Locator:
    return page.locator(f".panel-menu:has(summary[aria-label='Save or share: {panel}'])")


def saved(page: Page, menu: Locator, choice: str, folder: Path) -> Path:
    """The file that a choice of a menu saves."""
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with page.expect_download() as waiting:
        menu.get_by_role("button", name=choice).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_the_numbers_of_the_plane_are_those_of_the_run(open_stage, plain_page, tmp_path):
    page = open_stage(plain_page)
    path = saved(page, menu_of(page, "rate and distortion"), "Numbers", tmp_path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "trained model"]
    data = json.loads(page.locator("#stage-data").text_content())
    assert path.name.endswith("_plane.csv")
    assert len(rows) == len(data["conditions"]) > 0
    for row, condition in zip(rows, data["conditions"], strict=True):
        assert row["model"] == condition["model"]
        assert int(row["seed"]) == condition["seed"]
        assert float(row["rate (nats)"]) == condition["rate_nats"]
        assert float(row[f"distortion ({data['unit']})"]) == condition["distortion"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("panel", ["map of the model", "rate and distortion"])
def test_drawings_have_the_sizes_of_journals_on_white(open_stage, plain_page, tmp_path, panel, scheme):
    page = open_stage(plain_page, color_scheme=scheme)
    menu = menu_of(page, panel)
    with Image.open(saved(page, menu, "PNG, single column", tmp_path)) as image:
        assert image.width == 2008
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.01)
        grey = image.convert("L")
        assert grey.getpixel((2, 2)) == 255
        dark = sum(grey.histogram()[:INK]) / (image.width * image.height)
        assert 0.002 < dark < 0.5
    root = ET.parse(saved(page, menu, "Drawing", tmp_path)).getroot()
    assert root.get("width") == "85mm"
    assert "Arial" in root.get("font-family", "")


def test_drawings_of_hostile_texts_are_drawings(open_stage, open_page, hostile_page, tmp_path):
    page, saved_ones = open_stage(hostile_page), []
    for menu in page.locator(".panel-menu").all():
        if menu.get_by_text("Drawing").count() == 0:
            continue
        path = saved(page, menu, "Drawing", tmp_path)
        assert len(path.name) < 200
        saved_ones.append(path)
        names = {one.tag.rpartition("}")[2] for one in ET.parse(path).iter()}
        assert names <= {"svg", "g", "path", "line", "rect", "circle", "text", "title"}
    assert page.evaluate("window.hacked") is None
    assert len(saved_ones) > 3
    for path in saved_ones:  # in the browser, alone: `open_page` fails where one says, asks or opens anything
        alone = open_page(path)
        assert alone.evaluate("document.documentElement.localName") == "svg"
        assert alone.evaluate("window.hacked") is None
        assert (
            alone.evaluate("document.querySelectorAll('script, foreignObject, a, parsererror').length") == 0
        )


def test_a_link_brings_back_what_is_chosen(open_stage, plain_page):
    page = open_stage(plain_page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".chip", has_text="baseline").click()
    menu = menu_of(page, "tuning")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Copy link").click()
    menu.get_by_text("link copied").wait_for()
    assert "model=baseline" in page.evaluate("navigator.clipboard.readText()")


def test_menus_are_reached_and_left_by_keyboard(open_stage, plain_page):
    page = open_stage(plain_page)
    menu = menu_of(page, "rate and distortion")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Numbers (CSV)"
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.localName") == "summary"


def test_tables_are_made_when_they_are_opened_and_follow(open_stage, plain_page):
    page = open_stage(plain_page)
    assert page.locator(".behind td").count() == 0
    table = page.locator(".map-panel:has(#map-own) .behind")
    table.locator("summary").click()
    before = table.locator("tbody").inner_text()
    assert 0 < table.locator("tbody tr").count() <= 200
    page.locator(".chip", has_text="baseline").click()
    page.wait_for_function(
        "before => !document.querySelector('.behind[open] tbody').innerText.startsWith(before)", arg=before
    )


def test_every_panel_says_how_it_is_read(open_stage, plain_page):
    page = open_stage(plain_page)
    sections = page.locator(".panels > section")
    assert sections.locator(".reading").count() == sections.count()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert grave_findings(page) == []

"""What holds of every page: it opens alone and silently, shows texts as they are, and can be read by all."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from browsing import grave_findings, pages_of, settled, sweep
from fabricated_pages import ALL_HOSTILE, TITLE
from ratewarp._yaml import read_yaml
from ratewarp.runs.directory import open_run

SETTLED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
WAYS_OUT = """[...document.querySelectorAll("*")]
  .map(one => one.getAttribute("href") ?? one.getAttribute("xlink:href"))
  .filter(one => one !== null && !/^(#|data:)/.test(one))"""
TEXTS = "[...document.images].map(one => one.alt.trim())"
BROKEN = "[...document.images].filter(one => !one.complete || !one.naturalWidth).map(one => one.alt)"
CUT = """[...document.querySelectorAll("body *")]
  .filter(one => ["auto", "scroll", "hidden"].includes(getComputedStyle(one).overflowY))
  .filter(one => one.scrollHeight > one.clientHeight + 1 && one.textContent.trim())
  .map(one => one.outerHTML.slice(0, 80))"""
KINDS = pytest.mark.parametrize("kind", ["plain_page", "hostile_page"])
WIDTHS = (390, 1280)  # of a telephone, and of a screen
HEIGHT = 800


@pytest.fixture
def open_whole(open_page):
    """Opens a page, waits until its figures are drawn and unfolds all of it."""

    def opened(path, **options: Any) -> Page:
        page = open_page(path, **options)
        settled(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate(SETTLED)
        return page

    return opened


@KINDS
def test_a_page_opens_and_answers_without_a_word(request, open_whole, kind):
    page = open_whole(request.getfixturevalue(kind))
    sweep(page, "canvas, #stage svg")
    assert page.evaluate("window.hacked") is None
    assert len(page.frames) == 1
    assert page.evaluate(WAYS_OUT) == []


@KINDS
def test_figures_and_tables_stand_without_scripts(request, open_page, kind):
    page = open_page(request.getfixturevalue(kind), java_script_enabled=False)
    assert page.locator("figure img").count() > 3
    assert page.evaluate(BROKEN) == []
    assert all(page.evaluate(TEXTS))
    assert page.locator("table").first.is_visible()
    assert page.locator("table tbody tr").count() > 3


def test_a_page_says_what_it_is(open_page, plain_page):
    page = open_page(plain_page, java_script_enabled=False)
    assert page.title().startswith(TITLE)
    assert page.locator("h1").inner_text() == TITLE
    assert page.locator("html").get_attribute("lang") == "en"


def test_hostile_texts_are_shown_as_they_are(open_page, hostile_page):
    page = open_page(hostile_page, java_script_enabled=False)
    assert ALL_HOSTILE in page.title() or page.title().startswith(ALL_HOSTILE[:100])
    assert page.locator("h1").text_content() == ALL_HOSTILE
    for place in ("p", "dd", "td"):
        assert any(ALL_HOSTILE in text for text in page.locator(place).all_text_contents())


def test_a_study_of_hostile_texts_is_saved_as_it_is(open_whole, hostile_page, tmp_path):
    page = open_whole(hostile_page)
    with page.expect_download() as waiting:
        page.locator("[data-save=study-file]").click()
    waiting.value.save_as(tmp_path / "study.yaml")
    saved = read_yaml((tmp_path / "study.yaml").read_text(encoding="utf-8"), "saved")
    assert saved == open_run(hostile_page.parents[1] / "run").study
    assert saved["title"] == ALL_HOSTILE
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(open_whole, hostile_page, width):
    page = open_whole(hostile_page, viewport={"width": width, "height": HEIGHT})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "width"), [*zip(("light", "dark"), WIDTHS, strict=True)])
def test_nothing_keeps_a_reader_out(open_whole, plain_page, scheme, width):
    page = open_whole(plain_page, color_scheme=scheme, viewport={"width": width, "height": HEIGHT})
    assert grave_findings(page) == []


def test_a_page_prints_whole(open_whole, plain_page):
    page = open_whole(plain_page)
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []
    assert pages_of(page.pdf()) > 1

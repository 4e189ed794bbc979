"""The page on paper: without what only works on a screen, and whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browsing import pages_of, settled, visited

TEXT_WIDTH = 703  # CSS pixels of A4 between the margins of print.css
CONTROLS = ".skip, .contents, #theme, .panel-menu, .taking, .play, #controls select, input[type=range]"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OVER = """[...document.querySelectorAll("header *, main *, footer *")]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(one => one.outerHTML.slice(0, 90))"""
SPLIT = """[...document.querySelectorAll("figure, tr, .panels > section:not(.whole)")]
  .filter(one => one.getClientRects().length && getComputedStyle(one).breakInside !== "avoid").length"""


@pytest.fixture(scope="module", params=["light", "dark"])
def page(browser, plain_page, request) -> Iterator[Page]:
    size = {"width": TEXT_WIDTH, "height": 1000}
    page, seen = visited(browser, plain_page, color_scheme=request.param, viewport=size)
    settled(page)
    page.emulate_media(media="print")
    yield page
    page.context.close()
    assert seen == []


def test_nothing_is_printed_that_does_nothing_there(page):
    shown = page.locator(CONTROLS).evaluate_all(
        "all => all.filter(one => one.getClientRects().length).length"
    )
    assert shown == 0
    assert page.locator("#controls .chip").first.is_visible()  # the legend of all panels
    assert page.locator("details:not([open])").first.is_hidden()


def test_paper_is_white(page):
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    ink = page.evaluate("getComputedStyle(document.querySelector('#map-own canvas')).color")
    assert ink == "rgb(29, 39, 51)"


def test_nothing_is_clipped_and_nothing_split(page):
    assert page.evaluate(OVER) == []
    assert page.evaluate(SPLIT) == 0
    assert pages_of(page.pdf(format="A4")) > 2

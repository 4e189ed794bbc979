"""What goes around the stage, in a browser: colours, contents, what is copied and saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page

from browsing import grave_findings, settled, visited

PAPER = "getComputedStyle(document.body).backgroundColor"
PIXELS = "document.querySelector('#map-own canvas').toDataURL()"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 25, 31)"
SIZE = {"width": 1360, "height": 800}
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def opened(browser, plain_page) -> Iterator[Page]:
    page, seen = visited(browser, plain_page, reduced_motion="reduce", viewport=SIZE)
    settled(page)
    yield page
    page.context.close()
    assert seen == []


@pytest.fixture
def page(opened) -> Page:
    """The page from above, in colours as the system has them."""
    opened.set_viewport_size(SIZE)
    opened.evaluate("delete document.documentElement.dataset.theme; localStorage.clear(); scrollTo(0, 0)")
    return opened


@pytest.fixture
def themed(open_page, plain_page) -> Page:
    page = open_page(plain_page, reduced_motion="reduce")
    settled(page)
    return page


def test_the_button_changes_colours_and_they_are_kept(themed):
    page, button = themed, themed.locator("#theme")
    assert "as the system" in button.inner_text()
    drawn = page.evaluate(PIXELS)
    button.click()
    assert (page.evaluate(PAPER), "light" in button.inner_text()) == (LIGHT, True)
    button.click()
    assert (page.evaluate(PAPER), "dark" in button.inner_text()) == (DARK, True)
    page.locator("#map-own canvas").scroll_into_view_if_needed()
    page.wait_for_function(f"before => {PIXELS} !== before", arg=drawn)
    page.reload()
    settled(page)
    assert page.evaluate(PAPER) == DARK
    assert "dark" in button.inner_text()
    button.click()
    assert page.evaluate(PAPER) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(PAPER) == DARK


def test_the_chosen_colours_go_before_those_of_the_system(open_page, plain_page):
    page = open_page(plain_page, color_scheme="dark", reduced_motion="reduce")
    settled(page)
    before = page.evaluate(PIXELS)
    page.locator("#theme").click()
    assert page.evaluate(PAPER) == LIGHT
    page.locator("#map-own canvas").scroll_into_view_if_needed()
    page.wait_for_function(f"before => {PIXELS} !== before", arg=before)
    page.emulate_media(media="print")
    assert page.evaluate(PAPER) == LIGHT


def test_a_browser_that_keeps_nothing_changes_colours_all_the_same(open_page, plain_page):
    page = open_page(plain_page, reduced_motion="reduce")
    settled(page)
    refuse = "() => { throw new DOMException('no', 'SecurityError') }"
    page.evaluate(f"Object.defineProperty(window, 'localStorage', {{ get: {refuse} }})")
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.evaluate(PAPER) == DARK


def test_colours_that_are_no_colours_are_not_taken(open_page, plain_page):
    page = open_page(plain_page, reduced_motion="reduce")
    page.evaluate("localStorage.setItem('ratewarp-theme', '\"><script>')")
    page.reload()
    settled(page)
    assert page.evaluate("document.documentElement.dataset.theme ?? null") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_a_reader_out_in_chosen_colours(page, theme):
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    assert grave_findings(page) == []


def _current(page: Page) -> list[str]:
    return page.locator("nav.contents [aria-current]").all_inner_texts()


def test_contents_follow_the_scroll(page):
    page.wait_for_function("document.querySelector('nav.contents [aria-current]')?.hash === '#stage'")
    for name in ("curves", "tables", "ran"):
        page.evaluate("name => document.getElementById(name).scrollIntoView()", name)
        page.wait_for_function(
            "name => document.querySelector('nav.contents [aria-current]')?.hash === '#' + name", arg=name
        )
        assert len(_current(page)) == 1
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("document.querySelector('nav.contents [aria-current]')?.hash === '#study'")
    assert page.locator("nav.contents").get_by_text("The study file").is_visible()


def test_every_entry_of_the_contents_leads_somewhere(page):
    links = page.locator("nav.contents a")
    assert links.count() > 8
    lost = "links => links.filter(one => !document.getElementById(one.hash.slice(1))).map(one => one.hash)"
    assert links.evaluate_all(lost) == []


def test_contents_are_a_menu_on_a_phone(page):
    page.set_viewport_size(PHONE)
    opener, entry = page.locator("nav.contents summary"), page.locator("nav.contents a", has_text="Tables")
    opener.wait_for()
    assert not entry.is_visible()
    opener.click()
    entry.click()
    assert not entry.is_visible()
    page.wait_for_function("Math.abs(document.getElementById('tables').getBoundingClientRect().top) < 200")
    opener.focus()
    page.keyboard.press("Enter")
    assert entry.is_visible()
    page.keyboard.press("Escape")
    assert not entry.is_visible()


def _study(plain_page: Path) -> dict:
    return yaml.safe_load((plain_page.parents[1] / "run/study.yaml").read_text())


def test_the_study_file_is_saved_as_it_is(page, plain_page, tmp_path):
    with page.expect_download() as waiting:
        page.locator("[data-save=study-file]").click()
    assert waiting.value.suggested_filename == "study.yaml"
    waiting.value.save_as(tmp_path / "study.yaml")
    assert yaml.safe_load((tmp_path / "study.yaml").read_text()) == _study(plain_page)


def test_study_file_and_citations_are_copied(page, plain_page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for button in page.locator("[data-copy]").all():
        button.click()
        status = button.locator("xpath=..").locator("[role=status]")
        page.wait_for_function("one => one.textContent === 'copied'", arg=status.element_handle())
        copied = page.evaluate("navigator.clipboard.readText()")
        name = button.get_attribute("data-copy")
        assert name is not None
        if name == "study-file":
            assert yaml.safe_load(copied) == _study(plain_page)
        elif name.startswith("bibtex"):
            assert copied.startswith("@")
        status.evaluate("one => { one.textContent = '' }")


def test_where_no_page_may_copy_the_text_is_marked(open_page, plain_page):
    page = open_page(plain_page)
    settled(page)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.locator("[data-copy=bibtex-2]").click()
    page.get_by_text("the text is marked").wait_for()
    assert page.evaluate("getSelection().toString()").startswith("@article{damato2025,")


def test_what_was_run_stands_without_scripts(open_page, plain_page):
    page = open_page(plain_page, java_script_enabled=False)
    assert page.locator("dl.ran dt").all_inner_texts()[:3] == ["Study", "Seeds", "Made by"]
    assert page.locator(".taking").first.is_hidden()
    assert page.locator("#theme").is_hidden()
    assert page.locator("noscript").count() == 1
    page.get_by_text("study.yaml,").click()
    assert yaml.safe_load(page.locator("#study-file").inner_text()) == _study(plain_page)

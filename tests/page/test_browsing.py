"""The harness itself: what a page does unasked is seen, and what keeps readers out is found."""

from __future__ import annotations

import pytest

from browsing import grave_findings, pages_of, visited

GUILTY = {
    "console.warn('hm')": "warning: hm",
    "console.log('hm')": "log: hm",
    "throw new Error('no')": "error: no",
    "Promise.reject(new Error('no'))": "error: no",
    "alert('hello')": "dialog: hello",
    "fetch('https://example.org/a').catch(() => 0)": "request: https://example.org/a",
    "new Image().src = 'http://example.org/b'": "request: http://example.org/b",
    "new WebSocket('wss://example.org/c')": "request: wss://example.org/c",
    "open('about:blank')": "window: about:blank",
    "new Image().src = 'beside.png'": "error: Failed to load resource: net::ERR_FILE_NOT_FOUND",
}
PATIENCE = 1000  # times that are looked, until a browser on a busy machine has answered


@pytest.fixture
def visit(browser, tmp_path):
    """Opens markup as a page; the page, and what was seen of it."""
    pages = []

    def opened(markup, **options):
        file = tmp_path / "page.html"
        file.write_text(markup, encoding="utf-8")
        page, seen = visited(browser, file, **options)
        pages.append(page)
        return page, seen

    yield opened
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("script", GUILTY)
def test_what_a_page_does_is_seen(visit, script):
    page, seen = visit(f"<button>do</button><script>document.onclick = () => {{ {script} }}</script>")
    assert seen == []
    page.click("button")
    for _ in range(PATIENCE):
        if GUILTY[script] in seen:
            break
        page.wait_for_timeout(50)
    assert GUILTY[script] in seen


def test_a_page_that_does_nothing_is_silent(visit):
    page, seen = visit('<img alt="" src="data:image/svg+xml,<svg xmlns=\'http://www.w3.org/2000/svg\'/>">')
    assert page.evaluate("new Image().src = URL.createObjectURL(new Blob())").startswith("blob:")
    assert seen == []


def test_scripts_can_be_off(visit):
    page, _ = visit("<p>1</p><script>document.body.textContent = 2</script>", java_script_enabled=False)
    assert page.locator("p").inner_text() == "1"


def test_what_keeps_readers_out_is_found(visit):
    page, _ = visit('<html lang="en"><title>t</title><img src="data:,"><p style="color: #ccc">pale</p>')
    assert {finding.split(":")[0] for finding in grave_findings(page)} == {"color-contrast", "image-alt"}


def test_pages_of_a_pdf_are_counted(visit):
    page, _ = visit('<p style="break-after: page">1</p><p style="break-after: page">2</p><p>3</p>')
    assert pages_of(page.pdf()) == 3

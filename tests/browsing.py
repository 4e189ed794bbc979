"""Pages in a browser, opened from files with the network off: what they say, ask for or do unasked is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")  # of the system: none is downloaded
_LOCAL = ("file:", "data:", "blob:")
_PATIENCE = 120_000  # milliseconds: busy machines are slow, not wrong
_GO = """address => new Promise(done => {
  if (location.hash === `#${address}`) return done();
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = address;
})"""
_GRAVE = ("serious", "critical")


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=_PATIENCE)
        yield browser
        browser.close()


def watched(context: BrowserContext) -> list[str]:
    """A list that grows with all that a page should not do: messages, errors, dialogs, windows, requests."""
    seen: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(_LOCAL):
            seen.append(f"request: {request.url}")

    def answered(dialog: Dialog) -> None:
        seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def opened(page: Page) -> None:
        page.on("websocket", lambda socket: seen.append(f"request: {socket.url}"))
        if len(context.pages) > 1:
            seen.append(f"window: {page.url}")

    context.on("console", lambda message: seen.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: seen.append(f"error: {error.error}"))
    context.on("request", asked)
    context.on("dialog", answered)
    context.on("page", opened)
    return seen


def visited(browser: Browser, path: Path, **options: Any) -> tuple[Page, list[str]]:
    """A page from a file, in a context of its own without network, and what `watched` sees of it.

    Arguments:
        browser: as of `started`.
        path: of the page.
        options: of the context, such as `java_script_enabled`, `color_scheme` or `viewport`.
    """
    context = browser.new_context(offline=True, **options)
    context.set_default_timeout(_PATIENCE)
    seen = watched(context)
    page = context.new_page()
    page.goto(path.resolve().as_uri())
    return page, seen


def settled(page: Page) -> Page:
    """The page, once its stage has shown what is chosen, everywhere and in the address."""
    page.wait_for_selector("[data-stage=ready]", state="attached")
    return page


def go(page: Page, address: str) -> None:
    """Chooses by the address, the part of it behind #."""
    settled(page).evaluate(_GO, address)
    settled(page)


def grave_findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical: the rule, how many places, and the first of them."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {len(one['nodes'])} × such as {one['nodes'][0]['target']}: {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in _GRAVE
    ]


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of Chromium has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def sweep(page: Page, selector: str, steps: int = 3) -> None:
    """Moves the pointer over all elements of that kind, as someone who looks for what answers."""
    for element in page.locator(selector).all():
        if not element.is_visible():
            continue
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        if box is None:
            continue
        for number in range(steps * steps):
            across, down = (0.5 + number % steps) / steps, (0.5 + number // steps) / steps
            page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)

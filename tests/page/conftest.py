"""One browser for all tests of pages, and pages to open; without Chromium these tests are skipped, or fail
where `RATEWARP_BROWSER=required` says that it must be there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import fabricated_pages
from browsing import CHROMIUM, started, visited


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        required = os.environ.get("RATEWARP_BROWSER") == "required"
        (pytest.fail if required else pytest.skip)(f"needs chromium, at {CHROMIUM}")
    with started() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, as `browsing.visited`; at the end none may have said, asked for or opened anything."""
    visits = []

    def opened(path: Path, **options: Any) -> Page:
        visits.append(visited(browser, path, **options))
        return visits[-1][0]

    yield opened
    for page, _ in visits:
        page.context.close()
    assert [what for _, seen in visits for what in seen] == []


# All need the browser first: without it, nothing is drawn in vain.
@pytest.fixture(scope="session")
def plain_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricated_pages.plain_page(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def hostile_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricated_pages.hostile_page(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def stage_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricated_pages.stage_page(tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="session")
def crossed_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricated_pages.crossed_page(tmp_path_factory.mktemp("crossed"))

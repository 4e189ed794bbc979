"""The page by keyboard alone: everything is reached in order, shows that it has the focus, and nothing traps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browsing import settled, visited

MOST = 400  # steps from the beginning of the page to its end
# what has the focus: a name for it, and whether it, or what stands for it, can be seen to have it
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const shown = one.closest(".chip") ?? one;
  const style = getComputedStyle(shown), box = shown.getBoundingClientRect();
  const seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  const outlined = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none";
  const frame = outlined || (one instanceof SVGElement && parseFloat(style.strokeWidth) >= 2);
  const place = one.closest("nav.contents") ? "contents" : one.closest(".panel-menu") ? "menu"
    : one.closest(".taking") ? "taking" : one.closest(".behind") ? "behind" : "";
  const name = place || one.id || one.getAttribute("class") || one.parentElement.className || one.localName;
  return { name: `${one.localName} ${name}`, seen, frame };
}"""


@pytest.fixture(scope="module")
def opened(browser, stage_page) -> Iterator[Page]:
    page, seen = visited(
        browser, stage_page, reduced_motion="reduce", viewport={"width": 1360, "height": 800}
    )
    settled(page)
    yield page
    page.context.close()
    assert seen == []


@pytest.fixture
def page(opened) -> Page:
    opened.evaluate("document.activeElement.blur()")
    return opened


@pytest.fixture
def fresh(open_page, stage_page) -> Page:
    """The page as it was just opened, with the focus nowhere."""
    page = open_page(stage_page, reduced_motion="reduce", viewport={"width": 1360, "height": 800})
    settled(page)
    return page


def test_tab_goes_through_all_of_the_page_and_out_of_it(fresh):
    page, path = fresh, []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now is None:
            break
        path.append(now)
    names = [one["name"] for one in path]
    assert len(path) < MOST
    assert names[0] == "a skip"
    assert [one["name"] for one in path if not one["seen"]] == []
    assert [one["name"] for one in path if not one["frame"]] == []
    wanted = ["a contents", "button theme", "input chip", "input slider", "button play", "select choice"]
    wanted += [
        "summary menu",
        "canvas",
        "input",
        "summary behind",
        "summary reading",
        "div scroll",
        "button taking",
    ]
    assert [one for one in wanted if not any(name.startswith(one) for name in names)] == []


def test_the_first_step_leads_past_the_contents(fresh):
    page = fresh
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#stage') !== null")


def test_a_code_is_reached_with_arrows_said_and_chosen(page):
    canvas, spoken = page.locator("#map-own canvas"), page.locator("#map-own .spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    chosen = page.locator("#stimulus > .caption").first
    before = chosen.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    reached = spoken.inner_text()
    assert "s.d. of the prior from the chosen code" in reached
    assert chosen.inner_text() == before
    page.keyboard.press("Enter")
    name = reached.partition(";")[0]
    assert spoken.inner_text() == f"chosen: {name}"
    page.wait_for_function(
        "name => document.querySelector('#stimulus > .caption').textContent.startsWith(name)", arg=name
    )


def test_what_is_reached_is_let_go_with_escape_and_by_going_on(page):
    picture = "document.querySelector('#map-reference canvas').toDataURL()"
    page.locator("#map-own canvas").focus()
    before = page.evaluate(picture)
    for leave in ("Escape", "Tab"):
        page.keyboard.press("ArrowDown")
        assert page.evaluate(picture) != before
        page.keyboard.press(leave)
        assert page.evaluate(picture) == before


def test_playing_begins_and_ends_by_keyboard(page):
    page.locator("button.play").focus()
    page.keyboard.press("Enter")
    assert page.locator("button.play").get_attribute("aria-pressed") == "true"
    page.keyboard.press(" ")
    assert page.locator("button.play").get_attribute("aria-pressed") == "false"


def test_nothing_moves_where_motion_is_not_wanted(fresh):
    page = fresh
    page.evaluate("""() => {
      const ask = window.requestAnimationFrame;
      window.frames_ = 0;
      window.requestAnimationFrame = (one) => { window.frames_++; return ask(one) };
    }""")
    page.locator(".chip", has_text="E2M1").click()
    page.wait_for_function("document.querySelector('#map-own h3').textContent.startsWith('E2M1')")
    assert page.evaluate("window.frames_") == 0
    moving = "[...document.querySelectorAll('*')].filter(one => one.getAnimations().length).length"
    assert page.evaluate(moving) == 0

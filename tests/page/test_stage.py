"""The stage: what is chosen in one view shows in all, and in the address."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page

from browsing import go, settled

PIXELS = "id => document.querySelector(id).toDataURL()"
STILL = {"reduced_motion": "reduce"}


@pytest.fixture
def open_stage(open_page, stage_page):
    def opened(address: str = "", **options: Any) -> Page:
        page = open_page(stage_page, **{**STILL, **options})
        settled(page)
        if address:
            go(page, address)
        return page

    return opened


def _titles(page: Page) -> list[str]:
    return page.locator(".map-panel h3").all_inner_texts()


def _wait_for_title(page: Page, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#map-own h3').textContent.includes(text)", arg=text
    )


def test_the_slider_moves_every_view(open_stage):
    page = open_stage()
    before, rings = _titles(page), page.locator("#plane .ring").get_attribute("cx")
    slider = page.get_by_role("slider", name="capacity")
    assert slider.get_attribute("aria-valuetext") == "capacity: 3 nats"
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "capacity: 1 nats"
    page.wait_for_function(
        "before => document.querySelector('#map-own h3').textContent !== before", arg=before[0]
    )
    assert "place=1" in settled(page).url
    assert page.locator("#plane .ring").get_attribute("cx") != rings
    assert all(now != then for now, then in zip(_titles(page), before, strict=True))


def test_a_model_is_chosen_by_mouse_and_by_keyboard(open_stage):
    page = open_stage()
    page.locator(".chip", has_text="E2M1").click()
    _wait_for_title(page, "E2M1")
    page.keyboard.press("ArrowLeft")
    _wait_for_title(page, "E1M1")
    assert "model=E1M1" in settled(page).url


def test_a_code_chosen_on_one_map_lights_up_everywhere(open_stage):
    page = open_stage()
    caption, tuning = page.locator("#stimulus > .caption").first, page.locator("#tuning .ring").first
    before = (caption.inner_text(), page.evaluate(PIXELS, "#map-reference canvas"))
    page.locator("#map-own canvas").focus()
    for key in (*["ArrowRight"] * 6, "ArrowUp", "Enter"):  # past the other images of the stimulus
        page.keyboard.press(key)
    page.wait_for_function(
        "before => document.querySelector('#stimulus > .caption').textContent !== before", arg=before[0]
    )
    assert "stimulus=" in settled(page).url
    assert page.evaluate(PIXELS, "#map-reference canvas") != before[1]
    assert tuning.get_attribute("cx") is not None


def test_hovering_colours_both_maps_by_distance(open_stage):
    page = open_stage()
    maps = ("#map-own canvas", "#map-reference canvas")
    before = [page.evaluate(PIXELS, one) for one in maps]
    page.locator(maps[0]).scroll_into_view_if_needed()
    box = page.locator(maps[0]).bounding_box()
    assert box is not None
    places = product(range(12), range(12))
    changed = False
    while not changed:
        across, down = next(places)
        x = box["x"] + box["width"] * (across + 0.5) / 12
        y = box["y"] + box["height"] * (down + 0.5) / 12
        page.mouse.move(x, y)
        changed = all(page.evaluate(PIXELS, one) != then for one, then in zip(maps, before, strict=True))
    page.mouse.move(1, 1)
    assert [page.evaluate(PIXELS, one) for one in maps] == before


def test_a_link_brings_back_what_was_chosen(open_stage):
    page = open_stage("model=E2M1&place=0&seed=0&colour=factor-1&stimulus=5")
    _wait_for_title(page, "E2M1")
    assert page.get_by_role("slider", name="capacity").get_attribute("aria-valuetext") == "capacity: 0.5 nats"
    assert page.locator("select").last.input_value() == "factor-1"
    assert page.locator("#legend").inner_text().startswith("x_LC")


@pytest.mark.parametrize(
    "address", ["model=nobody&place=99&seed=x&stimulus=-1&colour=", "place=1.2.3", "%%%", "stimulus=1e9"]
)
def test_an_address_of_something_else_is_no_harm(open_stage, address):
    page = open_stage(address)
    assert all(_titles(page))


def test_playing_goes_down_in_capacity_and_stops(open_stage):
    page = open_stage()
    page.get_by_role("button", name="play").click()
    page.wait_for_function(
        "document.querySelector('.slider input').getAttribute('aria-valuetext').includes('0.5')"
    )
    page.get_by_role("button", name="play").wait_for()  # it has stopped by itself
    page.get_by_role("button", name="play").click()
    page.get_by_role("button", name="stop").click()
    assert page.get_by_role("button", name="play").is_visible()


def test_walking_along_a_latent_decodes_another_image(open_stage):
    page = open_stage()
    page.wait_for_function("document.querySelector('canvas.decoded')")
    before = page.evaluate(PIXELS, "canvas.decoded")
    page.locator(".walk-row input").first.fill("2.5")
    assert page.evaluate(PIXELS, "canvas.decoded") != before


def test_a_mark_of_the_plane_or_of_a_measure_chooses_its_condition(open_stage):
    page = open_stage()
    for view in ("#plane", "#warp-panels figure:first-of-type"):
        marks = page.locator(f"{view} .mark")
        last = marks.count() - 1
        assert last > 3
        page.evaluate(
            "one => one.dispatchEvent(new MouseEvent('click', {bubbles: true}))",
            marks.nth(last).element_handle(),
        )
        words = marks.nth(last).locator("title").text_content()
        assert words is not None
        _wait_for_title(page, words.split(",")[0].split(":")[0])


def test_colours_follow_the_model_until_others_are_chosen(open_stage):
    page = open_stage()
    legend = page.locator("#legend .entries")
    page.locator(".chip", has_text="E2M1").click()
    _wait_for_title(page, "E2M1")
    page.wait_for_function("document.querySelector('#legend').textContent.includes('E2M1: x_UC')")
    page.locator(".chip", has_text="E1M1").click()
    page.wait_for_function(
        "document.querySelector('#legend').textContent.includes('frequency of the stimulus')"
    )
    assert "E1M1 sees stimuli by the frequency E1M1" in page.locator("#about").inner_text()
    page.locator("#controls .choice", has_text="colour").locator("select").select_option(label="x_UC")
    page.locator(".chip", has_text="E2M1").click()
    _wait_for_title(page, "E2M1")
    assert legend.inner_text().startswith("x_UC")
    assert "colour=factor-0" in settled(page).url


def test_every_warp_is_told_and_shown_where_the_run_has_it(open_stage):
    page = open_stage()
    cards = page.locator("#guide .warp-card")
    assert cards.locator("h3").all_inner_texts() == ["Prototypization", "Specialization", "Orthogonalization"]
    for card in cards.all():
        button = card.get_by_role("button")
        if button.count():
            model = button.inner_text().removeprefix("Show me: ").split(",")[0]
            button.click()
            _wait_for_title(page, model)
        else:
            assert "No model of this run shows it clearly." in card.inner_text()


SHOWN = """() => ({
  maps: Array.from(document.querySelectorAll(".map-panel .map > canvas"), one => one.toDataURL()),
  strips: Array.from(document.querySelectorAll(".walk-row img"), one => [one.src, one.title, one.className]),
  walk: Array.from(document.querySelectorAll(".walk-row"), one => [one.textContent, one.querySelector("input").value]),
  curves: document.getElementById("tuning").innerHTML,
})"""


@pytest.mark.parametrize("seen", ["map-own", "tuning"])
def test_panels_that_are_used_again_show_what_new_ones_would(open_page, stage_page, seen):
    """Also where the maps were off the screen when something else was chosen."""
    # fewer latents are in use, then more; another network; classes are lit, then none
    others = ("model=E2M1&place=0&latent=1", "model=E1M1&place=2&lit=class-0.1&stimulus=9", "model=baseline")
    last = "model=E2M1&place=1&seed=0&stimulus=5"
    page, fresh = (settled(open_page(stage_page, viewport={"width": 1000, "height": 420})) for _ in range(2))
    for one, place in ((page, seen), (fresh, "map-own")):
        one.evaluate("place => document.getElementById(place).scrollIntoView()", place)
    for address in (*others, last):
        go(page, address)
    go(fresh, last)
    assert len(page.evaluate(SHOWN)["strips"]) > 0
    assert page.evaluate(SHOWN) == fresh.evaluate(SHOWN)


def test_curves_of_tuning_fill_their_panels(open_stage):
    page = open_stage("model=E2M1&place=1")
    reaches = page.evaluate(
        """() => Array.from(document.querySelectorAll("#tuning svg .band"), band => {
          const places = band.getAttribute("d").match(/[-0-9.]+/g).map(Number).filter((_, at) => at % 2);
          return [Math.min(...places), Math.max(...places)];
        })"""
    )
    assert len(reaches) > 0
    assert reaches == [[6, 74]] * len(reaches)  # CSS pixels of a drawing 92 high


def test_strips_of_a_walk_follow_the_choice_before_all_rests(open_page, stage_page):
    page = settled(open_page(stage_page, viewport={"width": 1000, "height": 900}))
    page.evaluate("document.getElementById('traversal').scrollIntoView()")
    page.wait_for_function("document.querySelectorAll('.walk-row img[src]').length > 0")
    assert (
        page.evaluate(
            """async () => {
              const later = setTimeout;
              window.setTimeout = (act, after, ...more) => after ? 0 : later(act, 0, ...more); // no choice ever rests
              const pictures = () => Array.from(document.querySelectorAll(".walk-row img"), one => one.src).join();
              const before = pictures();
              document.querySelector("#controls input[name=model]:not(:checked)").click();
              while (pictures() === before) await new Promise(requestAnimationFrame);
              return document.documentElement.dataset.stage;
            }"""
        )
        == "moving"
    )

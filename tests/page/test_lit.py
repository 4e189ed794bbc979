"""What is chosen in one view lights up in the others: classes, latents, distances; and a walk over the map."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browsing import go, grave_findings, settled, visited

PIXELS = "id => document.querySelector(id).toDataURL()"
OWN, REFERENCE = "#map-own canvas", "#map-reference canvas"
START = "model=E2M1&place=2&seed=0&colour=class-1&stimulus=40"


@pytest.fixture(scope="module")
def opened(browser, stage_page) -> Iterator[Page]:
    page, seen = visited(browser, stage_page, reduced_motion="reduce")
    settled(page)
    yield page
    page.context.close()
    assert seen == []


@pytest.fixture
def page(opened: Page) -> Page:
    """The same page, at the same place, with nothing lit."""
    opened.mouse.move(1, 1)
    go(opened, START)
    return opened


def _maps(page: Page) -> list[str]:
    return [page.evaluate(PIXELS, one) for one in (OWN, REFERENCE)]


def _pressed(page: Page, place: str) -> list[str]:
    found = page.locator(f"{place} [aria-pressed=true]")
    return [one.text_content() or one.get_attribute("aria-label") or "" for one in found.all()]


def _all_differ(before: list[str], after: list[str]) -> bool:
    return all(one != then for one, then in zip(before, after, strict=True))


def test_a_class_of_the_legend_lights_up_everywhere(page):
    before = _maps(page)
    page.locator("#legend .entries button", has_text="yes").click()
    assert _all_differ(before, _maps(page))
    assert "lit=class-1.1" in settled(page).url
    assert _pressed(page, "#legend") == ["yes"]
    assert page.locator("#distances [aria-pressed=true]").count() == 3  # on the diagonal of every matrix
    assert page.locator("#distances .pick.lit").all_text_contents() == ["yes"] * 6
    assert page.locator("#tuning .of-class").count() == page.locator("#tuning svg").count() > 0
    lit = page.locator("#stimulus .classes button[data-of=class-1]")
    yes = "yes" in (lit.text_content() or "")
    assert lit.get_attribute("aria-pressed") == str(yes).lower()

    page.locator("#legend .entries button", has_text="yes").click()
    assert _maps(page) == before
    assert "lit" not in settled(page).url
    assert page.locator("#distances .faint, #tuning .of-class, #stimulus .faint").count() == 0


def test_a_cell_of_the_matrix_is_two_classes_by_keyboard_too(page):
    before = _maps(page)
    page.locator("#distances svg [data-cell='0.0']").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.cell") == "0.1"
    page.keyboard.press("Enter")
    assert "lit=class-1.0.1" in settled(page).url
    assert page.evaluate("document.activeElement.dataset.cell") == "0.1"
    assert _pressed(page, "#legend") == ["no", "yes"]
    page.keyboard.press("Escape")
    assert "lit" not in settled(page).url
    assert _maps(page) == before


def test_the_class_of_the_stimulus_lights_up(page):
    button = page.locator("#stimulus .classes button").first
    button.click()
    assert "lit=class-0." in settled(page).url
    assert button.get_attribute("aria-pressed") == "true"
    # of another labelling than the legend's: nothing of the legend is pressed
    assert _pressed(page, "#legend") == []
    page.get_by_role("button", name="clear highlights").click()
    assert "lit" not in settled(page).url


@pytest.mark.parametrize("view", ["#tuning", "#traversal"])
def test_a_latent_lights_up_in_tuning_walk_and_maps(page, view):
    before = _maps(page)
    button = page.locator(f"{view} button.latent").first
    latent = button.get_attribute("data-latent")
    button.click()
    assert f"latent={latent}" in settled(page).url
    assert _all_differ(before, _maps(page))
    for place in ("#tuning", "#traversal"):
        assert page.locator(f"{place} [data-latent='{latent}']").get_attribute("aria-pressed") == "true"
        rows = page.locator(f"{place} :is(.tuning-row, .walk-row)")
        assert page.locator(f"{place} .faint").count() == rows.count() - 1
    assert f"latent {int(latent or 0) + 1}" in page.locator("#legend").inner_text()
    page.keyboard.press("Escape")
    assert "latent" not in settled(page).url
    assert _maps(page) == before


def test_distances_from_the_chosen_stimulus_stay(page):
    before = _maps(page)
    page.get_by_label("colour by distance from the chosen stimulus").check()
    far = _maps(page)
    assert _all_differ(before, far)
    assert "far=1" in settled(page).url
    assert "distance from the chosen stimulus" in page.locator("#legend").inner_text()
    page.locator("#stimulus .small button").first.click()
    page.wait_for_function("!location.hash.includes('stimulus=40')")
    page.wait_for_function(
        "before => document.querySelector('#map-own canvas').toDataURL() !== before", arg=far[0]
    )
    page.get_by_label("colour by distance from the chosen stimulus").uncheck()
    assert "far" not in settled(page).url


def test_the_plane_says_what_it_keeps_of_the_distances(page):
    found = page.evaluate("""async () => {
      const { stressOf } = await import("ratewarp/map_colours");
      // the corners of a square and a point above its middle, on the plane of the square
      const points = Float32Array.of(1, 1, 1, -1, -1, 1, -1, -1, 0, 0);
      const codes = Float32Array.of(1, 1, 0, 1, -1, 0, -1, 1, 0, -1, -1, 0, 0, 0, 1);
      return [0, 4].map(item => stressOf({ points, codes, latents: 3 }, item));
    }""")
    root = 2**0.5
    assert found[0] == pytest.approx(((3**0.5 - root) ** 2 / (4 + 4 + 8 + 3)) ** 0.5, abs=1e-5)
    assert found[1] == pytest.approx((3**0.5 - root) / 3**0.5, abs=1e-5)
    for panel in ("#map-own", "#map-reference"):
        assert "of those from the chosen code" in page.locator(f"{panel} > .caption").inner_text()


def test_a_link_brings_back_what_is_lit(page):
    before = _maps(page)
    latent = page.locator("#tuning button.latent").first.get_attribute("data-latent")
    go(page, f"{START}&lit=class-1.0&latent={latent}&far=1")
    page.wait_for_selector("#distances .pick.lit")
    assert _all_differ(before, _maps(page))
    assert page.get_by_label("colour by distance").is_checked()
    assert page.locator(f"#tuning [data-latent='{latent}']").get_attribute("aria-pressed") == "true"
    assert "in full colour: " in page.locator("#legend").inner_text()
    assert grave_findings(page) == []


@pytest.mark.parametrize("address", ["lit=class-9.0", "lit=class-1.7", "lit=x", "latent=77", "heat=0.1.2"])
def test_light_of_what_is_not_there_is_no_harm(page, address):
    before = _maps(page)
    go(page, f"{START}&{address}")
    assert _maps(page) == before


def test_free_map_is_decoded_from_the_nearest_codes(page):
    found = page.evaluate("""async () => {
      const { codeAt } = await import("ratewarp/map_walk");
      const points = Float32Array.of(0, 0, 1, 0, NaN, NaN, 50, 0, 51, 0, 52, 0, 53, 0, 54, 0);
      const codes = Float32Array.from({ length: 8 }, (_, item) => item === 1 ? 1 : 0);
      const at = (x, y) => codeAt({ points, codes, latents: 1 }, { x, y })[0];
      return [at(0, 0), at(1, 0), at(0.5, 0), at(0.5, 100), codeAt({ points, codes, latents: 1 }, { item: 1 })[0]];
    }""")
    on, off, middle, far, item = found
    assert on < 1e-3  # on top of a code it is that code
    assert off > 1 - 1e-3
    assert middle == pytest.approx(0.5, abs=1e-3)
    assert 0 < far < 0.5
    assert item == 1


def test_walking_over_the_map_by_keyboard_decodes_images(page):
    canvas = page.locator(OWN)
    image = page.locator("#map-own img.preview")
    canvas.focus()
    assert image.is_hidden()
    seen = set()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(f"Shift+{key}")
        seen.add(image.get_attribute("src"))
    assert len(seen) > 2
    assert "mean of the 6 nearest codes" in page.locator("#map-own .hint").inner_text()
    walked = page.evaluate(PIXELS, "canvas.decoded")
    page.keyboard.press("Enter")
    assert page.evaluate(PIXELS, "canvas.decoded") != walked
    assert "a place of the map" in page.locator("#traversal").inner_text()
    assert "stimulus=40" in settled(page).url  # what is chosen stays
    page.keyboard.press("Escape")
    assert image.is_hidden()


def test_the_pointer_shows_what_is_decoded_at_a_code_and_between_codes(page):
    page.locator(OWN).scroll_into_view_if_needed()
    box = page.locator(OWN).bounding_box()
    assert box is not None
    said = set()
    for number in range(81):
        across, down = (number % 9 + 0.5) / 9, (number // 9 + 0.5) / 9
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
        said.add(page.locator("#map-own .hint").inner_text().split(" x_UC")[0].split(", nearer")[0])
        if len(said) == 2:
            break
    assert said == {"Decoded from the code of", "Decoded from the mean of the 6 nearest codes"}
    page.mouse.move(1, 1)
    assert page.locator("#map-own img.preview").is_hidden()


def test_measures_are_picked(page):
    shown = page.locator("figure.warp:visible")
    before = shown.count()
    button = page.locator(".picker button", has_text="F1 of heads")
    button.click()
    assert shown.count() == before + 1
    assert page.locator("figure.warp:visible h4").last.inner_text().startswith("F1 of heads")
    assert "measures=" in settled(page).url
    button.click()
    assert shown.count() == before


def test_optimal_codes_stand_beside_the_chosen_model(page):
    lines = page.locator("figure.warp:visible .optimal")
    models = {one["model"] for one in lines.evaluate_all("all => all.map(one => one.__data__)")}
    assert models == {"E1M1", "E2M1", "baseline"}
    visible = lines.evaluate_all(
        "all => all.filter(one => getComputedStyle(one).visibility === 'visible').map(one => one.__data__.model)"
    )
    assert set(visible) == {"E2M1"}
    assert "optimal codes" in page.locator("#warp-panels").evaluate("one => one.previousSibling.textContent")
    assert page.locator(".published").count() == 0  # these were not trained as the publication's were

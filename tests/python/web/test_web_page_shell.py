"""What all pages share: search, spans of time, charts that can be read, zones and keys."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.python.support.browsing import Service, opened


@pytest.fixture
def page(browser: Browser, lively: Service) -> Iterator[Page]:
    with opened(browser, lively.url) as shown:
        yield shown


def test_everything_is_found_by_the_keyboard_from_any_page(page: Page) -> None:
    page.locator("#pages").get_by_role("link", name="Jobs").click()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search everything")
    expect(box).to_be_focused()
    page.keyboard.type("BSGG")
    job = page.get_by_role("option", name="CM_BSGGN").first
    expect(job).to_contain_text("job")
    page.keyboard.press("ArrowDown")
    expect(job).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "found-0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="CM_BSGGN")).to_be_visible()
    expect(page.locator("#search-results")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("deadlock")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=deadlock$"))
    page.reload()
    expect(page.locator("#page tbody th")).to_contain_text(["DeadlockDetected"])


def test_a_span_that_is_drawn_in_a_chart_is_chosen_and_in_the_address(page: Page) -> None:
    plot = page.locator("#trends .plot").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 30, steps=3)
    page.mouse.up()
    # Half of the 24 hours before 21:50 and a quarter, in whole hours.
    expect(page).to_have_url(re.compile(r"from=2026-03-03T09%3A00Z&to=2026-03-03T16%3A00Z"))
    chosen = page.locator("#spans summary")
    expect(chosen).to_have_text("3 Mar, 10:00 \N{EN DASH} 3 Mar, 17:00")
    page.reload()
    expect(chosen).to_have_text("3 Mar, 10:00 \N{EN DASH} 3 Mar, 17:00")
    page.get_by_role("button", name="24 h").click()
    expect(page).not_to_have_url(re.compile("from="))


def test_a_span_can_be_typed_in_days_and_times_of_the_chosen_zone(page: Page) -> None:
    page.locator("#spans summary").click()
    page.get_by_label("From, day").fill("2026-03-02")
    page.get_by_label("To, day").fill("2026-03-01")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "from=" not in page.url
    page.get_by_label("To, day").fill("2026-03-02")
    page.get_by_label("To, time of day").fill("12:30")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"from=2026-03-01T23%3A00Z&to=2026-03-02T11%3A30Z"))


def test_values_of_a_chart_can_be_read_without_seeing_it(page: Page) -> None:
    page.locator("#trends .plot").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".tip")).to_contain_text(re.compile(r"3 Mar, 22:00 . 23:00.*completed\d+"))
    expect(page.locator("#announcements")).to_contain_text(re.compile(r"22:00.*completed \d+"))
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()
    page.get_by_role("button", name="Tasks ended as a table").click()
    newest = page.get_by_role("region", name="Tasks ended, values").locator("tbody tr").first
    expect(newest).to_contain_text("22:00")


def test_times_can_be_shown_in_another_zone_which_is_remembered(page: Page) -> None:
    end = page.locator(".step.is-running .step-end")
    expect(end).to_contain_text("about 23:53")
    page.locator("#foot select").select_option("UTC")
    expect(end).to_contain_text("about 22:53")
    page.reload()
    expect(end).to_contain_text("about 22:53")
    page.goto(f"{page.url}?zone=Asia/Kolkata")
    expect(end).to_contain_text("about 04:23")


def test_a_question_mark_shows_what_keys_do(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/errors$"))


def test_what_is_printed_has_no_buttons_and_whole_texts(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("#refresh")).to_be_hidden()
    expect(page.locator(".alert .acts").first).to_be_hidden()
    clamp = "each => getComputedStyle(each).webkitLineClamp"
    assert page.locator(".error-text").first.evaluate(clamp) == "none"

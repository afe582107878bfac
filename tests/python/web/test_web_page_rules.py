"""The pages about rules, silences and channels, in Chromium."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support import page_data
from tests.python.support.accessibility import barriers
from tests.python.support.browsing import TOKEN, Service, opened
from tests.python.support.page_data import NOW, set_clock

NAME = "deep/queue ü"
PHONE = (390, 844)
_QUERY = """
select 'mail' as fingerprint, date_part('minute', clock()) as value,
    '{"queue": "mail"}'::jsonb as labels
"""
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def ruled(server: PostgresServer, template: str) -> Iterator[Service]:
    """A service on a rule that fires each hour from its 20th minute on, and what is told."""
    create_database(server, "page_rules", template)
    with psycopg.connect(server.dsn("page_rules"), autocommit=True) as connection:
        set_clock(connection, NOW)
        connection.execute("set search_path = monitoring, public")
        connection.execute("select create_alert_rule(%s, %s, '{\"high\": 20}')", [NAME, _QUERY])
        connection.execute("select define_notification_channel('ops', array['OPS_MAIL'])")
        page_data.evaluate(connection)
        with Service(server.dsn("page_rules")) as running:
            yield running
    drop_database(server, "page_rules")


@pytest.fixture
def page(browser: Browser, ruled: Service) -> Iterator[Page]:
    with opened(browser, ruled.url) as shown:
        yield shown


def _go(page: Page, path: str) -> None:
    page.goto(re.sub("(//[^/]+/).*", rf"\1{path}", page.url))
    page.wait_for_selector("#freshness:has-text('as of')")


def _decide(page: Page, button: str, note: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill(note)
    dialog.get_by_label("Your name").fill("Ann")
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_be_hidden()


def test_change_is_tried_on_the_past_and_saved_with_who_by_keyboard(page: Page) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Rules").click()
    expect(page).to_have_title(re.compile(r"Rules · pgvigil$"))
    first = page.locator("#page tbody tr").first
    expect(first).to_contain_text(f"{NAME}high above 20")
    first.get_by_role("link", name=NAME).press("Enter")
    expect(page).to_have_title(re.compile(f"^{NAME}"))

    high = page.get_by_label("high above")
    high.fill("50")
    page.get_by_label("Over the last").select_option("1 day")
    expect(page).to_have_url(re.compile(r"\?high=50&days=1$|\?days=1&high=50$"))
    page.get_by_label("Looks", exact=True).select_option("every 5 min")
    page.get_by_role("button", name="Try it").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Your name")).to_be_hidden()
    dialog.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    outcome = page.get_by_role("table", name="As it is and as changed")
    expect(outcome.locator("tr").nth(1)).to_contain_text(re.compile("As it is25.*14 h"))
    expect(outcome.locator("tr").nth(2)).to_contain_text(re.compile("As changed24.*2 h"))
    expect(page.get_by_role("img", name="As changed: 24 alerts")).to_be_visible()
    assert barriers(page) == []

    page.reload()
    expect(high).to_have_value("50")
    page.get_by_role("button", name="Save …").press("Enter")
    _decide(page, "Save", "quiet nights")
    expect(page.locator("#page")).to_contain_text("thresholds: high above 20 → high above 50")
    expect(page.locator("#page")).to_contain_text("“quiet nights”")
    expect(page).not_to_have_url(re.compile("high="))
    expect(high).to_have_value("50")
    expect(page.get_by_role("button", name="Save …")).to_be_disabled()

    off = page.get_by_role("button", name="Switch off")
    off.press("Enter")
    page.keyboard.press("Escape")
    expect(off).to_be_focused()
    off.press("Enter")
    _decide(page, "Switch off", "holidays")
    expect(page.locator(".page-title")).to_contain_text("off")


def test_what_cannot_be_tried_or_read_is_said(page: Page) -> None:
    _go(page, "rules/job_late")
    expect(page.locator("#page")).to_contain_text("cannot be tried over the past")
    expect(page.get_by_role("button", name="Try it")).to_have_count(0)
    page.get_by_label("high above").fill("many")
    expect(page.get_by_role("alert").filter(has_text="as numbers")).to_be_visible()
    expect(page.get_by_role("button", name="Save …")).to_be_disabled()
    _go(page, "rules/queue_backlog?where=queue")
    expect(page.get_by_role("alert").filter(has_text="label=text")).to_be_visible()


def test_silences_are_made_and_ended_and_channels_say_how_it_goes(page: Page) -> None:
    _go(page, "silences")
    expect(page.locator("#page")).to_contain_text("Nothing has been silenced.")
    labels = page.get_by_label("Labels of the alerts")
    labels.fill("queue=mail, severity!=critical")
    page.get_by_role("button", name="Silence").press("Enter")
    page.get_by_role("dialog").get_by_label("Token").fill(TOKEN)
    _decide(page, "Silence", "works")
    row = page.get_by_role("table", name="Silences").locator("tbody tr")
    expect(row).to_contain_text("queue=mail, severity!=critical")
    expect(row).to_contain_text("1 alert")
    expect(labels).to_have_value("")
    assert barriers(page) == []
    row.get_by_role("button", name="End").press("Enter")
    _decide(page, "End", "done")
    expect(row).to_contain_text("ended by Ann")
    labels.fill("queue")
    expect(page.locator("#page .refusal")).to_contain_text("label=text")
    page.get_by_role("link", name="Channels").click()
    expect(page.locator(".channels")).to_contain_text("24 h: 0 sent, none given up")
    expect(page.locator("#page")).to_contain_text("ops to OPS_MAIL")
    assert barriers(page) == []


@pytest.mark.parametrize("path", ["rules", "rules/queue_backlog", "silences", "channels"])
def test_pages_fit_a_phone_in_the_dark(browser: Browser, ruled: Service, path: str) -> None:
    with opened(browser, ruled.url, size=PHONE, color_scheme="dark") as page:
        _go(page, path)
        expect(page.locator("#page h2").first).to_be_visible()
        assert page.evaluate(_SIDEWAYS) == 0
        assert barriers(page) == []

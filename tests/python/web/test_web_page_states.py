"""The page with nothing, with much, with names that hurt, small, and for all eyes."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support.accessibility import barriers
from tests.python.support.browsing import DESKTOP, PHONE, Service, opened
from tests.python.support.page_data import NOW, fill_with_alerts, fill_with_names

_LONG = "a-very-long-name-" * 15
_HOSTILE = "<img src=x onerror=alert(1)>'\"</script><b>x&amp;"
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

_LINES = "times => times.map(time => time.getClientRects().length)"

Fill = Callable[[psycopg.Connection], None]


@pytest.fixture(scope="module")
def served(server: PostgresServer, template: str) -> Iterator[Callable[[str, Fill], Service]]:
    """Starts services on databases filled in some way; each is there once."""
    services: dict[str, Service] = {}
    with ExitStack() as stack:

        def serve(name: str, fill_it: Fill) -> Service:
            if name not in services:
                create_database(server, f"page_{name}", template)
                stack.callback(drop_database, server, f"page_{name}")
                connection = stack.enter_context(
                    psycopg.connect(server.dsn(f"page_{name}"), autocommit=True)
                )
                fill_it(connection)
                services[name] = stack.enter_context(Service(server.dsn(f"page_{name}")))
            return services[name]

        yield serve


Served = Callable[[str, Fill], Service]


def test_nothing_recorded_yet_is_said_in_every_part(browser: Browser, served: Served) -> None:
    with opened(browser, served("empty", lambda connection: None).url) as page:
        expect(page.locator("#counts")).to_have_text(
            "Not known. No alert rule has ever run, so nobody can tell what is wrong at present."
        )
        expect(page.locator(".card-value")).to_have_text(["\N{EN DASH}", "0", "\N{EN DASH}", "?"])
        expect(page.get_by_text("All quiet")).to_have_count(0)
        expect(page.locator(".card.is-good")).to_have_count(0)
        expect(page).to_have_title("(?) pgvigil")
        for part, words in (
            ("batch", "No workflow is set up"),
            ("errors", "No error has been recorded"),
            ("tasks", "Nothing runs at present"),
            ("queues", "No queue has been measured"),
            ("health", "No component has been checked"),
            ("records", "No record is invalid"),
        ):
            expect(page.locator(f"#{part}")).to_contain_text(words)
        expect(page.locator("#trends .empty")).to_have_text(["nothing recorded"] * 3)


def _evaluate(connection: psycopg.Connection) -> None:
    connection.execute("select set_config('monitoring.now', %s, false)", [NOW.isoformat()])
    connection.execute("select monitoring.ensure_partitions()")
    connection.execute("select monitoring.evaluate_alerts()")


def test_all_is_quiet_as_of_the_moment_when_rules_ran(browser: Browser, served: Served) -> None:
    with opened(browser, served("quiet", _evaluate).url) as page:
        expect(page.locator("#counts")).to_have_text(
            re.compile(r"All quiet as of \d\d:\d\d\. No alert fires\.")
        )
        expect(page.locator("#counts time")).to_have_attribute(
            "datetime", NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        )
        expect(page.locator("#alerts-panel")).to_be_hidden()
        expect(page.locator(".card.is-good .card-value")).to_have_text("0")
        expect(page).to_have_title("pgvigil")


def _fill_and_forget(connection: psycopg.Connection) -> None:
    fill_with_alerts(connection, 4)
    connection.execute(
        "update monitoring.alert_rule_states set evaluated_at = %s", [NOW - timedelta(hours=3)]
    )


def test_alerts_of_rules_that_have_not_run_since_are_greyed(
    browser: Browser, served: Served
) -> None:
    with opened(browser, served("forgotten", _fill_and_forget).url) as page:
        expect(page.locator("#counts")).to_contain_text("Not known. Alert rules ran 3 h ago")
        expect(page.locator(".severities")).to_have_css("filter", "grayscale(1)")
        expect(page.locator("#alerts .alerts")).to_have_css("filter", "grayscale(1)")
        expect(page.locator("#alerts .alert")).to_have_count(4)
        expect(page.locator("#cards")).to_contain_text("1 low, when rules last ran")
        expect(page.locator(".card.is-bad")).to_have_count(0)


def test_500_alerts_are_counted_at_once_and_listed_as_people_ask(
    browser: Browser, served: Served
) -> None:
    service = served("many", lambda connection: fill_with_alerts(connection, 500))
    with opened(browser, service.url) as page:
        expect(page.locator("#counts .severities .chip").first).to_have_text("125 critical")
        expect(page.locator(".alert")).to_have_count(12)
        page.get_by_role("button", name="Show more").click()
        expect(page.locator(".alert")).to_have_count(48)
        page.get_by_role("button", name="125 low").click()
        expect(page.locator(".alert.is-low")).to_have_count(12)
        for _ in range(2):
            page.get_by_role("button", name="Show more").click()
        expect(page.locator(".alert.is-low")).to_have_count(125)
        began = time.monotonic()
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator("#countdown")).to_have_text("15 s")
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("size", [DESKTOP, PHONE, (768, 1024)])
def test_very_long_names_push_nothing_out_of_the_window(
    browser: Browser, served: Served, size: tuple[int, int]
) -> None:
    service = served("long_names", lambda connection: fill_with_names(connection, _LONG))
    with opened(browser, service.url, size=size) as page:
        _open_all(page)
        assert page.evaluate(_SIDEWAYS) == 0
        assert _overlong(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_very_long_names_leave_times_on_one_line(
    browser: Browser, served: Served, size: tuple[int, int]
) -> None:
    service = served("long_names", lambda connection: fill_with_names(connection, _LONG))
    with opened(browser, service.url, size=size) as page:
        _open_all(page)
        lines = page.locator(".step .details td time").evaluate_all(_LINES)
        assert lines == [1, 1]


def test_newest_value_of_a_line_is_seen_however_young_its_hour_is(
    browser: Browser, server: PostgresServer, template: str
) -> None:
    young = NOW.replace(minute=5)
    create_database(server, "page_young", template)
    try:
        with psycopg.connect(server.dsn("page_young"), autocommit=True) as connection:
            connection.execute(
                "select monitoring.record_queue_metrics('bills', 40, p_recorded_at => %s)", [young]
            )
        with (
            Service(server.dsn("page_young"), now=young) as service,
            opened(browser, service.url) as page,
        ):
            line = page.locator("#trends path.line").bounding_box()
            plot = page.locator("#trends .chart").last.locator("svg").bounding_box()
            assert line is not None
            assert plot is not None
            assert line["width"] > 1
            assert line["x"] + line["width"] <= plot["x"] + plot["width"] + 1
    finally:
        drop_database(server, "page_young")


def test_names_full_of_markup_stay_text(browser: Browser, served: Served) -> None:
    service = served("hostile", lambda connection: fill_with_names(connection, _HOSTILE))
    with opened(browser, service.url) as page:
        _open_all(page)
        # It is in each of these parts as it is, and nowhere as an element.
        for part in (
            "batch",
            "alerts",
            "errors",
            "trends",
            "tasks",
            "queues",
            "health",
            "records",
        ):
            expect(page.locator(f"#{part}")).to_contain_text("<img src=x onerror=alert(")
        assert page.locator("main img, main script, main b").count() == 0
        page.locator(".alert").get_by_role("button", name="Acknowledge").first.click()
        expect(page.locator("#decide-what")).to_contain_text("<img src=x")
        assert page.locator("dialog img").count() == 0


def test_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, lively: Service
) -> None:
    with opened(browser, lively.url, size=PHONE, has_touch=True, is_mobile=True) as page:
        assert page.evaluate(_SIDEWAYS) == 0
        expect(page.locator(".step.is-running .step-end")).to_contain_text("about 23:53")
        page.get_by_role("button", name="CM_BSGGN").tap()
        expect(page.locator(".step .details")).to_contain_text("Comes after")
        assert page.evaluate(_SIDEWAYS) == 0
        small = [
            (button.inner_text(), box)
            for button in page.get_by_role("button").all()
            if (box := button.bounding_box()) and (box["height"] < 24 or box["width"] < 24)
        ]
        assert small == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_hours_and_why_runs_failed(
    browser: Browser, lively: Service, width: int
) -> None:
    with opened(browser, lively.url, size=(width, 844), has_touch=True, is_mobile=True) as page:
        expect(page.locator(".ticks .now-label")).to_be_visible()
        labels = page.locator(".ticks span").all()
        boxes = sorted((b["x"], b["width"]) for label in labels if (b := label.bounding_box()))
        assert len(boxes) >= 4
        assert all(x >= 0 and x + wide <= width for x, wide in boxes)
        assert all(x + wide <= after for (x, wide), (after, _) in pairwise(boxes))
        page.get_by_role("button", name="C1-PPBTR").tap()
        box = page.locator(".why td").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        expect(page.locator(".why td")).to_contain_text("gave up after 5 tries")


def test_no_width_needs_scrolling_sideways(browser: Browser, lively: Service) -> None:
    with opened(browser, lively.url) as page:
        expect(page.locator("#queues tbody tr")).to_have_count(3)
        wide = []
        for width in (320, 420, 700, 761, 900, 981, 1024, 1100, 1200, 1366, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate(_SIDEWAYS) or _overlong(page):
                wide.append(width)
        assert wide == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_on_the_page_is_in_anybodys_way(
    browser: Browser, lively: Service, theme: str
) -> None:
    with opened(browser, lively.url, color_scheme=theme) as page:
        _open_all(page)
        assert barriers(page) == []
        page.get_by_role("button", name="Acknowledge alert").first.click()
        assert barriers(page) == []


def test_names_roles_and_headings_are_there_for_those_who_do_not_see(
    browser: Browser, lively: Service
) -> None:
    with opened(browser, lively.url) as page:
        for name in ("Business day", "Alerts", "Errors by group", "Trends", "Queues", "Health"):
            expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
        assert page.get_by_role("heading", level=1).count() == 1
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, a, input')].filter(each =>"
            " !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length))"
            ".map(each => each.outerHTML)"
        )
        assert nameless == []
        doubled = page.evaluate(
            "[...document.querySelectorAll('[id]')].map(each => each.id)"
            ".filter((id, place, all) => all.indexOf(id) !== place)"
        )
        assert doubled == []


def _open_all(page: Page) -> None:
    for place in page.locator(".step .opener, .alert .opener").all():
        place.click()
    expect(page.get_by_text("Loading")).to_have_count(0)


def _overlong(page: Page) -> list[str]:
    """Return what reaches beyond the right edge of its panel."""
    found: list[str] = page.evaluate(
        """
        [...document.querySelectorAll(".panel, .counts, .card")].flatMap((panel) => {
          const edge = panel.getBoundingClientRect().right + 1;
          return [...panel.querySelectorAll("*")]
            .filter((each) => !each.closest(".scroll, svg"))
            .filter((each) => each.getBoundingClientRect().right > edge)
            .map((each) => each.outerHTML.slice(0, 120));
        })
        """
    )
    return found

"""The page over time: refreshed, paused, hidden, without its server, told what people decide."""

import re
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support.browsing import TOKEN, Service, opened
from tests.python.support.page_data import NOW, evaluate, fill_with_alerts, set_clock
from tests.python.support.running import wait_until

# What is told is kept for the test; a browser without a head shows it nowhere.
_HEAR_NOTIFICATIONS = """
window.heard = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) { super(); window.heard.push([title, options.body]); }
};
"""
# The answer about the present day waits until it is let go.
_HOLD_TIMELINE = """
window.isHeld = false;
const released = new Promise((resolve) => { window.release = resolve; });
const ask = window.fetch;
window.fetch = async (path, options) => {
  const answer = await ask(path, options);
  if (window.isHeld && String(path).endsWith("/api/batch-timeline")) await released;
  return answer;
};
"""
_REFUSE_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
}
"""
_SET_HIDDEN = """
(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


@pytest.fixture(scope="module")
def still(server: PostgresServer, template: str) -> Iterator[Service]:
    """A service on four alerts, one of each severity, to which nothing happens."""
    create_database(server, "page_still", template)
    with psycopg.connect(server.dsn("page_still"), autocommit=True) as connection:
        fill_with_alerts(connection, 4)
    with Service(server.dsn("page_still")) as running:
        yield running
    drop_database(server, "page_still")


@pytest.fixture
def watched(dsn: str) -> Iterator[psycopg.Connection]:
    """The same in a database of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        fill_with_alerts(connection, 4)
        yield connection


@pytest.fixture
def service(dsn: str, watched: psycopg.Connection) -> Iterator[Service]:
    """A service on it."""
    with Service(dsn) as running:
        yield running


def _let_rise(watched: psycopg.Connection, queue: str) -> None:
    set_clock(watched, NOW)
    watched.execute(
        "select monitoring.record_queue_metrics(%s, 990, p_recorded_at => %s)", [queue, NOW]
    )
    evaluate(watched)


def test_page_counts_down_and_refreshes_itself(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url, has_own_clock=True) as page:
        countdown = page.locator("#countdown")
        expect(countdown).to_have_text(re.compile(r"1[345] s"))
        page.clock.run_for(5_000)
        expect(countdown).to_have_text(re.compile(r"[789] s|10 s"))
        _let_rise(watched, "parcels")
        expect(page.locator(".alert")).to_have_count(4)
        page.clock.run_for(11_000)
        expect(page.locator(".alert")).to_have_count(5)
        expect(page.locator(".severities .chip").first).to_have_text("2 critical")
        expect(page).to_have_title("(2) pgvigil")


def test_refreshing_keeps_focus_and_what_is_open(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url) as page:
        opener = page.get_by_role("button", name="queue queue-002: 300 waiting")
        opener.click()
        expect(page.locator(".alert .details")).to_contain_text("History")
        opener.focus()
        _let_rise(watched, "parcels")
        page.keyboard.press("r")
        expect(page.locator(".alert")).to_have_count(5)
        expect(page.locator(".alert .details")).to_contain_text("queue=queue-002")
        expect(opener).to_be_focused()


def test_paused_page_asks_nothing_and_says_when_its_figures_are_old(
    browser: Browser, still: Service
) -> None:
    with opened(browser, still.url, has_own_clock=True) as page:
        asked = _count_requests(page)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
        page.clock.run_for(50_000)
        expect(page.locator("#countdown")).to_have_text("off")
        expect(page.locator("#trouble")).to_be_hidden()
        page.clock.run_for(15_000)
        expect(page.get_by_role("alert")).to_contain_text("The figures are old")
        assert asked == []
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator("#trouble")).to_be_hidden()
        assert asked != []


def test_page_says_when_pgvigil_itself_does_not_keep_up(
    browser: Browser, dsn: str, watched: psycopg.Connection
) -> None:
    with (
        Service(dsn, now=NOW + timedelta(hours=2)) as service,
        opened(browser, service.url) as page,
    ):
        late = page.locator("#late")
        expect(late.locator("summary")).to_have_text(
            re.compile(
                r"^pgvigil itself does not keep up: scheduler late by 2 h.*, and \d+ other parts\."
                r" Start pgvigil run, or have pg_cron run the jobs\.$"
            )
        )
        line = late.bounding_box()
        assert line is not None
        assert line["height"] < 40
        expect(late.get_by_role("listitem").first).to_be_hidden()
        late.locator("summary").click()
        expect(late.get_by_role("listitem").first).to_be_visible()
        page.keyboard.press("r")
        expect(page.locator("#countdown")).to_have_text(re.compile("^1[345] s$"))
        expect(late.get_by_role("listitem").first).to_be_visible()
        expect(page.locator("#counts")).to_contain_text("Not known. Alert rules ran 2 h ago")


def test_hidden_page_asks_nothing_and_catches_up_when_seen_again(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url, has_own_clock=True) as page:
        asked = _count_requests(page)
        page.evaluate(_SET_HIDDEN, True)
        _let_rise(watched, "parcels")
        page.clock.run_for(120_000)
        assert asked == []
        page.evaluate(_SET_HIDDEN, False)
        expect(page.locator(".alert")).to_have_count(5)


def test_page_says_when_the_server_is_away_shows_what_was_known_and_recovers(
    browser: Browser, still: Service
) -> None:
    with opened(browser, still.url, may_lose_server=True) as page:
        expect(page.locator(".alert")).to_have_count(4)
        still.kill()
        page.keyboard.press("r")
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text(
            re.compile(r"since \d\d:\d\d:\d\d: the server cannot be reached\.")
        )
        expect(trouble).to_contain_text("What is shown was known at")
        expect(page.locator(".alert")).to_have_count(4)
        expect(page.locator("#countdown")).to_have_text(re.compile(r"[1-5] s"))
        still.start()
        expect(page.locator("#trouble")).to_be_hidden()
        expect(page.locator("#announcements")).to_have_text("The server answers again.")


def test_database_that_is_away_is_told_like_a_server_that_is(
    browser: Browser, still: Service
) -> None:
    with opened(browser, still.url, may_lose_server=True) as page:
        page.route("**/api/**", lambda route: _fail(route, 503, "the database is away"))
        page.keyboard.press("r")
        expect(page.get_by_role("alert")).to_contain_text(": the database is away.")
        expect(page.locator(".alert")).to_have_count(4)


def test_page_waits_longer_each_time_nobody_answers(browser: Browser, still: Service) -> None:
    with opened(browser, still.url, may_lose_server=True, has_own_clock=True) as page:
        page.route("**/api/**", lambda route: route.abort())
        page.keyboard.press("r")
        expect(page.get_by_role("alert")).to_contain_text("No answer")
        for wait in (5, 10, 20, 40, 60, 60):
            expect(page.locator("#countdown")).to_have_text(re.compile(rf"^({wait}|{wait - 1}) s$"))
            page.clock.run_for((wait + 1) * 1000)


def test_part_that_fails_says_so_while_the_others_go_on(browser: Browser, still: Service) -> None:
    with opened(browser, still.url, may_lose_server=True) as page:
        page.route("**/api/queues", lambda route: _fail(route, 500, "internal error"))
        page.route("**/api/errors*", lambda route: _fail(route, 503, "the database took too long"))
        page.reload()
        expect(page.locator("#queues")).to_have_text("This cannot be read: internal error")
        expect(page.locator("#errors")).to_contain_text("the database took too long")
        expect(page.locator(".alert")).to_have_count(4)
        expect(page.locator("#trouble")).to_be_hidden()


def test_part_that_cannot_be_read_anew_is_said_to_be_old(browser: Browser, still: Service) -> None:
    with opened(browser, still.url, may_lose_server=True) as page:
        page.route("**/api/queues", lambda route: _fail(route, 503, "the database took too long"))
        page.keyboard.press("r")
        expect(page.get_by_role("alert")).to_contain_text("cannot be refreshed: the database took")
        expect(page.locator("#queues-panel")).to_have_class(re.compile("is-stale"))
        expect(page.locator("#queues tbody tr")).not_to_have_count(0)
        page.unroute("**/api/queues")
        page.keyboard.press("r")
        expect(page.locator("#trouble")).to_be_hidden()


def test_answer_about_another_day_than_is_wanted_by_now_is_dropped(
    browser: Browser, lively: Service
) -> None:
    with opened(browser, lively.url, has_own_clock=True, script=_HOLD_TIMELINE) as page:
        page.get_by_role("button", name="Pause").click()
        page.evaluate("isHeld = true")
        page.keyboard.press("r")
        page.get_by_role("button", name="Day before").click()
        expect(page.locator(".workflow")).to_contain_text("6 of 6 done")
        expect(page.locator("#countdown")).to_have_text("\N{HORIZONTAL ELLIPSIS}")
        page.evaluate("release()")
        expect(page.locator("#countdown")).to_have_text("off")
        expect(page.locator(".day")).to_have_text("Mon, 2 Mar 2026")
        expect(page.locator(".workflow")).to_contain_text("6 of 6 done")


def test_what_is_asked_for_alone_does_not_make_the_rest_look_new(
    browser: Browser, still: Service
) -> None:
    with opened(browser, still.url, has_own_clock=True) as page:
        known = page.locator("#freshness").inner_text()
        page.get_by_role("button", name="Pause").click()
        page.clock.run_for(65_000)
        expect(page.get_by_role("alert")).to_contain_text("The figures are old")
        page.get_by_role("button", name="7 days").click()
        expect(page.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
        page.clock.run_for(2_000)
        expect(page.get_by_role("alert")).to_contain_text("The figures are old")
        expect(page.locator("#freshness")).to_have_text(known)


def test_opened_alert_that_is_gone_is_not_asked_for_any_more(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url) as page:
        page.get_by_role("button", name="queue queue-002: 300 waiting").click()
        expect(page.locator(".alert .details")).to_contain_text("History")
        watched.execute(
            "select monitoring.resolve_alert(alert_id) from monitoring.v_active_alerts"
            " where labels ->> 'queue' = 'queue-002'"
        )
        page.keyboard.press("r")
        expect(page.locator(".alert")).to_have_count(3)
        asked = _count_requests(page)
        page.keyboard.press("r")
        expect(page.locator("#countdown")).to_have_text(re.compile(r"1[345] s"))
        wait_until(lambda: page.evaluate("1") == 1 and len(asked) > 10, 20)
        assert [url for url in asked if "/api/alerts/" in url] == []


def test_page_works_where_the_browser_keeps_nothing(browser: Browser, still: Service) -> None:
    with opened(browser, still.url, script=_REFUSE_STORAGE) as page:
        page.get_by_role("button", name="Theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Acknowledge alert").first.click()
        expect(page.get_by_label("Token")).to_be_visible()


def test_new_critical_alert_is_told_by_the_browser_once_if_allowed(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url, script=_HEAR_NOTIFICATIONS) as page:
        expect(page.locator(".alert")).to_have_count(4)
        _let_rise(watched, "before-allowed")
        page.keyboard.press("r")
        expect(page.locator(".alert")).to_have_count(5)
        assert page.evaluate("heard") == []
        page.get_by_role("button", name="Notify me").click()
        expect(page.get_by_role("button", name="Notifying")).to_be_visible()
        _let_rise(watched, "parcels")
        # What rises to critical is as new as what begins there.
        _let_rise(watched, "queue-002")
        page.keyboard.press("r")
        expect(page.locator(".severities .chip").first).to_have_text("4 critical")
        told = page.evaluate("heard")
        assert [title for title, _ in told] == ["pgvigil: 2 new critical alerts"]
        assert "queue parcels: 990 waiting" in told[0][1]
        expect(page.locator("#announcements")).to_contain_text("New critical: queue")
        page.keyboard.press("r")
        page.wait_for_timeout(1000)
        assert len(page.evaluate("heard")) == 1


def test_acknowledging_asks_for_the_token_once_and_keeps_it_in_this_tab_only(
    browser: Browser, service: Service, watched: psycopg.Connection
) -> None:
    with opened(browser, service.url, may_lose_server=True) as page:
        page.get_by_role("button", name="Acknowledge alert").first.click()
        dialog = page.get_by_role("dialog", name="Acknowledge")
        expect(dialog.get_by_label("Note")).to_be_focused()
        dialog.get_by_label("Note").fill("on it")
        dialog.get_by_label("Your name").fill("ann")
        dialog.get_by_label("Token").fill("a-wrong-token-it-is")
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(dialog.get_by_role("alert")).to_contain_text("the token is missing or wrong")
        expect(dialog.get_by_label("Token")).to_be_visible()
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(".alert.is-critical")).to_contain_text("acknowledged by ann")
        expect(page.locator("#announcements")).to_contain_text("is acknowledged")

        page.get_by_role("button", name="Acknowledge alert").first.click()
        expect(dialog.get_by_label("Token")).to_be_hidden()
        expect(dialog.get_by_label("Your name")).to_have_value("ann")
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".alert.is-high")).to_contain_text("acknowledged by ann")
        assert page.evaluate("Object.values(sessionStorage)").count(TOKEN) == 1
        assert TOKEN not in str(page.evaluate("Object.values(localStorage)"))
        assert page.context.cookies() == []
    row = watched.execute(
        "select acknowledged_by, acknowledged_note from monitoring.alerts "
        "where severity = 'critical'"
    ).fetchone()
    assert row == ("ann", "on it")


def test_service_that_only_reads_says_so_instead_of_asking_again(
    browser: Browser, dsn: str, watched: psycopg.Connection
) -> None:
    with (
        Service(dsn, token="") as service,
        opened(browser, service.url, may_lose_server=True) as page,
    ):
        page.get_by_role("button", name="Acknowledge alert").first.click()
        dialog = page.get_by_role("dialog", name="Acknowledge")
        dialog.get_by_label("Your name").fill("ann")
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(dialog.get_by_role("alert")).to_contain_text("this service only reads")


def test_everything_can_be_done_by_keyboard(browser: Browser, still: Service) -> None:
    with opened(browser, still.url) as page:
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="To the content")
        expect(skip).to_be_focused()
        assert skip.bounding_box()["x"] >= 0  # type: ignore[index]
        page.keyboard.press("Enter")
        _tab_to(page, "queue queue-003: 900 waiting", most=8)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.locator(".alert .details")).to_contain_text("History")
        _tab_to(page, "Acknowledge", most=4)
        expect(page.get_by_role("button", name="Acknowledge alert").first).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.type("r is a letter here")
        expect(page.get_by_label("Note")).to_have_value("r is a letter here")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Acknowledge alert").first).to_be_focused()
        page.keyboard.press("p")
        expect(page.locator("#countdown")).to_have_text("off")


def _tab_to(page: Page, name: str, most: int) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if name in page.evaluate("document.activeElement.textContent"):
            return
    raise AssertionError(f"{name} is more than {most} tabs away")


def _count_requests(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def _fail(route: Route, status: int, error: str) -> None:
    route.fulfill(status=status, json={"status": status, "detail": error})

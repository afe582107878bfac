"""The pages about jobs, runs, groups of errors and alerts, in Chromium."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support import page_data
from tests.python.support.accessibility import barriers, unreachable
from tests.python.support.browsing import DESKTOP, TOKEN, Service, opened
from tests.python.support.page_data import NOW, set_clock

ODD = "a/b <b>ü</b> ?#%"
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_STEPS = """
{"workflow": "night", "cutover": "05:00",
 "steps": [{"step": "proposals", "schedule": "0 * * * *"},
           {"step": "publish", "schedule": "06:00"}]}
"""


@pytest.fixture(scope="module")
def odd(server: PostgresServer, template: str) -> Iterator[Service]:
    """A service on runs, errors and a missed run under a name that is hard to write."""
    create_database(server, "page_odd", template)
    with psycopg.connect(server.dsn("page_odd"), autocommit=True) as connection:
        _fill(connection)
        with Service(server.dsn("page_odd")) as running:
            yield running
    drop_database(server, "page_odd")


def _fill(connection: psycopg.Connection) -> None:
    connection.execute("set search_path = monitoring, public")
    set_clock(connection, NOW.replace(day=1))
    connection.execute("select apply_workflow(%s)", [_STEPS])
    connection.execute("select define_expected_runs('backup', '0 3 * * *', 'Europe/Berlin')")
    set_clock(connection, NOW)
    connection.execute("select ensure_partitions()")
    connection.execute(
        """
        select record_finished_tasks(jsonb_agg(jsonb_build_object(
            'task_id', %(job)s || n, 'task_type', %(job)s, 'parent_task_id', 'whole',
            'status', case when n = 3 then 'failed' else 'completed' end,
            'start_time', clock() - make_interval(mins => 10 * n),
            'end_time', clock() - make_interval(mins => 10 * n - 5),
            'step_durations', '{"read": 100000, "write": 200000}'::jsonb,
            'metadata', '{"error_message": "disk full"}'::jsonb
        )))
        from generate_series(1, 70) n
        """,
        {"job": ODD},
    )
    connection.execute(
        """
        select record_finished_tasks(jsonb_agg(jsonb_build_object(
            'task_id', 'p' || n, 'task_type', 'proposals',
            'status', case when n = 5 then 'failed' else 'completed' end,
            'start_time', clock() - make_interval(hours => n, mins => 50),
            'end_time', clock() - make_interval(hours => n, mins => 45)
        )))
        from generate_series(0, 12) n
        """
    )
    connection.execute(
        'select record_finished_tasks(\'[{"task_id": "pub-1", "task_type": "publish",'
        ' "status": "failed", "start_time": "2026-03-02T06:00:00Z",'
        ' "end_time": "2026-03-02T06:20:00Z"}]\')'
    )
    connection.execute(
        "select start_task_tracking('whole', 'night run', p_items_total => 8,"
        " p_started_at => clock() - interval '13 hours')"
    )
    connection.execute("select update_task_progress('whole', 2)")
    for number in range(3):
        connection.execute("select record_log('night', 'info', %s, null, 'whole')", [f"l{number}"])
    connection.execute(
        "select record_error('whole', %s, 'high', 'no answer in 3 s', 'net',"
        ' \'{"release": "1.4"}\', %s, %s)',
        [ODD, "in send()\n  " + "x" * 400, ODD],
    )
    page_data.evaluate(connection)


@pytest.fixture
def page(browser: Browser, odd: Service) -> Iterator[Page]:
    with opened(browser, odd.url) as shown:
        yield shown


def _go(page: Page, path: str) -> None:
    page.goto(re.sub("(//[^/]+/).*", rf"\1{path}", page.url))
    page.wait_for_selector("#freshness:has-text('as of')")


def test_jobs_are_listed_in_trouble_first_with_when_they_ran_and_are_due(page: Page) -> None:
    page.locator("#pages").get_by_role("link", name="Jobs").click()
    expect(page).to_have_title(re.compile(r"Jobs · pgvigil$"))
    rows = page.locator("#page tbody tr")
    expect(rows).to_have_count(5)
    backup = rows.filter(has_text="backup")
    expect(backup).to_contain_text("missed")
    expect(backup).to_contain_text("late by 19 h 50 min")
    expect(backup).to_contain_text("due 03:00")
    expect(backup).to_contain_text("1 alert")
    mine = rows.filter(has_text="a/b")
    expect(mine).to_contain_text("5 min ago")
    expect(mine.get_by_role("img")).to_have_attribute(
        "aria-label", "30 days: 69 completed, 1 failed, 0 missed"
    )
    troubled = [bool(row.get_by_text("alert").count()) for row in rows.all()]
    assert troubled == sorted(troubled, reverse=True)


def test_jobs_can_be_searched_and_the_search_is_in_the_address(page: Page) -> None:
    _go(page, "jobs")
    page.keyboard.press("f")
    page.keyboard.type("PROP")
    expect(page.locator("#page tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/jobs\?search=PROP$"))
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("PROP")
    expect(page.locator("#page tbody tr")).to_have_count(1)
    page.get_by_role("searchbox").fill("nothing of that name")
    expect(page.locator("#page")).to_contain_text("No job fits.")
    page.get_by_role("searchbox").fill("")
    expect(page.locator("#page tbody tr")).to_have_count(5)
    page.get_by_label("Kind").select_option("Steps of workflows")
    expect(page.locator("#page tbody tr")).to_have_count(2)
    page.go_back()
    expect(page.get_by_label("Kind")).to_have_value("")
    expect(page.locator("#page tbody tr")).to_have_count(5)


def test_job_of_any_name_has_its_runs_on_a_time_line_and_in_pages(page: Page) -> None:
    _go(page, "jobs")
    page.get_by_role("link", name="a/b").click()
    expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    assert page.locator("main b").count() == 0
    expect(page.locator(".run-chart .point")).to_have_count(50)
    expect(page.locator(".run-chart .is-failed")).to_have_count(1)
    runs = page.locator("[data-key=runs] tbody tr")
    expect(runs).to_have_count(51)  # with why one failed
    expect(page.locator(".why")).to_have_text("Why: disk full")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".run-chart .point")).to_have_count(70)
    page.get_by_label("How they ended").select_option("Failed")
    expect(runs).to_have_count(2)
    expect(page).to_have_url(re.compile(r"status=failed"))
    page.get_by_text("rules and their thresholds").click()
    expect(page.locator(".rules")).to_contain_text("long_running_task")
    page.keyboard.press("r")
    expect(page.locator("#countdown")).to_have_text(re.compile("^1[345] s$"))
    expect(page.locator(".rules")).to_be_visible()


def test_run_shows_its_parts_errors_and_log_while_it_runs(page: Page) -> None:
    _go(page, "runs/whole")
    expect(page.get_by_role("progressbar", name="Progress")).to_have_attribute(
        "aria-valuenow", "25"
    )
    expect(page.locator("[data-key=children] tbody tr")).to_have_count(70)
    expect(page.locator(".log li")).to_have_text(
        [re.compile("INFO.*l2"), re.compile("INFO.*l1"), re.compile("INFO.*l0")]
    )
    error = page.locator("[data-key=errors-of-run] .error")
    error.get_by_text("Stack").click()
    expect(error.locator("pre")).to_contain_text("in send()")
    page.get_by_label("Level").select_option("ERROR")
    expect(page.locator("[data-key=logs]")).to_contain_text("No line of this level.")
    page.locator("[data-key=children]").get_by_role("link", name=f"{ODD}3", exact=True).click()
    expect(page.locator("#page")).to_contain_text("Why: disk full")
    expect(page.locator(".step-bars li")).to_have_text(
        [re.compile("read.*1 min 40 s"), re.compile("write.*3 min 20 s")]
    )
    page.get_by_role("link", name="whole").click()
    expect(page.get_by_role("heading", name="whole")).to_be_visible()


def test_group_of_errors_shows_where_it_occurred_and_can_be_decided_about(
    browser: Browser, odd: Service
) -> None:
    with opened(browser, odd.url, may_lose_server=True) as page:
        page.locator("#pages").get_by_role("link", name="Errors").click()
        page.get_by_role("searchbox").fill("no ANSWER")
        page.locator("#page .error").get_by_role("link").click()
        expect(page.get_by_role("heading", name=ODD)).to_be_visible()
        what = page.locator("[data-key=group]")
        expect(what).to_contain_text("no answer in 3 s")
        expect(what).to_contain_text("Jobsnight run")
        expect(what).to_contain_text("Releases1.4")
        expect(page.locator("pre")).to_be_visible()
        page.get_by_role("button", name="30 days").click()
        expect(page.locator("[data-key=occurrences-by-time] rect").first).to_be_visible()
        page.get_by_role("button", name="Mute").click()
        dialog = page.get_by_role("dialog", name="Mute")
        dialog.get_by_label("For how long").select_option("1 week")
        dialog.get_by_label("Your name").fill("ann")
        dialog.get_by_label("Token").fill("a-wrong-token-it-is")
        dialog.get_by_role("button", name="Mute").click()
        expect(dialog.get_by_role("alert")).to_have_text("Not done: the token is missing or wrong")
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Mute").click()
        expect(what).to_contain_text("Decided byann")
        expect(page.locator("#announcements")).to_have_text("The group is muted.")
        page.get_by_role("button", name="Reopen").click()
        page.get_by_role("dialog", name="Reopen").get_by_role("button", name="Reopen").click()
        expect(page.get_by_role("button", name="Resolve")).to_be_visible()


def test_group_of_errors_is_merged_and_taken_out_again(
    server: PostgresServer, browser: Browser, odd: Service
) -> None:
    with psycopg.connect(server.dsn("page_odd"), autocommit=True) as connection:
        set_clock(connection, NOW)
        connection.execute(
            "select monitoring.record_error('t', 'Whole', 'low', 'of all', p_fingerprint => 'all'),"
            " monitoring.record_error('t', 'Part', 'low', 'of it', p_fingerprint => 'part')"
        )
    with opened(browser, f"{odd.url}errors/part", may_lose_server=True) as page:
        page.get_by_role("button", name="Merge").click()
        dialog = page.get_by_role("dialog", name="Merge")
        dialog.get_by_label("Part of").select_option("Whole: of all")
        dialog.get_by_label("Your name").fill("ann")
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Merge").click()
        expect(page.locator("#announcements")).to_have_text("The group is merged.")
        merged = page.locator("[data-key=merged]")
        merged.get_by_text("Merged from 2 fingerprints").click()
        merged.get_by_role("button", name="Take out part").click()
        page.get_by_role("dialog", name="Take out").get_by_role("button", name="Take out").click()
        expect(merged).to_have_count(0)
        expect(page.locator("[data-key=group]")).to_contain_text("of it")


def test_hourly_step_shows_all_its_runs_and_last_nights_failure_stays_until_seen(
    page: Page,
) -> None:
    step = page.locator(".step").filter(has_text="proposals")
    expect(step.locator(".bar-of")).to_have_count(13)
    expect(step.locator(".bar-of.is-failed")).to_have_count(1)
    expect(step).to_contain_text("13 runs, 1 failed")
    page.keyboard.press("r")
    before = page.locator(".last-day")
    expect(before).to_contain_text(re.compile("Mon,? 2 Mar ended with"))
    expect(before).to_contain_text("publish failed")
    before.get_by_role("button", name="Show that day").click()
    expect(page).to_have_url(re.compile(r"day=2026-03-02"))
    expect(page.locator(".step.is-failed")).to_contain_text("publish")
    page.go_back()
    page.locator(".last-day").get_by_role("button", name="Seen").click()
    expect(page.locator(".last-day")).to_have_count(0)
    page.reload()
    page.wait_for_selector(".step")
    page.keyboard.press("r")
    expect(page.locator(".last-day")).to_have_count(0)


def test_silence_and_resolve_are_at_hand_where_alerts_are(browser: Browser, odd: Service) -> None:
    with opened(browser, odd.url, may_lose_server=True) as page:
        _go(page, "jobs/backup")
        alert = page.locator("[data-key=alerts-of-job] .alert")
        alert.get_by_role("button", name="Silence").click()
        dialog = page.get_by_role("dialog", name="Silence")
        dialog.get_by_label("For how long").select_option("until it resolves")
        dialog.get_by_label("Your name").fill("ann")
        dialog.get_by_label("Token").fill(TOKEN)
        dialog.get_by_role("button", name="Silence").click()
        expect(alert).to_contain_text("not notified: silence")
        alert.locator(".opener").click()
        expect(alert.locator(".details")).to_contain_text("History")
        expect(alert.get_by_role("button", name="Resolve")).to_be_visible()


@pytest.mark.parametrize("path", ["jobs/none", "runs/none", "errors/none", "alerts/987654"])
def test_what_is_not_there_is_said_not_to_be(browser: Browser, odd: Service, path: str) -> None:
    with opened(browser, odd.url, may_lose_server=True) as page:
        _go(page, path)
        expect(page.locator("#page")).to_contain_text("here is no ")
        _go(page, "nowhere")
        expect(page.locator("#page")).to_contain_text("There is no such page")
        expect(page).to_have_title(re.compile("Not found · pgvigil"))


@pytest.mark.parametrize("width", [390, 768, 2560])
def test_pages_need_no_scrolling_sideways(browser: Browser, odd: Service, width: int) -> None:
    with opened(browser, odd.url, size=(width, 844)) as page:
        for path in ("", "jobs", "runs/whole", "errors"):
            _go(page, path)
            expect(page.locator("main .skeleton")).to_have_count(0)
            assert page.evaluate(_SIDEWAYS) == 0, path
        page.locator("#page .error").filter(has_text="no answer").locator("a").first.click()
        expect(page.locator("pre")).to_be_visible()
        assert page.evaluate(_SIDEWAYS) == 0
        page.locator("#pages").get_by_role("link", name="Jobs").click()
        page.get_by_role("link", name="a/b").click()
        expect(page.locator(".run-chart")).to_be_visible()
        assert page.evaluate(_SIDEWAYS) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_on_any_page_is_in_anybodys_way(browser: Browser, odd: Service, theme: str) -> None:
    with opened(browser, odd.url, size=DESKTOP, color_scheme=theme) as page:
        for path in ("jobs", "jobs/backup", "runs/whole", "errors"):
            _go(page, path)
            expect(page.locator("main .skeleton")).to_have_count(0)
            assert barriers(page) == [], path


@pytest.mark.parametrize("path", ["", "jobs", "jobs/backup", "runs/whole", "errors"])
def test_everything_that_can_be_worked_can_be_reached_by_keyboard(page: Page, path: str) -> None:
    _go(page, path)
    expect(page.locator("main .skeleton")).to_have_count(0)
    assert unreachable(page) == []

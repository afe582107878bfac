"""The pages about queues, components and records, in Chromium."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support import page_data
from tests.python.support.accessibility import barriers, unreachable
from tests.python.support.browsing import DESKTOP, Service, opened
from tests.python.support.page_data import NOW, set_clock

ODD = "a/b <b>ü</b> ?#%"
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_PATHS = (
    "queues", "queues/mails", "components", "components/printer", "records", "records/orders",
    "records/orders/o1",
)  # fmt: skip


@pytest.fixture(scope="module")
def odd(server: PostgresServer, template: str) -> Iterator[Service]:
    """A service on things under a name that is hard to write, and on others in trouble."""
    create_database(server, "page_things", template)
    with psycopg.connect(server.dsn("page_things"), autocommit=True) as connection:
        connection.execute("set search_path = monitoring, public")
        set_clock(connection, NOW)
        connection.execute("select ensure_partitions()")
        _fill_queues(connection)
        _fill_components(connection)
        _fill_records(connection)
        page_data.evaluate(connection)
        with Service(server.dsn("page_things")) as running:
            yield running
    drop_database(server, "page_things")


def _fill_queues(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        select record_queue_metrics(
            q.name, q.depth + q.change * n, 1, 5000 - 4 * n, 50 - n, 60,
            clock() - make_interval(mins => n)
        )
        from (values (%(odd)s, 30, 2), ('mails', 900, -3)) q (name, depth, change)
        cross join generate_series(0, 40) n
        """,
        {"odd": ODD},
    )


def _fill_components(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        select update_system_health(
            c.type, c.name,
            case n when 0 then c.now when 30 then 'unhealthy' else 'healthy' end,
            20 + n, case when n = 0 then 'no paper <b>' end,
            p_checked_at => clock() - make_interval(mins => c.ago + 60 * n)
        )
        from (
            values ('service', %(odd)s, 'healthy', 0), ('service', 'printer', 'unhealthy', 1),
                ('queue', 'printer', 'healthy', 2), ('service', 'forgotten', 'healthy', 4000)
        ) c (type, name, now, ago)
        cross join generate_series(0, 40) n
        """,
        {"odd": ODD},
    )
    connection.execute("select record_error(null, 'Jam', 'low', 'paper jam', 'printer')")


def _fill_records(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        select load_invalid_records(jsonb_agg(jsonb_build_object(
            'dataset', r.dataset, 'record_key', r.key, 'validation_type', r.kind,
            'message', 'no <b>customer</b> for ' || r.key,
            'opened_at', clock() - make_interval(days => r.ago),
            'resolved_at', clock() - make_interval(days => r.resolved),
            'resolution', case when r.resolved is not null then 'manual' end,
            'resolved_by', case when r.resolved is not null then 'ann' end,
            'resolution_reason', case when r.resolved is not null then 'typed anew' end
        )))
        from (
            select 'orders', 'o' || n, 'MISSING', n, null::integer from generate_series(0, 60) n
            union all
            values ('orders', 'o1', 'DUPLICATE', 9, 2), (%(odd)s, %(odd)s, 'MISSING', 0, null)
        ) r (dataset, key, kind, ago, resolved)
        """,
        {"odd": ODD},
    )
    connection.execute("select change_dataset('orders', '{\"description\": \"of customers\"}')")
    connection.execute("select start_task_tracking('check', 'records.orders')")
    connection.execute(
        "select track_status_changes('orders',"
        ' \'[{"record_key": "o1", "status": "OPEN", "actor": "ben", "task_id": "check"}]\')'
    )
    connection.execute("select log_program_execution('orders', '2026-03-03', '{}', 3, 'full')")
    connection.execute("select set_alert_thresholds('invalid_records_many', '{\"high\": 50}')")


@pytest.fixture
def page(browser: Browser, odd: Service) -> Iterator[Page]:
    with opened(browser, odd.url) as shown:
        yield shown


def _go(page: Page, path: str) -> None:
    page.goto(re.sub("(//[^/]+/).*", rf"\1{path}", page.url))
    page.wait_for_selector("#freshness:has-text('as of')")


def test_queues_lead_from_the_first_page_to_when_one_will_be_empty(page: Page) -> None:
    page.locator("#queues-panel").get_by_role("link", name="Queues").click()
    rows = page.locator("#page tbody tr")
    expect(rows).to_have_text([re.compile("mails.*900.*never"), re.compile("a/b.*30.*in 15 min")])
    page.locator("#page").get_by_role("searchbox").fill("A/B")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/queues\?search=A%2FB$"))
    page.get_by_role("link", name="a/b").click()
    expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    assert page.locator("main b").count() == 0
    expect(page.locator("[data-key=queue]")).to_contain_text("Empty at this ratein 15 min")
    expect(page.locator("[data-key=queue]")).to_contain_text("Done a minute4")
    expect(page.locator("[data-key=samples] tbody tr")).to_have_count(12)
    page.get_by_role("button", name="3 h").click()
    expect(page).to_have_url(re.compile("hours=3$"))
    expect(page.locator("[data-key=queue-by-time] rect").nth(30)).to_be_attached()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("[data-key=samples] tbody tr")).to_have_count(24)


def test_alert_leads_to_its_queue_which_has_it_with_its_rules(page: Page) -> None:
    alert = page.locator("#alerts .alert").filter(has_text="queue mails")
    alert.get_by_role("link", name="Queue", exact=True).click()
    expect(page.get_by_role("heading", name="mails")).to_be_visible()
    expect(page.locator("[data-key=alerts-of-queue]")).to_contain_text("900 waiting")
    expect(page.locator("[data-key=queue]")).to_contain_text("never: grows by 3 a minute")
    page.get_by_text("rules and their thresholds").click()
    expect(page.locator(".rules")).to_contain_text("queue_oldest_ready_age")


def test_components_lead_from_the_first_page_to_how_one_was_day_by_day(page: Page) -> None:
    page.locator("#health-panel").get_by_role("link", name="Health").click()
    rows = page.locator("#page tbody tr")
    expect(rows).to_have_text(
        [
            re.compile("unhealthy.*printer.*1 alert"),
            re.compile("unknown.*forgotten.*was healthy"),
            re.compile("healthy.*printer"),
            re.compile("healthy.*a/b"),
        ]
    )
    # Of days without a check nobody knows, and so there is no bar.
    bars = rows.nth(1).locator(".day-bars g")
    expect(bars).to_have_count(90)
    assert rows.nth(1).locator(".day-bars .is-healthy").count() in (2, 3)
    assert rows.nth(1).locator(".day-bars .is-none").count() in (87, 88)
    page.get_by_label("State").select_option("unknown")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/components\?status=unknown$"))
    page.go_back()
    page.get_by_role("link", name="a/b").click()
    expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    assert page.locator("main b").count() == 0
    expect(page.locator("[data-key=component]")).to_contain_text("Up, 90 days9")


def test_alert_leads_to_its_component_among_others_of_its_name(page: Page) -> None:
    alert = page.locator("#alerts .alert").filter(has_text="service printer is unhealthy")
    alert.get_by_role("link", name="Component", exact=True).click()
    expect(page).to_have_url(re.compile(r"/components/printer\?type=service$"))
    expect(page.locator("[data-key=component]")).to_contain_text("no paper <b>")
    unhealthy = page.locator("[data-key=alerts-of-component] .alert").filter(
        has_text="is unhealthy"
    )
    expect(unhealthy).to_have_count(1)
    expect(page.locator("[data-key=errors-of-component]")).to_contain_text("paper jam")
    checks = page.locator("[data-key=checks] tbody tr")
    expect(checks).to_have_count(13)  # with why one failed
    page.get_by_label("What was found").select_option("unhealthy")
    expect(checks).to_have_text([re.compile("unhealthy"), "Why: no paper <b>"])
    page.get_by_role("link", name="queue", exact=True).click()
    expect(page.locator("[data-key=component]")).to_contain_text("Whatqueue")
    expect(unhealthy).to_have_count(0)


def test_records_lead_from_the_first_page_through_types_and_ages_to_one(page: Page) -> None:
    page.locator("#records-panel").get_by_role("link", name="Invalid records").click()
    rows = page.locator("#page tbody tr")
    expect(rows).to_have_text([re.compile("orders.*of customers.*alert"), re.compile("a/b.*1")])
    expect(rows.nth(0).locator("td.number")).to_have_text(
        ["61", "1", "6", "23", "31", re.compile("60 d")]
    )
    rows.nth(0).get_by_role("link").click()
    expect(page.locator("[data-key=alerts-of-dataset]")).to_contain_text("61 records are invalid")
    expect(page.locator("[data-key=runs-of-dataset] tbody tr")).to_have_count(1)
    expect(page.locator("[data-key=dataset-by-day] rect").first).to_be_attached()
    records = page.locator("[data-key=records] tbody tr")
    expect(records).to_have_count(25)
    page.locator("[data-key=dataset] tbody").get_by_role("link", name="6").click()
    expect(page).to_have_url(re.compile("age=open_1_to_7_days"))
    expect(records).to_have_count(6)
    assert page.locator("main b").count() == 0
    page.get_by_label("Open for").select_option("For however long")
    page.locator("#page").get_by_role("searchbox").fill("FOR O1")
    expect(records).to_have_count(11)
    page.locator("#page").get_by_role("searchbox").fill("")
    page.get_by_label("What they failed").select_option("Any validation")
    page.get_by_label("State").select_option("Resolved")
    expect(records).to_have_text([re.compile("o1.*DUPLICATE.*manual by ann")])
    records.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/records/orders/o1$"))


def test_record_shows_all_that_happened_to_it_and_who_did_it(page: Page) -> None:
    _go(page, "records/orders/o1")
    expect(page.locator("[data-key=status]")).to_contain_text("StatusOPEN")
    expect(page.locator("[data-key=validations] tbody tr")).to_have_text(
        [re.compile("MISSING.*open"), re.compile("DUPLICATE.*resolved.*ann.*typed anew")]
    )
    events = page.locator(".events li")
    expect(events.filter(has_text="by ann: typed anew")).to_contain_text("DUPLICATE: manual")
    expect(events.filter(has_text="not known to OPEN")).to_contain_text("ben")
    page.go_back()
    _go(page, "records")
    page.get_by_role("link", name="a/b").click()
    page.locator("[data-key=records]").get_by_role("link", name="a/b").click()
    expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    expect(page.locator(".events li")).to_have_count(1)
    page.locator(".back").get_by_role("link").click()
    expect(page.locator("[data-key=dataset]")).to_contain_text("MISSING")


@pytest.mark.parametrize("path", ["queues/none", "components/none", "records/none"])
def test_what_is_not_there_is_said_not_to_be(browser: Browser, odd: Service, path: str) -> None:
    with opened(browser, odd.url, may_lose_server=True) as page:
        _go(page, path)
        expect(page.locator("#page")).to_contain_text("here is no ")


@pytest.mark.parametrize("width", [390, 2560])
def test_pages_need_no_scrolling_sideways(browser: Browser, odd: Service, width: int) -> None:
    with opened(browser, odd.url, size=(width, 844)) as page:
        for path in _PATHS:
            _go(page, path)
            expect(page.locator("main .skeleton")).to_have_count(0)
            assert page.evaluate(_SIDEWAYS) == 0, path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_on_any_page_is_in_anybodys_way(browser: Browser, odd: Service, theme: str) -> None:
    with opened(browser, odd.url, size=DESKTOP, color_scheme=theme) as page:
        for path in _PATHS:
            _go(page, path)
            expect(page.locator("main .skeleton")).to_have_count(0)
            assert barriers(page) == [], path
            assert unreachable(page) == [], path

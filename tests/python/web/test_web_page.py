"""What the page shows, in Chromium."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.python.support.browsing import DESKTOP, Service, opened


@pytest.fixture
def page(browser: Browser, lively: Service) -> Iterator[Page]:
    """The page of a lively day."""
    with opened(browser, lively.url, has_own_clock=True) as shown:
        yield shown


def test_counts_of_alerts_are_at_the_top(page: Page) -> None:
    expect(page.locator("#counts .in-all")).to_have_text("5 active alerts")
    expect(page.locator("#counts .kinds .chip")).to_have_text(["1 long running", "4 other"])
    chips = page.locator("#counts .severities .chip")
    expect(chips).to_have_text(["1 critical", "1 high", "3 medium", "0 low"])
    expect(page).to_have_title("(1) pgvigil")


@pytest.mark.parametrize("size", [DESKTOP, (390, 844)])
def test_what_is_wrong_is_on_the_first_screen(
    browser: Browser, lively: Service, size: tuple[int, int]
) -> None:
    with opened(browser, lively.url, size=size) as page:
        worst = page.locator(".alert").first
        expect(worst).to_contain_text("storage archive is unhealthy: no space left on device")
        expect(worst).to_contain_text("since 21:50")
        expect(worst).to_contain_text("archive")
        box = worst.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1]
        names = [button.inner_text() for button in worst.get_by_role("button").all()]
        assert names[1:] == ["Acknowledge", "Silence"]


def test_cards_show_the_four_figures(page: Page) -> None:
    expect(page.locator(".card-title")).to_have_text(
        ["Success rate, 7 days", "Failed, 24 hours", "Mean rate today", "Active alerts"]
    )
    expect(page.locator(".card-value")).to_have_text(["98.7 %", "3", re.compile(r"^25\.\d$"), "5"])


def test_business_day_shows_its_steps_in_order_with_their_status(page: Page) -> None:
    steps = page.locator(".step .opener")
    expect(steps).to_have_text(
        [
            "completeCM-DMRU",
            "completeD1-IMD2 runs",
            "completeC1-PPBTR2 runs, 1 failed",
            "completeF1-FLUSHoptional",
            "runningCM_BSGGN",
            "pendingBILLRESTSMS",
        ]
    )
    expect(page.locator(".workflow-title")).to_contain_text("4 of 6 done, all of it about 00:08")
    expect(page.locator("#batch-days .day")).to_have_text("Tue, 3 Mar 2026")


def test_running_step_shows_progress_rate_and_when_it_will_be_done(page: Page) -> None:
    step = page.locator(".step.is-running")
    bar = step.get_by_role("progressbar", name="Progress of CM_BSGGN")
    expect(bar).to_have_attribute("aria-valuenow", "43.7")
    expect(step.locator(".step-progress")).to_contain_text("31,480 of 72,000 · 10.5/s")
    expect(step.locator(".step-end")).to_have_text(re.compile(r"^about 23:5323:49 . 23:58$"))


def test_bars_lie_on_the_time_axis_where_their_steps_were(page: Page) -> None:
    boxes = [bar.bounding_box() for bar in page.locator("[data-bar]").all()]
    assert len(boxes) == 6
    ends = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    for (_, end), (begin, _) in pairwise(ends):
        assert begin >= end - 1, "each step of this day begins after the one before"
    now = page.locator(".step.is-running .now").bounding_box()
    assert now is not None
    assert ends[4][0] < now["x"] < ends[4][1]


def test_lines_of_charts_and_arrows_are_drawn_through(page: Page) -> None:
    for line in ("#trends .line", ".arrows path", "#trends .base"):
        dashes = "each => getComputedStyle(each).strokeDasharray"
        assert page.locator(line).first.evaluate(dashes) == "none"


def test_arrows_lead_from_each_step_to_those_after_it(page: Page) -> None:
    # Two of them end in CM_BSGGN, which waits for two steps.
    expect(page.locator(".arrows path.head")).to_have_count(6)
    tips = [path.bounding_box() for path in page.locator(".arrows path.head").all()]
    bars = [bar.bounding_box() for bar in page.locator("[data-bar]").all()]
    begins = [box["x"] for box in bars if box]
    for tip in tips:
        assert tip is not None
        assert min(abs(tip["x"] + tip["width"] - begin) for begin in begins) < 2


def test_opened_step_shows_its_figures_and_runs_also_those_that_failed(page: Page) -> None:
    opener = page.get_by_role("button", name="C1-PPBTR")
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    details = page.locator(".step .details")
    expect(details).to_contain_text("Comes afterD1-IMD")
    expect(details.locator("tbody tr:not(.why)")).to_have_count(2)
    expect(details.locator("tbody tr").filter(has_text="failed")).to_have_count(1)
    why = details.locator("tr:has(.is-failed) + tr.why")
    expect(why).to_have_text("Why: deadlock detected on bill_segment; gave up after 5 tries")
    opener.click()
    expect(details).to_have_count(0)


def test_alerts_of_one_kind_can_be_chosen(page: Page) -> None:
    chip = page.get_by_role("button", name="1 long running")
    chip.click()
    expect(page.locator(".alert")).to_have_count(1)
    expect(page.locator("#alert-tools")).to_contain_text("only long running")
    row = page.locator(".alert")
    expect(row.locator(".alert-meta")).to_contain_text("threshold 1 h · since ")
    expect(row.locator(".alert-reason")).to_contain_text("items a second")
    page.get_by_role("button", name="3 medium").click()
    expect(page.locator(".alert")).to_have_count(3)
    expect(chip).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".alert")).to_have_count(5)


def test_it_refreshes_as_often_as_is_chosen_and_remembers_that(page: Page) -> None:
    page.get_by_label("Refresh every").select_option("every 30 min")
    expect(page.locator("#countdown")).to_have_text(re.compile("^(30:00|29:[0-5][0-9])$"))
    page.reload()
    expect(page.get_by_label("Refresh every")).to_have_value("1800")
    expect(page.locator("#countdown")).to_have_text(re.compile("^29:[0-5][0-9]$"))
    expect(page.locator("#trouble")).to_be_hidden()


def test_other_business_days_can_be_looked_at(page: Page) -> None:
    page.get_by_role("button", name="Day before").click()
    expect(page.locator("#batch-days .day")).to_have_text("Mon, 2 Mar 2026")
    # All went as expected: one line says so.
    expect(page.locator(".workflow")).to_contain_text("as expected 6 of 6 done, the last at")
    page.get_by_role("button", name="billing").click()
    expect(page.locator(".step.is-complete")).to_have_count(6)
    page.get_by_role("button", name="Present business day").click()
    expect(page.locator(".step.is-running")).to_have_count(1)


def test_opened_alert_shows_its_labels_history_and_the_rows_behind_it(page: Page) -> None:
    page.get_by_role("button", name="queue letters: 465 waiting").click()
    details = page.locator(".alert .details")
    expect(details).to_contain_text("Measured465 items")
    expect(details).to_contain_text("Threshold200 items")
    expect(details.locator(".labels li")).to_have_text(["queue=letters"])
    expect(details).to_contain_text("look whether its workers run and keep up")
    expect(details.locator(".history").first).to_contain_text("firing by pgvigil")
    expect(details.locator(".history").last).to_contain_text(
        "queue sample failed 111 · pending 465"
    )


def test_acknowledged_alert_says_by_whom_and_has_no_button(page: Page) -> None:
    alert = page.locator(".alert").filter(has_text="letter-printer")
    expect(alert).to_contain_text("acknowledged by ann")
    expect(alert.get_by_role("button", name=re.compile("^Acknowledge"))).to_have_count(0)


def test_counts_are_filters_of_the_list(page: Page) -> None:
    chip = page.get_by_role("button", name="3 medium")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".alert")).to_have_count(3)
    expect(page.locator("#alert-tools")).to_contain_text("only medium")
    chip.click()
    expect(page.locator(".alert")).to_have_count(5)


def test_alert_has_an_address_of_its_own_with_all_about_it(page: Page) -> None:
    alert = page.locator(".alert").filter(has_text="archive-2603")
    alert.get_by_role("link", name="Link").click()
    expect(page).to_have_url(re.compile(r"/alerts/\d+$"))
    expect(page.get_by_role("heading", level=2).first).to_contain_text("archive-2603")
    expect(page.locator(".details")).to_contain_text("Threshold1 h")
    page.get_by_role("link", name="Run", exact=True).click()
    expect(page).to_have_url(re.compile("/runs/archive-2603$"))
    page.go_back()
    page.go_back()
    expect(page.locator("#cards")).to_be_visible()
    expect(page.locator(".alert")).to_have_count(5)


def test_what_is_chosen_survives_a_reload(page: Page) -> None:
    page.get_by_role("button", name="3 medium").click()
    page.get_by_role("button", name="7 days").click()
    page.get_by_role("button", name="Day before").click()
    expect(page.locator("#batch-days .day")).to_have_text("Mon, 2 Mar 2026")
    page.reload()
    expect(page.locator(".alert")).to_have_count(3)
    expect(page.locator("#batch-days .day")).to_have_text("Mon, 2 Mar 2026")
    expect(page.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("#batch-days .day")).to_have_text("Tue, 3 Mar 2026")


def test_errors_queues_health_and_running_tasks_are_shown(page: Page) -> None:
    groups = page.locator("#errors .error")
    expect(groups).to_have_count(5)
    expect(groups.filter(has_text="ValidationError")).to_contain_text("134 ")
    letters = page.locator("#queues tbody tr").filter(has_text="letters")
    expect(letters).to_contain_text("465 +172")
    expect(page.locator("#queues .spark-line")).to_have_count(3)
    expect(page.locator("#health .component").first).to_contain_text("no space left on device")
    expect(page.locator("#health .component")).to_have_count(5)
    running = page.locator("#tasks tbody tr")
    expect(running).to_have_count(4)
    expect(running.first).to_contain_text("archive-2603")
    expect(running.filter(has_text="CM_BSGGN-0303")).to_contain_text("50 min")
    expect(page.get_by_text("session gone")).to_have_count(0)


def test_invalid_records_are_counted_by_dataset_and_what_they_failed(page: Page) -> None:
    rows = page.locator("#records tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_have_text("metersreading_below_lastnorth1183 h")


def test_trends_can_be_of_hours_or_of_days(page: Page) -> None:
    chart = page.locator("#trends svg[role=img]")
    expect(chart).to_have_count(3)
    day = re.compile(r"^Tasks ended: failed 3 in all, completed \d+")
    expect(chart.first).to_have_attribute("aria-label", day)
    page.get_by_role("button", name="7 days").click()
    week = re.compile(r"^Tasks ended: failed [1-9]\d in all, .*completed 1,\d+")
    expect(chart.first).to_have_attribute("aria-label", week)
    page.get_by_role("button", name="3 h").click()
    expect(page.locator("#trends rect.is-completed").first).to_be_visible()


def test_times_are_those_of_the_browsers_zone(browser: Browser, lively: Service) -> None:
    with opened(browser, lively.url, timezone_id="America/New_York") as page:
        expect(page.locator(".step.is-running .step-end")).to_contain_text("about 17:53")


def test_theme_follows_the_system_until_one_is_chosen(browser: Browser, lively: Service) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, lively.url, color_scheme="dark") as page:
        assert page.evaluate(ground) == "rgb(16, 19, 24)"
        page.get_by_role("button", name="Theme: system").click()
        assert page.evaluate(ground) == "rgb(244, 245, 247)"
        page.reload()
        expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
        assert page.evaluate(ground) == "rgb(244, 245, 247)"


def test_service_answers_with_the_policy_that_the_page_lives_by(
    page: Page, lively: Service
) -> None:
    answer = page.request.get(lively.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text())

"""What a daily report says first: the verdict, and what people do something about."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pgvigil.database.words import count_of
from pgvigil.faces.report.blocks import Bar, Chart, Charts, Content, Day, Section, Verdict, Verdicts
from pgvigil.faces.report.details import details
from pgvigil.faces.report.moments import Clock
from pgvigil.faces.words import count, percent

_Row = Mapping[str, Any]
# So many fit on the first page; what is left out is counted.
_ALERTS, _STEPS, _NEWS, _WORKFLOWS, _RECOVERED = 6, 6, 5, 12, 3
# What is bad first, then what is not known.
_ORDER = {False: 0, None: 1, True: 2}
_WORDS = {"off": "not due", "unknown": "not known", "pending": "to come"}
# Other headlines begin with how it is.
_STATES = {"trouble": "In trouble", "running": "Not done yet"}


def arranged(report: _Row) -> Content:
    """Return what a report says.

    Args:
        report: what ``get_daily_report()`` returns.
    """
    clock = Clock(ZoneInfo(report["time_zone"]), report["to_at"])
    return Content(
        title=f"Daily report, {_title_day(report, clock)}",
        state=_STATES.get(report["state"], ""),
        tone=report["state"],
        headline=report["headline"],
        line=(
            f"Database {report['database']}, {clock.full(report['from_at'])} to"
            f" {clock.full(report['to_at'])}. All times are in {report['time_zone']}."
        ),
        warnings=_warnings(report, clock),
        blocks=[
            _verdicts(report),
            _alerts(report, clock),
            *_records(report),
            _charts(report, clock),
            *_news(report, clock),
            _counts(report),
            *details(report, clock),
        ],
        link=report["page_url"],
        database=report["database"],
    )


def _title_day(report: _Row, clock: Clock) -> str:
    days = {verdict["business_date"] for verdict in report["verdicts"]}
    if report["business_date"]:
        day = date.fromisoformat(report["business_date"])
    elif len(days) == 1:
        day = date.fromisoformat(days.pop())
    else:
        day = clock.local(report["generated_at"]).date()
    return f"{day:%A} {day.day} {day:%B %Y}"


def _warnings(report: _Row, clock: Clock) -> list[str]:
    return [
        f"Not known{since}: {each['subject']}: {each['detail']}."
        for each in report["unknown"]
        for since in [f" since {clock.moment(each['known_at'])}" if each["known_at"] else ""]
    ]


def _verdicts(report: _Row) -> Verdicts:
    workflows, jobs = report["verdicts"], report["jobs"]
    shown = workflows[:_WORKFLOWS]
    recovered = [job for job in jobs["list"] if job["verdict"] == "recovered"]
    listed = [
        job
        for job in jobs["list"]
        if job not in recovered[_RECOVERED:]
        and (not workflows or job["verdict"] not in ("done", "unknown"))
    ]
    lines = []
    rest = len(workflows) - len(shown)
    if rest:
        well = sum(each["is_good"] is True for each in workflows[_WORKFLOWS:])
        lines.append(f"{count_of(rest, 'more workflow')}, {well} of them done.")
    if jobs["jobs"]:
        lines.append(f"{'Other jobs' if workflows else 'Jobs'}: {_counted(jobs)}.")
    if not workflows and not jobs["expected"]:
        lines.append(
            "No workflow and no expected run is configured, so nothing can be missing or late."
        )
    verdicts = [
        *((each["workflow_name"], each) for each in shown),
        *((each["job_name"], each) for each in listed),
    ]
    verdicts.sort(key=lambda named: _ORDER[named[1]["is_good"]])
    return Verdicts([_verdict(name, each) for name, each in verdicts], lines)


def _counted(jobs: _Row) -> str:
    parts = [
        f"{jobs['well']:,} of {jobs['jobs']:,} ran without a failure",
        f"{jobs['failing']:,} with failures" if jobs["failing"] else "",
        f"{jobs['missing']:,} missing" if jobs["missing"] else "",
        count_of(jobs["runs"], "run") + " in all",
    ]
    return ", ".join(part for part in parts if part)


def _verdict(name: str, row: _Row) -> Verdict:
    return Verdict(
        name,
        _word(row["verdict"]),
        row["summary"],
        [
            Day(f"{day:%a} {day.day}", _word(each["verdict"]))
            for each in row["days"] or []
            for day in [date.fromisoformat(each["day"])]
        ],
    )


def _word(verdict: str) -> str:
    return _WORDS.get(verdict, verdict)


def _alerts(report: _Row, clock: Clock) -> Section:
    alerts = report["alerts"]
    is_known = all(each["subject"] != "alerts" for each in report["unknown"])
    shown = alerts["open_list"][:_ALERTS]
    heading = f"Alerts open: {alerts['open']:,}" if is_known else "Alerts: not known"
    lines = [f"{alerts['opened']:,} opened and {alerts['resolved']:,} resolved in this time."]
    if not is_known:
        lines = [f"Known are {alerts['open']:,} open; {lines[0]}"]
    if alerts["open"] > len(shown):
        lines.append(f"The worst {len(shown)} are here, of {alerts['open']:,}.")
    return Section(
        heading,
        lines,
        {"severity": 4, "what is wrong": 16, "since, whose": 7},
        [
            [
                alert["severity"],
                _with_reason(alert),
                f"{clock.moment(alert['fired_at'])}, {_whose(alert)}",
            ]
            for alert in shown
        ],
        [
            f"{report['page_url']}/alerts/{alert['alert_id']}" if report["page_url"] else None
            for alert in shown
        ],
    )


def _with_reason(alert: _Row) -> str:
    """Say why, unless the summary says it as well, maybe without the type of the error."""
    summary, reason = alert["summary"], alert["reason"] or ""
    _, _, message = reason.partition(": ")
    is_told = reason in summary or (message and message in summary)
    return summary if is_told else f"{summary}: {reason}"


def _whose(alert: _Row) -> str:
    if alert["acknowledged_by"]:
        return f"{alert['acknowledged_by']} has it"
    return f"{alert['owner']}, not acknowledged" if alert["owner"] else "nobody's yet"


def _records(report: _Row) -> Iterator[Section]:
    """Records of steps against what is usual, those that are not so first."""
    rows = sorted(
        (row for each in report["verdicts"] for row in each["records"]),
        key=lambda row: not row["is_unusual"],
    )
    if not rows:
        return
    unusual = sum(row["is_unusual"] for row in rows)
    shown = rows[: max(_STEPS, min(unusual, 2 * _STEPS))]
    lines = [] if len(rows) == len(shown) else [f"{count_of(len(rows) - len(shown), 'more step')}."]
    yield Section(
        f"Records, unlike usual: {unusual}" if unusual else "Records against usual",
        lines,
        {"step": 9, "records>": 4, "usual>": 6, "": 3},
        [
            [
                row["step_name"],
                "none" if row["records"] is None else count(row["records"]).plain,
                (
                    f"{count(row['usual_from']).plain} to {count(row['usual_to']).plain}"
                    if row["usual_to"] is not None
                    else "not known yet"
                ),
                "unusual" if row["is_unusual"] else "",
            ]
            for row in shown
        ],
    )


def _charts(report: _Row, clock: Clock) -> Charts:
    points = report["charts"]
    charts = [
        Chart(
            "Runs by the hour, failed on top",
            [_bar(f"{clock.local(point['at']):%H:%M}", point) for point in points["hours"]],
        ),
        Chart(
            "Runs by the UTC day, failed on top",
            [
                _bar(f"{day.day} {day:%b}", point)
                for point in points["days"]
                for day in [datetime.fromisoformat(point["at"])]
            ],
        ),
    ]
    return Charts([chart for chart in charts if any(bar.good or bar.bad for bar in chart.bars)])


def _bar(name: str, point: _Row) -> Bar:
    return Bar(name, point["completed"] + point["ended_otherwise"], point["failed"])


def _news(report: _Row, clock: Clock) -> Iterator[Section]:
    news = report["news"]
    if not news["news"]:
        return
    shown = news["list"][:_NEWS]
    rest = news["news"] - len(shown)
    yield Section(
        f"New since the day before: {news['news']:,}",
        [
            *(_told(each, clock) for each in shown),
            *([f"And {rest:,} more."] if rest else []),
        ],
    )


def _told(news: _Row, clock: Clock) -> str:
    if news["kind"] == "failing":
        times = f" {count_of(news['times'], 'time')}" if news["times"] > 1 else ""
        return f"{news['name']} failed{times}, which it had not in the week before."
    if news["kind"] == "release":
        return (
            f"{news['name']} was released at {clock.moment(news['happened_at'])}: {news['detail']}"
        )
    if news["kind"] == "task type":
        return f"{news['name']} ran for the first time."
    return (
        f"{news['name']} ({news['severity']}), {count_of(news['times'], 'time')} since"
        f" {clock.moment(news['happened_at'])}: {news['detail']}"
    )


def _counts(report: _Row) -> Section:
    tasks, errors = report["tasks"], report["errors"]
    share = f" ({percent(tasks['success_percent']).plain})" if tasks["ended"] else ""
    otherwise = tasks["ended"] - tasks["completed"] - tasks["failed"]
    return Section(
        f"Tasks ended: {tasks['ended']:,}",
        [
            f"{tasks['completed']:,} completed{share}, {tasks['failed']:,} failed, timed out or got"
            f" lost, {otherwise:,} ended otherwise; {count_of(errors['occurrences'], 'error')}."
        ],
    )

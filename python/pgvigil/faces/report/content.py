"""What a daily report says, in words and tables, whatever it is then written as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from pgvigil.database.words import count_of
from pgvigil.faces.words import count, duration, percent, short

_Row = Mapping[str, Any]
_STATUSES = ("complete", "running", "failed", "late", "pending", "skipped", "unknown")


@dataclass(frozen=True)
class Section:
    """A heading with lines and a table below it."""

    heading: str
    lines: Sequence[str] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    """Heading of each column, and its share of the width; numeric ones end in ``>``."""
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Content:
    """A report, ready to be laid out."""

    title: str
    line: str
    sections: Sequence[Section]


def arranged(report: _Row, zone: tzinfo | None = None) -> Content:
    """Return what a report says.

    Args:
        report: what ``get_daily_report()`` returns.
        zone: time zone of times outside workflows, which have their own; None for that of the
            first workflow, UTC without any.
    """
    workflows = report["workflows"]
    if zone is None:
        zone = ZoneInfo(workflows[0]["time_zone"] if workflows else "UTC")
    day = report["business_date"]
    span = f"{_time(report['from_at'], zone)} to {_time(report['to_at'], zone)}"
    return Content(
        title=f"Daily report{f' of {day}' if day else ''}",
        line=f"{span} ({zone}), made {_time(report['generated_at'], zone)}",
        sections=[
            *(_workflow(workflow) for workflow in workflows),
            *_alerts(report["alerts"], _missing(report, zone), zone),
            _tasks(report["tasks"]),
            _errors(report["errors"]),
            *_records(report["records"]),
        ],
    )


def _workflow(workflow: _Row) -> Section:
    zone = ZoneInfo(workflow["time_zone"])
    day = date.fromisoformat(workflow["business_date"])
    steps: list[_Row] = workflow["steps"] or []
    by_status = workflow["by_status"] or {}
    told = ", ".join(f"{by_status[each]} {each}" for each in _STATUSES if each in by_status)
    return Section(
        f"{workflow['workflow_name']}, business day {workflow['business_date']}",
        [
            *([workflow["description"]] if workflow["description"] else []),
            f"{count_of(len(steps), 'step')}: {told or 'none'}. Times are in {zone}.",
        ],
        {
            "step": 8, "status": 3, "due": 3, "began": 3, "ended": 3, "took>": 3, "records>": 4,
            "records/s>": 3, "expected": 3,
        },
        [
            [
                step["step_name"],
                step["status"],
                _clock(step["due_at"], zone, day),
                _clock(step["started_at"], zone, day),
                _clock(step["finished_at"], zone, day),
                duration(_milliseconds(step["duration_seconds"])).plain,
                count(step["records_processed"]).plain,
                _number(step["records_per_second"]),
                _clock(step["eta_at"], zone, day),
            ]
            for step in steps
        ],
    )  # fmt: skip


def _missing(report: _Row, zone: tzinfo) -> str | None:
    """Return why alerts may be missing; None where rules ran up to the end of the report."""
    known = report["freshness"]["alerts"]
    if known["is_known"]:
        return None
    if known["known_at"] is None:
        return f"Not known what is wrong: {known['detail']}."
    known_at, end = (
        datetime.fromisoformat(moment) for moment in (known["known_at"], report["to_at"])
    )
    if known_at >= end:
        return None
    return (
        f"Not known what has become wrong since {_time(known['known_at'], zone)}:"
        f" {known['detail']}."
    )


def _alerts(alerts: _Row, missing: str | None, zone: tzinfo) -> list[Section]:
    counts = f"{alerts['opened']} opened, {alerts['resolved']} resolved"
    sections = [
        Section(
            f"Alerts open: {alerts['open']}" if missing is None else "Alerts: not known",
            [counts] if missing is None else [missing, f"Known: {alerts['open']} open, {counts}"],
            {"alert>": 2, "severity": 3, "what is wrong": 14, "since": 4, "acknowledged": 4},
            [
                [
                    str(alert["alert_id"]),
                    alert["severity"],
                    alert["summary"],
                    _time(alert["fired_at"], zone),
                    alert["acknowledged_by"] or "",
                ]
                for alert in alerts["open_list"]
            ],
        )
    ]
    if alerts["resolved_list"]:
        sections.append(
            Section(
                f"Alerts resolved: {alerts['resolved']}",
                [],
                {"alert>": 2, "severity": 3, "what was wrong": 14, "since": 4, "until": 4},
                [
                    [
                        str(alert["alert_id"]),
                        alert["severity"],
                        alert["summary"],
                        _time(alert["fired_at"], zone),
                        _time(alert["resolved_at"], zone),
                    ]
                    for alert in alerts["resolved_list"]
                ],
            )
        )
    return [
        _with_rest(section, total)
        for section, total in zip(sections, (alerts["open"], alerts["resolved"]), strict=False)
    ]


def _tasks(tasks: _Row) -> Section:
    section = Section(
        f"Tasks ended: {count(tasks['ended']).plain}",
        [
            f"{count(tasks['completed']).plain} completed"
            f" ({percent(tasks['success_percent']).plain}), {count(tasks['failed']).plain} failed"
        ],
        {"type": 8, "ended>": 3, "completed>": 3, "failed>": 3, "p95>": 3, "longest>": 3},
        [
            [
                row["task_type"],
                count(row["tasks"]).plain,
                count(row["completed"]).plain,
                count(row["failed"]).plain,
                duration(row["p95_duration_ms"]).plain,
                duration(row["max_duration_ms"]).plain,
            ]
            for row in tasks["by_type"]
        ],
    )
    return _with_rest(section, tasks["task_types"])


def _errors(errors: _Row) -> Section:
    section = Section(
        f"Errors: {count(errors['occurrences']).plain}",
        [],
        {"severity": 3, "error": 14, "times>": 3},
        [
            [row["severity"], row["error_type"], count(row["occurrences"]).plain]
            for row in errors["by_kind"]
        ],
    )
    return _with_rest(section, errors["kinds"])


def _records(records: Sequence[_Row]) -> list[Section]:
    if not records:
        return []
    figures = {
        "runs": "runs",
        "read": "records_queried",
        "valid": "valid_records",
        "invalid": "invalid_records",
        "found": "invalid_opened",
        "resolved": "invalid_resolved",
        "open": "invalid_open",
        "status changes": "status_changes",
    }
    return [
        Section(
            "Records",
            ["Read, valid and invalid are those of the last complete run for the day."],
            {"dataset": 6, "day": 4, **{f"{name}>": 3 for name in figures}},
            [
                [
                    row["dataset"],
                    row["target_date"],
                    *(count(row[column]).plain for column in figures.values()),
                ]
                for row in records
            ],
        )
    ]


def _with_rest(section: Section, total: int) -> Section:
    """Say how many rows there are besides those in the table."""
    rest = total - len(section.rows)
    if rest <= 0:
        return section
    lines = [*section.lines, f"The worst {len(section.rows)} are below; there are {rest:,} more."]
    return Section(section.heading, lines, section.columns, section.rows)


def _time(moment: str | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"


def _clock(moment: str | None, zone: tzinfo, business_date: date) -> str:
    """Return a time of day, and by how many days it is after the business date."""
    if moment is None:
        return ""
    local = datetime.fromisoformat(moment).astimezone(zone)
    days = (local.date() - business_date).days
    return f"{local:%H:%M}{f' {days:+}' if days else ''}"


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _number(value: float | None) -> str:
    return "" if value is None else short(value)

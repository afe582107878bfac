"""What comes after the first page of a report: what was not fine, one by one."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pgvigil.database.words import count_of
from pgvigil.faces.report.blocks import Section
from pgvigil.faces.report.moments import Clock
from pgvigil.faces.words import count, duration

_Row = Mapping[str, Any]


def details(report: _Row, clock: Clock) -> Iterator[Section]:
    """Say what is behind the first page, as sections of their own.

    Args:
        report: what ``get_daily_report()`` returns.
        clock: writes its times.
    """
    troubled = {each["workflow_name"] for each in report["verdicts"] if each["is_good"] is not True}
    for workflow in report["workflows"]:
        if workflow["workflow_name"] in troubled:
            yield _steps(workflow, clock)
    yield from _tasks(report["tasks"])
    yield from _errors(report["errors"])
    yield from _datasets(report["records"])


def _steps(workflow: _Row, clock: Clock) -> Section:
    day = date.fromisoformat(workflow["business_date"])
    steps: list[_Row] = workflow["steps"] or []
    return Section(
        f"Steps of {workflow['workflow_name']}, business day {workflow['business_date']}",
        [workflow["description"]] if workflow["description"] else [],
        {"step": 8, "status": 4, "when": 6, "records>": 4},
        [
            [
                step["step_name"],
                step["status"],
                _when(step, clock, day),
                count(step["records_processed"]).plain,
            ]
            for step in steps
        ],
        is_detail=True,
    )


def _when(step: _Row, clock: Clock, day: date) -> str:
    began, ended, due = (
        clock.of_day(step[column], day) for column in ("started_at", "finished_at", "due_at")
    )
    if not began:
        return f"due {due}" if due else ""
    return f"{began} to {ended}" if ended else f"since {began}"


def _tasks(tasks: _Row) -> Iterator[Section]:
    failing = [row for row in tasks["by_type"] if row["failed"]]
    if not failing:
        return
    yield Section(
        "Tasks that failed, by type",
        [_without(tasks["task_types"] - len(failing), len(tasks["by_type"]) - len(failing))],
        {"type": 8, "failed>": 5, "p95>": 4, "longest>": 4},
        [
            [
                row["task_type"],
                f"{row['failed']:,} of {row['tasks']:,}",
                duration(row["p95_duration_ms"]).plain,
                duration(row["max_duration_ms"]).plain,
            ]
            for row in failing
        ],
        is_detail=True,
    )


def _without(others: int, fine: int) -> str:
    """Say how many types there are besides; where the list is full, some of them may fail."""
    if fine or not others:
        return f"{count_of(others, 'more type')} had no failure."
    return f"The worst are here; there {'is' if others == 1 else 'are'} {others:,} more."


def _errors(errors: _Row) -> Iterator[Section]:
    if not errors["by_kind"]:
        return
    rest = errors["kinds"] - len(errors["by_kind"])
    yield Section(
        f"Errors: {errors['occurrences']:,}",
        [f"The worst {len(errors['by_kind'])} kinds are here; there are {rest:,} more."]
        if rest > 0
        else [],
        {"severity": 4, "error": 14, "times>": 3},
        [
            [row["severity"], row["error_type"], count(row["occurrences"]).plain]
            for row in errors["by_kind"]
        ],
        is_detail=True,
    )


def _datasets(records: list[_Row]) -> Iterator[Section]:
    if not records:
        return
    figures = {
        "found": "invalid_opened",
        "resolved": "invalid_resolved",
        "open": "invalid_open",
    }
    yield Section(
        f"Records that are checked, day {records[0]['target_date']}",
        ["Invalid are those of the last complete run for the day."],
        {"dataset": 8, "invalid>": 5, **{f"{name}>": 4 for name in figures}},
        [
            [
                row["dataset"],
                f"{row['invalid_records']:,} of {row['records_queried']:,}",
                *(count(row[column]).plain for column in figures.values()),
            ]
            for row in records
        ],
        is_detail=True,
    )

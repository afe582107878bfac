"""What the dashboard of ETL looks like, at 80 columns and above."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pgvigil.database.freshness import ALERTS, Freshness
from pgvigil.faces.terminal.etl_state import EtlState, Rows
from pgvigil.faces.terminal.known import no_alert, notice
from pgvigil.faces.terminal.picture import empty_table, stacked
from pgvigil.faces.words import (
    NOTHING,
    age,
    clock_time,
    count,
    duration,
    name,
    percent,
    short,
    word,
)

MOST_SHOWN = 20
_STATUSES = ("RUNNING", "COMPLETED", "FAILED", "CANCELLED")
_MOST_DIGITS = 1e12
_LEAST_ROUNDED = 0.1
_DATE = len("2026-01-15 ")
# How a log line names where it was said, and with how many characters.
_PLACES = {
    "execution_id": ("exec", 8),
    "chunk_id": ("chunk", 12),
    "fixture_id": ("fixture", 12),
}
_STYLES = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "bold red",
}


def render_etl(
    state: EtlState, rows: int = MOST_SHOWN, *, is_dense: bool = False
) -> RenderableType:
    """Return the dashboard of ETL, or that of one execution.

    Args:
        state: what to show.
        rows: most rows of each block.
        is_dense: leave out the empty lines between the blocks.
    """
    now = str(state.health["generated_at"])
    is_one = state.execution_id is not None
    blocks: list[RenderableType] = []
    if not is_one:
        blocks += [_headline(state.health), _executions(state.executions[:rows], now)]
    elif state.execution is None:
        return Text.assemble("There is no ETL execution ", name(state.execution_id), ".")
    else:
        blocks.append(_execution(state.execution))
    if state.alerts is not None:
        known = next((each for each in state.freshness if each.subject == ALERTS), None)
        blocks.append(_alerts(known, state.alerts[:rows], now))
    if state.metrics is not None:
        blocks.append(_metrics(state.metrics[:rows], now, is_one))
    if state.logs is not None:
        blocks.append(_logs(state.logs[:rows], now, is_one))
    told, shown = notice(state.freshness), stacked(blocks, is_dense=is_dense)
    return shown if told is None else Group(told, shown)


def _headline(health: dict[str, Any]) -> Text:
    by_status, logs = health["executions"], health["logs"]
    line = Text.assemble(
        ("pgvigil ETL", "bold"), " · ", clock_time(health["generated_at"]), " · last 24 h:\n"
    )
    line.append(" · ".join(f"{by_status[each]:,} {each.lower()}" for each in _STATUSES))
    line.append("\n")
    line.append_text(
        Text.assemble(
            "mean duration ",
            duration(_milliseconds(health["mean_duration_seconds"])),
            " · items ok ",
            percent(health["mean_success_percent"]),
            f" · {sum(logs.values()):,} log lines · ",
            ("errors: ", "red" if health["errors"] else ""),
            count(health["errors"], "red"),
        )
    )
    return line


def _executions(executions: Rows, now: str) -> RenderableType:
    if not executions:
        return Text("No ETL execution runs, and none has ended in the last 24 hours.", "dim")
    table = empty_table("EXECUTIONS", "status", "items>", "failed>", "chunks>", "took>", "ended>")
    for each in executions:
        table.add_row(
            name(each["execution_id"]),
            _status(each["status"]),
            _of(each["processed_fixtures"], each["total_fixtures"]),
            count(each["failed_fixtures"], "red"),
            _of(each["processed_chunks"], each["total_chunks"]),
            duration(_milliseconds(each["duration_seconds"])),
            age(each["finished_at"], now),
        )
    return table


def _execution(summary: dict[str, Any]) -> Text:
    items, chunks = summary["statistics"], summary["chunks"]
    rate = summary["items_per_second"]
    text = Text.assemble(
        ("ETL execution ", "bold"),
        name(summary["execution_id"], "bold"),
        " · ",
        _status(summary["status"]),
        f" · attempt {summary['attempt']}\n",
        "began     ",
        NOTHING if summary["started_at"] is None else clock_time(summary["started_at"]),
        " · took " if summary["finished_at"] else " · so far ",
        duration(_milliseconds(summary["duration_seconds"])),
        "\nitems     ",
        _of(items["processed_fixtures"], items["total_fixtures"]),
        " · ",
        count(items["successful_fixtures"]),
        " well, ",
        count(items["failed_fixtures"], "red"),
        " failed · ok ",
        percent(summary["success_percent"]),
        " · ",
        NOTHING if rate is None else f"{short(rate)} items/s",
        "\nchunks    ",
        _of(chunks["processed_chunks"], chunks["total_chunks"]),
        f" · {chunks['running']:,} running, {chunks['completed']:,} completed, ",
        (f"{chunks['failed']:,} failed", "red" if chunks["failed"] else ""),
        "\n          mean ",
        duration(_milliseconds(chunks["mean_duration_seconds"])),
        ", longest ",
        duration(_milliseconds(chunks["max_duration_seconds"])),
        "\nerrors    ",
        count(summary["errors"], "red"),
    )
    if summary["error_message"] is not None:
        text.append("\nfailed    ")
        text.append_text(name(summary["error_message"]))
    # Wrapped: there is nothing beside it that it could push out of its place.
    text.no_wrap = False
    return text


def _alerts(known: Freshness | None, alerts: Rows, now: str) -> RenderableType:
    if not alerts:
        return no_alert(known)
    table = empty_table("OPEN ALERTS", "id>", "severity", "state", "since>")
    for alert in alerts:
        table.add_row(
            name(alert["summary"]),
            name(alert["alert_id"]),
            word(alert["severity"]),
            name(alert["status"]),
            age(alert["started_at"], now),
        )
    return table


def _metrics(metrics: Rows, now: str, is_one_execution: bool) -> RenderableType:
    if not metrics:
        return Text("No ETL metric was recorded.", "dim")
    title = "METRICS" if is_one_execution else "METRICS, LAST 24 H"
    table = empty_table(title, "mean>", "max>", "samples>", "last>", "unit", "when>")
    table.columns[5].max_width = 10
    for metric in metrics:
        table.add_row(
            name(metric["metric_name"]),
            *(_number(metric[key]) for key in ("avg_value", "max_value")),
            count(metric["samples"]),
            _number(metric["last_value"]),
            name(metric["metric_unit"] or ""),
            age(metric["last_at"], now),
        )
    return table


def _logs(logs: Rows, now: str, is_one_execution: bool) -> RenderableType:
    if not logs:
        return Text("No log line of ETL was recorded.", "dim")
    today = clock_time(now)[:_DATE]
    lines = [Text("LOG, NEWEST FIRST", "bold")]
    for said in logs:
        at = clock_time(said["timestamp"])
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(at[_DATE:] if at.startswith(today) else at, "dim")
        line.append(" ").append_text(_status(said["level"]))
        line.append(" ").append_text(name(said["component"], "bold"))
        for key, (label, length) in _PLACES.items():
            if said[key] is not None and not (is_one_execution and key == "execution_id"):
                line.append(f" {label}:{_cut(said[key], length)}", "dim")
        line.append(" ").append_text(name(said["message"]))
        lines.append(line)
    return Group(*lines)


def _cut(value: object, length: int) -> str:
    return name(value).plain[:length]


def _status(value: str) -> Text:
    return name(value, _STYLES.get(value, ""))


def _of(done: int | None, total: int | None) -> Text:
    if done is None and total is None:
        return NOTHING
    if total is None:
        return count(done)
    return Text(f"{done or 0:,}/{total:,}")


def _number(value: float) -> Text:
    is_handy = value == 0 or _LEAST_ROUNDED <= abs(value) < _MOST_DIGITS
    return Text(short(value) if is_handy else f"{value:.3g}")


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else float(seconds) * 1000

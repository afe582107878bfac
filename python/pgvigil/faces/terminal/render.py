"""What the dashboard looks like: one block a subject, the first column as wide as there is room."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.database.words import count_of
from pgvigil.faces.terminal.alerts import open_alerts
from pgvigil.faces.terminal.picture import MOST_ROWS, empty_table, headline, stacked, with_rest
from pgvigil.faces.terminal.state import State
from pgvigil.faces.words import age, count, duration, name, percent, seconds_between, word

_Row = dict[str, Any]
_FIRST_STEPS = """\
Nothing was recorded in this database in the last 24 hours. Try:
  select monitoring.start_task_tracking('my-first-task', 'import');
  select monitoring.complete_task_tracking('my-first-task');"""
_STALE_SECONDS = 900
# On a small screen alerts come before everything else.
_ALERTS_AT_LEAST = 3
_ALERTS_TO_A_ROW = 3


def render(state: State, rows: int = MOST_ROWS, *, is_dense: bool = False) -> RenderableType:
    """Return the whole dashboard.

    Args:
        state: what to show.
        rows: most rows of each block; of alerts, three times as many.
        is_dense: leave out the empty lines between the blocks.
    """
    if state.is_empty:
        return Group(_headline(state), Text(), Text(_FIRST_STEPS))
    now, summary = state.summary["generated_at"], state.summary
    of_alerts = min(max(_ALERTS_TO_A_ROW * rows, _ALERTS_AT_LEAST), MOST_ROWS)
    blocks = [
        _headline(state),
        open_alerts(state.known, state.alerts, summary["alerts"]["active"], now, of_alerts),
        running_tasks(state.running, summary["tasks"]["running"], rows),
        tasks_by_type(summary["tasks"]["by_type"], summary["tasks"]["types"], rows),
        _errors(state, rows),
        _health(state, rows),
        _queues(state, rows),
    ]
    return stacked(blocks, is_dense=is_dense)


def _headline(state: State) -> Text:
    summary = state.summary
    tasks, errors, health = summary["tasks"], summary["errors"], summary["health"]
    line = headline("", state.database, summary["generated_at"])
    line.append(f"\n{tasks['running']:,} running")
    line.append(f" · last 24 h: {tasks['ended']:,} ended")
    if tasks["success_percent"] is not None:
        line.append(f" ({float(tasks['success_percent']):.4g} % ok)")
    line.append(
        f", {count_of(errors['occurrences'], 'error')}", "red" if errors["occurrences"] else ""
    )
    bad = health["unhealthy"] + health["degraded"]
    line.append(f" · {bad} of {health['components']} not healthy", "bold red" if bad else "")
    return line


def running_tasks(running: Sequence[_Row], total: int, rows: int) -> RenderableType:
    """Return the tasks that run, as they come."""
    if not running:
        return Text("No task is running.", "dim")
    table = empty_table("RUNNING TASKS", "type", "progress", ">", "for>", "quiet>")
    table.columns[0].ratio, table.columns[1].ratio = 3, 2
    for task in running[:rows]:
        table.add_row(
            name(task["task_id"]),
            name(task["task_type"]),
            _bar(task),
            _done(task),
            duration(task["running_ms"]),
            _quiet(task),
        )
    return with_rest(table, total, rows)


def _bar(task: _Row) -> RenderableType:
    if task["progress_percent"] is None:
        return Text()
    return ProgressBar(100, float(task["progress_percent"]), width=12)


def _done(task: _Row) -> Text:
    if task["progress_percent"] is not None:
        return Text(f"{float(task['progress_percent']):.0f} %")
    return Text() if task["items_done"] is None else Text(f"{task['items_done']:,} done")


def _quiet(task: _Row) -> Text:
    """Return how long a task has got no further, and whether its session is still there."""
    if task["is_backend_alive"] is False:
        return Text("gone", "yellow")
    return duration(task["seconds_without_progress"] // 1 * 1000)


def tasks_by_type(by_type: Sequence[_Row], types: int, rows: int) -> RenderableType:
    """Return some of the types of tasks that ended within a day, those that failed most first."""
    if not by_type:
        return Text("No task has ended in the last 24 hours.", "dim")
    table = empty_table(
        "TASKS, 24 H", "ended>", "ok>", "failed>", "cancelled>", "p50>", "p95>", "max>"
    )
    for row in _worst(by_type, rows, lambda row: (row["failed"], row["tasks"])):
        table.add_row(
            name(row["task_type"]),
            count(row["tasks"]),
            percent(row["success_percent"]),
            count(row["failed"], "red"),
            count(row["ended_otherwise"], "yellow"),
            duration(row["p50_duration_ms"]),
            duration(row["p95_duration_ms"]),
            duration(row["max_duration_ms"]),
        )
    return with_rest(table, types, rows)


def _errors(state: State, rows: int) -> RenderableType:
    errors = state.summary["errors"]
    if not errors["occurrences"]:
        return Text("No error in the last 24 hours.", "dim")
    now = state.summary["generated_at"]
    table = empty_table("ERRORS, 24 H", "message", "severity", "times>", "last>")
    table.columns[0].ratio, table.columns[1].ratio = 2, 3
    for row in errors["top"][:rows]:
        table.add_row(
            name(row["error_type"]),
            name(row["last_message"]),
            word(row["severity"]),
            count(row["occurrences"]),
            age(row["last_seen_at"], now),
        )
    totals = Text("By severity: ", "dim")
    totals.append(", ".join(f"{errors[each]:,} {each}" for each in reversed(SEVERITIES)))
    return Group(table, totals)


def _health(state: State, rows: int) -> RenderableType:
    components: list[_Row] = state.summary["health"]["by_component"]
    if not components:
        return Text("No component has been checked.", "dim")
    table = empty_table("HEALTH", "status", "answer>", "uptime>", "checked>", "reason")
    table.columns[5].ratio = 1
    rank = ("healthy", "unknown", "degraded", "unhealthy").index
    now = state.summary["generated_at"]
    for row in _worst(components, rows, lambda row: rank(row["status"])):
        table.add_row(
            name(f"{row['component_type']} {row['component_name']}"),
            word(row["status"]),
            duration(row["response_time_ms"]),
            percent(row["uptime_percent"]),
            age(row["last_check_at"], now),
            name(_reason(row)),
        )
    return with_rest(table, state.summary["health"]["components"], rows)


def _reason(row: _Row) -> str:
    """Return why a component is not well, or what it was before nobody knew."""
    if row["status"] != row["last_status"]:
        return f"was {row['last_status']}"
    return row["failure_reason"] or ""


def _queues(state: State, rows: int) -> RenderableType:
    queues: list[_Row] = state.summary["queues"]["by_queue"]
    if not queues:
        return Text("No queue was seen in the last 24 hours.", "dim")
    table = empty_table(
        "QUEUES", "waiting>", "change>", "at work>", "oldest>", "done/min>", "failed>"
    )
    for row in _worst(queues, rows, lambda row: row["pending"]):
        oldest, change = row["oldest_ready_seconds"], row["pending_change"]
        table.add_row(
            _queue_name(row, state.summary["generated_at"]),
            count(row["pending"]),
            Text("-" if change is None else f"{change:+,}"),
            count(row["processing"]),
            duration(None if oldest is None else oldest * 1000),
            count(row["completed_per_minute"]),
            percent(row["failed_percent"]),
        )
    return with_rest(table, state.summary["queues"]["queues"], rows)


def _queue_name(row: _Row, now: str) -> Text:
    """Return the name of a queue; of one that was not measured lately, how long ago that was."""
    if seconds_between(row["recorded_at"], now) <= _STALE_SECONDS:
        return name(row["queue_name"])
    return name(f"{age(row['recorded_at'], now).plain} ago: {row['queue_name']}", "dim")


def _worst(rows: Sequence[_Row], most: int, badness: Callable[[_Row], Any]) -> list[_Row]:
    """Return the worst rows, in their own order where they are equally bad."""
    return sorted(rows, key=badness, reverse=True)[:most]

"""What the dashboard looks like: one block a subject, the first column as wide as there is room."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pgvigil.dashboard.state import State
from pgvigil.dashboard.words import age, clock_time, count, duration, name, percent, word

_Row = dict[str, Any]
_FIRST_STEPS = """\
Nothing was recorded in this database in the last 24 hours. Try:
  select monitoring.start_task_tracking('my-first-task', 'import');
  select monitoring.complete_task_tracking('my-first-task');"""
_MOST_ROWS = 15
_ROWS_WORTH_SPACE = 3
_SEVERITIES = ("critical", "high", "medium", "low")


def render(state: State, rows: int = _MOST_ROWS, *, is_dense: bool = False) -> RenderableType:
    """Return the whole dashboard.

    Args:
        state: what to show.
        rows: most rows of each block.
        is_dense: leave out the empty lines between the blocks.
    """
    if state.is_empty:
        return Group(_headline(state), Text(), Text(_FIRST_STEPS))
    blocks = [_alerts, _running, _tasks, _errors, _health, _queues]
    parts: list[RenderableType] = [_headline(state)]
    for block in blocks:
        parts += [block(state, rows)] if is_dense else [Text(), block(state, rows)]
    return Group(*parts)


def render_within(console: Console, state: State, height: int) -> RenderableType:
    """Return the whole dashboard with as many rows a block as fit into so many lines."""
    for rows in range(_MOST_ROWS, 0, -1):
        shown = render(state, rows, is_dense=rows < _ROWS_WORTH_SPACE)
        if len(console.render_lines(shown, pad=False)) <= height:
            return shown
    return shown


def _headline(state: State) -> Text:
    summary = state.summary
    tasks, errors, health = summary["tasks"], summary["errors"], summary["health"]
    line = Text.assemble(
        ("pgvigil", "bold"), " · ", name(state.database), " · ", clock_time(summary["generated_at"])
    )
    line.append(f"\n{tasks['running']:,} running")
    line.append(f" · last 24 h: {tasks['ended']:,} ended")
    if tasks["success_percent"] is not None:
        line.append(f" ({float(tasks['success_percent']):.4g} % ok)")
    line.append(f", {errors['occurrences']:,} errors", "red" if errors["occurrences"] else "")
    bad = health["unhealthy"] + health["degraded"]
    line.append(f" · {bad} of {health['components']} unwell", "bold red" if bad else "")
    return line


def _alerts(state: State, rows: int) -> RenderableType:
    if not state.alerts:
        return Text("No alert is open.", "dim")
    now = state.summary["generated_at"]
    table = empty_table("OPEN ALERTS", "id>", "severity", "state", "since>")
    for alert in state.alerts[:rows]:
        table.add_row(
            name(alert["summary"]),
            name(alert["alert_id"]),
            word(alert["severity"]),
            name(alert["status"]),
            age(alert["started_at"], now),
        )
    return _with_rest(table, state.summary["alerts"]["active"], rows)


def _running(state: State, rows: int) -> RenderableType:
    if not state.running:
        return Text("No task is running.", "dim")
    table = empty_table("RUNNING TASKS", "type", "progress", ">", "for>", "quiet>")
    table.columns[0].ratio, table.columns[1].ratio = 3, 2
    for task in state.running[:rows]:
        table.add_row(
            name(task["task_id"]),
            name(task["task_type"]),
            _bar(task),
            _done(task),
            duration(task["running_ms"]),
            _quiet(task),
        )
    return _with_rest(table, state.summary["tasks"]["running"], rows)


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
    if not task["is_backend_alive"]:
        return Text("gone?", "yellow")
    return duration(task["seconds_without_progress"] // 1 * 1000)


def _tasks(state: State, rows: int) -> RenderableType:
    by_type: list[_Row] = state.summary["tasks"]["by_type"]
    if not by_type:
        return Text("No task has ended in the last 24 hours.", "dim")
    table = empty_table("TASKS, 24 H", "ended>", "ok>", "failed>", "other>", "p50>", "p95>", "max>")
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
    return _with_rest(table, len(by_type), rows)


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
    totals.append(", ".join(f"{errors[each]:,} {each}" for each in _SEVERITIES))
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
            name(row["failure_reason"] or ""),
        )
    return _with_rest(table, len(components), rows)


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
            name(row["queue_name"]),
            count(row["pending"]),
            Text("-" if change is None else f"{change:+,}"),
            count(row["processing"]),
            duration(None if oldest is None else oldest * 1000),
            count(row["completed_per_minute"]),
            percent(row["failed_percent"]),
        )
    return _with_rest(table, len(queues), rows)


def empty_table(title: str, *columns: str) -> Table:
    """Return an empty table; columns whose name ends in ``>`` are aligned right."""
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(title, header_style="bold", ratio=1, min_width=12, no_wrap=True)
    for column in columns:
        table.add_column(
            column.removesuffix(">"),
            justify="right" if column.endswith(">") else "left",
            header_style="dim",
            no_wrap=True,
        )
    return table


def _worst(rows: Sequence[_Row], most: int, badness: Callable[[_Row], Any]) -> list[_Row]:
    """Return the worst rows, in their own order where they are equally bad."""
    return sorted(rows, key=badness, reverse=True)[:most]


def _with_rest(table: Table, total: int, shown: int) -> RenderableType:
    if total <= shown:
        return table
    return Group(table, Text(f"… and {total - shown:,} more", "dim"))

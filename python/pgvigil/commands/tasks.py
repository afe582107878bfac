"""``pgvigil tasks``."""

import click

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import dsn_option, limit_option, search_option, since_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import lists, tasks
from pgvigil.faces.terminal.lists import (
    Column,
    Row,
    ago,
    count_of,
    length,
    milliseconds,
    moment,
    text_of,
    word_of,
)
from pgvigil.faces.words import name

_STATUSES = ("running", "completed", "failed", "timeout", "lost", "cancelled")
_PARTS = 20


def _items(row: Row) -> str:
    total = "" if row["items_total"] is None else f" of {row['items_total']:,}"
    return "" if row["items_done"] is None else f"{row['items_done']:,}{total}"


_COLUMNS = (
    text_of("task_id", "task", is_long=True),
    text_of("task_type", "type", is_long=True),
    word_of("status"),
    count_of("attempt"),
    milliseconds("duration_ms", "took"),
    ago("end_time", "ended"),
    Column("items", lambda row, now: name(_items(row)), is_number=True),
)
_ATTEMPTS = (
    count_of("attempt"),
    word_of("status"),
    moment("start_time", "started"),
    milliseconds("duration_ms", "took"),
    Column("items", lambda row, now: name(_items(row)), is_number=True),
    text_of("error_message", "why", is_long=True),
)
_ERRORS = (
    moment("occurred_at", "at"),
    word_of("severity"),
    text_of("error_type", "error", is_long=True),
    text_of("message", is_long=True),
)
_LOGS = (moment("logged_at", "at"), text_of("level"), text_of("message", is_long=True))


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List tasks and show one; without a subcommand, list those of the last day."""


@command.command("list", short_help="List tasks, those that run first.")
@click.option("--type", "type_", metavar="TYPE", help="Only those of a task type.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those with a status.")
@since_option("24h")
@search_option("the names of task, type or worker")
@limit_option
@json_option
@dsn_option
def list_(
    type_: str | None,
    status: str | None,
    since: float,
    search: str | None,
    limit: int,
    as_json: bool,
    dsn: str,
) -> None:
    """List the tasks that run, then those that have ended lately, the newest first."""
    values = {
        "type": type_, "status": status, "since": since, "search": search, "limit": limit,
    }  # fmt: skip
    with asking(dsn, "tasks") as questions:
        found = questions.rows(lists.TASKS, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "task")


@command.command(short_help="Show one task: attempts, errors, log lines.")
@click.argument("task_id", metavar="TASK")
@json_option
@dsn_option
def show(task_id: str, as_json: bool, dsn: str) -> None:
    """Show one task by its name: its attempts, and the errors and log lines of the newest.

    Exits with 1 when there is no task of that name.
    """
    values = {"task_id": task_id, "limit": _PARTS}
    with asking(dsn, "tasks") as questions:
        attempts = questions.rows(tasks.ATTEMPTS, values)
        if not attempts:
            refuse_unknown("task", task_id, "`pgvigil tasks --search TEXT` finds it by a part.")
        newest = attempts[0]
        reasons = {
            (row["attempt"], row["end_time"]): row["error_message"]
            for row in questions.rows(tasks.REASONS, values)
        }
        span = {"from": newest["start_time"] or newest["end_time"], "to": questions.now, **values}
        no_more = {"level": None, "after_logged_at": None, "after_log_id": None}
        errors = questions.rows(tasks.ERRORS_OF_ONE, span)
        logs = questions.rows(tasks.LOGS_OF_ONE, {**span, **no_more})
    for row in attempts:
        row["error_message"] = reasons.get((row["attempt"], row["end_time"]))
    if as_json:
        print_json({**newest, "attempts": attempts, "errors": errors, "log_lines": logs})
        return
    facts = {
        "type": newest["task_type"], "status": newest["status"], "attempt": newest["attempt"],
        "started": newest["start_time"], "ended": newest["end_time"],
        "took": length(newest["duration_ms"]), "items": _items(newest),
        "why": newest["error_message"], "worker": newest["worker_id"],
        "part of": newest["parent_task_id"],
    }  # fmt: skip
    parts = [
        Part("Attempts, the newest first", attempts, _ATTEMPTS),
        Part("Errors, the newest first", errors, _ERRORS),
        Part("Log lines, the newest first", logs, _LOGS),
    ]
    print_thing(f"Task {task_id}", facts, parts, questions.now)

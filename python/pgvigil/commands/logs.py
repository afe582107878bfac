"""``pgvigil logs``."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.text import Text

from pgvigil.commands.asking import Questions, asking
from pgvigil.commands.documents import as_json_value, json_option, print_json
from pgvigil.commands.options import dsn_option, limit_option, search_option, since_option
from pgvigil.commands.printing import terminal
from pgvigil.database.queries import lists
from pgvigil.faces.plain import plain
from pgvigil.faces.words import clock_time

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}
_SECONDS_BETWEEN_LOOKS = 1.0
# A line is seen when its transaction commits, by then others may have come after it.
_SECONDS_TO_LOOK_BACK = 120.0
_MOST_AT_ONCE = 10_000


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines, until Ctrl-C.")
@click.option("--component", metavar="NAME", help="Only lines of a component.")
@click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    help="Only lines of this level and worse.",
)
@click.option("--task", metavar="TASK", help="Only lines of a task.")
@since_option("24h")
@search_option("message, component or task")
@limit_option
@json_option
@dsn_option
def command(follow: bool, since: float, limit: int, as_json: bool, dsn: str, **chosen: str) -> None:
    """Show the newest structured log lines, in the order in which they were logged.

    With --follow, --json prints one document a line.
    """
    values = {**chosen, "levels": list(LEVELS)}
    with asking(dsn, "logs") as questions:
        # Read first: what comes while the others are printed is news.
        lately = _lately(questions, values) if follow else []
        newest = questions.rows(lists.LOGS, {**values, "since": since, "limit": limit})
        if as_json and not follow:
            print_json(newest)
            return
        if not newest and not follow:
            click.echo("No log line.", err=True)
        _print(newest, as_json)
        if follow:
            _follow(questions, values, {row["log_id"] for row in [*lately, *newest]}, as_json)


def _lately(questions: Questions, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    bounds = {"since": _SECONDS_TO_LOOK_BACK, "limit": _MOST_AT_ONCE}
    return questions.rows(lists.LOGS, {**values, **bounds})


def _follow(
    questions: Questions, values: Mapping[str, Any], seen: set[int], as_json: bool, /
) -> None:
    """Print what is new until Ctrl-C; a line that is more than two minutes late is left out."""
    try:
        while True:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            found = _lately(questions, values)
            _print([row for row in found if row["log_id"] not in seen], as_json)
            seen = {row["log_id"] for row in found}
    except KeyboardInterrupt:
        return


def _print(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    console = terminal()
    for row in rows:
        if as_json:
            click.echo(json.dumps(as_json_value(row), ensure_ascii=False, allow_nan=False))
        elif console.is_terminal:
            console.print(Text(_line(row), _STYLES.get(row["level"], "")), soft_wrap=True)
        else:
            click.echo(_line(row))


def _line(row: Mapping[str, Any]) -> str:
    """Return a log line on one line: when, how bad, who, which task, what."""
    who = " ".join(filter(None, [row["component"], row["task_id"] and f"[{row['task_id']}]"]))
    return plain(
        f"{clock_time(row['logged_at'])}  {row['level']:<8}  {who}{': ' if who else ''}"
        f"{row['message']}"
    )

"""``pgvigil queues``."""

from typing import Any

import click

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import dsn_option, limit_option, search_option, since_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import lists
from pgvigil.faces.terminal.lists import ago, count_of, figure_of, length, moment, seconds, text_of

_COLUMNS = (
    text_of("queue_name", "queue", is_long=True),
    count_of("pending"),
    seconds("oldest_ready_seconds", "oldest waits"),
    figure_of("arrived_per_minute", "in/min"),
    figure_of("completed_per_minute", "done/min"),
    seconds("seconds_to_empty", "empty in"),
    ago("recorded_at", "measured"),
)
_SAMPLES = (
    moment("recorded_at", "at"),
    count_of("pending"),
    count_of("processing"),
    count_of("completed"),
    count_of("failed"),
    seconds("oldest_ready_seconds", "oldest waits"),
)
_RATES = {
    "pending_per_minute": "grows a minute",
    "arrived_per_minute": "come in a minute",
    "completed_per_minute": "done a minute",
    "failed_per_minute": "failed a minute",
}


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List queues and show one with its last samples."""


@command.command("list", short_help="List queues, those in trouble first.")
@search_option("their names")
@limit_option
@json_option
@dsn_option
def list_(search: str | None, limit: int, as_json: bool, dsn: str) -> None:
    """List queues as they were last measured: those in trouble first, then the longest."""
    with asking(dsn, "queues") as questions:
        found = questions.rows(lists.QUEUES, {"search": search, "limit": limit})
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "queue")


@command.command(short_help="Show one queue and its last samples.")
@click.argument("queue", metavar="QUEUE")
@since_option("24h")
@limit_option
@json_option
@dsn_option
def show(queue: str, since: float, limit: int, as_json: bool, dsn: str) -> None:
    """Show one queue by its name.

    Exits with 1 when there is no queue of that name.
    """
    values = {"name": queue, "since": since, "limit": limit}
    with asking(dsn, "queues") as questions:
        one = questions.first(lists.QUEUE, values)
        if one is None:
            refuse_unknown("queue", queue, "`pgvigil queues` lists them.")
        samples = questions.rows(lists.SAMPLES_OF_QUEUE, values)
    if as_json:
        print_json({**one, "latest_samples": samples})
        return
    facts = {
        "pending": f"{one['pending']:,}", "processing": one["processing"],
        "oldest waits": _length(one["oldest_ready_seconds"]),
        **{words: None if one[key] is None else f"{one[key]:.4g}" for key, words in _RATES.items()},
        "rates are of": _length(one["rate_seconds"]),
        "empty in": _length(one["seconds_to_empty"]),
        "failed so far": f"{one['failed']:,}", "measured": one["recorded_at"],
    }  # fmt: skip
    parts = [Part("Samples, the newest first", samples, _SAMPLES)]
    print_thing(f"Queue {queue}", facts, parts, questions.now)


def _length(seconds: Any) -> str | None:
    return None if seconds is None else length(1000 * seconds)

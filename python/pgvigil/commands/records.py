"""``pgvigil records``."""

import click

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import dsn_option, limit_option, search_option, since_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import lists
from pgvigil.database.queries import records as queries
from pgvigil.faces.terminal.lists import ago, count_of, moment, seconds, text_of, word_of

_COLUMNS = (
    text_of("dataset", is_long=True),
    text_of("record_key", "record", is_long=True),
    text_of("validation_type", "what is wrong", is_long=True),
    word_of("status"),
    seconds("seconds_open", "open for"),
    count_of("times_detected", "found"),
    ago("last_detected_at", "last"),
    text_of("message", is_long=True),
)
_TIMELINE = (moment("happened_at", "at"), text_of("kind"), text_of("summary", is_long=True))


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List invalid records, and show what happened to a record."""


@command.command("list", short_help="List invalid records, those that are open first.")
@click.option("--dataset", metavar="NAME", help="Only those of a dataset.")
@click.option("--type", "type_", metavar="TYPE", help="Only those of a validation.")
@click.option("--status", type=click.Choice(["open", "resolved"]), help="Only those with a status.")
@since_option("7d")
@search_option("record, group or message")
@limit_option
@json_option
@dsn_option
def list_(
    dataset: str | None,
    type_: str | None,
    status: str | None,
    since: float,
    search: str | None,
    limit: int,
    as_json: bool,
    dsn: str,
) -> None:
    """List invalid records: those that are open, then those that were resolved lately."""
    values = {
        "dataset": dataset, "type": type_, "status": status, "since": since, "search": search,
        "limit": limit,
    }  # fmt: skip
    with asking(dsn, "records") as questions:
        found = questions.rows(lists.RECORDS, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "invalid record")


@command.command(short_help="Show all that happened to a record.")
@click.argument("dataset", metavar="DATASET")
@click.argument("record", metavar="RECORD")
@limit_option
@json_option
@dsn_option
def show(dataset: str, record: str, limit: int, as_json: bool, dsn: str) -> None:
    """Show all that happened to a record, the newest first.

    Exits with 1 when nothing is known of it.
    """
    values = {"dataset": dataset, "record_key": record, "limit": limit}
    with asking(dsn, "records") as questions:
        found = questions.rows(queries.TIMELINE, values)
    if not found:
        remedy = "`pgvigil records --search TEXT` finds one by a part of its name."
        refuse_unknown(f"record in {dataset}", record, remedy)
    if as_json:
        print_json({"dataset": dataset, "record_key": record, "timeline": found})
        return
    parts = [Part("What happened, the newest first", found, _TIMELINE)]
    print_thing(f"Record {record}", {"dataset": dataset}, parts, questions.now)

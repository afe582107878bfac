"""``pgvigil errors``."""

from collections.abc import Sequence
from typing import Any

import click

from pgvigil.commands.asking import Questions, asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import (
    dsn_option,
    limit_option,
    search_option,
    since_option,
    who_and_why,
)
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import errors, lists
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.faces.terminal.lists import ago, count_of, moment, text_of, word_of

_STATUSES = ("open", "regressed", "resolved", "muted")
_COLUMNS = (
    text_of("fingerprint", "group"),
    word_of("severity"),
    text_of("status"),
    count_of("occurrences", "times"),
    ago("last_seen_at", "last"),
    text_of("error_type", "error", is_long=True),
    text_of("example", "message", is_long=True),
)
_OCCURRENCES = (
    moment("occurred_at", "at"),
    word_of("severity"),
    text_of("component", is_long=True),
    text_of("task_id", "task", is_long=True),
    text_of("message", is_long=True),
)


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List groups of errors, show, merge and split them; by itself, list those of the last day."""


@command.command("list", short_help="List groups of errors, the newest first.")
@click.option("--type", "type_", metavar="TYPE", help="Only those of an error type.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those with a status.")
@click.option(
    "--severity", type=click.Choice(SEVERITIES), help="Only those of this severity and worse."
)
@click.option("--component", metavar="NAME", help="Only those of a component.")
@since_option("24h")
@search_option("type, message or component")
@limit_option
@json_option
@dsn_option
def list_(
    type_: str | None,
    status: str | None,
    severity: str | None,
    component: str | None,
    since: float,
    search: str | None,
    limit: int,
    as_json: bool,
    dsn: str,
) -> None:
    """List groups of errors that were seen lately: those that share a cause are one group."""
    values = {
        "type": type_, "status": status, "severity": severity, "component": component,
        "since": since, "search": search, "limit": limit,
    }  # fmt: skip
    with asking(dsn, "errors") as questions:
        found = questions.rows(lists.ERRORS, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "error")


@command.command(short_help="Show one group of errors and its newest occurrences.")
@click.argument("group", metavar="GROUP")
@click.option(
    "--rows",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Most occurrences to show.",
)
@json_option
@dsn_option
def show(group: str, rows: int, as_json: bool, dsn: str) -> None:
    """Show one group of errors by its name, or by the beginning of that.

    Exits with 1 when there is none, or more than one that begins so.
    """
    with asking(dsn, "errors") as questions:
        one = _find_group(questions, group)
        whole = {"from": None, "to": None, "after_occurred_at": None, "after_error_id": None}
        occurrences = questions.rows(
            errors.OCCURRENCES, {"fingerprint": one["fingerprint"], "limit": rows, **whole}
        )
    if as_json:
        print_json({**one, "latest_occurrences": occurrences})
        return
    facts = {
        "group": one["fingerprint"], "severity": one["severity"], "status": one["status"],
        "times": f"{one['occurrences']:,}", "first": one["first_seen_at"],
        "last": one["last_seen_at"], "components": ", ".join(one["components"] or []),
        "message": one["example"], "muted until": one["muted_until"], "note": one["note"],
        "by": one["changed_by"], "merged from": ", ".join(one["merged_from"] or []),
    }  # fmt: skip
    parts = [Part("Occurrences, the newest first", occurrences, _OCCURRENCES)]
    print_thing(f"Error {one['error_type']}", facts, parts, questions.now)


@command.command(short_help="Make groups of errors part of another.")
@click.argument("into", metavar="INTO")
@click.argument("groups", nargs=-1, required=True, metavar="GROUP...")
@who_and_why
@dsn_option
def merge(into: str, groups: Sequence[str], note: str | None, by: str, dsn: str) -> None:
    """Make groups of errors part of another, with their history and what is still to come.

    Groups are named as by `show`. What was decided about INTO holds for all.
    """
    with asking(dsn, "errors") as questions:
        head = _find_group(questions, into)["fingerprint"]
        values = {
            "into": head, "note": note, "by": by,
            "fingerprints": [_find_group(questions, group)["fingerprint"] for group in groups],
        }  # fmt: skip
        (moved,) = questions.rows(errors.MERGE, values)
    click.echo(f"{head}: {moved['merge_error_groups']} merged")


@command.command(short_help="Take fingerprints out of the groups that they were merged into.")
@click.argument("fingerprints", nargs=-1, required=True, metavar="FINGERPRINT...")
@who_and_why
@dsn_option
def split(fingerprints: Sequence[str], note: str | None, by: str, dsn: str) -> None:
    """Take fingerprints out of the groups that they were merged into.

    Each is a group of its own again. `show` says of a group what it was merged from.
    """
    with asking(dsn, "errors") as questions:
        for fingerprint in fingerprints:
            (done,) = questions.rows(
                errors.SPLIT, {"fingerprint": fingerprint, "note": note, "by": by}
            )
            was_in_one = done["split_error_group"]
            click.echo(f"{fingerprint}: {'a group of its own' if was_in_one else 'was in none'}")


def _find_group(questions: Questions, name: str) -> dict[str, Any]:
    found = questions.rows(lists.ERROR_GROUPS, {"name": name})
    if not found:
        refuse_unknown("group of errors", name, "`pgvigil errors` lists them.")
    if len(found) > 1 and found[0]["fingerprint"] != name:
        raise click.ClickException(f"more than one group begins with {name!r}")
    return found[0]

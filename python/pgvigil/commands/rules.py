"""``pgvigil rules``."""

from collections.abc import Mapping
from typing import Any

import click

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import dsn_option, limit_option, search_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import lists
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.faces.terminal.lists import Column, Row, ago, count_of, length, text_of, word_of
from pgvigil.faces.words import name

_MOST_ALERTS = 50


def _thresholds(row: Row) -> str:
    """Return from which value on a rule finds what severity."""
    thresholds: Mapping[str, Any] = row["thresholds"] or {}
    return ", ".join(
        f"{severity} {row['comparison']} {thresholds[severity]:g}"
        for severity in SEVERITIES
        if thresholds.get(severity) is not None
    )


def _state(row: Row) -> str:
    if not row["is_enabled"]:
        return "off"
    return "fails" if row["last_error"] else "on"


_COLUMNS = (
    text_of("rule_name", "rule", is_long=True),
    text_of("family"),
    Column("state", lambda row, now: name(_state(row))),
    count_of("firing"),
    count_of("pending"),
    ago("evaluated_at", "ran"),
    Column("thresholds", lambda row, now: name(_thresholds(row)), is_long=True),
)
_ALERTS = (
    text_of("alert_id", "id"),
    word_of("severity"),
    text_of("status", "state"),
    ago("fired_at", "since"),
    text_of("summary", "what is wrong", is_long=True),
)


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List alert rules and show one with its thresholds and what fires."""


@command.command("list", short_help="List alert rules, those that fire first.")
@click.option("--family", metavar="NAME", help="Only those of a family, such as tasks or queues.")
@click.option("--troubled", is_flag=True, help="Only those that fire or fail.")
@search_option("name or description")
@limit_option
@json_option
@dsn_option
def list_(
    family: str | None, troubled: bool, search: str | None, limit: int, as_json: bool, dsn: str
) -> None:
    """List alert rules: those that fire, then those that fail, then all others."""
    values = {"family": family, "troubled": troubled, "search": search, "limit": limit}
    with asking(dsn, "rules") as questions:
        found = questions.rows(lists.RULES, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "rule")


@command.command(short_help="Show one alert rule and what fires.")
@click.argument("rule", metavar="RULE")
@json_option
@dsn_option
def show(rule: str, as_json: bool, dsn: str) -> None:
    """Show one alert rule by its name: settings, thresholds, how it runs, what fires.

    Exits with 1 when there is no rule of that name.
    """
    with asking(dsn, "rules") as questions:
        one = questions.first(lists.RULE, {"name": rule})
        if one is None:
            refuse_unknown("rule", rule, "`pgvigil rules` lists them.")
        firing = questions.rows(lists.ALERTS_OF_RULE, {"name": rule, "limit": _MOST_ALERTS})
    if as_json:
        print_json({**one, "active_alerts": firing})
        return
    facts = {
        "what": one["description"], "family": one["family"], "state": _state(one),
        "thresholds": _thresholds(one), "unit": one["unit"],
        "settings": ", ".join(f"{key}={value}" for key, value in one["parameters"].items()),
        "waits": length(1000 * one["for_seconds"]) if one["for_seconds"] else None,
        "ran": one["evaluated_at"], "took": length(one["duration_ms"]),
        "evaluations": f"{one['evaluations'] or 0:,}, {one['failures'] or 0:,} failed",
        "last error": one["last_error"], "decided by": one["changed_by"],
    }  # fmt: skip
    print_thing(f"Rule {rule}", facts, [Part("What fires", firing, _ALERTS)], questions.now)

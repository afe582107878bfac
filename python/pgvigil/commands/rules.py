"""``pgvigil rules``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from pgvigil.commands.asking import Questions, asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import (
    Duration,
    dsn_option,
    limit_option,
    option_group,
    search_option,
    who_and_why,
)
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import lists, rules
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.faces.terminal.lists import (
    Column,
    Row,
    ago,
    count_of,
    length,
    moment,
    text_of,
    word_of,
)
from pgvigil.faces.terminal.matchers import labels as read_labels
from pgvigil.faces.words import duration, name

_MOST_ALERTS = 50
_MOST_CHANGES = 20
_LONGEST_DAYS = 30
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _thresholds(row: Row) -> str:
    """Return from which value on a rule finds what severity."""
    thresholds: Mapping[str, Any] = row["thresholds"] or {}
    return ", ".join(
        f"{severity} {row['comparison']} {thresholds[severity]:g}"
        for severity in SEVERITIES
        if thresholds.get(severity) is not None
    )


_COLUMNS = (
    text_of("rule_name", "rule", is_long=True),
    text_of("family"),
    text_of("state"),
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

_CHANGES = (
    moment("changed_at", "when"),
    text_of("changed_by", "who"),
    Column("what", lambda row, now: name(_changed(row)), is_long=True),
    text_of("note", "why", is_long=True),
)


def _changed(row: Row) -> str:
    """Return what somebody changed."""
    if row["change"] != "changed":
        return str(row["change"])
    old, new = row["old_settings"], row["new_settings"]
    return "; ".join(f"{key}: {_short(old[key])} -> {_short(new[key])}" for key in new)


def _short(value: Any) -> str:
    """Return a setting; of thresholds those that there are."""
    if isinstance(value, dict):
        known = {key: each for key, each in value.items() if each is not None}
        return " ".join(f"{key}={each}" for key, each in known.items()) or "none"
    return str(value)


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List alert rules, show one, try a change of it on the past, and make it."""


@command.command("list", short_help="List alert rules, those in trouble first.")
@click.option("--family", metavar="NAME", help="Only those of a family, such as tasks or queues.")
@click.option("--troubled", is_flag=True, help="Only those that fire or fail.")
@search_option("name or description")
@limit_option
@json_option
@dsn_option
def list_(
    family: str | None, troubled: bool, search: str | None, limit: int, as_json: bool, dsn: str
) -> None:
    """List alert rules: those that fail, then those that fire, then all others."""
    values = {"family": family, "troubled": troubled, "search": search, "limit": limit}
    with asking(dsn, "rules") as questions:
        found = questions.rows(lists.RULES, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "rule")


@command.command(short_help="Show one alert rule, what fires and who changed it.")
@click.argument("rule", metavar="RULE")
@json_option
@dsn_option
def show(rule: str, as_json: bool, dsn: str) -> None:
    """Show one alert rule: settings, thresholds, how it runs, what fires, who changed it.

    Exits with 1 when there is no rule of that name.
    """
    with asking(dsn, "rules") as questions:
        one = questions.first(lists.RULE, {"name": rule})
        if one is None:
            refuse_unknown("rule", rule, "`pgvigil rules` lists them.")
        firing = questions.rows(lists.ALERTS_OF_RULE, {"name": rule, "limit": _MOST_ALERTS})
        changes = questions.rows(rules.CHANGES, {"rule": rule, "limit": _MOST_CHANGES})
    if as_json:
        print_json({**one, "active_alerts": firing, "changes": changes})
        return
    facts = {
        "what": one["description"], "family": one["family"], "state": one["state"],
        "thresholds": _thresholds(one), "unit": one["unit"],
        "settings": ", ".join(f"{key}={value}" for key, value in one["parameters"].items()),
        "waits": length(1000 * one["for_seconds"]) if one["for_seconds"] else None,
        "ran": one["evaluated_at"], "took": length(one["duration_ms"]),
        "evaluations": f"{one['evaluations'] or 0:,}, {one['failures'] or 0:,} failed",
        "last error": one["last_error"], "decided by": one["changed_by"],
    }  # fmt: skip
    parts = [Part("What fires", firing, _ALERTS), Part("Who changed it", changes, _CHANGES)]
    print_thing(f"Rule {rule}", facts, parts, questions.now)


_what_to_change = option_group(
    click.option(
        "--threshold",
        "typed",
        multiple=True,
        metavar="SEVERITY=VALUE",
        help="From which value on; several replace all that are set for the same findings. "
        "`none` for no threshold, `shipped` for what pgvigil ships.",
    ),
    click.option(
        "--label",
        "for_labels",
        multiple=True,
        metavar="LABEL=TEXT",
        help="Which findings the thresholds are for. Default: all that no others are for.",
    ),
    click.option(
        "--for", "for_seconds", type=Duration(), metavar="TIME", help="How long it must last."
    ),
)


@command.command(short_help="Try a change of an alert rule on the past.")
@click.argument("rule", metavar="RULE")
@_what_to_change
@click.option(
    "--days",
    type=click.FloatRange(0, _LONGEST_DAYS, min_open=True),
    default=7,
    show_default=True,
    help="How far back.",
)
@click.option(
    "--every",
    type=Duration(least=1),
    default="15m",
    show_default=True,
    metavar="TIME",
    help="How often the rule looks: what lasts for less may be missed.",
)
@json_option
@dsn_option
def backtest(
    rule: str, typed: Sequence[str], for_labels: Sequence[str], for_seconds: float | None,
    days: float, every: float, as_json: bool, dsn: str,
) -> None:  # fmt: skip
    """Show how often a rule would have fired, as it is and as changed; nothing is changed."""
    change = _change(typed, for_labels, for_seconds)
    with asking(dsn, "rules") as questions:
        one = _known(questions, rule)
        values = rules.backtest_values(
            rule, until=questions.now, days=days, step_seconds=every, change=change
        )
        row = questions.first(rules.BACKTEST, values)
    assert row is not None
    found = row["backtest_rule_change"]
    if as_json:
        print_json({**found, "unknown_past": one["unknown_past"]})
        return
    for title, outcome in (("As it is", found["as_it_is"]), ("As changed", found["as_changed"])):
        if outcome is not None:
            click.echo(f"{title}: {_outcome(outcome)}")
    if one["unknown_past"]:
        click.echo(f"Not known of the past: {one['unknown_past']}")


@command.command("set", short_help="Change thresholds of an alert rule, or how long it waits.")
@click.argument("rule", metavar="RULE")
@_what_to_change
@who_and_why
@dsn_option
def set_(
    rule: str, typed: Sequence[str], for_labels: Sequence[str], for_seconds: float | None,
    by: str, note: str | None, dsn: str,
) -> None:  # fmt: skip
    """Change thresholds of a rule, or how long something must last before it fires."""
    change = _change(typed, for_labels, for_seconds)
    if change["settings"] is None and change["thresholds"] is None:
        raise click.UsageError("say what to change: --threshold or --for")
    values = {"rule": rule, "by": by, "note": note, **change}
    with asking(dsn, "rules") as questions, questions.together():
        _known(questions, rule)
        if change["settings"] is not None:
            questions.rows(rules.CHANGE, values)
        if change["thresholds"] is not None:
            questions.rows(rules.SET_THRESHOLDS, values)
        one = _known(questions, rule)
    click.echo(f"{rule}: {_thresholds(one) or 'no thresholds for all'}")


def _switch(verb: str, statement: Any, words: str, done: str) -> None:
    """Add a subcommand that decides about a whole rule."""

    @command.command(verb, short_help=words)
    @click.argument("rule", metavar="RULE")
    @who_and_why
    @dsn_option
    def switch(rule: str, by: str, note: str | None, dsn: str) -> None:
        with asking(dsn, "rules") as questions:
            _known(questions, rule)
            questions.rows(statement, {"rule": rule, "by": by, "note": note})
        click.echo(f"{rule} {done}")

    switch.help = words


_switch("enable", rules.ENABLE, "Have an alert rule evaluated.", "is on")
_switch("disable", rules.DISABLE, "Have an alert rule no longer evaluated.", "is off")
_switch("reset", rules.RESET, "Let an alert rule be as it is shipped.", "is as shipped")


def _known(questions: Questions, rule: str) -> Mapping[str, Any]:
    one = questions.first(lists.RULE, {"name": rule})
    if one is None:
        refuse_unknown("rule", rule, "`pgvigil rules` lists them.")
    return one


def _change(
    typed: Sequence[str], for_labels: Sequence[str], for_seconds: float | None
) -> dict[str, Any]:
    """Return what is to be other, as the database takes it."""
    is_reset = list(typed) == ["shipped"]
    thresholds = None if is_reset or not typed else _numbers(typed)
    return rules.change_values(
        {} if for_seconds is None else {"for_seconds": for_seconds},
        thresholds,
        read_labels(for_labels),
        is_reset=is_reset,
    )


def _numbers(typed: Sequence[str]) -> dict[str, float]:
    found = {}
    for word in () if list(typed) == ["none"] else typed:
        severity, _, number = word.partition("=")
        try:
            found[severity] = float(number)
        except ValueError:
            raise click.UsageError(
                f"{word!r} is not a threshold; write severity=number, such as high=500"
            ) from None
    return found


def _outcome(outcome: Mapping[str, Any]) -> str:
    """Return how often and how long a rule would have fired."""
    severities = ", ".join(
        f"{number} {severity}"
        for severity, number in reversed(outcome["by_severity"].items())
        if number
    )
    fired = outcome["fired"]
    words = f"{fired} alert{'' if fired == 1 else 's'}"
    if fired:
        words += f" ({severities}), {duration(1000 * outcome['firing_seconds'])} in all"
    return words

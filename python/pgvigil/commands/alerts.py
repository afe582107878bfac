"""``pgvigil alerts``."""

import getpass
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click
import psycopg
from rich.console import RenderableType

from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import Duration, dsn_option, who_and_why
from pgvigil.commands.printing import print_list, terminal
from pgvigil.database.connections import open_connection, read_now
from pgvigil.database.freshness import ALERTS, read_one
from pgvigil.database.queries import alerts as reading
from pgvigil.database.queries import decisions as deciding
from pgvigil.faces.terminal import alert_lists as render
from pgvigil.faces.terminal.lists import Column, Row
from pgvigil.faces.terminal.matchers import labels, matchers

_ROWS_BEHIND = 20
_UNKNOWN = 3


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List alerts, and decide about them; without a subcommand, list the open ones.

    Looking takes the role monitoring_reader, deciding takes monitoring_operator.
    """


def _open(dsn: str) -> psycopg.Connection[Any]:
    return open_connection(dsn, "pgvigil alerts")


@command.command("list", short_help="List alerts, the worst first.")
@click.option("--all", "has_others", is_flag=True, help="Include pending and resolved alerts.")
@click.option(
    "--severity",
    type=click.Choice(reading.SEVERITIES),
    default="low",
    help="Only this severity and worse.",
)
@click.option("--rule", metavar="NAME", help="Only those of a rule.")
@click.option(
    "--label", "typed", multiple=True, metavar="LABEL=TEXT", help="Only those with a label."
)
@json_option
@dsn_option
def list_(
    has_others: bool,
    severity: str,
    rule: str | None,
    typed: Sequence[str],
    as_json: bool,
    dsn: str,
) -> None:
    """List alerts, the worst first: number, severity, state, since when, and what is wrong.

    Exits with 3 when no rule has run lately, so that it is not known which are open.
    """
    wanted = reading.Wanted(severity, rule, labels(typed), not has_others)
    with _open(dsn) as connection, reading.known_failures():
        found = reading.read_alerts(connection, wanted)
        now = read_now(connection)
        known = read_one(connection, ALERTS)
    if as_json:
        print_json(found)
    elif found:
        _print(found, render.ALERTS, now, lambda: render.alerts(found, now))
    elif known.is_known:
        click.echo("No alert." if has_others else "No alert is open.")
    if not known.is_known:
        # Where programs read the list, people still see this.
        click.echo(f"Not known which alerts are open: {known.detail}.", err=True)
        sys.exit(_UNKNOWN)


@command.command(short_help="Show one alert and what is behind it.")
@click.argument("alert_id", type=int, metavar="ID")
@click.option(
    "--rows",
    type=click.IntRange(0, 10000),
    default=_ROWS_BEHIND,
    show_default=True,
    help="Most rows behind it to show.",
)
@json_option
@dsn_option
def show(alert_id: int, rows: int, as_json: bool, dsn: str) -> None:
    """Show one alert: its state, rule, thresholds, history and the rows behind it."""
    with _open(dsn) as connection, reading.known_failures():
        found = reading.read_whole_alert(connection, alert_id, rows)
        now = read_now(connection)
    if as_json:
        print_json(found.as_json())
    else:
        terminal().print(render.whole_alert(found, now))


def _decision(called: str, decision: str, done: str, needless: str, *explanation: str) -> None:
    """Make one of the subcommands that decide about alerts by number.

    Args:
        called: name of the subcommand.
        decision: as `deciding.decide` knows it.
        done: what to say of an alert for which that was done.
        needless: what to say of one for which there was nothing to do.
        explanation: help, the short one and the rest of it.
    """

    @command.command(called, help=" ".join(explanation), short_help=explanation[0])
    @click.argument("alert_ids", type=int, nargs=-1, required=True, metavar="ID...")
    @who_and_why
    @dsn_option
    def decide(alert_ids: Sequence[int], note: str | None, by: str, dsn: str) -> None:
        # In one transaction: a number that is none should leave nothing half done.
        with _open(dsn) as connection, reading.known_failures(), connection.transaction():
            was_done = {
                alert_id: deciding.decide(connection, decision, alert_id, note=note, by=by)
                for alert_id in alert_ids
            }
        for alert_id, so in was_done.items():
            click.echo(f"{alert_id}: {done if so else needless}")


_decision(
    "ack", "acknowledge", "acknowledged", "does not fire",
    "Acknowledge alerts.", "Nobody is reminded of them until they resolve or get worse.",
)  # fmt: skip
_decision(
    "unack", "unacknowledge", "no longer acknowledged", "was not acknowledged",
    "Take acknowledgements back.",
)  # fmt: skip
_decision(
    "resolve", "resolve", "resolved", "does not fire",
    "Resolve alerts by hand.", "A rule that still finds them opens new ones.",
)  # fmt: skip


@command.command()
@click.argument("alert_id", type=int, required=False, metavar="[ID]")
@click.option(
    "--match",
    "typed",
    multiple=True,
    metavar="MATCHER",
    help="LABEL=TEXT, LABEL!=TEXT, LABEL=~REGEX or LABEL!~REGEX; all given must match. Labels of "
    "every alert are rule, family, severity and fingerprint.",
)
@click.option(
    "--for",
    "seconds",
    type=Duration(least=1),
    metavar="TIME",
    help="How long, such as 30m, 2h or 7d. Default: 1h, or without end with --until-resolved.",
)
@click.option(
    "--until-resolved", is_flag=True, help="End it once no alert that it silences is open."
)
@who_and_why
@dsn_option
def silence(
    alert_id: int | None,
    typed: Sequence[str],
    seconds: float | None,
    until_resolved: bool,
    note: str | None,
    by: str,
    dsn: str,
) -> None:
    """Keep an alert, or all that match, from being told for a while."""
    if (alert_id is None) == (not typed):
        raise click.UsageError("name one alert, or what to match with --match")
    found = matchers(typed)
    with _open(dsn) as connection, reading.known_failures():
        if alert_id is not None:
            found = reading.read_identity(connection, alert_id)
        silence_id = deciding.silence(
            connection, found, seconds=seconds, until_resolved=until_resolved, note=note, by=by
        )
        (made,) = reading.read_silences(connection, silence_id=silence_id)
        matching = reading.count_silenced(connection, silence_id)
    click.echo(render.silence_made(made, matching))


@command.command()
@click.argument("silence_ids", type=int, nargs=-1, required=True, metavar="SILENCE...")
@click.option("--by", default=getpass.getuser, help="Your name. Default: your login name.")
@dsn_option
def unsilence(silence_ids: Sequence[int], by: str, dsn: str) -> None:
    """End silences before their time; what still fires is told."""
    with _open(dsn) as connection, reading.known_failures(), connection.transaction():
        was_done = {each: deciding.unsilence(connection, each, by=by) for each in silence_ids}
    for silence_id, so in was_done.items():
        click.echo(f"silence {silence_id}: {'ended' if so else 'had ended already'}")


@command.command()
@click.option("--all", "has_ended", is_flag=True, help="Include silences that have ended.")
@json_option
@dsn_option
def silences(has_ended: bool, as_json: bool, dsn: str) -> None:
    """List silences that hold or are to come."""
    with _open(dsn) as connection, reading.known_failures():
        found = reading.read_silences(connection, has_ended=has_ended)
        now = read_now(connection)
    if as_json:
        print_json(found)
    elif found:
        _print(found, render.SILENCES, now, lambda: render.silences(found, now))
    else:
        click.echo("No silence." if has_ended else "Nothing is silenced.")


@command.command(short_help="Show what happened to alerts, in order.")
@click.option(
    "--since",
    "seconds",
    type=Duration(),
    default="24h",
    show_default=True,
    metavar="TIME",
    help="How far back, such as 90m, 24h or 7d.",
)
@click.option("--rule", metavar="NAME", help="Only alerts of a rule.")
@json_option
@dsn_option
def history(seconds: float, rule: str | None, as_json: bool, dsn: str) -> None:
    """Show what happened to alerts, in order: who or what did it, when and why."""
    with _open(dsn) as connection, reading.known_failures():
        found = reading.read_transitions(connection, since=seconds, rule=rule)
        now = read_now(connection)
    if as_json:
        print_json(found)
    elif found:
        _print(found, render.TRANSITIONS, now, lambda: render.transitions(found))
    else:
        click.echo("Nothing happened in that time.")


def _print(
    rows: Sequence[Row],
    columns: Sequence[Column],
    now: datetime,
    draw: Callable[[], RenderableType],
) -> None:
    """Print all that is to be said on a terminal, folded; for programs a line a row."""
    console = terminal()
    if console.is_terminal:
        console.print(draw())
    else:
        print_list(rows, columns, now, "row")

"""``pgvigil check``."""

import sys
from typing import Any

import click

from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.options import Duration, dsn_option
from pgvigil.commands.timely import within
from pgvigil.database.connections import open_connection
from pgvigil.database.freshness import ALERTS, read_one
from pgvigil.database.queries import alerts as reading
from pgvigil.database.words import length_of_time
from pgvigil.exceptions import explain
from pgvigil.faces.plugin import Level, Limits, Verdict, judge, unknown

_SEVERITY = click.Choice(reading.SEVERITIES)


class Plugin(click.Command):
    """A command whose usage errors are unknown rather than critical to a monitoring system."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Parse as ever, but let a usage error exit with 3."""
        try:
            return super().make_context(*arguments, **more)
        except click.UsageError as error:
            error.exit_code = Level.UNKNOWN  # type: ignore[misc]
            raise


@click.command(cls=Plugin)
@click.option(
    "--critical-from",
    type=_SEVERITY,
    default="critical",
    show_default=True,
    help="Severity from which on an alert is CRITICAL.",
)
@click.option(
    "--warning-from",
    type=_SEVERITY,
    default="medium",
    show_default=True,
    help="Severity from which on an alert is a WARNING.",
)
@click.option("--ignore-acknowledged", is_flag=True, help="Ignore acknowledged alerts.")
@click.option("--ignore-silenced", is_flag=True, help="Ignore silenced and inhibited alerts.")
@click.option(
    "--timeout",
    "seconds",
    type=Duration(least=0.1),
    default="10s",
    show_default=True,
    metavar="TIME",
    help="Time after which the answer is UNKNOWN.",
)
@json_option
@dsn_option
def command(
    critical_from: str,
    warning_from: str,
    ignore_acknowledged: bool,
    ignore_silenced: bool,
    seconds: float,
    as_json: bool,
    dsn: str,
) -> None:
    """Tell Nagios, Icinga, CI and the like whether all is well, as monitoring plugins do.

    Exits with 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN; prints one line with figures, then a line
    for each firing alert. What self_check() finds late counts as a WARNING, what failed or keeps
    rules from being evaluated as CRITICAL. Where no rule has run lately for any other reason the
    answer is UNKNOWN, unless something CRITICAL is known. Takes the role monitoring_reader.
    """
    limits = Limits(critical_from, warning_from, ignore_acknowledged, ignore_silenced)
    try:
        verdict = within(seconds, lambda: _look(dsn, limits))
    except TimeoutError:
        verdict = unknown(f"no answer within {length_of_time(seconds)}")
    except EOFError:
        verdict = unknown("the check ended without a result")
    if as_json:
        level = verdict.level
        print_json({"level": level.name, "exit_code": int(level), "text": verdict.text})
    else:
        click.echo(verdict.text)
    sys.exit(verdict.level)


def _look(dsn: str, limits: Limits) -> Verdict:
    try:
        with open_connection(dsn, "pgvigil check") as connection, reading.known_failures():
            alerts = reading.read_alerts(connection, reading.Wanted())
            checks = reading.read_checks(connection)
            known = read_one(connection, ALERTS)
        return judge(alerts, checks, limits, known)
    except Exception as error:
        # A plugin has no traceback to show: whoever reads it reads one line.
        return unknown(explain(error) or f"{type(error).__name__}: {error}")

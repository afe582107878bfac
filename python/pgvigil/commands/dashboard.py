"""``pgvigil dashboard``."""

import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from pgvigil.commands.asking import asking
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import SuggestingGroup
from pgvigil.commands.options import dsn_option
from pgvigil.commands.printing import terminal
from pgvigil.database.connections import open_connection
from pgvigil.database.queries.state import SUMMARY
from pgvigil.faces.terminal import overview, watch
from pgvigil.faces.terminal.alerts import alerts
from pgvigil.faces.terminal.batch import batch
from pgvigil.faces.terminal.etl_render import MOST_SHOWN, render_etl
from pgvigil.faces.terminal.etl_state import export, read_etl_state
from pgvigil.faces.terminal.picture import Face, draw_within
from pgvigil.faces.terminal.records import records
from pgvigil.faces.terminal.tasks import tasks

_Function = TypeVar("_Function", bound=Callable[..., Any])
_SECONDS = 2.0
_MOST_EXPORTED = 10_000
_LINES_OF_A_PROMPT = 1


def watch_option(function: _Function) -> _Function:
    """Add ``--watch``, passed on as ``seconds``: how often to look, None for once."""
    return click.option(
        "--watch",
        "seconds",
        type=click.FloatRange(min=0.1),
        is_flag=False,
        flag_value=_SECONDS,
        metavar="[SECONDS]",
        help=f"Refresh in place, every {_SECONDS:g} seconds unless told otherwise, until Ctrl-C.",
    )(function)


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@watch_option
@json_option
@dsn_option
@click.pass_context
def command(context: click.Context, seconds: float | None, as_json: bool, dsn: str) -> None:
    """Show running tasks, statistics, errors, health, queues and alerts of a database.

    Without a subcommand it is the overview, of which --json prints get_dashboard_summary().
    """
    if as_json and (seconds is not None or context.invoked_subcommand is not None):
        raise click.UsageError(
            "--json is for the overview, once; pgvigil tasks, alerts, jobs and so on have their own"
        )
    if as_json:
        with asking(dsn, "dashboard") as questions:
            print_json((questions.first(SUMMARY, {}) or {}).get("get_dashboard_summary"))
    elif context.invoked_subcommand is None:
        _show(context, overview, seconds, dsn)


def _subcommand(title: str, face: Face, about: str) -> None:
    """Add a subcommand that takes nothing but what all of them take."""

    @command.command(title, help=about)
    @watch_option
    @dsn_option
    @click.pass_context
    def show(context: click.Context, seconds: float | None, dsn: str) -> None:
        _show(context, face, seconds, dsn)


_subcommand("overview", overview, "Show a little of everything.")
_subcommand("tasks", tasks, "Show what runs, how each type does, and what failed in 24 hours.")
_subcommand("alerts", alerts, "Show open alerts, what happened to alerts, and rules that fail.")

_subcommand("records", records, "Show invalid records, statuses, their changes, program runs.")


@command.command("batch")
@click.option(
    "--date",
    "moment",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Business day. Default: that of now.",
)
@click.option("--workflow", metavar="NAME", help="Only this one. Default: all that are enabled.")
@watch_option
@dsn_option
@click.pass_context
def show_batch(
    context: click.Context,
    moment: datetime | None,
    workflow: str | None,
    seconds: float | None,
    dsn: str,
) -> None:
    """Show how far each step of a business day is, and when it is expected to be complete."""
    day = moment.date() if moment else None
    _show(context, partial(batch, business_date=day, workflow=workflow), seconds, dsn)


@command.command("etl")
@click.option("--execution-id", metavar="ID", help="Show this execution alone, in detail.")
@click.option("--logs", is_flag=True, help="Show the newest log lines.")
@click.option("--metrics", is_flag=True, help="Show mean, maximum and samples of each metric.")
@click.option("--alerts", is_flag=True, help="Show open alerts.")
@click.option(
    "--export",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Write up to {_MOST_EXPORTED:,} rows of each to FILE instead: all as .json, or one "
    "table as .csv (the executions where nothing else is asked for).",
)
@watch_option
@dsn_option
@click.pass_context
def etl(
    context: click.Context,
    /,
    execution_id: str | None,
    target: Path | None,
    seconds: float | None,
    dsn: str,
    **wanted: bool,
) -> None:
    """Show ETL executions of the last 24 hours, or one of any time.

    Of all of them log lines, metrics and alerts are shown as well, unless some of these are asked
    for; of one execution only what is asked for.

    Exits with 1 when there is no execution of that name.
    """
    sections = [section for section, is_wanted in wanted.items() if is_wanted]
    is_one_table = target is not None and target.suffix.lower() == ".csv"
    if not sections and execution_id is None and not is_one_table:
        sections = list(wanted)
    read = partial(
        read_etl_state,
        execution_id=execution_id,
        sections=sections,
        limit=MOST_SHOWN if target is None else _MOST_EXPORTED,
    )
    if target is None and _interval(context, seconds) is not None:
        _show(context, lambda connection: partial(render_etl, read(connection)), seconds, dsn)
        return
    with open_connection(_dsn_of(context, dsn)) as connection:
        state = read(connection)
    if target is None:
        terminal().print(render_etl(state))
    else:
        try:
            export(state, target)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--export") from error
        except OSError as error:
            raise click.ClickException(f"cannot write {target}: {error.strerror}") from error
    if execution_id is not None and state.execution is None:
        context.exit(1)


def _show(context: click.Context, face: Face, seconds: float | None, dsn: str) -> None:
    """Show a dashboard once, or again and again."""
    dsn = _dsn_of(context, dsn)
    interval = _interval(context, seconds)
    console = terminal()
    if interval is not None:
        end_tidily_when_terminated()
        watch(console, dsn, interval, face=face)
        return
    with open_connection(dsn) as connection:
        picture = face(connection)
    # What scrolls away is not seen, and the worst stands at the top.
    height = console.height - _LINES_OF_A_PROMPT
    console.print(draw_within(console, picture, height) if console.is_terminal else picture())


def _interval(context: click.Context, seconds: float | None) -> float | None:
    """Return how often to look, said after the subcommand or before it."""
    if seconds is None and context.parent is not None:
        seconds = context.parent.params.get("seconds")
    return seconds


def _dsn_of(context: click.Context, dsn: str) -> str:
    """Return the database that was named after the subcommand, else before it, else outside."""
    named = click.core.ParameterSource.COMMANDLINE
    outer = context.parent
    if outer is None or context.command is command or context.get_parameter_source("dsn") == named:
        return dsn
    return str(outer.params["dsn"])


def end_tidily_when_terminated() -> None:
    """Let SIGTERM and SIGHUP unwind this program, which gives the terminal its screen back."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)

"""``pgvigil dashboard``."""

import signal
import sys
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from pgvigil.commands.options import dsn_option
from pgvigil.dashboard import open_connection, read_state, render, watch
from pgvigil.dashboard.etl_render import render_etl
from pgvigil.dashboard.etl_state import export, read_etl_state

_SECONDS = 2.0
_MOST_SHOWN = 20
_MOST_EXPORTED = 10_000


@click.group(invoke_without_command=True)
@click.option(
    "--watch",
    "seconds",
    type=click.FloatRange(min=0.1),
    is_flag=False,
    flag_value=_SECONDS,
    metavar="[SECONDS]",
    help=f"Refresh in place, every {_SECONDS:g} seconds unless told otherwise, until Ctrl-C.",
)
@dsn_option
@click.pass_context
def command(context: click.Context, seconds: float | None, dsn: str) -> None:
    """Show running tasks, statistics, errors, health, queues and alerts of a database."""
    if context.invoked_subcommand is not None:
        return
    console = terminal()
    if seconds is not None:
        end_tidily_when_terminated()
        watch(console, dsn, seconds)
        return
    with open_connection(dsn) as connection:
        console.print(render(read_state(connection)))


@command.command("etl")
@click.option("--execution-id", metavar="ID", help="Show this execution alone, in detail.")
@click.option("--logs", is_flag=True, help="Show the newest log lines, too.")
@click.option("--metrics", is_flag=True, help="Show the last value of each metric, too.")
@click.option("--alerts", is_flag=True, help="Show open alerts, too.")
@click.option(
    "--export",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Write up to {_MOST_EXPORTED:,} rows of each to FILE instead: all as .json, or one "
    "table as .csv (the executions where nothing else is asked for).",
)
@dsn_option
@click.pass_context
def etl(
    context: click.Context,
    /,
    execution_id: str | None,
    target: Path | None,
    dsn: str,
    **wanted: bool,
) -> None:
    """Show ETL executions of the last 24 hours, or one of any time.

    Exits with 1 when there is no execution of that name.
    """
    with open_connection(_dsn_of(context, dsn)) as connection:
        state = read_etl_state(
            connection,
            execution_id=execution_id,
            sections=[section for section, is_wanted in wanted.items() if is_wanted],
            limit=_MOST_SHOWN if target is None else _MOST_EXPORTED,
        )
    if target is None:
        terminal().print(render_etl(state, execution_id))
    else:
        try:
            export(state, target)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--export") from error
        except OSError as error:
            raise click.ClickException(f"cannot write {target}: {error.strerror}") from error
    if execution_id is not None and state.execution is None:
        context.exit(1)


def _dsn_of(context: click.Context, dsn: str) -> str:
    """Return the database that was named after the subcommand, else before it, else outside."""
    named = click.core.ParameterSource.COMMANDLINE
    outer = context.parent
    if outer is None or context.get_parameter_source("dsn") == named:
        return dsn
    return str(outer.params["dsn"])


def terminal() -> Console:
    """Return a console that prints what the terminal's encoding lacks as question marks."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    return Console(highlight=False)


def end_tidily_when_terminated() -> None:
    """Let SIGTERM and SIGHUP unwind this program, which gives the terminal its screen back."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)

"""``pgvigil dashboard``."""

import signal
import sys
from types import FrameType

import click
from rich.console import Console

from pgvigil.commands.options import dsn_option
from pgvigil.dashboard import open_connection, read_state, render, watch

_SECONDS = 2.0


@click.command()
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
def command(seconds: float | None, dsn: str) -> None:
    """Show running tasks, statistics, errors, health, queues and alerts of a database."""
    console = terminal()
    if seconds is not None:
        end_tidily_when_terminated()
        watch(console, dsn, seconds)
        return
    with open_connection(dsn) as connection:
        console.print(render(read_state(connection)))


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

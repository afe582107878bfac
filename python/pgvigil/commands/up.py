"""``pgvigil up``."""

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from pgvigil.commands.options import Duration, dsn_option, log_format_option, log_level_option
from pgvigil.commands.run import runner_options
from pgvigil.commands.serve import command as serve
from pgvigil.commands.serve import listening_server, serving_options
from pgvigil.database.log import LogFormat, log, log_of, set_up_logging
from pgvigil.runner import Runner, Settings
from pgvigil.together import Part, prepare, run_parts_until_stopped, tell_first_record

if TYPE_CHECKING:
    from pgvigil.faces.web.serving import WebServer

_STOPPED = 130
# What the options of `pgvigil serve` are called that are not those of every command.
_SERVING = {option.name for option in serve.params} - {"dsn", "log_format"}


@click.command()
@dsn_option
@click.option(
    "--no-migrate", is_flag=True, help="Neither install nor upgrade; refuse where there is nothing."
)
@click.option(
    "--wait",
    "seconds_to_wait",
    type=Duration(),
    default="1m",
    show_default=True,
    help="Longest time to wait for a server that is away or starting.",
)
@serving_options
@runner_options(drain="5s")
@log_format_option
@log_level_option
def command(
    dsn: str,
    no_migrate: bool,
    seconds_to_wait: float,
    log_format: LogFormat,
    log_level: str,
    **how: Any,
) -> None:
    """Install or upgrade pgvigil in a database, run its jobs and serve its page, in one program.

    It is migrate, run and serve together, with their options, and one log on standard error that
    says which of them speaks. Several of these may run for one database, each with a port of its
    own. SIGTERM and Ctrl-C end all of it within seconds; a second one hurries.

    The exit code is 0 when it was told to stop, 1 when it could not begin or a part of it failed,
    2 when it was called wrongly, and 130 when it was stopped before it had begun.
    """
    set_up_logging(log_format, log_level)
    # An interruption, for what comes before the parts: a migration is undone, what was done stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with log_of("up"):
            _run(dsn, seconds_to_wait, not no_migrate, log_format == "text", how)
    except KeyboardInterrupt:
        with log_of("up"):
            log(logging.WARNING, "stopped before it had begun")
        sys.exit(_STOPPED)


def _run(
    dsn: str, seconds_to_wait: float, is_migrating: bool, is_for_people: bool, how: dict[str, Any]
) -> None:
    # Both refuse what is wrong with the options, before anything is changed.
    server = listening_server(dsn, **{name: how.pop(name) for name in _SERVING})
    runner = Runner(Settings(dsn, **how))
    prepare(dsn, seconds_to_wait=seconds_to_wait, is_migrating=is_migrating)
    with log_of("serve"):
        log(logging.INFO, f"serving {server.url}")
    if is_for_people:
        click.echo(_first_steps(server))
    parts = [
        Part("run", runner.run, runner.stop),
        Part("serve", server.serve_until_stopped, server.stop),
    ]
    asyncio.run(run_parts_until_stopped(parts, tell_first_record(dsn)))
    log(logging.INFO, "stopped")


def _first_steps(server: "WebServer") -> str:
    return (
        f"\nPage: {server.url}\n"
        "Record a first task, in this database:\n"
        "    select monitoring.start_task_tracking('hello', 'first-steps');\n"
        "and its end:\n"
        "    select monitoring.complete_task_tracking('hello');\n"
        "Ctrl-C ends this program; what was recorded stays.\n"
    )

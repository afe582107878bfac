"""``pgvigil run``."""

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pgvigil.commands.options import (
    Duration,
    dsn_option,
    log_format_option,
    log_level_option,
    option_group,
)
from pgvigil.database.log import LogFormat, set_up_logging
from pgvigil.runner import Runner, Settings

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _checked_url(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"https?://[^\s@]+", url):
        raise click.BadParameter("give an address such as https://monitor.example/pgvigil")
    return url


def runner_options(drain: str) -> Callable[[_Function], _Function]:
    """Return what adds the options of a runner, passed on by the names that `Settings` has."""
    return option_group(
        click.option(
            "--workers",
            type=click.IntRange(1, 32),
            default=Settings.workers,
            show_default=True,
            help="Jobs that may run at the same time; each worker has a connection.",
        ),
        click.option(
            "--poll",
            "poll_seconds",
            type=Duration(least=0.1),
            default="10s",
            show_default=True,
            help="Longest time between two checks for due work, such as 500ms, 10s or 1m.",
        ),
        click.option(
            "--drain",
            "drain_seconds",
            type=Duration(),
            default=drain,
            show_default=True,
            help="How long running jobs may continue once this program is told to stop.",
        ),
        click.option(
            "--secrets",
            "secrets_file",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="PGVIGIL_SECRETS",
            metavar="FILE",
            help="TOML file whose tables [targets] and [connections] have the addresses to notify, "
            "and those of other databases, by name; or a .env file. Names that are set in the "
            "environment are looked up there. Default: PGVIGIL_SECRETS, else none.",
        ),
        click.option(
            "--send-timeout",
            "seconds_to_send",
            type=Duration(least=1.0),
            default="30s",
            show_default=True,
            help="Longest time for one attempt to send a notification.",
        ),
        click.option(
            "--ping",
            "has_ping",
            is_flag=True,
            help="Call the URL in PGVIGIL_PING_URL, or that of the target named ping, every minute "
            "while the database answers and alerts are evaluated.",
        ),
        click.option(
            "--page-url",
            metavar="URL",
            callback=_checked_url,
            help="Address at which people find the page of pgvigil serve; messages then link to "
            "alerts.",
        ),
        click.option(
            "--report",
            "report_channels",
            multiple=True,
            metavar="CHANNEL",
            help="Send the daily report as the daily summary of this channel, whatever alerts "
            "it takes; repeatable.",
        ),
        click.option(
            "--report-format",
            type=click.Choice(["pdf", "html"]),
            default=Settings.report_format,
            show_default=True,
        ),
    )


@click.command()
@dsn_option
@runner_options(drain="30s")
@click.option(
    "--once", is_flag=True, help="Run, load and send what is due, then exit; for use with cron."
)
@log_format_option
@log_level_option
def command(dsn: str, once: bool, log_format: LogFormat, log_level: str, **how: Any) -> None:
    """Run the jobs of a database, send its notifications, load its queries in other databases.

    Any number of these may run for one database. The log goes to standard error. SIGTERM and
    Ctrl-C end it once running jobs have ended and messages being sent are out; a second one
    cancels them.

    The exit code is 0 when it was told to stop; with --once it is 1 when the database could not
    be asked, a job did not complete, a query could not be loaded or a notification not be sent.
    """
    set_up_logging(log_format, log_level)
    runner = Runner(Settings(dsn, **how))
    if not asyncio.run(_run(runner, once)):
        sys.exit(1)


async def _run(runner: Runner, once: bool) -> bool:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, runner.stop)
    if once:
        return await runner.run_once()
    await runner.run()
    return True

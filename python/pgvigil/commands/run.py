"""``pgvigil run``."""

import asyncio
import signal
import sys

import click

from pgvigil.commands.options import Duration, dsn_option
from pgvigil.runner import Runner, Settings
from pgvigil.runner.log import LogFormat, set_up_logging


@click.command()
@dsn_option
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=Settings.workers,
    show_default=True,
    help="Jobs that may run at the same time; each worker has a connection.",
)
@click.option(
    "--poll",
    type=Duration(least=0.1),
    default="10s",
    show_default=True,
    help="Longest time between two looks for what is due, such as 500ms, 10s or 1m.",
)
@click.option(
    "--drain",
    type=Duration(),
    default="30s",
    show_default=True,
    help="How long running jobs may go on when this program is to stop.",
)
@click.option("--once", is_flag=True, help="Run what is due and end, for those who have cron.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
def command(
    dsn: str,
    workers: int,
    poll: float,
    drain: float,
    once: bool,
    log_format: LogFormat,
    log_level: str,
) -> None:
    """Run the jobs of a database: roll-ups, partitions, clean-up, and your own.

    Any number of these may run for one database. The log goes to standard error. SIGTERM and
    Ctrl-C end it once running jobs have ended; a second one cancels them.

    The exit code is 0 when it was told to stop; with --once it is 1 when the database could not
    be asked or a job did not complete.
    """
    set_up_logging(log_format, log_level)
    runner = Runner(Settings(dsn, workers, poll, drain))
    if not asyncio.run(_run(runner, once)):
        sys.exit(1)


async def _run(runner: Runner, once: bool) -> bool:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, runner.stop)
    if once:
        return await runner.run_once()
    await runner.run()
    return True

"""``pgvigil exec``."""

import os
from pathlib import PurePath

import click

from pgvigil.commands.options import Duration, dsn_option
from pgvigil.wrapping.job import Job
from pgvigil.wrapping.running import TASK_VARIABLE, run
from pgvigil.wrapping.shell import shell_function
from pgvigil.wrapping.voice import say, say_nothing

# Of a type in the name of a run, so that what makes it unique is within what a name may have.
_LONGEST_TYPE = 200


def _checked_name(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    if name is not None and not name.strip():
        raise click.BadParameter(f"{name!r} is blank; give it a name, or leave the option out")
    return name


def _print_function(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(shell_function(), nl=False)
        context.exit()


@click.command(
    # Whatever follows the command is the command's own.
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@click.option(
    "--type",
    "task_type",
    metavar="TYPE",
    callback=_checked_name,
    help="What kind of work it is; statistics, rules and expected runs go by it. Default: the name "
    "of the command.",
)
@click.option(
    "--id",
    "task_id",
    metavar="ID",
    callback=_checked_name,
    help="Name of this run; the same name again is a new attempt. Default: one that no other run "
    "has.",
)
@click.option(
    "--timeout",
    type=Duration(least=0.001),
    metavar="TIME",
    help="How long it may run, such as 90s, 10m or 2h. Then it gets SIGTERM, and the exit code is "
    "124.",
)
@click.option(
    "--kill-after",
    type=Duration(),
    default="10s",
    show_default=True,
    metavar="TIME",
    help="How long after that it gets SIGKILL.",
)
@click.option(
    "--expect",
    "schedule",
    metavar="SCHEDULE",
    callback=_checked_name,
    help="When runs of this type are to start: a cron expression, a time of day or an interval. "
    "Takes the role monitoring_operator.",
)
@click.option(
    "--time-zone",
    metavar="NAME",
    callback=_checked_name,
    help="Time zone of --expect, such as Europe/Berlin. Default: that of this machine.",
)
@click.option("--quiet", is_flag=True, help="Do not say what goes wrong with recording it.")
@click.option(
    "--print-sh",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_function,
    help="Print a shell function that does the same with psql, for machines without Python.",
)
@dsn_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    task_type: str | None,
    task_id: str | None,
    timeout: float | None,
    kill_after: float,
    schedule: str | None,
    time_zone: str | None,
    quiet: bool,
    dsn: str,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND, and record its start, its end and the last 8 kB of its output.

    It runs as it would alone, also while the database is unavailable: the records then wait on
    disk, and are sent by the next command or program. Signals are passed on to it. Whatever goes
    wrong with recording it is one line on standard error.

    Exits as COMMAND does: with its code, or by the signal that ended it; with 124 when its time
    was up, 126 when it cannot be executed, 127 when it is not found.
    """
    work = task_type or PurePath(command[0]).name or command[0] or "command"
    job = Job(
        command=command,
        task_type=work,
        task_id=task_id or f"{work[:_LONGEST_TYPE]}-{os.urandom(6).hex()}",
        dsn=dsn,
        timeout=timeout,
        kill_after=kill_after,
        schedule=schedule,
        time_zone=time_zone,
        parent_task_id=os.environ.get(TASK_VARIABLE) or None,
    )
    run(job, say_nothing if quiet else say)

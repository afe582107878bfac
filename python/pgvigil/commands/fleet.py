"""``pgvigil fleet``."""

import asyncio
import getpass
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import psycopg

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import Duration, dsn_option, limit_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.queries import fleet
from pgvigil.database.sessions import open_session
from pgvigil.faces.terminal.lists import ago, count_of, text_of, word_of
from pgvigil.outside.fleet.reading import Reading
from pgvigil.outside.secrets import Secrets

_COLUMNS = (
    text_of("member_name", "member", is_long=True),
    word_of("state"),
    count_of("open_alerts", "alerts"),
    count_of("critical_alerts", "critical"),
    count_of("running_tasks", "running"),
    count_of("failed_tasks", "failed 24 h"),
    count_of("unhealthy_components", "unhealthy"),
    ago("heard_at", "heard"),
    text_of("version"),
)
_ALERTS = (
    count_of("alert_id", "id"),
    word_of("severity"),
    word_of("status"),
    ago("fired_at", "since"),
    text_of("summary", is_long=True),
    text_of("acknowledging_by", "on its way"),
)
_TASKS = (
    text_of("task_id", "task", is_long=True),
    text_of("task_type", "type", is_long=True),
    ago("start_time", "runs for"),
)
_COMPONENTS = (
    text_of("component_name", "component", is_long=True),
    word_of("status"),
    text_of("failure_reason", "why", is_long=True),
)
_WORKFLOW_DAYS = (
    text_of("workflow_name", "workflow", is_long=True),
    text_of("business_date", "day"),
    count_of("complete"),
    count_of("steps"),
    count_of("running"),
    count_of("late"),
    count_of("failed"),
)
_ROWS = 20


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List the members of a fleet: other databases with pgvigil that this one reads and shows.

    Looking takes the role monitoring_reader, acknowledging takes monitoring_operator, and adding,
    removing and reading monitoring_admin.
    """


@command.command("list", short_help="List members, and how fresh what is known of each is.")
@json_option
@dsn_option
def list_(as_json: bool, dsn: str) -> None:
    """List members with what each told last.

    Exits with 3 when some are not known: silent, or their own rules or jobs are late.
    """
    with asking(dsn, "fleet") as questions:
        found = questions.rows(fleet.MEMBERS, {"name": None})
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "member")
    if any(member["is_enabled"] and not member["is_known"] for member in found):
        sys.exit(3)


@command.command(short_help="Show one member: its alerts, tasks, health and workflows.")
@click.argument("member", metavar="MEMBER")
@limit_option
@json_option
@dsn_option
def show(member: str, limit: int, as_json: bool, dsn: str) -> None:
    """Show one member by its name.

    Exits with 1 when there is no member of that name.
    """
    values = {"name": member, "limit": limit}
    with asking(dsn, "fleet") as questions:
        one = questions.first(fleet.MEMBERS, values)
        if one is None:
            refuse_unknown("member", member, "`pgvigil fleet` lists them.")
        alerts = questions.rows(fleet.ALERTS, values)
        tasks = questions.rows(fleet.TASKS, values)
        unhealthy = questions.rows(fleet.UNHEALTHY, values)
        days = questions.rows(fleet.WORKFLOW_DAYS, values)
    if as_json:
        print_json(
            {**one, "alerts": alerts, "tasks": tasks, "not_healthy": unhealthy, "workflows": days}
        )
        return
    facts = {
        "state": one["state"], "heard": one["heard_at"], "last error": one["last_error"],
        "not up to date there": one["not_current"], "version": one["version"],
        "alerts": one["open_alerts"], "running": one["running_tasks"],
        "failed of 24 h": one["failed_tasks"], "connection": one["connection_name"],
        "page": one["page_url"],
    }  # fmt: skip
    parts = [
        Part("Alerts", alerts, _ALERTS),
        Part("Running tasks", tasks, _TASKS),
        Part("Not healthy", unhealthy, _COMPONENTS),
        Part("Workflows", days, _WORKFLOW_DAYS),
    ]
    print_thing(f"Member {member}", facts, parts, questions.now)


@command.command(short_help="Have a database read as a member.")
@click.argument("member", metavar="MEMBER")
@click.argument("connection", metavar="CONNECTION")
@click.option("--page-url", metavar="URL", help="Address of its own page, to link to.")
@click.option(
    "--every", type=Duration(least=10), default="1m", show_default=True, help="How often to read."
)
@click.option(
    "--rollups-every",
    type=Duration(least=10),
    default="5m",
    show_default=True,
    help="How often to read its roll-ups.",
)
@click.option(
    "--timeout",
    type=Duration(least=1),
    default="30s",
    show_default=True,
    help="How long a reading may take.",
)
@click.option("--by", default=getpass.getuser, help="Your name. Default: your login name.")
@dsn_option
def add(member: str, connection: str, dsn: str, **options: Any) -> None:
    """Register a member, or change how it is read.

    CONNECTION is the name of a variable in the environment of `pgvigil run`, or of a key in the
    table [connections] of its secrets: the address itself is kept there.
    """
    lengths = {
        name: timedelta(seconds=options[name]) for name in ("every", "rollups_every", "timeout")
    }
    values = {"member": member, "connection": connection, **options, **lengths}
    with asking(dsn, "fleet") as questions:
        questions.rows(fleet.REGISTER, values)
    click.echo(f"{member}: is read from now on, by the runner's connection {connection}")


@command.command()
@click.argument("member", metavar="MEMBER")
@dsn_option
def remove(member: str, dsn: str) -> None:
    """Forget a member and all that it told."""
    with asking(dsn, "fleet") as questions:
        questions.rows(fleet.REMOVE, {"member": member})
    click.echo(f"{member}: removed")


@command.command(short_help="Acknowledge alerts of a member.")
@click.argument("member", metavar="MEMBER")
@click.argument("alert_ids", type=int, nargs=-1, required=True, metavar="ID...")
@click.option("-m", "--note", help="Why.")
@click.option("--by", default=getpass.getuser, help="Your name. Default: your login name.")
@dsn_option
def ack(member: str, alert_ids: Sequence[int], note: str | None, by: str, dsn: str) -> None:
    """Acknowledge alerts of a member, which hears of it with its next reading."""
    with asking(dsn, "fleet") as questions:
        for alert_id in alert_ids:
            values = {"member": member, "alert_id": alert_id, "note": note, "by": by}
            (answer,) = questions.rows(fleet.ACKNOWLEDGE, values)
            (is_new,) = answer.values()
            words = "on its way there" if is_new else "does not fire, or is on its way already"
            click.echo(f"{member} {alert_id}: {words}")


@command.command(short_help="Read members now.")
@click.argument("members", nargs=-1, metavar="[MEMBER]...")
@click.option(
    "--secrets",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PGVIGIL_SECRETS",
    metavar="FILE",
    help="TOML file whose table [connections] has the addresses of members, by name. Names that "
    "are set in the environment are looked up there. Default: PGVIGIL_SECRETS, else none.",
)
@dsn_option
def read(members: Sequence[str], secrets: Path | None, dsn: str) -> None:
    """Read members now, all of them without a name, as `pgvigil run` does when they are due.

    Exits with 1 when one could not be read.
    """
    if not members:
        with asking(dsn, "fleet") as questions:
            found = questions.rows(fleet.MEMBERS, {"name": None})
        members = [member["member_name"] for member in found if member["is_enabled"]]
    outcomes = asyncio.run(_read(dsn, members, Secrets(secrets, "connections")))
    for member, error in outcomes.items():
        click.echo(f"{member}: {error or 'read'}")
    if any(outcomes.values()):
        sys.exit(1)


async def _read(dsn: str, members: Sequence[str], secrets: Secrets) -> dict[str, str | None]:
    hub = await open_session(complete_dsn(dsn, "pgvigil fleet"))
    try:
        readings = {member: Reading(hub, member, secrets) for member in members}
        await asyncio.gather(*(reading.run() for reading in readings.values()))
        return {name: each.error or each.skipped for name, each in readings.items()}
    except psycopg.Error as error:
        raise click.ClickException(str(error.diag.message_primary or error)) from None
    finally:
        await hub.close()

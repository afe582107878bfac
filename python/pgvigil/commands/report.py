"""``pgvigil report``."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pgvigil.commands.export import Zone, format_of, refuse_binary_terminal, write
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import open_connection
from pgvigil.faces.report import FORMATS, make_report, read_report

_SECONDS_TO_ANSWER = 120.0


@click.command()
@click.option(
    "--date",
    "moment",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Business day. Default: the last 24 hours, with the business days of 12 hours ago.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(FORMATS)),
    help="Default: by the name of FILE, else html.",
)
@click.option(
    "--out",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write. Default: standard output.",
)
@click.option(
    "--time-zone",
    "zone",
    type=Zone(),
    help="Zone of all times. Default: that of the first workflow, else UTC.",
)
@dsn_option
def command(
    moment: datetime | None,
    file_format: str | None,
    path: Path | None,
    zone: ZoneInfo | None,
    dsn: str,
) -> None:
    """Write the daily report: the verdict in a line, then workflows, jobs, alerts and what is new.

    Takes the role monitoring_reader. `pgvigil run --report` mails it as the daily summary.
    """
    chosen = file_format or format_of(path, FORMATS, "html")
    refuse_binary_terminal(path, chosen)
    with open_connection(dsn, "pgvigil report") as connection:
        connection.patience = _SECONDS_TO_ANSWER
        report = read_report(connection, moment.date() if moment else None, zone)
    write([make_report(report, chosen).document], path)

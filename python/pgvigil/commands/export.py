"""``pgvigil export``."""

import sys
from collections.abc import Container, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import open_connection, read_now
from pgvigil.faces.export import FORMATS, KINDS, export, parse_span, parse_zone

# A day of logs is sorted before the first row comes.
_SECONDS_TO_ANSWER = 600.0
_NO_TEXT = ("xlsx", "pdf")


class Zone(click.ParamType[ZoneInfo]):
    """A time zone, such as Europe/Berlin."""

    name = "zone"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ZoneInfo:
        """Return the zone of that name."""
        try:
            return parse_zone(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("what", type=click.Choice(list(KINDS)))
@click.option(
    "--from",
    "from_text",
    metavar="TIME",
    help="Date or time (ISO 8601) to begin with. Default: 24 hours before the end.",
)
@click.option(
    "--to",
    "to_text",
    metavar="TIME",
    help="Date (included) or time (excluded) to end with. Default: now.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(FORMATS)),
    help="Default: by the name of FILE, else csv.",
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
    default="UTC",
    show_default=True,
    help="Zone of times that do not name theirs, and of those in the file.",
)
@click.option(
    "--exact",
    "is_exact",
    is_flag=True,
    help="Leave texts in CSV unchanged, even those that a spreadsheet would take for a formula.",
)
@dsn_option
def command(
    what: str,
    from_text: str | None,
    to_text: str | None,
    file_format: str | None,
    path: Path | None,
    zone: ZoneInfo,
    is_exact: bool,
    dsn: str,
) -> None:
    """Write what was recorded in a span of time as CSV, JSON, JSONL, a workbook or a PDF.

    Takes the role monitoring_reader. A million rows need no more memory than a thousand; a PDF
    holds at most 2,000.
    """
    chosen = file_format or format_of(path, FORMATS, "csv")
    refuse_binary_terminal(path, chosen)
    with open_connection(dsn, "pgvigil export") as connection:
        connection.patience = _SECONDS_TO_ANSWER
        try:
            span = parse_span(from_text, to_text, read_now(connection), zone)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        # Closed before the connection is, also when nobody reads on.
        with closing(
            export(connection, what, chosen, span, zone=zone, is_exact=is_exact)
        ) as pieces:
            write(pieces, path)


def format_of(path: Path | None, known: Container[str], default: str) -> str:
    """Return the format that the name of a file tells."""
    named = path.suffix.lower().removeprefix(".") if path else ""
    return named if named in known else default


def refuse_binary_terminal(path: Path | None, file_format: str) -> None:
    """Refuse to write a binary format to a terminal."""
    if path is None and file_format in _NO_TEXT and sys.stdout.isatty():
        raise click.UsageError(f"a terminal cannot show {file_format}: name a file with --out")


def write(pieces: Iterable[bytes], path: Path | None) -> None:
    """Write a file, which has its name only when it is complete."""
    if path is None:
        with click.open_file("-", "wb") as file:
            file.writelines(pieces)
        return
    # What is there and is no file, such as a pipe or /dev/null, stays what it is.
    is_file = path.is_file() or not path.exists()
    unfinished = path.with_name(f"{path.name}.part") if is_file else path
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
        if is_file:
            unfinished.replace(path)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error
    finally:
        if is_file:
            unfinished.unlink(missing_ok=True)

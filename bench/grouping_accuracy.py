"""How well error fingerprints group real log lines, next to Drain3.

    make bench-grouping ARGS='[--dsn DSN] [FILE_structured.csv[.gz] ...]'

A file is a table in the form of the Loghub collection: the message in ``Content`` and the true
template in ``EventId``. The figure is the grouping accuracy: the share of lines whose group is
exactly the set of lines of one true template, so that one stray line costs its whole template.

Fingerprints have no setting and look at one message at a time. Drain3 runs with its default
settings, untuned and without masking, and learns from all lines in order.
"""

import csv
import gzip
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import TextIO

import click
import psycopg
from rich.console import Console
from rich.table import Table

from pgvigil.demo.server import PostgresServer

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_LOGS = REPOSITORY.parent / "shared" / "data" / "app-logs"
FINGERPRINT_SQL = REPOSITORY / "sql/recording/error_fingerprint.sql"


@dataclass(frozen=True)
class AppLog:
    """Messages of one log with the true template of each."""

    name: str
    messages: list[str]
    events: list[str]


@dataclass(frozen=True)
class Grouping:
    """The group a method gave to each message, and its time."""

    groups: Sequence[Hashable]
    seconds: float

    @property
    def microseconds_per_line(self) -> float:
        """Wall-clock time per message."""
        return self.seconds / max(len(self.groups), 1) * 1e6


def grouping_accuracy(truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """Return the share (0 to 1) of lines whose predicted group equals their true group as a set.

    Raises:
        ValueError: the sequences differ in length or are empty.
    """
    if len(truth) != len(predicted) or not truth:
        raise ValueError(f"cannot compare {len(truth)} true groups with {len(predicted)} predicted")
    true_groups = set(_lines_by_group(truth))
    return sum(len(lines) for lines in _lines_by_group(predicted) if lines in true_groups) / len(
        truth
    )


def _lines_by_group(groups: Sequence[Hashable]) -> list[tuple[int, ...]]:
    lines: defaultdict[Hashable, list[int]] = defaultdict(list)
    for line, group in enumerate(groups):
        lines[group].append(line)
    return [tuple(numbers) for numbers in lines.values()]


def read_log(path: Path) -> AppLog:
    """Read a ``*_structured.csv`` or ``.csv.gz`` file.

    Raises:
        KeyError: it has no column Content or EventId.
    """
    with _open_text(path) as file:
        rows = list(csv.DictReader(file))
    return AppLog(
        name=path.name.split("_")[0],
        messages=[row["Content"] for row in rows],
        events=[row["EventId"] for row in rows],
    )


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def shared_log_files() -> list[Path]:
    """Return the logs that lie beside the project; empty where they are absent."""
    return sorted(SHARED_LOGS.glob("*_structured.csv*"))


def group_by_fingerprint(connection: psycopg.Connection, messages: Sequence[str]) -> Grouping:
    """Fingerprint all messages, as errors of one type, in one statement."""
    started = time.perf_counter()
    rows = connection.execute(
        """
        select monitoring.error_fingerprint(p_error_type => 'log', p_message => message)
        from unnest(%s::text[]) with ordinality as line (message, position)
        order by position
        """,
        (list(messages),),
    ).fetchall()
    return Grouping([row[0] for row in rows], time.perf_counter() - started)


def group_by_drain(messages: Sequence[str]) -> Grouping:
    """Let Drain3 with default settings learn from the messages and number their groups."""
    # Here, since the tests use the rest of this file, and only the benchmark installs Drain3.
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    miner = TemplateMiner(config=TemplateMinerConfig())
    started = time.perf_counter()
    groups = [miner.add_log_message(message)["cluster_id"] for message in messages]
    return Grouping(groups, time.perf_counter() - started)


@dataclass(frozen=True)
class Comparison:
    """Both methods on one log."""

    log: AppLog
    ours: Grouping
    drain: Grouping

    @property
    def our_accuracy(self) -> float:
        """Grouping accuracy of the fingerprints."""
        return grouping_accuracy(self.log.events, self.ours.groups)

    @property
    def drain_accuracy(self) -> float:
        """Grouping accuracy of Drain3."""
        return grouping_accuracy(self.log.events, self.drain.groups)


def compare(connection: psycopg.Connection, log: AppLog) -> Comparison:
    """Group one log by both methods."""
    return Comparison(
        log, group_by_fingerprint(connection, log.messages), group_by_drain(log.messages)
    )


def as_table(comparisons: Sequence[Comparison]) -> Table:
    """Lay the results out, one log a row, with the means below."""
    table = Table(title="Grouping accuracy (share of lines)")
    table.add_column("log", no_wrap=True)
    for heading in ("lines", "true groups", "our groups", "ours", "Drain3", "our µs", "Drain3 µs"):
        table.add_column(heading, justify="right")
    for result in comparisons:
        table.add_row(
            result.log.name,
            f"{len(result.log.messages):,}",
            str(len(set(result.log.events))),
            str(len(set(result.ours.groups))),
            f"{result.our_accuracy:.4f}",
            f"{result.drain_accuracy:.4f}",
            f"{result.ours.microseconds_per_line:.1f}",
            f"{result.drain.microseconds_per_line:.1f}",
        )
    ours = fmean(result.our_accuracy for result in comparisons)
    drain = fmean(result.drain_accuracy for result in comparisons)
    table.add_section()
    table.add_row("mean", "", "", "", f"{ours:.4f}", f"{drain:.4f}", "", "")
    return table


@contextmanager
def _connection_to(dsn: str | None) -> Iterator[psycopg.Connection]:
    with ExitStack() as stack:
        if dsn is None:
            home = stack.enter_context(TemporaryDirectory(prefix="pgvigil-bench-"))
            server = stack.enter_context(PostgresServer(home))
            dsn = server.dsn()
        yield stack.enter_context(psycopg.connect(dsn, autocommit=True))


def load_fingerprint(connection: psycopg.Connection) -> None:
    """Make the fingerprint function in a database without pgvigil."""
    connection.execute("create schema monitoring")
    connection.execute(FINGERPRINT_SQL.read_bytes())


@click.command(help="Compare error fingerprints with Drain3 on labelled logs.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--dsn",
    envvar="PGVIGIL_DSN",
    help="Database with pgvigil installed. Default: a temporary server with just the fingerprint.",
)
def main(files: tuple[Path, ...], dsn: str | None) -> None:
    """Read the logs, connect, print the table."""
    paths = list(files) or shared_log_files()
    if not paths:
        raise click.UsageError(f"no logs in {SHARED_LOGS}; name *_structured.csv files")
    with _connection_to(dsn) as connection:
        if dsn is None:
            load_fingerprint(connection)
        # A first call compiles the patterns; it is not what a long-lived connection pays.
        group_by_fingerprint(connection, ["warm up"])
        comparisons = [compare(connection, read_log(path)) for path in paths]
    console = Console()
    console.print(as_table(comparisons))
    console.print(
        "Drain3: default settings, untuned, one pass. Times are wall-clock per line; ours include "
        "sending the lines to PostgreSQL and the fingerprints back."
    )


if __name__ == "__main__":
    main()

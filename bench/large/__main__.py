"""``python -m bench.large``: measure reading and rolling up in a server of its own."""

from contextlib import closing
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from bench.large.accuracy import largest_error
from bench.large.alert_rules import TARGET_MS, TOGETHER, measure_alert_rules
from bench.large.calls import Times, connect, time_calls, time_once
from bench.large.history import NOW, SETTINGS, Size, add_day, end_of_day, make_database
from bench.large.questions import QUESTIONS, STATISTICS, Question
from bench.large.rolling_up import measure_roll_up
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import find_binaries, major_version

ROLL_UP_TARGET_SECONDS = 5


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--days", default=30, show_default=True, help="Days of history.")
@click.option("--rows-per-day", default=1_000_000, show_default=True, help="Tasks a day.")
@click.option("--errors-per-day", type=int, help="Errors a day; a tenth of the tasks by default.")
@click.option("--sessions", default=9, show_default=True, help="Fresh sessions for each question.")
def main(
    pg: int | None, days: int, rows_per_day: int, errors_per_day: int | None, sessions: int
) -> None:
    """Fill, measure, print."""
    console = Console(width=120)
    binaries = find_binaries(pg)
    size = Size(days, rows_per_day, errors_per_day or rows_per_day // 10)
    console.print(
        f"PostgreSQL {major_version(binaries)}, {days * rows_per_day:,} tasks and "
        f"{days * size.errors_per_day:,} errors over {days} days, medians of {sessions} sessions"
    )
    with (
        TemporaryDirectory(prefix="pgvigil-bench-") as home,
        PostgresServer(home, binaries=binaries, settings=SETTINGS) as server,
    ):
        dsn = make_database(server, size)
        for table in _fill(dsn, size, sessions):
            console.print(table)
        console.print(_read(dsn, sessions))
        with closing(connect(dsn, NOW.isoformat())) as connection:
            error = largest_error(connection, STATISTICS.ours, str(STATISTICS.raw))
        console.print(f"largest error of a percentile: {error:.2%} (target ≤ 2.5 %)")


def _fill(dsn: str, size: Size, sessions: int) -> tuple[Table, Table]:
    """Fill the history, and measure the roll-up and the alert rules on the way."""
    roll_ups = Table("roll_up()", "history", "first ms", "repeated ms", "CPU ms", "target")
    rules = Table("alert rule", "history", "first ms", "repeated ms", "CPU ms", "target")
    cpu = 0.0
    for day in range(1, size.days + 1):
        cpu += add_day(dsn, size, day)
        now = end_of_day(size, day).isoformat()
        # Before the roll-ups, whose thousands of new rows all lie in the last minute.
        if day in (size.days // 2, size.days):
            for name, times in measure_alert_rules(dsn, now, sessions).items():
                target = _verdict(times.repeated_ms, TARGET_MS) if name == TOGETHER else ""
                rules.add_row(name, f"{day} days", *_as_cells(times), target)
        if day in (1, size.days):
            for name, times in measure_roll_up(dsn, now, sessions).items():
                roll_ups.add_row(
                    name, f"{day} days" if day > 1 else "1 day", *_as_cells(times), "as after 1 day"
                )
    seconds = cpu * 1e6 / (size.days * size.tasks_per_day)
    roll_ups.add_row(
        "a day at once, by million tasks", f"{size.days} days", "", "", f"{seconds * 1000:,.0f}",
        _verdict(seconds * 1000, ROLL_UP_TARGET_SECONDS * 1000),
    )  # fmt: skip
    return roll_ups, rules


def _read(dsn: str, sessions: int) -> Table:
    table = Table(
        "question",
        "first ms",
        "repeated ms",
        "CPU ms",
        "from rows, ms",
        "times",
        "target, repeated",
    )
    for question in QUESTIONS:
        times = time_calls(dsn, NOW.isoformat(), question.ours, sessions, 5)
        raw = time_once(dsn, NOW.isoformat(), question.raw) if question.raw else None
        table.add_row(
            question.name,
            *_as_cells(times),
            f"{raw:,.0f}" if raw else "",
            f"{raw / times.repeated_ms:,.1f}" if raw else "",
            _target(question, times),
        )
    return table


def _as_cells(times: Times) -> tuple[str, str, str]:
    return f"{times.first_ms:,.1f}", f"{times.repeated_ms:,.1f}", f"{times.cpu_ms:,.1f}"


def _target(question: Question, times: Times) -> str:
    return _verdict(times.repeated_ms, question.target_ms) if question.target_ms else ""


def _verdict(seen_ms: float, target_ms: float) -> str:
    return f"≤ {target_ms:,.0f}, " + ("met" if seen_ms <= target_ms else "missed")


if __name__ == "__main__":
    main()

"""``python -m bench.client``: what the client costs a program, and what it loses in trouble."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from bench.client.chaos import Outcome, go_through
from bench.client.costs import measure_program, measure_server
from bench.client.program import Plan
from bench.client.proxy import Proxy
from bench.client.troubles import TROUBLES, Place
from bench.scratch import make_bare_tables, scratch_server
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import find_binaries, major_version

Trouble = Callable[[Place], AbstractContextManager[None]]
_THREADS = 8
_PAUSE = 0.005  # seconds between two records of a thread
_STOPPED = "server stopped"
_RECORDS_OF_OUTAGE = 100_000
_KILLED_IN = ("none", "server frozen (SIGSTOP)", "network swallows bytes", _STOPPED)
_COLUMNS = (
    "trouble", "p50 ms", "p99.9", "worst", "floor p99.9", "worst", "told", "lost", "doubled",
    "amiss",
)  # fmt: skip


class _Course:
    """Programs that go through troubles, one after the other, each in a database of its own."""

    def __init__(self, server: PostgresServer, proxy: Proxy, home: Path) -> None:
        self._server = server
        self._proxy = proxy
        self._home = home
        self._number = 0

    def take(self, name: str, seconds: float, *, kills: bool = False, records: int = 0) -> Outcome:
        """Have a program go through a trouble, recording so much, or for a while longer."""
        self._number += 1
        place = Place(self._server, f"chaos{self._number}", self._proxy)
        home = self._home / str(self._number)
        home.mkdir()
        each = (records or round((seconds + 3) / _PAUSE) * _THREADS) // _THREADS
        plan = Plan(
            place.dsn_of_programs,
            str(home / "spool"),
            str(home / "journal"),
            threads=_THREADS,
            records=each * 10 if kills else each,
            pause=(seconds + 5) / each if records else _PAUSE,
            flush=60,
        )
        return go_through(place, TROUBLES[name], plan, before=1, seconds=seconds, kills=kills)


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--seconds", default=10.0, show_default=True, help="Length of each trouble.")
@click.option("--minutes", default=2.0, show_default=True, help="Length of the outage.")
@click.option("--rounds", default=5, show_default=True, help="Of the costs; odd is best.")
def main(pg: int | None, seconds: float, minutes: float, rounds: int) -> None:
    """Go through all troubles and print what came of it."""
    console = Console(width=110)
    binaries = find_binaries(pg)
    with (
        TemporaryDirectory(prefix="pgvigil-chaos-") as home,
        scratch_server(binaries) as server,
        Proxy(server.port) as proxy,
    ):
        console.print(f"PostgreSQL {major_version(binaries)}, {_THREADS} threads")
        course = _Course(server, proxy, Path(home))
        table = Table(*_COLUMNS)
        for name in TROUBLES:
            _add(table, name, course.take(name, seconds))
        outage = course.take(_STOPPED, minutes * 60, records=_RECORDS_OF_OUTAGE)
        _add(table, f"server stopped for {minutes:g} min", outage)
        console.print(table)
        console.print(_killed(course, seconds))
        make_bare_tables(server, binaries)
        console.print(measure_server(server, binaries, rounds, seconds=2))
    console.print(measure_program(rounds))


def _add(table: Table, name: str, outcome: Outcome) -> None:
    count = outcome.count
    table.add_row(
        name,
        *(f"{outcome.wait_ms(share):.3f}" for share in (0.5, 0.999, 1)),
        *(f"{outcome.wait_ms(share, 'floor'):.3f}" for share in (0.999, 1)),
        f"{count.told:,}",
        str(len(count.lost)),
        str(len(count.doubled)),
        "no" if count.is_right() else "yes",
    )


def _killed(course: _Course, seconds: float) -> Table:
    """Kill programs, and see how old what they lost was."""
    table = Table("killed with SIGKILL", "told", "lost", "doubled", "oldest lost, s before")
    for name in _KILLED_IN:
        outcome = course.take(name, seconds, kills=True)
        count = outcome.count
        ages = [outcome.killed_at - outcome.told[number] for number in count.lost]
        table.add_row(
            name, f"{count.told:,}", str(len(count.lost)), str(len(count.doubled)),
            f"{max(ages, default=0):.2f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()

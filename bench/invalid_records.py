"""``python -m bench.invalid_records``: what finding and resolving invalid records costs."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

# In no order, as a program that looks at its rows would send them.
PREPARE = """
    create schema bench;
    create table bench.states (like monitoring.invalid_record_states including all);
    create table bench.spells (like monitoring.invalid_record_spells including all);
    create table bench.changes (like monitoring.status_changes including all);
    create function bench.records(p_from bigint, p_to bigint) returns jsonb
    language sql
    return (
        select jsonb_agg(jsonb_build_object(
            'record_key', 'P' || lpad(n::text, 12, '0'), 'value', '4471-' || n,
            'group', 'north ' || n % 50, 'message', 'check digit is wrong'
        ) order by md5(n::text))
        from generate_series(p_from, p_to) as n
    );
    create table bench.calls (name text primary key, records jsonb);
    insert into bench.calls values
    ('first', bench.records(1, {records})),
    ('shifted', bench.records(1 + {records} / 100, {records} + {records} / 100)),
    ('half', bench.records(1, {records} / 2)),
    ('thousand', bench.records(1, 1000));
"""
BARE_LOG = """
    insert into bench.states as s
    select
        'd', r.value ->> 'record_key', 'V', r.value ->> 'group', r.value ->> 'value',
        r.value ->> 'message', r.value -> 'details', current_date, t.at, t.at, t.at, 1, 0, 0,
        null, null, 'infinity'
    from bench.calls as c
    cross join jsonb_array_elements(c.records) as r
    cross join (select clock_timestamp()) as t (at)
    where c.name = '{name}'
    on conflict (dataset, record_key, validation_type) do update set
        group_name = excluded.group_name, reported_value = excluded.reported_value,
        message = excluded.message, details = excluded.details,
        target_date = excluded.target_date, last_detected_at = excluded.last_detected_at,
        times_detected = s.times_detected + 1
"""
BARE_RESOLVE = """
    with resolved as (
        update bench.states set
            resolved_at = clock_timestamp(), resolution = 'auto', resolved_by = 'bench'
        where resolved_at = 'infinity' and last_detected_at < statement_timestamp()
        returning *
    ), spells as (
        insert into bench.spells (
            spell_id, dataset, record_key, validation_type, group_name, reported_value, opened_at,
            resolved_at, times_detected, is_alerted, resolution, resolved_by
        )
        select
            nextval('monitoring.invalid_record_spells_spell_id_seq'), dataset, record_key,
            validation_type, group_name, reported_value, opened_at, resolved_at, times_detected,
            false, resolution, resolved_by
        from resolved
    )
    insert into bench.changes (
        dataset, record_key, recorded_at, effective_at, validation_type, from_status, to_status,
        change_source, actor
    )
    select
        dataset, record_key, clock_timestamp(), resolved_at, validation_type, 'invalid', 'valid',
        'AUTO_RESOLVE', resolved_by
    from resolved
"""
LOG = """
    select monitoring.log_invalid_records('d', c.records, 'V')
    from bench.calls as c where c.name = '{name}'
"""
SYNC = """
    select monitoring.sync_invalid_records('d', 'V', '{{"all": true}}', c.records)
    from bench.calls as c where c.name = '{name}'
"""
CLEAR = """
    truncate bench.states, bench.spells, bench.changes, monitoring.invalid_record_states,
        monitoring.invalid_record_spells, monitoring.status_changes
"""
# What updates left behind is not what is measured.
TIDY = "vacuum analyze bench.states, monitoring.invalid_record_states"

Session = psycopg.Connection
Cost = tuple[float, float]


class Measure:
    """Runs bare and real calls in turn, and keeps what each costs."""

    def __init__(self, session: Session, table: Table, rounds: int) -> None:
        """Measure in a session; every row of the table is one case."""
        self._session = session
        self._table = table
        self._rounds = rounds

    def add(
        self, case: str, prepare: Callable[[], None], bare: list[str], real: str, calls: int = 1
    ) -> None:
        """Add a row to the table."""
        costs: tuple[list[Cost], list[Cost]] = ([], [])
        for _ in range(self._rounds):
            prepare()
            costs[0].append(self._cost(bare, calls))
            costs[1].append(self._cost([real], calls))
        bare_ms, bare_cpu = map(statistics.median, zip(*costs[0], strict=True))
        real_ms, real_cpu = map(statistics.median, zip(*costs[1], strict=True))
        self._table.add_row(
            case,
            *(f"{value:.0f}" if calls == 1 else f"{value:.1f}" for value in (bare_cpu, real_cpu)),
            f"{real_cpu / bare_cpu:.2f}",
            f"{real_ms / bare_ms:.2f}",
        )

    def _cost(self, queries: list[str], calls: int) -> Cost:
        """Return how many milliseconds a call takes, and its session's CPU."""
        before, began = self._cpu(), time.perf_counter()
        for _ in range(calls):
            for query in queries:
                self._session.execute(query.encode())
        took = (time.perf_counter() - began) * 1000
        return took / calls, (self._cpu() - before) / calls

    def _cpu(self) -> float:
        stat = Path(f"/proc/{self._session.info.backend_pid}/stat").read_text()
        ticks = sum(map(int, stat.rsplit(")", 1)[1].split()[11:13]))
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _measure(session: Session, table: Table, records: int, rounds: int) -> None:
    def clear() -> None:
        session.execute(CLEAR)

    def tidy() -> None:
        session.execute(TIDY)

    def fill() -> None:
        clear()
        for query in (BARE_LOG, LOG):
            session.execute(query.format(name="first").encode())
        tidy()

    def bare(name: str) -> list[str]:
        return [BARE_LOG.format(name=name)]

    session.execute(PREPARE.format(records=records).encode())
    measure = Measure(session, table, rounds)
    measure.add(f"log {records}, all new", clear, bare("first"), LOG.format(name="first"))
    measure.add("all found again", tidy, bare("first"), LOG.format(name="first"))
    measure.add("1 % new", fill, bare("shifted"), LOG.format(name="shifted"))
    half_bare = [*bare("half"), BARE_RESOLVE]
    measure.add("sync: half fails, half is resolved", fill, half_bare, SYNC.format(name="half"))
    fill()
    thousand = LOG.format(name="thousand")
    measure.add("log 1,000 of them, found again", tidy, bare("thousand"), thousand, calls=20)


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--records", default=100_000, show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Runs of each; odd is best.")
def main(pg: int | None, records: int, rounds: int) -> None:
    """Measure in a server of its own and print milliseconds of CPU and ratios."""
    binaries = find_binaries(pg)
    with (
        scratch_server(binaries) as server,
        psycopg.connect(server.dsn("bench", via_socket=True), autocommit=True) as session,
    ):
        table = Table(title=f"PostgreSQL {major_version(binaries)}, medians of a call")
        for heading in ("what", "bare CPU ms", "CPU ms", "times bare", "times bare, wall"):
            table.add_column(heading)
        _measure(session, table, records, rounds)
        Console(width=100).print(table)


if __name__ == "__main__":
    main()

"""``python -m bench.statuses``: what comparing, watching and looking up statuses costs."""

import statistics
import time
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

PREPARE = """
    create schema erp;
    create table erp.orders (id text primary key, state text);
    insert into erp.orders
    select 'P' || lpad(n::text, 12, '0'), 'S' || n % 5 from generate_series(1, {records}) as n;
    grant usage on schema erp to monitoring_admin;
    grant select on erp.orders to monitoring_admin;
    create function erp.compare(p_now timestamptz, p_is_complete boolean)
    returns monitoring.status_counts
    language plpgsql
    as $$
    declare
        v_counts monitoring.status_counts;
    begin
        execute monitoring._status_change_statement(
            'select o.id as record_key, o.state as status, null::timestamptz as effective_at,'
            ' null::text as actor, null::text as change_source, null::jsonb as details'
            ' from erp.orders as o'
        )
        into v_counts
        using 'orders', 'SYSTEM', p_now, 'erp', null::text, p_is_complete;
        return v_counts;
    end
    $$;
"""
COUNT = """
    select count(*)
    from erp.orders as o
    join monitoring.record_states as r on r.dataset = 'orders' and r.record_key = o.id
"""
# Another hundredth each time, so that each comparison finds as many changes.
CHANGE = "update erp.orders set state = 'T{turn}' where right(id, 2) = lpad('{turn}', 2, '0')"
HISTORY = """
    do $$
    begin
        for v_day in 0 .. 29 loop
            perform monitoring._make_partition(t, (now() at time zone 'UTC')::date - v_day)
            from unnest(array['status_changes', 'finished_tasks', 'errors']) as t;
            insert into monitoring.status_changes (
                dataset, record_key, recorded_at, effective_at, to_status, change_source
            )
            select
                'orders', 'P' || lpad((n * 30)::text, 12, '0'), d.at, d.at, 'OLD', 'SYSTEM'
            from generate_series(1, {records} / 30) as n,
                (select now() - make_interval(days => v_day)) as d (at);
            insert into monitoring.finished_tasks (
                task_id, attempt, task_type, status, finished_at, metadata
            )
            select
                'task ' || n, 1, 'type', 'completed', d.at,
                jsonb_build_object('dataset', 'orders', 'record_key', 'P' || n)
            from generate_series(1, {records} / 30) as n,
                (select now() - make_interval(days => v_day)) as d (at);
        end loop;
    end
    $$;
    analyze monitoring.status_changes, monitoring.finished_tasks;
"""


def _query(connection: psycopg.Connection, query: str) -> float:
    """Return how many milliseconds a query took."""
    began = time.perf_counter()
    connection.execute(query.encode())
    return (time.perf_counter() - began) * 1000


def _spent(connection: psycopg.Connection) -> float:
    """Return how many milliseconds of CPU the session itself has spent."""
    schedstat = Path(f"/proc/{connection.info.backend_pid}/schedstat")
    return int(schedstat.read_text().split()[0]) / 1e6


def _cpu(connection: psycopg.Connection, query: str) -> float:
    """Return how many milliseconds of CPU the session itself spent on a query."""
    before = _spent(connection)
    connection.execute(query.encode())
    return _spent(connection) - before


def _compare_cpu(connection: psycopg.Connection, rounds: int) -> tuple[float, float]:
    """Return the CPU of a count by one process, and of a comparison."""
    connection.execute("set max_parallel_workers_per_gather = 0")
    counts, comparisons = [], []
    for turn in range(50, 50 + rounds):
        counts.append(_cpu(connection, COUNT))
        connection.execute(CHANGE.format(turn=turn).encode())
        connection.execute("vacuum analyze erp.orders, monitoring.record_states")
        query = "select * from erp.compare(clock_timestamp(), false)"
        comparisons.append(_cpu(connection, query))
    connection.execute("reset max_parallel_workers_per_gather")
    return statistics.median(counts), statistics.median(comparisons)


def _compare(connection: psycopg.Connection, rounds: int) -> list[list[float]]:
    """Return how long counts and comparisons took, in turn: with gone records last."""
    took: list[list[float]] = [[], [], []]
    turn = 0
    for _ in range(rounds):
        took[0].append(_query(connection, COUNT))
        for kind, is_complete in ((1, "false"), (2, "true")):
            turn += 1
            connection.execute(CHANGE.format(turn=turn).encode())
            # What updates left behind is not what is measured.
            connection.execute("vacuum analyze erp.orders, monitoring.record_states")
            query = f"select * from erp.compare(clock_timestamp(), {is_complete})"
            took[kind].append(_query(connection, query))
    return took


def _update_one(connection: psycopg.Connection, table: str, column: str, turn: str) -> float:
    """Return the CPU of updating one row, each in a transaction of its own, prepared."""
    query = f"update erp.{table} set {column} = %s where id = %s".encode()
    for number in range(-10, 60):
        if number == 0:
            before = _spent(connection)
        connection.execute(query, (f"{turn} {number}", str(number % 100 + 1)), prepare=True)
    return (_spent(connection) - before) / 60


def _update_many(connection: psycopg.Connection, table: str, column: str, turn: str) -> float:
    """Return the CPU of updating 100,000 rows at once, and take it back."""
    with connection.transaction(force_rollback=True):
        spent = _cpu(
            connection, f"update erp.{table} set {column} = '{turn}' where id::integer <= 100000"
        )
    connection.execute(f"vacuum erp.{table}, monitoring.record_states".encode())
    return spent


def _watch(connection: psycopg.Connection, table: Table, records: int, rounds: int) -> None:
    """Compare updates of bare tables with those of watched ones, in turn."""
    for name, rows in (("bare", 100), ("few", 100), ("bare_many", records), ("many", records)):
        connection.execute(
            f"create table erp.{name} (id text primary key, state text, note text);"
            f"insert into erp.{name} select n, 'OPEN' from generate_series(1, {rows}) as n;"
            f"grant select on erp.{name} to monitoring_admin".encode()
        )
    for name in ("few", "many"):
        connection.execute(
            f"select monitoring.attach_status_trigger('erp.{name}', '{{id}}', 'state')".encode()
        )
    connection.execute("vacuum analyze")
    connection.execute("set synchronous_commit = off")
    for update, what, names, repeated in (
        (_update_one, "update of one row", ("bare", "few", "many"), 4),
        (_update_many, "update of 100,000 rows", ("bare_many", "many"), 1),
    ):
        took: dict[tuple[str, str], list[float]] = {}
        for turn in range(rounds * repeated):
            for name in names:
                for column in ("note", "state"):
                    spent = update(connection, name, column, f"T{turn}")
                    took.setdefault((name, column), []).append(spent)
        floor = statistics.median(took[names[0], "note"])
        _row(table, f"CPU of an {what}", floor, floor)
        for name in names[1:]:
            for column, change in (("note", "unchanged"), ("state", "changed")):
                of = f"{100 if name == 'few' else records} records, status {change}"
                median = statistics.median(took[name, column])
                _row(table, f"the same, watched, {of}", median, floor)


def _row(table: Table, name: str, value: float, floor: float) -> None:
    table.add_row(name, f"{value:,.3f}", f"{value / floor:.2f}")


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--records", default=1_000_000, show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Runs of each; odd is best.")
def main(pg: int | None, records: int, rounds: int) -> None:
    """Measure in a server of its own and print milliseconds and ratios."""
    binaries = find_binaries(pg)
    with (
        scratch_server(binaries) as server,
        psycopg.connect(server.dsn("bench", via_socket=True), autocommit=True) as connection,
    ):
        table = Table(title=f"PostgreSQL {major_version(binaries)}, {records} records, medians")
        for heading in ("what", "ms", "ratio"):
            table.add_column(heading)
        _measure(connection, table, records, rounds)
        Console(width=100).print(table)


def _measure(connection: psycopg.Connection, table: Table, records: int, rounds: int) -> None:
    connection.execute(PREPARE.format(records=records).encode())
    first = _query(connection, "select erp.compare(clock_timestamp(), false)")
    connection.execute("vacuum analyze")
    count, compared, complete = map(statistics.median, _compare(connection, rounds))
    _row(table, "count of the hash join, as PostgreSQL plans it", count, count)
    _row(table, "comparison, 1 % changed and recorded", compared, count)
    _row(table, "the same, looking for gone records", complete, count)
    count_cpu, compared_cpu = _compare_cpu(connection, rounds)
    _row(table, "CPU of a count by one process", count_cpu, count_cpu)
    _row(table, "CPU of a comparison, 1 % changed and recorded", compared_cpu, count_cpu)
    _row(table, "first comparison, all records new", first, count)

    _watch(connection, table, records, rounds)

    connection.execute(HISTORY.format(records=records).encode())
    key = f"P{30:012}"
    look_up = f"select * from monitoring.get_record_timeline('orders', '{key}')"
    took = [_query(connection, look_up) for _ in range(rounds * 4)]
    _row(
        table, "get_record_timeline over 30 days", statistics.median(took), statistics.median(took)
    )


if __name__ == "__main__":
    main()

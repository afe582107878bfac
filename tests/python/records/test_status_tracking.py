"""Several sessions that tell the statuses of the same records, and many records at once."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.python.support.asking import one, rows, value

TRACK = "select monitoring.track_status_changes('orders', %s::jsonb, 'BOT', %s)"


def told(status: str, first: int, last: int, *, backwards: bool = False) -> str:
    """Return records that all have one status, as JSON."""
    numbers = range(last, first - 1, -1) if backwards else range(first, last + 1)
    return json.dumps([{"record_key": str(n), "status": status} for n in numbers])


def wait_for_lock(connection: psycopg.Connection, pid: int) -> None:
    """Wait until a session waits for a lock."""
    for _ in range(600):
        waits = one(
            connection, f"select wait_event_type as kind from pg_stat_activity where pid = {pid}"
        )
        if waits["kind"] == "Lock":
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_whoever_comes_second_compares_with_what_the_first_left(
    connection: psycopg.Connection, dsn: str
) -> None:
    connection.execute(TRACK, (told("OPEN", 1, 10), "ann"))
    with (
        psycopg.connect(dsn) as first,
        psycopg.connect(dsn, autocommit=True) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.execute(TRACK, (told("DONE", 1, 5), "ann"))
        records = json.dumps(json.loads(told("DONE", 1, 3)) + json.loads(told("LATE", 4, 6)))
        waiting = pool.submit(lambda: second.execute(TRACK, (records, "bob")).fetchone())
        wait_for_lock(connection, second.info.backend_pid)
        first.commit()
        counts = waiting.result()
    assert counts is not None
    # What was DONE already is no change; 4 and 5 come from DONE, not from OPEN.
    assert (counts[0]["changed"], counts[0]["unchanged"]) == (3, 3)
    assert rows(
        connection,
        "select record_key, from_status, to_status, actor from monitoring.status_history"
        " where actor = 'bob' order by record_key",
    ) == [
        {"record_key": "4", "from_status": "DONE", "to_status": "LATE", "actor": "bob"},
        {"record_key": "5", "from_status": "DONE", "to_status": "LATE", "actor": "bob"},
        {"record_key": "6", "from_status": "OPEN", "to_status": "LATE", "actor": "bob"},
    ]


def test_what_is_older_than_what_the_first_left_goes_into_history(
    connection: psycopg.Connection, dsn: str
) -> None:
    def at_second(second: int, status: str, *keys: str) -> str:
        effective_at = f"2026-03-02T10:00:0{second}+00:00"
        return json.dumps(
            [{"record_key": k, "status": status, "effective_at": effective_at} for k in keys]
        )

    connection.execute(TRACK, (at_second(0, "OPEN", "1", "2"), "ann"))
    with (
        psycopg.connect(dsn) as first,
        psycopg.connect(dsn, autocommit=True) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.execute(TRACK, (at_second(2, "DONE", "1"), "ann"))
        records = at_second(1, "HELD", "1", "2")
        waiting = pool.submit(lambda: second.execute(TRACK, (records, "bob")).fetchone())
        wait_for_lock(connection, second.info.backend_pid)
        first.commit()
        counts = waiting.result()
    assert counts is not None
    assert {kind: counts[0][kind] for kind in ("changed", "late", "unchanged")} == {
        "changed": 1,
        "late": 1,
        "unchanged": 0,
    }
    found = rows(
        connection,
        "select record_key, from_status, to_status from monitoring.status_history"
        " where actor = 'bob' order by record_key",
    )
    assert [tuple(change.values()) for change in found] == [
        ("1", "OPEN", "HELD"),
        ("2", "OPEN", "HELD"),
    ]
    present = rows(
        connection,
        "select record_key, status, previous_status from monitoring.v_record_status order by 1",
    )
    assert [tuple(record.values()) for record in present] == [
        ("1", "DONE", "OPEN"),
        ("2", "HELD", "OPEN"),
    ]


def test_sessions_that_tell_the_same_record_each_change_once(
    connection: psycopg.Connection, dsn: str
) -> None:
    def tell(worker: int) -> int:
        changed = 0
        with psycopg.connect(dsn, autocommit=True) as session:
            for turn in range(10):
                # The order in which records are named differs, and nobody waits for nobody's end.
                records = told(f"S{turn}", 1, 50, backwards=worker % 2 == 1)
                found = session.execute(TRACK, (records, f"w{worker}")).fetchone()
                assert found is not None
                changed += sum(found[0][kind] for kind in ("new", "changed", "late"))
        return changed

    with ThreadPoolExecutor(4) as pool:
        changed = sum(pool.map(tell, range(4)))
    assert value(connection, "select count(*) from monitoring.status_history") == changed
    # What was told late stands beside the chain of those that became the present status.
    broken = """
        select count(*) from (
            select from_status, lag(to_status) over (
                partition by record_key order by change_id
            ) as before
            from (
                select *, effective_at < max(effective_at) over (
                    partition by record_key order by change_id
                    rows between unbounded preceding and 1 preceding
                ) as is_late
                from monitoring.status_history
            ) as h
            where is_late is not true
        ) as c where from_status is distinct from before
    """
    assert value(connection, broken) == 0
    assert (
        value(
            connection,
            "select count(*) from monitoring.status_history where from_status = to_status",
        )
        == 0
    )


def test_records_that_are_new_to_two_sessions_are_new_once(
    connection: psycopg.Connection, dsn: str
) -> None:
    with (
        psycopg.connect(dsn) as first,
        psycopg.connect(dsn, autocommit=True) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        first.execute(TRACK, (told("OPEN", 1, 10), "ann"))
        waiting = pool.submit(
            lambda: second.execute(TRACK, (told("OPEN", 5, 15), "bob")).fetchone()
        )
        wait_for_lock(connection, second.info.backend_pid)
        first.commit()
        counts = waiting.result()
    assert counts is not None
    assert (counts[0]["new"], counts[0]["unchanged"]) == (5, 6)
    assert value(connection, "select count(*) from monitoring.status_history") == 15


def test_ten_thousand_records_are_one_statement(connection: psycopg.Connection) -> None:
    connection.execute(TRACK, (told("OPEN", 1, 10_000), None))
    began = time.monotonic()
    connection.execute(TRACK, (told("OPEN", 1, 9_900), None))
    found = connection.execute(TRACK, (told("DONE", 9_901, 10_000), "robo")).fetchone()
    # A busy machine takes several times as long as it should: the bound tells a loop over rows.
    assert time.monotonic() - began < 5
    assert found is not None
    assert found[0]["changed"] == 100
    assert (
        value(connection, "select count(*) from monitoring.v_record_status where status = 'DONE'")
        == 100
    )


def test_a_day_is_read_from_every_source_of_the_dataset(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        create schema erp;
        create table erp.orders (id integer, state text, day date);
        create view erp.more_orders as select id + 100 as id, state, day from erp.orders;
        grant usage on schema erp to monitoring_reader;
        grant select on erp.orders, erp.more_orders to monitoring_reader;
        insert into erp.orders
        select n, 'OPEN', date '2026-01-15' - n % 2 from generate_series(1, 10) as n;
        """
    )
    for relation in ("orders", "more_orders"):
        connection.execute(
            "select monitoring.register_record_source(%s, 'orders', %s,"
            """ '{"record_key": "id", "status": "state", "target_date": "day"}')""",
            (relation, f"erp.{relation}"),
        )
    dry = value(
        connection,
        "select monitoring.track_status_changes('orders', date '2026-01-15', p_is_dry_run => true)",
    )
    assert (dry["new"], len(dry["sources"])) == (10, 2)
    assert value(connection, "select count(*) from monitoring.v_record_status") == 0
    # As a literal, as the interface promises it.
    found = value(
        connection, "select monitoring.track_status_changes('orders', '2026-01-15', 'BOT')"
    )
    assert (found["dataset"], found["compared"], found["new"]) == ("orders", 10, 10)
    assert (
        value(
            connection,
            "select count(*) from monitoring.status_history where change_source = 'BOT'"
            " and source_name in ('orders', 'more_orders')",
        )
        == 10
    )

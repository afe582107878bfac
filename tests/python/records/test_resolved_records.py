"""Sources that are asked for the statuses of records that have become valid, and are in trouble."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from tests.python.support.asking import rows, value

DAY = date(2026, 1, 15)
HISTORY = """
    select from_status, to_status, change_source from monitoring.status_history
    where validation_type = '' order by change_id
"""


@pytest.fixture
def erp(connection: psycopg.Connection) -> psycopg.Connection:
    """A connection to a database with orders, one of which is invalid and has been mended."""
    connection.execute(
        """
        create schema erp;
        create table erp.orders (id integer primary key, state text);
        grant usage on schema erp to monitoring_reader;
        grant select on erp.orders to monitoring_reader;
        insert into erp.orders select n, 'OPEN' from generate_series(1, 100) as n;
        select monitoring.register_record_source(
            'orders', 'apr', 'erp.orders', '{"record_key": "id", "status": "state"}'
        );
        select monitoring.sync_source('orders');
        select monitoring.log_invalid_records('apr', '[7]', 'V');
        update erp.orders set state = 'DONE';
        """
    )
    return connection


def resolved(connection: psycopg.Connection) -> int:
    """Have the record found valid."""
    return int(
        value(
            connection,
            """select monitoring.sync_invalid_records('apr', 'V', '{"keys": [7]}', '[]')""",
        )["resolved"]
    )


def test_its_status_is_recorded_and_no_other(erp: psycopg.Connection) -> None:
    assert resolved(erp) == 1
    changes = [row for row in rows(erp, HISTORY) if row["from_status"]]
    assert [tuple(row.values()) for row in changes] == [("OPEN", "DONE", "AUTO_RESOLVE")]


def lock(other: psycopg.Connection) -> None:
    other.execute("lock table erp.orders in access exclusive mode")


def read(other: psycopg.Connection) -> None:
    other.execute("select monitoring.sync_source('orders')")


@pytest.mark.parametrize("trouble", [lock, read])
def test_a_source_that_others_have_delays_the_resolution_little(
    trouble: Callable[[psycopg.Connection], None], erp: psycopg.Connection, dsn: str
) -> None:
    erp.execute("update monitoring.sources set next_sync_at = now() + interval '1 hour'")
    with psycopg.connect(dsn) as other:
        trouble(other)
        began = time.monotonic()
        assert resolved(erp) == 1
        assert time.monotonic() - began < 4
        assert value(erp, "select record_key from monitoring.records_to_read") == "7"
        other.rollback()
    erp.execute("select monitoring.sync_source('orders')")
    changes = {row["change_source"] for row in rows(erp, HISTORY) if row["from_status"]}
    assert changes == {"AUTO_RESOLVE", "SYSTEM"}
    assert value(erp, "select count(*) from monitoring.records_to_read") == 0


def test_a_source_that_is_locked_is_read_by_the_job_as_soon_as_it_can(
    erp: psycopg.Connection, dsn: str
) -> None:
    erp.execute("update monitoring.sources set next_sync_at = now() + interval '1 hour'")
    with psycopg.connect(dsn) as other:
        lock(other)
        resolved(erp)
    (found,) = value(erp, "select monitoring.sync_sources()")
    assert found["changed"] == 100


def test_a_call_that_is_cancelled_while_it_asks_has_resolved(erp: psycopg.Connection) -> None:
    erp.execute(
        """
        alter table erp.orders rename to orders_behind;
        create view erp.orders as select o.* from erp.orders_behind as o, pg_sleep(60);
        grant select on erp.orders, erp.orders_behind to monitoring_reader;
        """
    )
    erp.execute("set statement_timeout = '2s'")
    began = time.monotonic()
    assert resolved(erp) == 1
    assert time.monotonic() - began < 10
    assert value(erp, "select count(*) from monitoring.records_to_read") == 1
    assert value(erp, "select status from monitoring.invalid_records") == "resolved"


def test_ten_thousand_records_that_become_valid_are_read_at_once(erp: psycopg.Connection) -> None:
    erp.execute("insert into erp.orders select n, 'OPEN' from generate_series(101, 50000) as n")
    erp.execute("select monitoring.sync_source('orders')")
    erp.execute(
        "select monitoring.log_invalid_records('apr', jsonb_agg(n), 'W')"
        " from generate_series(1, 10000) as n"
    )
    erp.execute("update erp.orders set state = 'PAID'")
    began = time.monotonic()
    erp.execute("""select monitoring.sync_invalid_records('apr', 'W', '{"all": true}', '[]')""")
    assert time.monotonic() - began < 10
    paid = "select count(*) from monitoring.status_history where to_status = 'PAID'"
    assert value(erp, paid) == 10_000


def test_a_program_resolves_by_its_client(erp: psycopg.Connection, dsn: str) -> None:
    with MonitoringClient(dsn, on_error="raise") as monitor:
        day = value(erp, "select max(target_date) from monitoring.invalid_records")
        monitor.log_program_execution("apr", day, {}, timedelta(0))
        counts = monitor.auto_resolve_invalid_records("apr", day)
    assert counts is not None
    assert counts["resolved"] == 1
    assert ("OPEN", "DONE", "AUTO_RESOLVE") in [tuple(row.values()) for row in rows(erp, HISTORY)]

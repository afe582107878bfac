"""`MonitoringClient` while its database neither answers nor goes away."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from pgvigil.client import MonitoringClient, monitoring_client
from tests.python.support.asking import client_sessions, rows, value
from tests.python.support.running import wait_until


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a server process as it is."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_times_stay_their_own_when_a_batch_is_read_long_after_it_was_sent(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, flush_interval=0.05) as monitor:
        monitor.record_log("info", "first")
        assert monitor.flush()
        (pid,) = client_sessions(connection)
        with frozen(pid):
            told_at = datetime.now(UTC)
            monitor.record_log("info", "second")
            time.sleep(6)
        assert monitor.flush()
    logged_at = value(
        connection,
        "select logged_at from monitoring.v_application_logs where message = 'second'",
    )
    assert abs((logged_at - told_at).total_seconds()) < 1


def test_closing_takes_no_longer_than_it_may_while_the_server_is_frozen(
    dsn: str, connection: psycopg.Connection
) -> None:
    monitor = MonitoringClient(dsn, flush_interval=0.05)
    monitor.record_log("info", "first")
    assert monitor.flush()
    (pid,) = client_sessions(connection)
    with frozen(pid):
        monitor.record_log("info", "second")
        time.sleep(0.3)
        began_at = time.monotonic()
        monitor.close(0.5)
        assert time.monotonic() - began_at < 2
    monitor.record_log("info", "third")
    assert monitor.flush()
    query = "select message from monitoring.v_application_logs order by message"
    wait_until(lambda: len(rows(connection, query)) == 3)
    monitor.close()
    assert monitor.dropped == 0


def test_no_more_than_two_sessions_wait_for_a_lock_however_long_it_is_held(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_client, "_LEAST_PATIENCE", 0.5)
    most = 0
    with MonitoringClient(dsn, flush_interval=0.05, statement_timeout=0.5) as monitor:
        monitor.record_log("info", "first")
        assert monitor.flush()
        with psycopg.connect(dsn) as holder:
            holder.execute("lock table monitoring.log_lines in access exclusive mode")
            monitor.record_log("info", "second")
            until = time.monotonic() + 6
            while time.monotonic() < until:
                monitor.flush(0.2)
                most = max(most, len(client_sessions(connection)))
        assert monitor.flush()
    assert most <= 2
    assert value(connection, "select count(*) from monitoring.v_application_logs") == 2

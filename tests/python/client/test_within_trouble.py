"""That recording within a transaction of the program never harms it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from pgvigil.client import MonitoringClient
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import UnknownValueError
from tests.python.support.asking import one
from tests.python.support.programs import logged, rows_of, untouched

NOTHING = {"count": 0}


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client as programs use it."""
    with MonitoringClient(dsn, component="tests", worker_id="w1", flush_interval=0.05) as client:
        yield client


# What goes wrong


def lose_right(program: psycopg.Connection[Any]) -> None:
    """Have the session be somebody who may do nothing but use the program's table."""
    program.execute("create role client_stranger")
    program.execute("grant all on work to client_stranger")
    program.execute("set local role client_stranger")


def be_strict(program: psycopg.Connection[Any]) -> None:
    """Have the database refuse what it would repair."""
    program.execute("set local monitoring.strict = on")


def be_hidden(program: psycopg.Connection[Any]) -> None:
    """Have pgvigil be missing."""
    program.execute("alter schema monitoring rename to elsewhere")


def be_broken(program: psycopg.Connection[Any]) -> None:
    """Have a function that raises in place of the one that records."""
    signature = (
        "monitoring.record_log(p_component text, p_level text, p_message text, p_details jsonb,"
        " p_task_id text, p_duration_ms double precision, p_logged_at timestamptz)"
    )
    body = "begin raise deadlock_detected; end"
    program.execute(f"drop function {signature} cascade".encode())
    program.execute(
        f"create function {signature} returns bigint language plpgsql as '{body}'".encode()
    )


@pytest.mark.parametrize("harm", [lose_right, be_strict, be_hidden, be_broken])
def test_a_call_that_fails_leaves_the_transaction_as_it_was(
    monitor: MonitoringClient,
    program: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[psycopg.Connection[Any]], None],
) -> None:
    harm(program)
    with untouched(program):
        assert monitor.on(program).record_log("?", "unknown level") is None
        with monitor.on(program).task("x", task_id=""):
            pass
    assert monitor.dropped >= 1
    assert "record_log" in caplog.text


def test_a_call_that_fails_leaves_savepoints_and_cursors_of_the_program_alone(
    monitor: MonitoringClient, program: psycopg.Connection
) -> None:
    program.execute("insert into work values (1)")
    with program.cursor("own") as cursor:
        cursor.execute("select generate_series(1, 250)")
        program.execute(
            "savepoint pgvigil; insert into work values (2); set local monitoring.strict = on"
        )
        for _ in cursor:
            assert monitor.on(program).record_log("?", "x") is None
        assert cursor.rownumber == 250
    program.execute("rollback to savepoint pgvigil; release savepoint pgvigil")
    assert rows_of(program) == 1
    assert monitor.on(program).record_log("info", "x")
    with pytest.raises(psycopg.errors.InvalidSavepointSpecification):
        program.execute("release savepoint pgvigil")


def test_a_call_that_is_interrupted_leaves_the_transaction_as_it_was(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    with connection.transaction():
        connection.execute("lock table monitoring.active_tasks")
        with untouched(program):
            program.execute("set local statement_timeout = '100ms'")
            monitor.on(program).start_task("x", task_id="t")
    assert monitor.dropped == 1


def test_a_call_that_the_user_interrupts_leaves_the_transaction_as_it_was(
    monitor: MonitoringClient,
    program: psycopg.Connection,
    connection: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with connection.transaction(), untouched(program):
            connection.execute("lock table monitoring.active_tasks")
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                monitor.on(program).start_task("x", task_id="t")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert monitor.dropped == 1
    assert "KeyboardInterrupt" in caplog.text


def test_a_transaction_that_only_reads_goes_on_reading(
    monitor: MonitoringClient, program: psycopg.Connection
) -> None:
    program.read_only = True
    assert rows_of(program) == 0
    assert monitor.on(program).record_log("info", "x") is None
    assert rows_of(program) == 0


def test_a_transaction_that_has_failed_stays_so(
    monitor: MonitoringClient, program: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    program.execute("insert into work values (1)")
    program.execute("savepoint own")
    with pytest.raises(psycopg.errors.DivisionByZero):
        program.execute("select 1 / 0")
    assert monitor.on(program).record_log("info", "x") is None
    assert program.info.transaction_status == TransactionStatus.INERROR
    program.execute("rollback to own")
    assert monitor.on(program).record_log("info", "y")
    program.commit()
    assert rows_of(program) == logged(program) == 1
    assert "the transaction has failed" in caplog.text


def test_a_connection_that_is_closed_or_lost_is_told(
    monitor: MonitoringClient,
    program: psycopg.Connection,
    connection: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection.execute("select pg_terminate_backend(%s, 5000)", [program.info.backend_pid])
    assert monitor.on(program).record_log("info", "x") is None
    assert monitor.on(program).record_log("info", "x") is None
    program.close()
    assert monitor.on(program).record_log("info", "x") is None
    assert monitor.dropped == 3
    assert "terminating connection" in caplog.text


def test_a_connection_in_pipeline_mode_is_left_alone(
    monitor: MonitoringClient, program: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with program.pipeline():
        program.execute("insert into work values (1)")
        assert monitor.on(program).record_log("info", "x") is None
        program.execute("insert into work values (2)")
    program.commit()
    assert (rows_of(program), logged(program)) == (2, 0)
    assert "pipeline mode" in caplog.text


def test_a_connection_that_copies_or_streams_is_left_alone(
    monitor: MonitoringClient, program: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with program.cursor().copy("copy work from stdin") as copy:
        copy.write_row((1,))
        assert monitor.on(program).record_log("info", "x") is None
        copy.write_row((2,))
    assert "busy with a stream, COPY" in caplog.text
    began_at = time.perf_counter()
    seen = 0
    for _ in program.cursor().stream("select generate_series(1, 1000)"):
        assert monitor.on(program).record_log("info", "x") is None
        seen += 1
    assert seen == 1000
    assert time.perf_counter() - began_at < 5  # one wait of a second, and no other
    assert rows_of(program) == 2
    assert monitor.dropped == 1001


def test_threads_that_share_a_connection_wait_for_each_other(
    monitor: MonitoringClient, program: psycopg.Connection
) -> None:
    def record() -> None:
        for _ in range(20):
            assert monitor.on(program).record_log("info", "x")

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    program.execute("select pg_sleep(0.3)")
    for thread in threads:
        thread.join()
    assert logged(program) == 80
    assert monitor.dropped == 0


def test_wrong_values_are_repaired_and_logged(
    monitor: MonitoringClient, program: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    notices: list[str | None] = []
    program.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    assert monitor.on(program).record_log("?", "m")
    assert 'level is not known: "?"' in caplog.text
    assert len(notices) == 1
    program.execute("do $$ begin raise warning 'of the program'; end $$")
    assert "of the program" not in caplog.text


def test_wrong_values_raise_where_that_is_wanted_and_nothing_stays_strict(
    dsn: str, program: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, on_error="raise") as monitor:
        with untouched(program):
            with pytest.raises(UnknownValueError, match="sick"):
                monitor.on(program).update_system_health("db", "x", "sick")
            assert monitor.on(program).record_log("info", "m")
            assert one(program, "select current_setting('monitoring.strict', true) as s") in (
                {"s": None},
                {"s": ""},
            )
        program.rollback()
        be_strict(program)
        assert monitor.on(program).record_log("info", "m")
        assert one(program, "show monitoring.strict") == {"monitoring.strict": "on"}
        with pytest.raises(psycopg.NotSupportedError), program.pipeline():
            monitor.on(program).record_log("info", "m")


def test_what_the_encoding_of_the_database_lacks_is_written_with_question_marks(
    server: PostgresServer, monitor: MonitoringClient, program: psycopg.Connection
) -> None:
    program.execute("set client_encoding = 'latin1'")
    assert monitor.on(program).record_log("info", "\u20ac 5 é")
    assert one(program, "select message from monitoring.v_application_logs") == {"message": "? 5 ?"}

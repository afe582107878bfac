"""Jobs that take too long, are cancelled or lose their session; none takes the others along."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.harness.clients import dsn_of
from tests.python.support.asking import one, rows
from tests.python.support.job_running import CALL, GATE, GATED, JobBench

LATER = "set monitoring.now = '2100-01-01 00:00+00'"
"""Makes every run overdue in the eyes of the session that sets it."""

CANCEL_OVERDUE = "select monitoring.cancel_overdue_jobs()"


@pytest.fixture
def bench(dsn: str) -> Iterator[JobBench]:
    with ExitStack() as stack:
        yield JobBench(dsn, stack)


def test_a_run_that_takes_too_long_is_cancelled_and_the_runner_goes_on(bench: JobBench) -> None:
    bench.add("a_slow_one", GATED, timeout="1 minute")
    bench.add("b_next_one")
    runner, supervisor = bench.connect(), bench.connect()
    with bench.closed_gate():
        running = bench.start(runner)
        bench.wait_until_waiting(runner)
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (0,)
        supervisor.execute(LATER)
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (1,)
        running.result(10)
    assert bench.statuses() == {"a_slow_one": "timeout", "b_next_one": "completed"}
    assert bench.notes() == ["b_next_one"]
    task = one(
        bench.session,
        "select * from monitoring.processing_metrics where task_id = 'pgvigil.a_slow_one'",
    )
    assert task["status"] == "timeout"
    error = one(bench.session, "select * from monitoring.error_tracking")
    assert (error["error_type"], error["component"]) == ("job_timeout", "pgvigil")
    assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (0,)


def test_another_runner_cancels_what_takes_too_long_before_it_begins(bench: JobBench) -> None:
    bench.add("a_slow_one", GATED, timeout="0.001 seconds")
    first, second = bench.connect(), bench.connect()
    with bench.closed_gate():
        running = bench.start(first)
        bench.wait_until_waiting(first)
        bench.wait_for("select running_seconds > timeout_seconds from monitoring.v_jobs")
        second.execute(CALL)
        running.result(10)
    assert bench.statuses() == {"a_slow_one": "timeout"}


def test_a_run_that_a_person_cancels_is_cancelled_and_the_runner_goes_on(bench: JobBench) -> None:
    bench.add("a_slow_one", GATED)
    bench.add("b_next_one")
    runner = bench.connect()
    with bench.closed_gate():
        running = bench.start(runner)
        bench.wait_until_waiting(runner)
        bench.session.execute("select pg_cancel_backend(%s)", [runner.info.backend_pid])
        running.result(10)
    assert bench.statuses() == {"a_slow_one": "cancelled", "b_next_one": "completed"}
    assert "SQLSTATE: 57014" in bench.job("a_slow_one")["last_error"]


def test_a_cancellation_hits_the_run_that_it_was_meant_for_or_none(bench: JobBench) -> None:
    """Jobs end and begin while somebody cancels them as fast as possible."""
    names = [f"job_{number}" for number in range(8)]
    for name in names:
        bench.add(name, "perform pg_sleep(random() * 0.002)")
    runners, supervisor = [bench.connect(), bench.connect()], bench.connect()
    supervisor.execute(LATER)
    cancelled = 0
    for _ in range(40):
        for name in names:
            bench.session.execute("select monitoring.request_job(%s)", [name])
        running = [bench.start(runner) for runner in runners]
        while not all(future.done() for future in running):
            row = supervisor.execute(CANCEL_OVERDUE).fetchone()
            cancelled += row[0] if row else 0
        for future in running:
            future.result()
    ended = rows(
        bench.session,
        "select status, count(*) as n from monitoring.processing_metrics group by 1 order by 1",
    )
    counts = {row["status"]: row["n"] for row in ended}
    assert set(counts) <= {"completed", "timeout"}
    assert counts["timeout"] > 10
    assert counts["timeout"] == cancelled
    assert sum(counts.values()) == sum(bench.job(name)["runs"] for name in names) >= 320
    assert len(bench.notes()) == counts.get("completed", 0)


def test_a_job_whose_session_is_killed_is_lost_and_runs_when_it_is_due_again(
    bench: JobBench,
) -> None:
    bench.add("a_slow_one", GATED)
    bench.add("b_next_one")
    runner = bench.connect()
    with bench.closed_gate():
        running = bench.start(runner)
        bench.wait_until_waiting(runner)
        bench.session.execute("select pg_terminate_backend(%s, 10000)", [runner.info.backend_pid])
        with suppress(psycopg.OperationalError):
            running.result(10)
        assert not bench.job("a_slow_one")["is_running"]
        bench.connect().execute(CALL)
    assert bench.statuses() == {"a_slow_one": "lost", "b_next_one": "completed"}
    bench.session.execute("select monitoring.request_job('a_slow_one')")
    bench.connect().execute(CALL)
    assert bench.statuses() == {"a_slow_one": "completed", "b_next_one": "completed"}
    tasks = rows(
        bench.session,
        "select status, attempt from monitoring.processing_metrics"
        " where task_id = 'pgvigil.a_slow_one' order by attempt",
    )
    assert tasks == [{"status": "lost", "attempt": 1}, {"status": "completed", "attempt": 2}]


def test_a_job_that_catches_its_cancellation_is_cancelled_again(bench: JobBench) -> None:
    bench.add(
        "stubborn",
        f"begin {GATED}; exception when query_canceled then"
        f" perform pg_advisory_xact_lock({GATE + 1}); {GATED}; end",
        timeout="1 minute",
    )
    runner, supervisor = bench.connect(), bench.connect()
    supervisor.execute(LATER)
    with bench.closed_gate():
        running = bench.start(runner)
        bench.wait_until_waiting(runner)
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (1,)
        bench.wait_for(f"select count(*) = 1 from pg_locks where objid = {GATE + 1}")
        bench.wait_until_waiting(runner)
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (0,)
        supervisor.execute("set monitoring.now = '2100-01-01 00:00:11+00'")
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (1,)
        running.result(10)
    assert bench.statuses() == {"stubborn": "timeout"}


def test_a_job_that_catches_every_cancellation_is_ended_with_its_session(bench: JobBench) -> None:
    bench.add(
        "stubborn",
        "for i in 1..500 loop begin perform pg_sleep(30); exception when query_canceled then null;"
        " end; end loop",
        timeout="1 minute",
    )
    bench.add("t_next_one")
    runner, supervisor = bench.connect(), bench.connect()
    running = bench.start(runner)
    bench.wait_for("select is_running from monitoring.v_jobs where job_name = 'stubborn'")
    for seconds in (0, 11, 22):
        supervisor.execute(f"set monitoring.now = '2100-01-01 00:00:{seconds:02}+00'".encode())
        assert supervisor.execute(CANCEL_OVERDUE).fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        running.result(10)
    bench.connect().execute(CALL)
    assert bench.statuses() == {"stubborn": "timeout", "t_next_one": "completed"}
    error = bench.job("stubborn")["last_error"]
    assert error.startswith("it took longer than its timeout and went on when it was cancelled")
    bench.request("stubborn")
    assert bench.job("stubborn")["is_requested"]


def test_what_a_job_leaves_to_its_session_is_put_right(bench: JobBench) -> None:
    bench.add(
        "untidy",
        "perform pg_advisory_lock(k), pg_advisory_lock_shared(-2, k) from generate_series(1, 3) k;"
        " execute 'prepare mine as select 1'",
    )
    runner = bench.connect()
    runner.execute("select pg_advisory_lock(99)")
    runner.execute(CALL)
    assert bench.statuses() == {"untidy": "completed"}
    held = "select classid::bigint, objid::bigint from pg_locks where locktype = 'advisory'"
    assert runner.execute(held + " and pid = pg_backend_pid()").fetchall() == [(0, 99)]
    assert runner.execute("select name from pg_prepared_statements").fetchall() == []


def test_a_runner_that_may_not_cancel_another_says_so_and_goes_on(
    bench: JobBench, server: PostgresServer
) -> None:
    name = bench.session.info.dbname
    bench.session.execute(f"create role {name}_admin login in role monitoring_admin".encode())
    bench.add("a_slow_one", GATED, timeout="1 minute")
    try:
        superuser, other = bench.connect(), bench.connect(dsn_of(server, name, f"{name}_admin"))
        warnings: list[str | None] = []
        other.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        other.execute(LATER)
        with bench.closed_gate():
            running = bench.start(superuser)
            bench.wait_until_waiting(superuser)
            bench.add("b_next_one")
            other.execute(CALL)
            assert bench.statuses() == {"a_slow_one": None, "b_next_one": "completed"}
        running.result(10)
        assert str(warnings[0]).startswith("job a_slow_one runs too long and was not cancelled")
        assert bench.statuses()["a_slow_one"] == "completed"
    finally:
        bench.session.execute(f"drop role {name}_admin".encode())

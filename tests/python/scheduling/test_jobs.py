"""Jobs run by real sessions: apart from each other, once, and whatever becomes of one of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from pgvigil.demo.server import PostgresServer
from tests.harness.clients import dsn_of, run_psql
from tests.harness.databases import OWNER
from tests.python.support.asking import one, rows
from tests.python.support.job_running import CALL, GATED, JobBench


@pytest.fixture
def bench(dsn: str) -> Iterator[JobBench]:
    with ExitStack() as stack:
        yield JobBench(dsn, stack)


# One call


def test_a_call_runs_what_is_due_and_returns(bench: JobBench) -> None:
    for name in ("one", "two"):
        bench.add(name)
    runner = bench.connect()
    for _ in range(2):
        assert runner.execute(CALL).statusmessage == "CALL"
    assert bench.notes() == ["one", "two"]
    assert bench.job("one")["runs"] == 1


def test_psql_runs_jobs_as_well(bench: JobBench, server: PostgresServer) -> None:
    bench.add("one")
    assert '"job": "one"' in run_psql(server, bench.session.info.dbname, "-c", CALL)
    assert bench.statuses() == {"one": "completed"}


def test_a_call_tells_what_it_ran_and_runs_no_more_than_it_is_told_to(bench: JobBench) -> None:
    bench.add("a_good_one")
    bench.add("b_bad_one", "raise exception 'no paper'")
    runner = bench.connect()
    (runs,) = one(runner, "call monitoring.run_due_jobs(p_at_most => 1)").values()
    (first,) = runs
    assert (first["job"], first["status"], first["error"]) == ("a_good_one", "completed", None)
    assert first["duration_ms"] >= 0
    assert datetime.fromisoformat(first["started_at"]) <= datetime.now(UTC)
    assert bench.statuses()["b_bad_one"] is None
    (runs,) = one(runner, "call monitoring.run_due_jobs()").values()
    assert [(run["job"], run["status"]) for run in runs] == [("b_bad_one", "failed")]
    assert "no paper" in runs[0]["error"]
    assert one(runner, CALL) == {"p_runs": []}


def test_a_call_within_a_transaction_block_is_refused_before_it_does_anything(
    bench: JobBench,
) -> None:
    bench.add("one")
    with (
        pytest.raises(errors.InvalidTransactionTermination) as refused,
        bench.connect() as runner,
        runner.transaction(),
    ):
        runner.execute(CALL)
    assert "_commit_outside_a_transaction_block" in str(refused.value.diag.context)
    assert bench.job("one")["runs"] == 0


def test_each_job_has_a_transaction_of_its_own_that_others_see_at_once(bench: JobBench) -> None:
    bench.add("a_quick_one")
    bench.add("b_slow_one", GATED)
    runner = bench.connect()
    with bench.closed_gate():
        running = bench.start(runner)
        bench.wait_until_waiting(runner)
        assert bench.notes() == ["a_quick_one"]
        assert bench.statuses() == {"a_quick_one": "completed", "b_slow_one": None}
        task = one(bench.session, "select * from monitoring.v_realtime_processing_status")
        assert (task["task_id"], task["is_backend_alive"]) == ("pgvigil.b_slow_one", True)
        assert task["backend_pid"] == runner.info.backend_pid
    running.result(10)
    assert one(bench.session, "select count(distinct xid) as n from errands.notes")["n"] == 2


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_the_isolation_that_a_session_prefers_changes_nothing(bench: JobBench, level: str) -> None:
    bench.add("a_slow_one", GATED)
    bench.add("b_quick_one")
    first, second = bench.connect(), bench.connect()
    for runner in (first, second):
        runner.execute(f"set default_transaction_isolation = '{level}'".encode())
    with bench.closed_gate():
        running = bench.start(first)
        bench.wait_until_waiting(first)
        second.execute(CALL)
        bench.session.execute("select monitoring.request_job('a_slow_one')")
    running.result(10)
    assert set(bench.statuses().values()) == {"completed"}


def test_runs_missed_without_a_scheduler_are_counted_and_not_caught_up(bench: JobBench) -> None:
    bench.session.execute("set monitoring.now = '2026-01-15 12:00+00'")
    bench.add("hourly")
    runner = bench.connect()
    for now in ("2026-01-15 12:00:30+00", "2026-01-15 17:59+00"):
        runner.execute(f"set monitoring.now = '{now}'".encode())
        runner.execute(CALL)
    job = bench.job("hourly")
    assert (job["runs"], job["missed_runs"]) == (2, 4)
    assert job["next_run_at"] == datetime(2026, 1, 15, 18, tzinfo=UTC)


# Many runners


def test_runs_of_a_job_never_overlap_whoever_runs_it(bench: JobBench) -> None:
    bench.session.execute("create table errands.spans (job text, pid integer, during tstzrange)")
    bench.session.execute("grant all on errands.spans to monitoring_admin")
    for name in ("one", "two"):
        bench.add(
            name,
            "perform pg_sleep(0.002); insert into errands.spans"
            f" values ('{name}', pg_backend_pid(), tstzrange(v_begun, clock_timestamp()))",
        )

    def run_again_and_again(runner: psycopg.Connection) -> None:
        runs = "select sum(runs) >= 40 from monitoring.v_jobs"
        while runner.execute(runs).fetchone() != (True,):
            for name in ("one", "two"):
                runner.execute("select monitoring.request_job(%s)", [name])
            runner.execute(CALL)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run_again_and_again, [bench.connect() for _ in range(6)]))
    spans = one(
        bench.session,
        "select count(*) as spans, count(distinct pid) as runners, ("
        "    select count(*) from errands.spans a, errands.spans b"
        "    where a.ctid < b.ctid and a.job = b.job and a.during && b.during"
        ") as overlaps from errands.spans",
    )
    runs = sum(bench.job(name)["runs"] for name in ("one", "two"))
    assert spans["overlaps"] == 0
    assert spans["runners"] >= 2
    assert spans["spans"] == runs >= 40
    ended = rows(
        bench.session,
        "select status, count(*) as n from monitoring.processing_metrics group by status",
    )
    assert ended == [{"status": "completed", "n": runs}]


def test_a_slow_job_keeps_no_other_runner_from_the_rest(bench: JobBench) -> None:
    bench.add("a_slow_one", GATED)
    for name in ("b", "c"):
        bench.add(name)
    first, second = bench.connect(), bench.connect()
    with bench.closed_gate():
        running = bench.start(first)
        bench.wait_until_waiting(first)
        job = bench.job("a_slow_one")
        assert (job["is_running"], job["running_pid"]) == (True, first.info.backend_pid)
        bench.session.execute("select monitoring.request_job('a_slow_one')")
        second.execute(CALL)
        assert bench.notes() == ["b", "c"]
        assert not bench.job("b")["is_running"]
    running.result(10)
    assert bench.job("a_slow_one")["is_requested"]
    second.execute(CALL)
    assert bench.notes() == ["a_slow_one", "a_slow_one", "b", "c"]


def test_a_job_that_fails_stops_no_other(bench: JobBench) -> None:
    bench.add("a_bad_one", "perform 1 / 0")
    bench.add("b_good_one")
    bench.connect().execute(CALL)
    assert bench.statuses() == {"a_bad_one": "failed", "b_good_one": "completed"}
    assert bench.notes() == ["b_good_one"]


def test_a_job_that_is_the_victim_of_a_deadlock_fails_alone(bench: JobBench) -> None:
    bench.session.execute("create table errands.one (); create table errands.two ()")
    bench.session.execute("alter table errands.one owner to monitoring_admin")
    bench.session.execute("alter table errands.two owner to monitoring_admin")
    bench.add("a_victim", f"lock table errands.one; {GATED}; lock table errands.two")
    bench.add("b_good_one")
    runner, rival = bench.connect(), bench.connect()
    runner.execute("set deadlock_timeout = '10ms'")
    rival.execute("set deadlock_timeout = '1min'")
    with rival.transaction():
        rival.execute("lock table errands.two")
        with bench.closed_gate():
            running = bench.start(runner)
            bench.wait_until_waiting(runner)
            waiting = bench.start_statement(rival, "lock table errands.one")
            bench.wait_until_waiting(rival)
        running.result(10)
        waiting.result(10)
    assert bench.statuses() == {"a_victim": "failed", "b_good_one": "completed"}
    assert "SQLSTATE: 40P01" in bench.job("a_victim")["last_error"]


# Requests


def test_a_request_is_told_to_those_who_listen(bench: JobBench) -> None:
    bench.add("one")
    listener = bench.connect()
    listener.execute("listen monitoring_jobs")
    bench.session.execute("select monitoring.request_job('one')")
    told = list(listener.notifies(timeout=10, stop_after=1))
    assert [notice.payload for notice in told] == ["one"]


def test_a_disabled_job_does_not_run(bench: JobBench) -> None:
    bench.add("one")
    bench.session.execute("select monitoring.disable_job('one')")
    bench.connect().execute(CALL)
    assert bench.notes() == []


# Roles


def test_only_admins_run_jobs_and_jobs_run_as_the_owner(
    bench: JobBench, server: PostgresServer
) -> None:
    bench.add("one", "insert into errands.notes values (current_user)")
    name = bench.session.info.dbname
    for role in ("reader", "writer", "operator", "admin"):
        bench.session.execute(f"create role {name}_{role} login in role monitoring_{role}".encode())
    bench.session.execute(f"create role {name}_stranger login".encode())
    try:
        for role in ("reader", "writer", "operator", "stranger"):
            with pytest.raises(errors.InsufficientPrivilege):
                bench.connect(dsn_of(server, name, f"{name}_{role}")).execute(CALL)
        bench.connect(dsn_of(server, name, f"{name}_admin")).execute(CALL)
        assert bench.notes() == ["monitoring_admin", "one"]
    finally:
        for role in ("reader", "writer", "operator", "admin", "stranger"):
            bench.session.execute(f"drop role {name}_{role}".encode())


def test_an_operator_requests_a_job_and_an_admin_runs_it(
    bench: JobBench, server: PostgresServer
) -> None:
    bench.add("one")
    with bench.session.transaction():
        bench.session.execute("set local role monitoring_operator")
        bench.session.execute("select monitoring.request_job('one')")
    bench.connect(dsn_of(server, bench.session.info.dbname, OWNER)).execute(CALL)
    assert bench.notes() == ["one"]

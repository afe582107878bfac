"""Sources of runs: many at once, several sessions, another database, and programs beside them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.python.support.asking import one, rows, value

TABLE = """
    create schema erp;
    create table erp.runs (
        id integer, step text, state char(2), begun timestamptz, done timestamptz,
        changed timestamptz, total bigint, processed bigint, message text
    );
    grant usage on schema erp to monitoring_reader;
    grant select on erp.runs to monitoring_reader;
"""
REGISTER = """
    select monitoring.register_run_source(
        'erp', 'erp.runs',
        '{"run_id": "id", "task_type": "step", "status": "state", "started_at": "begun",
            "finished_at": "done", "updated_at": "changed", "records_total": "total",
            "records_done": "processed", "error_message": "message"}',
        '{"RN": "running", "CP": "completed", "ER": "failed"}'
    )
"""
# Has the other source read before erp.
FIRST = "update monitoring.sources set next_sync_at = '-infinity' where source_name <> 'erp'"
SYNC = "select monitoring.sync_source('erp')"
COUNTS = (
    "select status, count(*) as tasks from monitoring.processing_metrics"
    " where task_id like 'erp:%' group by status order by status"
)


@pytest.fixture
def source(connection: psycopg.Connection) -> psycopg.Connection:
    """A connection to a database with a source that has no rows yet."""
    connection.execute("select monitoring.disable_job(job_name) from monitoring.jobs")
    connection.execute(TABLE)
    connection.execute(REGISTER)
    return connection


def fill(connection: psycopg.Connection, runs: int) -> None:
    """Put in runs of the last days: one in ten runs, one failed, the others completed."""
    connection.execute(
        "insert into erp.runs (id, step, state, begun, done, total, processed, message)"
        " select n, 'step ' || n % 6, case n % 10 when 0 then 'RN' when 1 then 'ER' else 'CP' end,"
        " now() - make_interval(mins => 10 + n % 5000),"
        " case when n % 10 > 0 then now() - make_interval(mins => n % 10) end, 100, n % 100,"
        " case n % 10 when 1 then 'disk ' || n || ' is full' end"
        f" from generate_series(1, {runs}) as n"
    )


def test_ten_thousand_runs_are_read_at_once_and_again_for_little(
    source: psycopg.Connection,
) -> None:
    fill(source, 10_000)
    began = time.monotonic()
    assert value(source, SYNC)["new"] == 10_000
    first = time.monotonic() - began
    assert rows(source, COUNTS) == [
        {"status": "completed", "tasks": 8000},
        {"status": "failed", "tasks": 1000},
        {"status": "running", "tasks": 1000},
    ]
    assert value(source, "select count(*) from monitoring.error_tracking") == 1000
    began = time.monotonic()
    assert value(source, SYNC)["unchanged"] == 10_000
    again = time.monotonic() - began
    # A busy machine takes several times as long as it should: the bounds tell a loop over rows.
    assert first < 20
    assert again < 4
    # It writes nothing but how it went.
    assert value(source, "select count(*) from monitoring.error_tracking") == 1000


def test_what_is_read_by_another_session_is_skipped(source: psycopg.Connection, dsn: str) -> None:
    fill(source, 10)
    with psycopg.connect(dsn) as reading:
        reading.execute(SYNC)
        assert value(source, SYNC) == {"source": "erp", "skipped": "another session reads it"}
        reading.rollback()
    assert value(source, SYNC)["new"] == 10


def test_sessions_that_read_at_once_record_every_run_once(
    source: psycopg.Connection, dsn: str
) -> None:
    fill(source, 500)

    def read(_: int) -> list[dict[str, int]]:
        with psycopg.connect(dsn, autocommit=True) as session:
            return [value(session, SYNC) for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        results = [result for found in pool.map(read, range(4)) for result in found]
    assert len(results) == 20
    assert sum(result.get("new", 0) for result in results) == 500
    counts = {row["status"]: row["tasks"] for row in rows(source, COUNTS)}
    assert counts == {"completed": 400, "failed": 50, "running": 50}
    assert value(source, "select count(*) from monitoring.error_tracking") == 50


def test_a_reading_that_is_undone_is_read_again(source: psycopg.Connection, dsn: str) -> None:
    fill(source, 10)
    with psycopg.connect(dsn) as reading:
        reading.execute(SYNC)
        reading.rollback()
    assert value(source, "select count(*) from monitoring.processing_metrics") == 0
    assert value(source, SYNC)["new"] == 10
    assert value(source, SYNC)["unchanged"] == 10


def test_the_job_reads_sources_and_its_failure_of_one_is_no_failure(
    source: psycopg.Connection,
) -> None:
    fill(source, 10)
    source.execute(
        "select monitoring.enable_job(job_name), monitoring.request_job(job_name)"
        " from monitoring.jobs where job_name = 'sync_sources'"
    )
    source.execute("call monitoring.run_due_jobs()")
    assert value(source, "select count(*) from monitoring.source_runs") == 10
    source.execute("drop table erp.runs")
    source.execute("update monitoring.sources set next_sync_at = now()")
    source.execute("select monitoring.request_job('sync_sources')")
    source.execute("call monitoring.run_due_jobs()")
    job = one(source, "select * from monitoring.v_jobs where job_name = 'sync_sources'")
    assert (job["last_status"], job["runs"]) == ("completed", 2)
    source.execute("select monitoring.check_processing_performance_alerts()")
    alert = one(
        source, "select * from monitoring.v_active_alerts where rule_name = 'source_trouble'"
    )
    assert alert["severity"] == "high"
    assert 'there is no relation "erp.runs"' in alert["summary"]


def test_a_source_that_hangs_undoes_no_other(source: psycopg.Connection) -> None:
    fill(source, 10)
    source.execute("create view erp.slow as select r.* from erp.runs as r, pg_sleep(60)")
    source.execute("grant select on erp.slow to monitoring_reader")
    source.execute(REGISTER.replace("'erp'", "'hanging'").replace("erp.runs", "erp.slow"))
    source.execute("set statement_timeout = '2s'")
    found = value(source, "select monitoring.sync_sources()")
    source.execute("reset statement_timeout")
    assert (found[0]["source"], found[0]["new"]) == ("erp", 10)
    assert (found[1]["source"], found[1]["is_cancelled"]) == ("hanging", True)
    assert value(source, "select count(*) from monitoring.source_runs") == 10
    (trouble,) = rows(source, "select * from monitoring.v_source_troubles")
    assert (trouble["source_name"], trouble["trouble"]) == ("hanging", "unreadable")


def test_a_source_that_takes_too_long_is_cancelled_and_the_others_are_read(
    source: psycopg.Connection, dsn: str
) -> None:
    """By whoever looks after the jobs, each after its own time."""
    fill(source, 10)
    source.execute("create view erp.slow as select r.* from erp.runs as r, pg_sleep(60)")
    source.execute("grant select on erp.slow to monitoring_reader")
    hanging = REGISTER.replace("'erp'", "'a hanging one'").replace("erp.runs", "erp.slow")
    source.execute(hanging.replace("\n    )", ", p_timeout => '1 second')"))
    source.execute(FIRST)
    with psycopg.connect(dsn, autocommit=True) as runner, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(value, runner, "select monitoring.sync_sources()")
        while not reading.done():
            value(source, "select monitoring.cancel_overdue_jobs()")
            time.sleep(0.2)
        found = reading.result()
    assert found[0] == {"source": "a hanging one", "error": "took longer than 1 s"}
    assert (found[1]["source"], found[1]["new"]) == ("erp", 10)
    assert rows(source, "select source_name, trouble from monitoring.v_source_troubles") == [
        {"source_name": "a hanging one", "trouble": "unreadable"}
    ]
    # It is tried again, later and later, and after the others.
    waits = "select extract(epoch from next_sync_at - synced_at)::int from monitoring.v_sources"
    for minutes in (15, 30, 60, 60):
        assert value(source, f"{waits} where last_error is not null") == minutes * 60
        source.execute(
            "select monitoring._note_reading('a hanging one', '{\"error\": \"again\"}', now())"
        )


def test_a_source_that_somebody_has_locked_is_not_waited_for(
    source: psycopg.Connection, dsn: str
) -> None:
    fill(source, 10)
    source.execute("create table erp.locked (like erp.runs)")
    source.execute("grant select on erp.locked to monitoring_reader")
    source.execute(REGISTER.replace("'erp'", "'a locked one'").replace("erp.runs", "erp.locked"))
    source.execute(FIRST)
    with psycopg.connect(dsn) as other:
        other.execute("lock table erp.locked")
        found = value(source, "select monitoring.sync_sources()")
        other.rollback()
    assert "lock timeout" in found[0]["error"]
    assert (found[1]["source"], found[1]["new"]) == ("erp", 10)


def test_whoever_cancels_a_reading_is_obeyed(source: psycopg.Connection) -> None:
    source.execute("create view erp.slow as select r.* from erp.runs as r, pg_sleep(60)")
    source.execute("grant select on erp.slow to monitoring_reader")
    fill(source, 10)
    source.execute(REGISTER.replace("erp.runs", "erp.slow"))
    source.execute("set statement_timeout = '300ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        source.execute(SYNC)


@pytest.fixture
def elsewhere(
    server: PostgresServer, empty_dsn: str, dsn: str
) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """A database without pgvigil that keeps runs, and one that sees them as a foreign table."""
    with (
        psycopg.connect(empty_dsn, autocommit=True) as other,
        psycopg.connect(dsn, autocommit=True) as here,
    ):
        other.execute(TABLE)
        here.execute("create extension postgres_fdw")
        info = other.info
        here.execute(
            "create server erp foreign data wrapper postgres_fdw options"
            f" (host '{info.host}', port '{info.port}', dbname '{info.dbname}')"
        )
        for user in ("current_user", "monitoring_admin"):
            here.execute(
                f"create user mapping for {user} server erp options"
                f" (user '{info.user}', password '{info.password}')"
            )
        here.execute("create schema erp")
        here.execute("import foreign schema erp from server erp into erp")
        here.execute("grant usage on schema erp to monitoring_admin")
        here.execute("grant select on erp.runs to monitoring_admin")
        here.execute(REGISTER)
        yield other, here


def test_runs_are_read_from_another_database(
    elsewhere: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    other, here = elsewhere
    fill(other, 20)
    assert value(here, SYNC)["new"] == 20
    other.execute("update erp.runs set processed = 99 where id = 10")
    other.execute("update erp.runs set state = 'CP', done = now() where id = 20")
    found = value(here, SYNC)
    assert (found["progressed"], found["ended"], found["unchanged"]) == (1, 1, 18)
    other.execute("alter table erp.runs rename to runs_of_old")
    assert 'relation "erp.runs" does not exist' in value(here, SYNC)["error"]
    other.execute("alter table erp.runs_of_old rename to runs")
    assert value(here, SYNC)["unchanged"] == 20


def test_old_runs_stay_in_the_other_database(
    elsewhere: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    _, here = elsewhere
    query = value(
        here,
        "select monitoring._run_rows_query(s, now(), 10) from monitoring.sources as s",
    )
    plan = here.execute(f"explain (verbose, costs off) {query}".encode()).fetchall()
    remote = next(line for (line,) in plan if "Remote SQL" in line)
    assert remote.count(">= '") == 3
    assert "= ANY" in remote
    assert not any("Filter" in line for (line,) in plan)

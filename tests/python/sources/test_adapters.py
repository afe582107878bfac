"""Adapters on the tables that queues make themselves: what becomes of jobs is seen.

The tables of River, Oban, GoodJob, Solid Queue and pgmq are made after their migrations in
``tests/pgtap/adopted_*.sql``.
"""

import asyncio
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pgqueuer import Job, PgQueuer
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.errors import RetryRequested
from procrastinate import App, PsycopgConnector, RetryStrategy
from psycopg.conninfo import make_conninfo

from pgvigil.resources import adapters_directory
from tests.harness.clients import run_pgvigil
from tests.python.support import queue_schemas
from tests.python.support.asking import rows, value
from tests.python.support.queue_schemas import adopt, needs_npm


def at(connection: psycopg.Connection, minutes: float) -> None:
    """Set the clock to so many minutes after the real time."""
    connection.execute(
        "select set_config('monitoring.now', (clock_timestamp() + %s * interval '1 minute')::text,"
        " false)",
        [minutes],
    )


def read(connection: psycopg.Connection, name: str) -> dict[str, Any]:
    """Read a source; return what it found more than none of."""
    result: dict[str, Any] = value(connection, f"select monitoring.sync_source('{name}')")
    assert "error" not in result, result
    return {key: found for key, found in result.items() if found and key != "source"}


def tasks(connection: psycopg.Connection) -> set[tuple[str, str, int]]:
    """Return type, status and retries left of each attempt."""
    query = """select task_type, status, (metadata ->> 'retries_left')::integer as retries_left
        from monitoring.processing_metrics"""
    return {
        (row["task_type"], row["status"], row["retries_left"]) for row in rows(connection, query)
    }


def depths(connection: psycopg.Connection) -> dict[str, tuple[int, int, int, int]]:
    """Return how many items wait, are worked on, completed and failed, by queue."""
    query = """select distinct on (queue_name) * from monitoring.queue_monitoring
        order by queue_name, recorded_at desc, sample_id desc"""
    return {
        row["queue_name"]: (row["pending"], row["processing"], row["completed"], row["failed"])
        for row in rows(connection, query)
    }


def troubles(connection: psycopg.Connection) -> list[dict[str, Any]]:
    return rows(connection, "select * from monitoring.v_source_troubles")


def failures(connection: psycopg.Connection) -> dict[str, str]:
    """Return the severity of the alert about failed tasks, by type."""
    connection.execute("select monitoring.evaluate_alerts()")
    query = """select labels ->> 'task_type' as task_type, severity
        from monitoring.v_active_alerts where rule_name = 'task_failed'"""
    return {row["task_type"]: row["severity"] for row in rows(connection, query)}


@needs_npm
@pytest.mark.parametrize("version", [10, 12])
def test_pg_boss(version: int, connection: psycopg.Connection) -> None:
    """Its jobs are moved on as its workers move them."""
    connection.execute(getattr(queue_schemas, f"pg_boss_{version}")().encode())
    options = {"policy": "standard", "retryLimit": 2, "retryDelay": 60, "expireInSeconds": 60}
    for queue in ("mail", "__pgboss__send-it"):
        connection.execute("select pgboss.create_queue(%s, %s)", [queue, json.dumps(options)])
    if version == 10:
        connection.execute("insert into pgboss.job (name) values ('__pgboss__send-it')")
    connection.execute(
        """insert into pgboss.job (name, state, retry_count, started_on, completed_on, start_after,
            retry_limit, retry_delay, output)
        select 'mail', j.state::pgboss.job_state, j.retries, now() - interval '10 s', j.ended,
            now() + j.wait, 2, 60, '{"message": "no route", "secret": 1}'
        from (values
            ('created', 0, null, interval '-30 s'), ('created', 0, null, interval '1 hour'),
            ('active', 1, null, interval '-30 s'), ('retry', 0, null, interval '58 s'),
            ('completed', 0, now(), interval '-30 s'), ('failed', 2, now(), interval '-30 s'),
            ('cancelled', 0, now(), interval '-30 s')
        ) as j (state, retries, ended, wait)"""
    )
    grants = adopt(connection, "pg_boss")
    assert [grant for grant in grants if "data" in grant] == []
    assert read(connection, "pg_boss") == {"new": 5}
    assert read(connection, "pg_boss_queues") == {"queues": 1, "pending": 1, "processing": 1}
    assert tasks(connection) == {
        ("mail", "running", 1), ("mail", "failed", 2), ("mail", "completed", 2),
        ("mail", "failed", 0), ("mail", "cancelled", 2),
    }  # fmt: skip
    errors = "select severity, message from monitoring.error_tracking order by severity"
    assert [tuple(row.values()) for row in rows(connection, errors)] == [
        ("high", "no route"), ("medium", "no route"),
    ]  # fmt: skip

    connection.execute(
        "update pgboss.job set state = 'completed', completed_on = now() where state = 'active'"
    )
    at(connection, 2)
    assert read(connection, "pg_boss")["ended"] == 1
    read(connection, "pg_boss_queues")
    # The wait of one that is tried again is over by now.
    assert depths(connection) == {"pg_boss:mail": (2, 0, 2, 1)}
    assert troubles(connection) == []


@needs_npm
def test_graphile_worker(connection: psycopg.Connection) -> None:
    """What is done is deleted: depths are seen, and what failed for good."""
    connection.execute(queue_schemas.graphile_worker().encode())
    connection.execute(
        """select graphile_worker.add_job('mail'), graphile_worker.add_job('mail'),
            graphile_worker.add_job('mail', run_at => now() + interval '1 hour'),
            graphile_worker.add_job('bill', max_attempts => 1)"""
    )
    adopt(connection, "graphile_worker")
    assert read(connection, "graphile_worker") == {}
    connection.execute(
        """update graphile_worker._private_jobs set attempts = 1, locked_at = now(), locked_by = 'w'
        where id in (1, 4)"""
    )
    assert read(connection, "graphile_worker_queues") == {
        "queues": 2, "pending": 1, "processing": 2,
    }  # fmt: skip
    connection.execute(
        """update graphile_worker._private_jobs set locked_at = null, last_error = 'no route',
            updated_at = now() where id = 4"""
    )
    connection.execute("delete from graphile_worker._private_jobs where id = 1")
    assert read(connection, "graphile_worker") == {"new": 1}
    assert tasks(connection) == {("bill", "failed", 0)}
    assert failures(connection) == {"bill": "critical"}
    read(connection, "graphile_worker_queues")
    assert depths(connection) == {
        "graphile_worker:bill": (0, 0, 0, 1), "graphile_worker:mail": (1, 0, 0, 0),
    }  # fmt: skip
    assert troubles(connection) == []


def test_procrastinate(dsn: str, connection: psycopg.Connection) -> None:
    """With a worker of its own."""
    connection.execute(queue_schemas.procrastinate().encode())
    adopt(connection, "procrastinate")
    asyncio.run(_procrastinate(dsn))
    assert read(connection, "procrastinate") == {"new": 4}
    assert tasks(connection) == {
        ("fine", "completed", 0),
        ("dead", "failed", 0),
        ("later", "failed", 1),
    }
    assert failures(connection) == {"dead": "critical", "later": "medium"}
    read(connection, "procrastinate_queues")
    assert depths(connection) == {
        "procrastinate:mail": (0, 0, 0, 0), "procrastinate:idle": (1, 0, 0, 0),
    }  # fmt: skip
    at(connection, 2)
    read(connection, "procrastinate_queues")
    assert depths(connection)["procrastinate:mail"] == (0, 0, 2, 1)
    assert read(connection, "procrastinate") == {"unchanged": 4}
    assert troubles(connection) == []


async def _procrastinate(dsn: str) -> None:
    app = App(connector=PsycopgConnector(conninfo=dsn))

    @app.task(name="fine", queue="mail")
    async def fine() -> None:
        pass

    @app.task(name="dead", queue="mail")
    async def dead() -> None:
        raise ValueError("no route")

    @app.task(name="later", queue="mail", retry=RetryStrategy(max_attempts=3, wait=3600))
    async def later() -> None:
        raise ValueError("not yet")

    @app.task(name="unseen", queue="idle")
    async def unseen() -> None:
        pass

    async with app.open_async():
        for task in (fine, fine, dead, later, unseen):
            await task.defer_async()
        await app.run_worker_async(
            queues=["mail"], wait=False, listen_notify=False, install_signal_handlers=False
        )


def test_pgqueuer(dsn: str, connection: psycopg.Connection) -> None:
    """With a worker of its own."""
    connection.execute(queue_schemas.pgqueuer().encode())
    adopt(connection, "pgqueuer")
    asyncio.run(_pgqueuer(dsn))
    assert read(connection, "pgqueuer") == {"new": 5}
    assert tasks(connection) == {
        ("fine", "completed", 0), ("dead", "failed", 0), ("held", "failed", 0),
        ("later", "failed", 1),
    }  # fmt: skip
    assert failures(connection) == {"dead": "critical", "held": "critical", "later": "medium"}
    messages = {
        row["message"] for row in rows(connection, "select message from monitoring.error_tracking")
    }
    assert messages == {"no route", "to be looked at", "Retry requested"}
    assert read(connection, "pgqueuer_queues") == {"queues": 2, "pending": 1}
    at(connection, 2)
    read(connection, "pgqueuer_queues")
    found = depths(connection)
    assert found["pgqueuer:fine"] == (0, 0, 2, 0)
    assert found["pgqueuer:dead"] == found["pgqueuer:held"] == (0, 0, 0, 1)
    assert troubles(connection) == []


async def _pgqueuer(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        queues = PgQueuer(PsycopgDriver(connection))

        @queues.entrypoint("fine")
        async def fine(job: Job) -> None:
            pass

        @queues.entrypoint("dead")
        async def dead(job: Job) -> None:
            raise ValueError("no route")

        @queues.entrypoint("held", on_failure="hold")
        async def held(job: Job) -> None:
            raise ValueError("to be looked at")

        @queues.entrypoint("later")
        async def later(job: Job) -> None:
            raise RetryRequested(delay=timedelta(hours=1))

        names = ["fine", "fine", "dead", "held", "later", "unseen"]
        await queues.qm.queries.enqueue(names, [None] * 6, [0] * 6)
        worker = asyncio.create_task(queues.qm.run(dequeue_timeout=timedelta(seconds=1)))
        await _until_ended(dsn, 5)
        queues.qm.shutdown.set()
        await worker


async def _until_ended(dsn: str, number: int) -> None:
    """Wait until so many jobs of PgQueuer have ended, or wait again."""
    query = """select count(*) from pgqueuer_log
        where status not in ('queued', 'picked') or traceback is not null"""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        async with asyncio.timeout(60):
            while (await (await connection.execute(query)).fetchone()) != (number,):
                await asyncio.sleep(0.2)


def test_whoever_adopts_needs_no_more_than_to_be_an_admin(
    dsn: str, connection: psycopg.Connection
) -> None:
    """Nor does anybody lock or depend on the tables."""
    connection.execute(queue_schemas.procrastinate().encode())
    connection.execute("create role adopter login password 'x' in role monitoring_admin")
    try:
        as_adopter = make_conninfo(dsn, user="adopter", password="x")
        with psycopg.connect(as_adopter, autocommit=True) as adopter:
            adopter.execute((adapters_directory() / "procrastinate.sql").read_bytes())
            missing = value(adopter, "select monitoring.adopt('procrastinate')")["missing_grants"]
            for grant in missing:
                connection.execute(grant.encode())
            assert value(adopter, "select monitoring.adopt('procrastinate')")["is_adopted"]
            assert read(adopter, "procrastinate_queues") == {}
            with connection.transaction():
                connection.execute("drop table procrastinate_jobs cascade")
                connection.execute("drop table procrastinate_events")
            lost = value(adopter, "select monitoring.sync_source('procrastinate')")
            assert lost["error"] == 'relation "public.procrastinate_jobs" does not exist'
            adopter.execute("select monitoring.remove_adoption('procrastinate')")
    finally:
        connection.execute("drop owned by adopter")
        connection.execute("drop role adopter")


def test_what_was_adopted_survives_an_upgrade(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """By the command as by the single file, even if code was dropped in between."""
    connection.execute(queue_schemas.procrastinate().encode())
    adopt(connection, "procrastinate")
    connection.execute("drop view monitoring.v_adopted_procrastinate_queues")
    connection.execute("drop function monitoring._adopted_procrastinate_depths")
    assert run_pgvigil(dsn, "migrate", "--reload").returncode == 0
    assert read(connection, "procrastinate_queues") == {}
    file = tmp_path / "pgvigil.sql"
    file.write_text(run_pgvigil(dsn, "sql").stdout, encoding="utf-8")
    psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(file), dsn]
    subprocess.run(psql, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert read(connection, "procrastinate") == {}


def test_each_adapter_is_printed_and_loads(dsn: str, connection: psycopg.Connection) -> None:
    names = run_pgvigil(dsn, "adapter").stdout.split()
    assert "river" in names
    assert names == sorted(file.stem for file in adapters_directory().glob("*.sql"))
    connection.execute(run_pgvigil(dsn, "adapter", "--all").stdout.encode())
    loaded = "select adapter_name from monitoring.v_adapters order by 1"
    assert [row["adapter_name"] for row in rows(connection, loaded)] == names
    unknown = run_pgvigil(dsn, "adapter", "rivre")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "there is no adapter 'rivre'; there are: " in unknown.stderr

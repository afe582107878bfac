"""Jobs, runners and waiting for them, for the tests of the scheduler in the database."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from tests.python.support.asking import one, rows

GATE = 4711
"""Advisory lock that a test holds to keep a job of ``GATED`` waiting."""

GATED = f"perform pg_advisory_xact_lock({GATE})"
"""Body of a job that waits until the gate opens."""

CALL = "call monitoring.run_due_jobs()"


class JobBench:
    """A database with no jobs but those of the test, and sessions that run them."""

    def __init__(self, dsn: str, stack: ExitStack) -> None:
        """Prepare a database; the stack closes what is opened."""
        self.dsn = dsn
        self._stack = stack
        self._pool = stack.enter_context(ThreadPoolExecutor(8))
        self.session = self.connect()
        self.session.execute("delete from monitoring.jobs")
        self.session.execute("create schema errands")
        self.session.execute("grant all on schema errands to monitoring_admin")
        self.session.execute("create table errands.notes (note text, xid xid8)")
        self.session.execute("grant all on errands.notes to monitoring_admin")

    def connect(self, dsn: str | None = None) -> psycopg.Connection:
        """Open a session; every statement commits by itself."""
        return self._stack.enter_context(psycopg.connect(dsn or self.dsn, autocommit=True))

    def add(
        self,
        name: str,
        body: str = "null",
        timeout: str = "10 minutes",
        schedule: str = "1 hour",
    ) -> None:
        """Schedule a job, due at once and then hourly, that notes its name and does something."""
        self.session.execute(
            f"create function errands.{name}() returns void language plpgsql as $$"
            " declare v_begun timestamptz := clock_timestamp();"
            f" begin insert into errands.notes values ('{name}', pg_current_xact_id());"
            f" {body}; end $$".encode()
        )
        self.session.execute(
            "select monitoring.define_job(p_job_name => %s, p_schedule => %s,"
            " p_procedure_name => %s, p_timeout => %s)",
            [name, schedule, f"errands.{name}", timeout],
        )

    def start(self, runner: psycopg.Connection) -> "Future[Any]":
        """Run what is due, in the background."""
        return self.start_statement(runner, CALL)

    def start_statement(self, session: psycopg.Connection, statement: str) -> "Future[Any]":
        """Execute a statement in the background."""
        return self._pool.submit(session.execute, statement.encode())

    @contextmanager
    def closed_gate(self) -> Iterator[None]:
        """Keep jobs of ``GATED`` waiting."""
        self.session.execute("select pg_advisory_lock(%s)", [GATE])
        try:
            yield
        finally:
            self.session.execute("select pg_advisory_unlock(%s)", [GATE])

    def wait_until_waiting(self, runner: psycopg.Connection) -> None:
        """Wait until a session stands before a lock."""
        self.wait_for(
            "select wait_event_type = 'Lock' from pg_stat_activity"
            f" where pid = {runner.info.backend_pid}"
        )

    def wait_for(self, condition: str) -> None:
        """Wait until a query of one boolean says true.

        Raises:
            AssertionError: it did not within ten seconds.
        """
        deadline = time.monotonic() + 10
        while self.session.execute(condition.encode()).fetchone() != (True,):
            assert time.monotonic() < deadline, f"never true: {condition}"
            time.sleep(0.01)

    def job(self, name: str) -> dict[str, Any]:
        """Return a job as readers see it."""
        return one(self.session, f"select * from monitoring.v_jobs where job_name = '{name}'")

    def done(self, name: str) -> int:
        """Return how often a job has done its work, as far as that was committed."""
        return self.notes().count(name)

    def statuses(self) -> dict[str, str]:
        """Return how the last run of each job ended."""
        found = rows(self.session, "select job_name, last_status from monitoring.v_jobs")
        return {row["job_name"]: row["last_status"] for row in found}

    def request(self, name: str) -> None:
        """Ask for a run."""
        self.session.execute("select monitoring.request_job(%s)", [name])

    def notes(self) -> list[str]:
        """Return the names of the jobs whose work was committed, in alphabetical order."""
        found = rows(self.session, "select note from errands.notes order by note")
        return [row["note"] for row in found]

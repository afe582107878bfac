"""A server with a real pg_cron, for the tests of what we do with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import installed_binaries, major_version
from tests.harness.clients import run
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.harness.errors import missing_tools
from tests.python.support.asking import one

HOME, ELSEWHERE = "cron_home", "cron_elsewhere"
SCHEDULER = "pgvigil_scheduler"
"""Logs in, belongs to the admins, is no superuser."""

# What docs/scheduler.md tells a superuser to run once.
RIGHTS = (
    "grant usage on schema cron to monitoring_admin",
    "create policy pgvigil_jobs on cron.job for select to monitoring_admin using (true)",
    "create policy pgvigil_runs on cron.job_run_details for select"
    " to monitoring_admin using (true)",
)
# A job that notes who runs it, and no other.
WORK = (
    "delete from monitoring.jobs",
    "create schema errands",
    "create table errands.notes (by_role text)",
    "create function errands.work() returns void language sql"
    " begin atomic insert into errands.notes values (session_user); end",
    "grant usage on schema errands to monitoring_admin",
    "grant insert on errands.notes to monitoring_admin",
    "select monitoring.define_job('work', '1 second', 'errands.work')",
)

Session = psycopg.Connection[Any]


class Place:
    """pgvigil in the database that pg_cron lives in, and in another one."""

    def __init__(self, server: PostgresServer) -> None:
        """Install everything into a server whose pg_cron lives in ``HOME``."""
        self.server = server
        for database in (HOME, ELSEWHERE):
            create_database(server, database)
            install_pgvigil(server, database)
            run(server.dsn(database), *WORK)
        run(server.dsn(HOME), "create extension pg_cron", *RIGHTS)
        run(server.dsn(), f"create role {SCHEDULER} login in role monitoring_admin")

    def connect(self, database: str = HOME, user: str = "postgres") -> Session:
        """Open a session; every statement commits by itself."""
        dsn = self.server.dsn(database, user=user, via_socket=True)
        return psycopg.connect(dsn, autocommit=True)

    @contextmanager
    def trial(self, user: str = "postgres") -> Iterator[Session]:
        """Open a transaction as a user, of which nothing stays and which pg_cron does not disturb.

        The superuser is behind it: ``act_as`` changes the user.
        """
        with self.connect() as session, session.transaction(force_rollback=True):
            session.execute("set transaction isolation level repeatable read")
            act_as(session, user)
            yield session


@contextmanager
def pg_cron_server() -> Iterator[PostgresServer]:
    """Run a server with pg_cron, from the system's packages."""
    settings = {
        "shared_preload_libraries": "pg_cron",
        "cron.database_name": HOME,
        "cron.use_background_workers": "on",
    }
    with disposable_server(_binaries(), settings) as server:
        yield server


def _binaries() -> Path:
    for binaries in installed_binaries():
        share = Path(f"/usr/share/postgresql/{major_version(binaries)}")
        if (share / "extension" / "pg_cron.control").exists():
            return binaries
    raise missing_tools("pg_cron for one of the installed PostgreSQL versions")


def act_as(session: Session, user: str) -> None:
    """Go on as another user, until the end of the transaction."""
    session.execute(f"set local session authorization {user}".encode())


def value(session: Session, call: str) -> Any:
    """Return what one of our functions returns."""
    return one(session, f"select monitoring.{call} as value")["value"]

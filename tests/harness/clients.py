"""PostgreSQL's own clients and yoyo's, run as a DBA would run them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from pgvigil.resources import migrations_directory
from tests.harness.databases import OWNER


def run_psql(server: PostgresServer, database: str, *arguments: str | Path) -> str:
    """Run the server's own psql as the owner and return what it printed, notices included.

    Raises:
        subprocess.CalledProcessError: it failed; ``output`` says why.
    """
    dsn = server.dsn(database, user=OWNER, via_socket=True)
    return _run([server.binaries / "psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", dsn, *arguments])


def run_yoyo(
    server: PostgresServer, database: str, *arguments: str, migrations: Path | None = None
) -> str:
    """Run yoyo's command as the owner, knowing nothing of pgvigil but its migrations.

    Raises:
        subprocess.CalledProcessError: it failed; ``output`` says why.
    """
    dsn = server.dsn(database, user=OWNER, via_socket=True)
    dsn = dsn.replace("postgresql://", "postgresql+psycopg://")
    command, *options = arguments
    yoyo = Path(sys.executable).parent / "yoyo"
    source = str(migrations or migrations_directory())
    head = [str(yoyo), command, "--batch", "--no-config-file", "--database", dsn]
    return _run([*head, *options, source])


def run_pgvigil(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command ``pgvigil`` at 80 columns, without a terminal, and return how it went."""
    return subprocess.run(
        [Path(sys.executable).parent / "pgvigil", *arguments],
        env=clean_environment() | {"PGVIGIL_DSN": dsn, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def dump_installation(server: PostgresServer, database: str) -> str:
    """Return the schema as pg_dump writes it, and the rows that an installation makes.

    Nothing is left out but pg_dump's random keys against injection, which differ at each run.
    """
    dsn = server.dsn(database)
    dump = _run([server.binaries / "pg_dump", "--schema-only", "--schema=monitoring", "-d", dsn])
    lines = [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestr"))]
    with psycopg.connect(dsn) as connection:
        for query in (
            "select migration_id from monitoring.installed_migrations order by 1",
            "select * from monitoring.partitioned_tables order by 1",
            "select table_name, category, keep from monitoring.retention_policies order by 1, 2",
            "select version from monitoring.installed_code",
        ):
            lines += [repr(row) for row in connection.execute(query.encode())]
    return "\n".join(lines)


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    """Return what a query finds."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def run(dsn: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def may(connection: psycopg.Connection, role: str, statement: str) -> bool:
    """Try a statement as a role, leaving nothing behind."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return False
        except psycopg.errors.IntegrityError:  # the right was there, a value was not
            return True
    return True


def dsn_of(server: PostgresServer, database: str, user: str) -> str:
    """Return how a role that has no password reaches a database."""
    return server.dsn(database, user=user, via_socket=True)


def clean_environment() -> dict[str, str]:
    """Return our environment without what libpq and pgvigil would read."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "COLUMNS"))
    }


def _run(command: Sequence[str | Path]) -> str:
    result = subprocess.run(
        command,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode != 0:
        raise subprocess.CalledProcessError(result.returncode, command, result.stdout)
    return result.stdout

"""Servers and databases as the tests want them."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from pgvigil.demo.server import PostgresServer

OWNER = "pgvigil_owner"
"""Installs pgvigil in every test: no superuser, just a role that may create roles."""

# PostgreSQL's defaults, so that what is slow or breaks with them is found here, but for what only
# a power cut would show, room in memory, transactions that tests prepare, and the time zone, of
# which the matrix gives each version another.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
    "max_prepared_transactions": "10",
    "timezone": "UTC",
}

_SHM = Path("/dev/shm")
# What the servers of a few workers take together, several times over.
_ROOM = 4 * 1024**3


@contextmanager
def disposable_server(
    binaries: Path, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """Run a server that leaves nothing behind, with the owner role in it."""
    with TemporaryDirectory(prefix="pgvigil-test-", dir=memory_directory()) as home:
        server = PostgresServer(home, binaries=binaries, settings=SETTINGS | dict(settings or {}))
        with server:
            execute(server.dsn(), sql.SQL("create role {} login createrole"), OWNER)
            yield server


def create_database(server: PostgresServer, name: str, template: str = "template1") -> None:
    """Create a database that belongs to the owner role."""
    # Copied file by file, which without fsync takes a third of what going through the log takes.
    statement = sql.SQL("create database {} template {} owner {} strategy file_copy")
    execute(server.dsn(via_socket=True), statement, name, template, OWNER)


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database, whoever is still connected."""
    execute(server.dsn(via_socket=True), sql.SQL("drop database {} with (force)"), name)


def install_pgvigil(server: PostgresServer, database: str) -> None:
    """Install pgvigil as the owner role."""
    from pgvigil.install import migrate  # here, so that the server's own tests do without it

    migrate(server.dsn(database, user=OWNER, via_socket=True))


def make_template(server: PostgresServer, name: str) -> None:
    """Create a database with pgvigil that is quick to copy."""
    create_database(server, name)
    install_pgvigil(server, name)
    # An installation rewrites the catalogue many times over; a quarter of it is what was before.
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        for (table,) in connection.execute(
            "select oid::regclass::text from pg_class"
            " where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'"
        ).fetchall():
            connection.execute(f"vacuum full {table}".encode())


def execute(dsn: str, statement: sql.SQL, *identifiers: str) -> None:
    """Run one statement outside any transaction, with identifiers put into its gaps."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.format(*map(sql.Identifier, identifiers)))


def memory_directory() -> str | None:
    """Return a directory in memory, or None where there is little of it or another is wished for.

    To make, fill and drop a database for each test is mostly work of the file system.
    """
    wished = "TMPDIR" in os.environ
    return str(_SHM) if not wished and _SHM.is_dir() and _has_room(_SHM) else None


def _has_room(directory: Path) -> bool:
    return os.access(directory, os.W_OK) and shutil.disk_usage(directory).free > _ROOM

"""Servers and databases as the tests want them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from pgvigil.server import PostgresServer

OWNER = "pgvigil_owner"
"""Installs pgvigil in every test: no superuser, just a role that may create roles."""

# Nothing here has to survive a power cut. The instant-of-day and zone traps are for the matrix,
# which gives each version another time zone.
FAST_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    # Compiling what reads a few rows takes longer than all the rest.
    "jit": "off",
    "synchronous_commit": "off",
    "max_prepared_transactions": "10",
    "timezone": "UTC",
}


@contextmanager
def disposable_server(
    binaries: Path, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """Run a server that leaves nothing behind, with the owner role in it."""
    with TemporaryDirectory(prefix="pgvigil-test-") as home:
        server = PostgresServer(
            home, binaries=binaries, settings=FAST_SETTINGS | dict(settings or {})
        )
        with server:
            execute(server.dsn(), sql.SQL("create role {} login createrole"), OWNER)
            yield server


def create_database(server: PostgresServer, name: str, template: str = "template1") -> None:
    """Create a database that belongs to the owner role."""
    execute(server.dsn(), sql.SQL("create database {} template {} owner {}"), name, template, OWNER)


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database, whoever is still connected."""
    execute(server.dsn(), sql.SQL("drop database {} with (force)"), name)


def install_pgvigil(server: PostgresServer, database: str) -> None:
    """Install pgvigil as the owner role."""
    from pgvigil.install import migrate  # here, so that the server's own tests do without it

    migrate(server.dsn(database, user=OWNER, via_socket=True))


def execute(dsn: str, statement: sql.SQL, *identifiers: str) -> None:
    """Run one statement outside any transaction, with identifiers put into its gaps."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.format(*map(sql.Identifier, identifiers)))

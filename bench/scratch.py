"""A server that is gone after the measurement, with pgvigil in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from pgvigil.install import migrate
from pgvigil.server import PostgresServer


@contextmanager
def scratch_server(binaries: Path, settings: Mapping[str, str]) -> Iterator[PostgresServer]:
    """Run a server whose database ``bench`` has pgvigil."""
    with (
        TemporaryDirectory(prefix="pgvigil-bench-") as home,
        PostgresServer(home, binaries=binaries, settings=settings) as server,
    ):
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create database bench")
        migrate(server.dsn("bench"))
        yield server

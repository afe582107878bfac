"""A server that is gone after the measurement, with pgvigil in it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from pgvigil.demo.server import PostgresServer
from pgvigil.install import migrate

# PostgreSQL's defaults: what costs much only with them is what people pay. A checkpoint alone must
# not fall into one of the things that are compared.
SETTINGS = {"max_wal_size": "8GB"}


@contextmanager
def scratch_server(binaries: Path) -> Iterator[PostgresServer]:
    """Run a server whose database ``bench`` has pgvigil."""
    with (
        TemporaryDirectory(prefix="pgvigil-bench-") as home,
        PostgresServer(home, binaries=binaries, settings=SETTINGS) as server,
    ):
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create database bench")
        migrate(server.dsn("bench"))
        yield server


def make_bare_tables(server: PostgresServer, binaries: Path) -> None:
    """Make the tables that are compared with ours, in the same database."""
    subprocess.run(
        [
            binaries / "psql", "-Xq", "-v", "ON_ERROR_STOP=1",
            "-f", Path(__file__).parent / "scripts" / "bare.sql",
            server.dsn("bench", via_socket=True),
        ],
        check=True,
    )  # fmt: skip

"""A PgBouncer in front of the test server, as Debian has it: real, and too old for our names."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import run_as
from tests.harness.tools import can_have, program

needs_pgbouncer = pytest.mark.skipif(
    not can_have("pgbouncer"), reason="there is no PgBouncer, and no way to install one"
)

_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
query_wait_timeout = 20
ignore_startup_parameters = extra_float_digits,options
{more}
"""


@contextmanager
def pooler(
    server: PostgresServer,
    mode: str = "transaction",
    size: int = 2,
    settings: str = "",
    logins: Mapping[str, str] = {},
) -> Iterator[int]:
    """Run a PgBouncer; yield its port, at which the superuser is let in without a password.

    So are others whose passwords in the server are given.
    """
    bouncer = program("pgbouncer")
    with TemporaryDirectory(prefix="pgvigil-pooler-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        home = Path(name)
        users, file, log = home / "users", home / "settings", home / "log"
        passwords = {"postgres": conninfo_to_dict(server.dsn())["password"], **logins}
        users.write_text("".join(f'"{name}" "{word}"\n' for name, word in passwords.items()))
        file.write_text(
            _SETTINGS.format(
                server_port=server.port, port=port, users=users, mode=mode, size=size, more=settings
            )
        )
        # It does not run as root either.
        way = run_as(server.binaries, os.geteuid())
        way.give(home, users, file)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*way.prefix, bouncer, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_it_listens(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def through(dsn: str, port: int) -> str:
    """Return how the same database is reached through a pooler."""
    return f"postgresql://postgres@127.0.0.1:{port}/{conninfo_to_dict(dsn)['dbname']}"


def left_behind(port: int, dsn: str) -> dict[str, object]:
    """Return what the sessions of a pool have of others: locks, a search path, statements."""
    found: dict[str, object] = {}
    with (
        psycopg.connect(through(dsn, port), prepare_threshold=None) as one,
        psycopg.connect(through(dsn, port), prepare_threshold=None) as other,
    ):
        for name, connection in (("one", one), ("other", other)):
            row = connection.execute(
                "select"
                " (select count(*) from pg_locks where locktype = 'advisory'),"
                " (select count(*) from pg_prepared_statements),"
                " (select array_agg(name order by name) from pg_settings where source = 'session'"
                "  and name not in ('client_encoding', 'DateStyle', 'TimeZone',"
                "   'standard_conforming_strings', 'application_name', 'search_path',"
                "   'transaction_isolation')),"
                " current_setting('search_path')"
            ).fetchone()
            found[name] = row
    return found


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)

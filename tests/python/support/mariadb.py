"""A MariaDB for the tests, as another team's database."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

import pymysql

from tests.harness.tools import program

USER = "reader"
DATABASE = "legacy_erp"


class MariaDB:
    """A server of its own on loopback, that can be killed and started again."""

    def __init__(self) -> None:
        """Start it, with an empty database and a user."""
        self._program = program("mariadbd")
        # Its user must be able to get there.
        self._home = Path(mkdtemp(prefix="pgvigil-mariadb-", dir="/tmp"))
        self._user = "mysql" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._home, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run(
            "mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db"
        )
        self._server: subprocess.Popen[bytes] | None = None
        self.start()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"create database {DATABASE} character set utf8mb4")
            cursor.execute(f"create user '{USER}'@'%%' identified by %s", [self.password])
            cursor.execute(f"grant select on {DATABASE}.* to '{USER}'@'%'")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it and leave nothing behind."""
        self.kill()
        shutil.rmtree(self._home)

    @property
    def password(self) -> str:
        """The password of the user that reads."""
        return "p@ss/w:rd-7Q"

    @property
    def address(self) -> str:
        """The URL by which the user reads."""
        password = self.password.replace("@", "%40").replace("/", "%2F").replace(":", "%3A")
        return f"mysql://{USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self, **options: Any) -> "pymysql.Connection[Any]":
        """Connect as root through the socket."""
        return pymysql.connect(
            unix_socket=str(self._home / "socket"), user="root", autocommit=True, **options
        )

    def execute(self, statement: str) -> None:
        """Run a statement in the database, as root."""
        with self.connect(database=DATABASE) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def end_sessions(self) -> None:
        """End what readers that were killed have left behind."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select id from information_schema.processlist where user = %s", [USER])
            for (session,) in cursor.fetchall():
                with suppress(pymysql.err.OperationalError):  # gone by itself
                    cursor.execute("kill %s", [session])

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._server = subprocess.Popen(
            [
                self._program,
                *self._options(),
                f"--socket={self._home / 'socket'}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={self._home / 'pid'}",
                "--skip-log-bin",
                # What is committed must outlive the server when it is killed, not the machine.
                "--innodb-flush-log-at-trx-commit=2",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                # It listens before its socket is of any use to anybody else.
                if probe.connect_ex(str(self._home / "socket")) == 0 and probe.recv(1):
                    return
            assert time.monotonic() < deadline, "MariaDB did not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill the server, so that nothing of it is closed in order."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _options(self) -> list[str]:
        user = [f"--user={self._user}"] if self._user else []
        return ["--no-defaults", *user, f"--datadir={self._home / 'data'}"]

    def _run(self, program: str, *options: str) -> None:
        subprocess.run([program, *self._options(), *options], check=True, stdout=subprocess.DEVNULL)

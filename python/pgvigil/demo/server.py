"""A PostgreSQL server of one's own, for the demonstration and the tests.

It needs nothing but a directory of PostgreSQL programs (see `pgvigil.demo.server_binaries`), works
as root and as an ordinary user, keeps its data between runs, and never outlives the program that
started it: a watcher process holds the reading end of a pipe whose writing end only this program
has. However this program ends, by Ctrl-C or SIGKILL, the pipe closes and the watcher asks the
server to shut down.

Connections over the Unix socket need no password, because its directory is ours alone (mode
0700). TCP listens on 127.0.0.1, which every local account can reach, so there PostgreSQL asks for
the generated password kept beside the data (mode 0600) and part of `PostgresServer.dsn()`.
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from pgvigil.database.words import length_of_time
from pgvigil.demo.server_binaries import RunAs, ServerError, find_binaries, major_version, run_as
from pgvigil.demo.server_state import RunningServer, forget_recycled_pid, read_running_server

# Turns into the server (exec keeps the pid) after leaving a watcher behind. The watcher is
# detached twice over: its parent is not the server, which would take it for a crashed child, and
# it ignores the signals sent to a whole group. A line on the pipe, as opposed to its end, says
# that the server is stopped without it, and its pid may soon belong to someone else.
_BECOME_SERVER_UNDER_WATCH = """
exec 3<&0 </dev/null
( ( trap '' HUP INT TERM
    if ! read -r stand_down <&3; then kill -INT $$; fi
  ) >/dev/null 2>&1 & )
exec "$@" 3<&-
"""
_STAND_DOWN = b"\n"
# PostgreSQL allows 107 characters on Linux and 103 on macOS.
_LONGEST_SOCKET_PATH = 103
_LARGEST_LOG_BYTES = 10_000_000


class PostgresServer:
    """A PostgreSQL server that lives in one directory and no longer than this program.

    Use it as a context manager, or call `start` and `stop`. When another program already runs a
    server in the same directory, `start` attaches to that one and `stop` leaves it running. A
    child made by a bare ``os.fork`` that outlives this program keeps the server alive as well.
    """

    def __init__(
        self,
        home: Path | str,
        *,
        binaries: Path | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> None:
        """Describe a server; nothing runs before `start`.

        Args:
            home: directory for data, log, password and socket; made when missing.
            binaries: directory with ``initdb`` and ``postgres``; found when None.
            port: TCP port; when None the one of the last run if free, else any free one.
            settings: PostgreSQL settings for this run, such as ``{"fsync": "off"}``.
            timeout: seconds allowed for starting and for stopping, each.

        Raises:
            ServerError: no binaries given and none found.
        """
        self.home = Path(home).resolve()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.binaries = binaries or find_binaries()
        self.settings = dict(settings or {})
        self.timeout = timeout
        self._wanted_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._running: RunningServer | None = None
        self._password_file = self.home / "password"
        self._short_socket_directory: Path | None = None

    @property
    def owned(self) -> bool:
        """Whether this object started the server and will stop it."""
        return self._process is not None

    @property
    def port(self) -> int:
        """TCP port of the running server.

        Raises:
            ServerError: it does not run.
        """
        return self._state().port

    @property
    def pid(self) -> int:
        """Process id of the running server's postmaster.

        Raises:
            ServerError: it does not run.
        """
        return self._state().pid

    def start(self) -> Self:
        """Create the data directory when there is none, start the server and wait until it is up.

        Raises:
            ServerError: it did not come up in time; the message ends with the server's log.
        """
        if self._running is not None:
            return self
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + self.timeout
        try:
            with self._lock() as lock:
                self._running = self._find_running(deadline) or self._start_own(lock, deadline)
        except BaseException:  # a Ctrl-C while starting included
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Shut down a server that this object started; an attached one is left alone.

        A server that does not finish in time is told to quit at once, which its next start
        repairs from the write-ahead log.
        """
        process, self._process, self._running = self._process, None, None
        if process is None or process.stdin is None:
            return
        # A child of ours that still runs may hold the pipe open: the watcher would wait for it.
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(_STAND_DOWN)
        process.send_signal(signal.SIGINT)  # none is sent to a process that has ended
        try:
            process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()
        if self._short_socket_directory is not None:
            shutil.rmtree(self._short_socket_directory, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server if it was started here."""
        self.stop()

    def dsn(
        self, database: str = "postgres", *, user: str = "postgres", via_socket: bool = False
    ) -> str:
        """Return the connection URI of a database.

        Args:
            database: name of the database.
            user: role to connect as; only ``postgres`` has a password to use over TCP.
            via_socket: the Unix socket, where any role connects without a password, not TCP.

        Raises:
            ServerError: the server does not run.
        """
        state = self._state()
        name, role = quote(database, safe=""), quote(user, safe="")
        if via_socket:
            directory = quote(state.socket_directory, safe="")
            return f"postgresql://{role}@/{name}?host={directory}&port={state.port}"
        if user == "postgres":
            role += ":" + self._password_file.read_text().strip()
        return f"postgresql://{role}@127.0.0.1:{state.port}/{name}"

    @property
    def socket_directory(self) -> str:
        """Directory of the running server's Unix socket, as PGHOST takes it.

        Raises:
            ServerError: it does not run.
        """
        return self._state().socket_directory

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the server's log, or an empty text when there is none."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _state(self) -> RunningServer:
        if self._running is None:
            raise ServerError(f"The server in {self.home} does not run; call start() first.")
        return self._running

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """Let one program at a time start a server here; the second then finds it running."""
        with (self.home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file.fileno()

    def _find_running(self, deadline: float) -> RunningServer | None:
        """Return a server that another program runs here, once it is up, or None."""
        while (running := read_running_server(self.data)) is not None:
            if running.is_ready:
                return running
            if time.monotonic() > deadline:
                raise self._failure(
                    f"belongs to another program (pid {running.pid}) and was neither up nor gone "
                    f"after {length_of_time(self.timeout)}"
                )
            time.sleep(0.05)
        return None

    def _start_own(self, lock: int, deadline: float) -> RunningServer:
        existing = self.data if self.data.exists() else self.home
        way = run_as(self.binaries, existing.stat().st_uid)
        if not self.data.exists():
            self._create_data(way, lock)
        self._check_data_version()
        forget_recycled_pid(self.data)
        self._launch(way)
        return self._wait_until_ready(deadline)

    def _create_data(self, way: RunAs, lock: int) -> None:
        """Run initdb beside the final place, so that one cut short by a kill is done anew."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        way.give(self.home, unfinished, self._password_file)
        self._initdb(way, unfinished, lock)
        unfinished.rename(self.data)

    def _initdb(self, way: RunAs, directory: Path, lock: int) -> None:
        locales = [["--locale=C.UTF-8"], ["--locale=C"]]  # not every system has the first
        if major_version(self.binaries) >= 17:
            locales = [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        command = [*way.prefix, f"{self.binaries}/initdb", f"--pgdata={directory}", "--no-sync"]
        command += ["--username=postgres", f"--pwfile={self._password_file}", "--encoding=UTF8"]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        for locale in locales:
            result = subprocess.run(
                command + locale,
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                pass_fds=[lock],  # held until initdb ends, even if this program is killed
                start_new_session=True,
            )
            if result.returncode == 0:
                return
        advice = f"\nUser {way.account} must be able to reach that path." if way.account else ""
        raise ServerError(f"initdb could not create {directory}:\n{result.stdout}{advice}")

    def _check_data_version(self) -> None:
        made_by = int((self.data / "PG_VERSION").read_text())
        ours = major_version(self.binaries)
        if made_by != ours:
            raise ServerError(
                f"{self.data} was made by PostgreSQL {made_by}, but {self.binaries} is {ours}. "
                f"Use another directory, or remove {self.home} if its data are not needed."
            )

    def _launch(self, way: RunAs) -> None:
        port = self._choose_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": f'"{self._make_socket_directory(way, port)}"',
            **self.settings,
        }
        command = [*way.prefix, "sh", "-c", _BECOME_SERVER_UNDER_WATCH, "sh"]
        command += [f"{self.binaries}/postgres", "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG_BYTES:
            self.log.rename(self.log.with_suffix(".log.old"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                env=_environment(),
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C is for this program to decide on
            )

    def _wait_until_ready(self, deadline: float) -> RunningServer:
        process = self._process
        assert process is not None
        while process.poll() is None:
            running = read_running_server(self.data)
            if running is not None and running.pid == process.pid and running.is_ready:
                return running
            if time.monotonic() > deadline:
                raise self._failure(f"was not up after {length_of_time(self.timeout)}")
            time.sleep(0.02)
        raise self._failure(f"ended with code {process.returncode} while starting")

    def _choose_port(self) -> int:
        """Return the wanted port, else the last run's if nobody has it now, else a free one."""
        if self._wanted_port is not None:
            return self._wanted_port
        remembered = self.home / "port"
        last = int(remembered.read_text()) if remembered.exists() else 0
        port = _free_port(last) or _free_port(0)
        remembered.write_text(f"{port}\n")
        return port

    def _make_socket_directory(self, way: RunAs, port: int) -> Path:
        directory = self.home / "socket"
        path = os.fsencode(directory / f".s.PGSQL.{port}")
        # The setting takes quotes, and clients take commas, for something else.
        if len(path) > _LONGEST_SOCKET_PATH or b'"' in path or b"," in path:
            directory = self._short_socket_directory = Path(tempfile.mkdtemp(prefix="pgvigil-"))
        directory.mkdir(mode=0o700, exist_ok=True)
        way.give(directory)
        return directory

    def _failure(self, what: str) -> ServerError:
        return ServerError(
            f"The PostgreSQL server in {self.home} {what}. The end of {self.log}:\n"
            f"{self.log_tail()}"
        )


def _free_port(port: int) -> int:
    """Return the port if it can be listened on (any one for 0), or 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Return our environment without the settings meant for PostgreSQL's clients."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}

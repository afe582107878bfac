"""A server that is kept between test runs, and loads only what has changed in the sources.

One belongs to each checkout. Its database has pgvigil and pgTAP; a changed file of ``sql/`` is
loaded by itself in a fraction of a second, a changed migration installs everything anew.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from pgvigil.install.files import Code, CodeFile
from pgvigil.resources import migrations_directory
from tests.harness.databases import (
    OWNER,
    SETTINGS,
    drop_database,
    execute,
    memory_directory,
)
from tests.harness.errors import HarnessError
from tests.harness.pgtap import DATABASE, ProveResult, prepare_database, run_pg_prove

_ROOT = Path(__file__).parents[2]
# Owners and rights of what was just made are set by these, whatever else is loaded.
_ALWAYS_LOADED = ("reading/installation.sql", "grants.sql")
_SECONDS_TO_START = 60.0


class KeptServer:
    """The server of this checkout, started when it is first asked for."""

    def __init__(self, binaries: Path, home: Path | None = None) -> None:
        """Describe it; nothing runs before `start` or `keep`.

        Args:
            binaries: directory with PostgreSQL's programs.
            home: where it keeps its data; when None a directory of this checkout and version.
        """
        self._home = home or _usual_home(binaries)
        self._keeper = self._home / "keeper.pid"
        self._loaded = self._home / "loaded.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._server = PostgresServer(self._home, binaries=binaries, settings=SETTINGS)

    def start(self) -> str:
        """Start the server unless it runs, load what changed, and return how to connect.

        Raises:
            HarnessError: the server did not come up.
        """
        if not self._is_kept():
            self._start_keeper()
        self._server.start()
        self._load_changes()
        return self._server.dsn(DATABASE, via_socket=True)

    def prove(self, files: Sequence[str]) -> ProveResult:
        """Run pgTAP files on the database as it now is."""
        return run_pg_prove(self._server, DATABASE, files)

    def keep(self) -> None:
        """Run the server until somebody asks for its end."""
        asked = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, asked)
        with self._server:
            with suppress(psycopg.errors.DuplicateObject):
                execute(self._server.dsn(), sql.SQL("create role {} login createrole"), OWNER)
            self._keeper.write_text(f"{os.getpid()}\n")
            try:
                signal.sigwait(asked)
            finally:
                self._keeper.unlink(missing_ok=True)

    def stop(self) -> bool:
        """Stop the server; False when it did not run. Its data stay until the machine restarts."""
        if not self._is_kept():
            return False
        os.kill(int(self._keeper.read_text()), signal.SIGTERM)
        if self._process is not None:
            self._process.wait(_SECONDS_TO_START)
        return True

    def _is_kept(self) -> bool:
        try:
            os.kill(int(self._keeper.read_text()), 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return False
        return True

    def _start_keeper(self) -> None:
        self._keeper.unlink(missing_ok=True)
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self._home / "keeper.log"
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.harness", "keep", self._server.binaries, self._home],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._is_kept():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise HarnessError(f"The server did not start:\n{log.read_text()}")
            time.sleep(0.05)

    def _load_changes(self) -> None:
        code = Code()
        files = {file.name: _checksum(file.text) for file in code.files}
        wanted = {"migrations": _checksum_of_migrations(), **files}
        made = _made_by(code)
        loaded = json.loads(self._loaded.read_text()) if self._loaded.exists() else {}
        changed = {name for name in wanted if loaded.get(name) != wanted[name]}
        if not changed and loaded.keys() - {"made"} == wanted.keys():
            return
        # Loading over what is there neither changes a table nor takes anything away.
        # What withdraws needs to see all that ships.
        is_enough = not changed & {"migrations", "withdraw.sql"}
        is_enough = is_enough and set(loaded.get("made", [])) <= set(made)
        changed.update(_ALWAYS_LOADED)
        if not is_enough or not self._load(file for file in code.files if file.name in changed):
            self._install()
        self._loaded.write_text(json.dumps({**wanted, "made": made}))

    def _load(self, files: Iterable[CodeFile]) -> bool:
        """Load files over what is there; False when that does not go, as for a changed result."""
        try:
            with psycopg.connect(self._server.dsn(DATABASE, user=OWNER, via_socket=True)) as opened:
                opened.execute("set local search_path = pg_catalog, pg_temp")
                for file in files:
                    opened.execute(file.text.encode())
        except psycopg.Error:
            return False
        return True

    def _install(self) -> None:
        self._loaded.unlink(missing_ok=True)
        with suppress(psycopg.errors.InvalidCatalogName):
            drop_database(self._server, DATABASE)
        prepare_database(self._server)


def _usual_home(binaries: Path) -> Path:
    checkout = _checksum(f"{_ROOT} {binaries}")[:12]
    return Path(memory_directory() or tempfile.gettempdir()) / f"pgvigil-db-{checkout}"


def _made_by(code: Code) -> list[str]:
    """Return the functions and views that the code makes, with their parameters as written."""
    made = r"(?s)\ncreate or replace (view monitoring\.\w+|[a-z]+ monitoring\.\w+\s*\(.*?\)\s)"
    return sorted(name for file in code.files for name in re.findall(made, file.text))


def _checksum_of_migrations() -> str:
    files = sorted(migrations_directory().glob("*.sql"))
    return _checksum("".join(f"{file.name}\n{file.read_text()}\0" for file in files))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

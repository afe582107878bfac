"""Runs the pgTAP files through pg_prove on a database of their own."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, install_pgvigil
from tests.harness.errors import HarnessError, missing_tools

TESTS = Path(__file__).parent.parent / "pgtap"
DATABASE = "pgtap"
_SHARED = Path("/usr/share/postgresql")


@dataclass(frozen=True)
class ProveResult:
    """What a pg_prove run printed and said."""

    output: str
    exit_code: int

    @property
    def tests(self) -> int:
        """Number of assertions that ran."""
        counted = re.search(r"Tests=(\d+)", self.output)
        return int(counted.group(1)) if counted else 0

    @property
    def passed(self) -> bool:
        """Whether something ran and nothing failed; pg_prove alone is content with no test."""
        return self.exit_code == 0 and self.tests > 0


def find_pgtap() -> Path:
    """Return the newest pgTAP as one plain SQL file, which loads into any PostgreSQL.

    Raises:
        HarnessError: it is not installed.
    """
    found = sorted(_SHARED.glob("*/extension/pgtap.sql"), key=lambda path: int(path.parts[4]))
    if not found:
        raise missing_tools("pgTAP")
    return found[-1]


def find_tests(files: Sequence[str]) -> list[str]:
    """Return the files asked for, or all of ``tests/pgtap``.

    Raises:
        HarnessError: there are none, which must not look like success.
    """
    found = list(files) or sorted(map(str, TESTS.rglob("*.sql")))
    if not found:
        raise HarnessError(f"No pgTAP test (*.sql) in {TESTS}")
    return found


def prepare_database(server: PostgresServer) -> str:
    """Create a database with pgvigil and pgTAP, reachable by plain names; return its name."""
    create_database(server, DATABASE)
    install_pgvigil(server, DATABASE)
    with psycopg.connect(server.dsn(DATABASE), autocommit=True) as connection:
        connection.execute("create schema tap")
        # Tests change role in the middle and go on asserting.
        connection.execute("grant usage on schema tap to public")
        connection.execute("set search_path = tap")
        connection.execute("set client_min_messages = warning")
        connection.execute(find_pgtap().read_bytes())
        connection.execute(f"alter database {DATABASE} set search_path = monitoring, tap, public")
    return DATABASE


def run_pg_prove(server: PostgresServer, database: str, files: Sequence[str]) -> ProveResult:
    """Run pgTAP files as the superuser, so that they may take any role.

    Raises:
        HarnessError: pg_prove or psql is not installed.
    """
    if shutil.which("pg_prove") is None or shutil.which("psql") is None:
        raise missing_tools("pg_prove or psql")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment = inherited | {
        "PGHOST": server.socket_directory,
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGDATABASE": database,
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    command = [
        "pg_prove",
        "--norc",
        "--nocolor",
        "--nocount",
        "--failures",
        "--comments",
        "--timer",
    ]
    result = subprocess.run(
        [*command, *files],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return ProveResult(result.stdout, result.returncode)

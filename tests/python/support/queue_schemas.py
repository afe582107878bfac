"""The tables of queues that live in PostgreSQL, as these queues make them themselves."""

import functools
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from tests import ROOT
from tests.harness.tools import can_have, program
from tests.python.support.asking import value

_QUEUES = ROOT / "tests" / "queues"

needs_npm = pytest.mark.skipif(
    not can_have("npm"), reason="there is no npm, and no way to install it"
)


@functools.cache
def packages() -> Path:
    """Return where the packages of npm are, fetched if they are not there as locked."""
    installed = _QUEUES / "node_modules"
    noted = installed / ".locked"
    lock = (_QUEUES / "package-lock.json").read_bytes()
    if not noted.exists() or noted.read_bytes() != lock:
        # Nothing of theirs runs when they are installed.
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([program("npm"), "ci", "--prefix", _QUEUES, *quiet], check=True)
        shutil.copyfile(_QUEUES / "package-lock.json", noted)
    return installed


def pg_boss_12() -> str:
    """Return the SQL that pg-boss 12 makes its schema with."""
    plans = packages() / "pg-boss" / "dist" / "index.js"
    return _printed(
        f"import({str(plans)!r}).then(b => console.log(b.getConstructionPlans('pgboss')))"
    )


def pg_boss_10() -> str:
    """Return the SQL that pg-boss 10 makes its schema with."""
    return _printed(
        f"console.log(require({str(packages() / 'pg-boss-10')!r}).getConstructionPlans('pgboss'))"
    )


def _printed(program_text: str) -> str:
    node = [program("node"), "--no-warnings", "--eval", program_text]
    return subprocess.run(node, check=True, stdout=subprocess.PIPE, text=True).stdout


def graphile_worker() -> str:
    """Return the SQL of Graphile Worker's migrations."""
    migrations = sorted((packages() / "graphile-worker" / "sql").glob("*.sql"))
    text = "\n".join(file.read_text() for file in migrations)
    return "create schema graphile_worker;" + text.replace(
        ":GRAPHILE_WORKER_SCHEMA", "graphile_worker"
    )


def procrastinate() -> str:
    """Return the SQL that Procrastinate makes its tables with."""
    return files("procrastinate").joinpath("sql/schema.sql").read_text()


def pgqueuer() -> str:
    """Return the SQL that PgQueuer makes its tables with."""
    return QueryBuilderEnvironment().build_install_query()


def adopt(connection: psycopg.Connection, name: str) -> list[str]:
    """Load an adapter and adopt its system with the rights that are missing, which is returned."""
    connection.execute((ROOT / "sql" / "adapters" / f"{name}.sql").read_bytes())
    grants: list[str] = _adopt(connection, name)["missing_grants"]
    for grant in grants:
        connection.execute(grant.encode())
    assert _adopt(connection, name)["is_adopted"] is True
    return grants


def _adopt(connection: psycopg.Connection, name: str) -> dict[str, Any]:
    result: dict[str, Any] = value(connection, f"select monitoring.adopt('{name}')")
    return result

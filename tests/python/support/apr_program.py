"""The validation program of the APR system: its helpers, its tables, and a login of its own."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import ModuleType

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import dsn_of

EXAMPLE = ROOT / "examples" / "apr"
DAY = date.today()
_ROLE = "apr_program"
_PROPOSALS = """
    insert into apr.proposals
    select n::text, 'Santos', 'client-01', %s, 100 * n, 'RECEIVED', 'key', 'bill', 'own',
        now() - interval '1 minute', 'portal', 'SYSTEM'
    from generate_series(1, 6) as n
"""


def fresh_helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Yield the helpers as a program that has just begun imports them."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.delitem(sys.modules, "monitoring_helpers", raising=False)
    helpers = importlib.import_module("monitoring_helpers")
    yield helpers
    if helpers._own_client.cache_info().currsize:
        helpers._own_client().close()


@contextmanager
def program(server: PostgresServer, dsn: str) -> Iterator[str]:
    """Make the tables of the system with six proposals; yield how the program reaches them."""
    database = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("schema.sql", "views.sql", "configure.sql"):
            connection.execute((EXAMPLE / name).read_bytes())
        connection.execute(_PROPOSALS, [DAY])
        connection.execute(
            f"create role {_ROLE} login in role monitoring_writer, monitoring_operator".encode()
        )
        connection.execute(f"grant usage on schema apr to {_ROLE}".encode())
        connection.execute(f"grant select on all tables in schema apr to {_ROLE}".encode())
        try:
            yield dsn_of(server, database, _ROLE)
        finally:
            connection.execute(f"drop owned by {_ROLE}".encode())
            connection.execute(f"drop role {_ROLE}".encode())

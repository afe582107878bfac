"""No value at the end of its type makes a public function fail in a way that is not documented.

Each argument of each function has its turn, as each role. The longer search with values made by
chance is `make fuzz`.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support.extreme_calls import EXTREMES, Call, extreme_calls, fill, outcome
from tests.python.support.role_calls import ADMIN, OPERATOR, READER, WRITER

NUMBERS_AND_TIMES = {
    "timestamp with time zone", "date", "interval", "double precision", "integer", "bigint",
    "smallint",
}  # fmt: skip
NOON = "2026-01-15 12:00+00"
SLOW_SECONDS = 20


@pytest.fixture(scope="module")
def filled(server: PostgresServer, template: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with something of every kind in it, where it is always noon."""
    create_database(server, "extremes", template)
    with psycopg.connect(server.dsn("extremes", via_socket=True), autocommit=True) as connection:
        connection.execute(f"set statement_timeout = '{SLOW_SECONDS}s'")
        connection.execute(f"set monitoring.now = '{NOON}'")
        fill(connection)
        yield connection
    drop_database(server, "extremes")


def undocumented(connection: psycopg.Connection[Any], calls: list[Call]) -> list[str]:
    """Return the calls that end otherwise than well or with a code of ours, and how."""
    return [
        f"{call}: {code} {message}"
        for call in calls
        for code, message in [outcome(connection, call)]
        if code and not code.startswith("PV")
    ]


@pytest.mark.parametrize("role", [READER, WRITER, OPERATOR, ADMIN])
def test_numbers_and_times_at_the_ends_of_their_types(
    filled: psycopg.Connection[Any], role: str
) -> None:
    filled.execute(f"set role {role}".encode())
    # What the function itself does is the same for all; of others it is the rights that matter.
    calls = list(extreme_calls(filled, NUMBERS_AND_TIMES, 99 if role == ADMIN else 3))
    assert len(calls) > 30
    found = undocumented(filled, calls)
    filled.execute("reset role")
    assert found == []


def test_texts_and_documents_that_nobody_expects(filled: psycopg.Connection[Any]) -> None:
    calls = list(extreme_calls(filled, EXTREMES.keys() - NUMBERS_AND_TIMES))
    assert len(calls) > 1000
    assert undocumented(filled, calls) == []

"""Whether a login may take on a role is known without trying, on the oldest and newest server."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgvigil.database.roles import BECOME, MAY_BECOME, OPERATOR, READER
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries, major_version
from tests.harness.databases import disposable_server

SERVERS = [*filter(None, [embedded_binaries()]), *installed_binaries()]
LOGINS = {
    "watcher": "grant monitoring_reader to watcher",
    "poor": "grant monitoring_reader to poor; alter role poor noinherit",
    "on_call": "grant monitoring_operator to on_call",
    "stranger": "",
    "boss": "alter role boss superuser",
}


@pytest.fixture(scope="module", params=SERVERS, ids=str)
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a server with the roles, and logins that have some of them."""
    binaries: Path = request.param
    with (
        disposable_server(binaries) as server,
        psycopg.connect(server.dsn("postgres"), autocommit=True) as opened,
    ):
        opened.execute("create schema monitoring")
        for role in (READER, OPERATOR, "useless"):
            opened.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        opened.execute("grant usage on schema monitoring to monitoring_reader, monitoring_operator")
        for login, rights in LOGINS.items():
            opened.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
            opened.execute(rights.encode())
        opened.execute("grant useless to watcher")
        if major_version(binaries) >= 16:
            opened.execute("create role bound login")
            opened.execute("grant monitoring_reader to bound with set false")
        yield opened


@pytest.mark.parametrize("login", [*LOGINS, "bound"])
@pytest.mark.parametrize("role", [READER, OPERATOR, "nobody"])
def test_the_answer_is_what_trying_comes_to(
    connection: psycopg.Connection, login: str, role: str
) -> None:
    if login == "bound" and connection.info.server_version < 160000:
        pytest.skip("who is a member may take it on here")
    with connection.transaction(force_rollback=True):
        connection.execute(
            sql.SQL("set local session authorization {}").format(sql.Identifier(login))
        )
        answer = connection.execute(MAY_BECOME, {"role": role}).fetchone()
        try:
            with connection.transaction():
                connection.execute(BECOME, {"role": role})
            may = True
        except psycopg.Error:
            may = False
        assert answer == (may,)


def test_a_role_that_is_of_no_use_here_is_not_taken_on(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("set local session authorization watcher")
        assert connection.execute(MAY_BECOME, {"role": "useless"}).fetchone() == (False,)

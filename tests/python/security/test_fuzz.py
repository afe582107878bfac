"""A bounded part of `make fuzz`: what every call may come to, and that all still works after it."""

from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.fuzz.aftermath import troubles_of
from tests.fuzz.campaign import LOGINS, STRANGER, Campaign, Report, prepare
from tests.python.support.web_data import fill

SECONDS = 30.0
CALLS = 12_000
SEED = 20_260


@pytest.fixture(scope="module")
def tried(server: PostgresServer, template: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A database with something of everything, and its address for each login."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database fuzzed template {template}".encode())
    dsn = server.dsn("fuzzed", via_socket=True)
    with psycopg.connect(dsn, autocommit=True) as connection:
        fill(connection)
    prepare(dsn)
    yield (
        dsn,
        {r: server.dsn("fuzzed", user=login, via_socket=True) for r, login in LOGINS.items()},
    )
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("drop database fuzzed with (force)")
        for login in LOGINS.values():
            connection.execute(f"drop role {login}".encode())


@pytest.fixture(scope="module")
def report(tried: tuple[str, dict[str, str]]) -> Report:
    dsn, dsns = tried
    return Campaign(dsn, dsns, SEED).run(CALLS, SECONDS)


def test_every_call_of_every_role_ends_as_documented(report: Report) -> None:
    assert report.wrong == {}, str(report)


def test_the_calls_reach_what_they_are_for(report: Report) -> None:
    # A campaign in which nothing works, or nothing is refused, tries nothing.
    assert report.calls >= 1000
    for role in LOGINS:
        worked = report.ended[role, "00000"]
        assert (worked == 0) if role == STRANGER else (worked > report.calls / 50), role
        assert report.ended[role, "42501"] > 0 or role == "monitoring_admin"
    assert sum(n for (_, code), n in report.ended.items() if code.startswith("PV")) > 100


def test_everything_works_afterwards(tried: tuple[str, dict[str, str]], report: Report) -> None:
    assert report.calls
    assert list(troubles_of(*tried)) == []


def test_a_call_that_fails_undocumented_is_found(tried: tuple[str, dict[str, str]]) -> None:
    dsn, dsns = tried
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "create function monitoring.fuzz_probe(p_is_odd boolean) returns regclass"
            " language sql return p_is_odd::text::regclass"
        )
        connection.execute("grant execute on function monitoring.fuzz_probe to monitoring_reader")
    try:
        campaign = Campaign(dsn, {"monitoring_reader": dsns["monitoring_reader"]}, 1)
        (probe,) = [f for f in campaign.functions if f.name == "fuzz_probe"]
        campaign.functions = [probe]
        kinds = campaign.run(100, SECONDS).wrong
        assert {(name, state) for name, state, _ in kinds} == {("fuzz_probe", "42P01")}
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("drop function monitoring.fuzz_probe")

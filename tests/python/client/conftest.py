"""Clients, loggers, programs with a transaction, senders to a stand-in for a database."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.client import AsyncMonitoringClient, MonitoringClient
from pgvigil.client.logging import MonitoringHandler
from pgvigil.client.sending.sender import Sender
from tests.python.support.asking import rows
from tests.python.support.async_clients import close
from tests.python.support.batch_database import DSN, Database
from tests.python.support.log_lines import Asked, logging_to


@pytest.fixture(params=[MonitoringClient, AsyncMonitoringClient])
def client(request: pytest.FixtureRequest, dsn: str) -> Iterator[MonitoringClient]:
    """A client of each kind, which says at once when it is used wrongly."""
    made: MonitoringClient = request.param(dsn, component="tests", on_error="raise")
    yield made
    close(made)


@pytest.fixture
def program(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection of a program that has a table of its own."""
    with psycopg.connect(dsn) as opened:
        opened.execute("create table work (id integer)")
        opened.commit()
        yield opened
        opened.close()


@pytest.fixture
def database() -> Database:
    """A database."""
    return Database()


@pytest.fixture
def spools(tmp_path: Path) -> Path:
    """A directory for spools."""
    return tmp_path / "spools"


@pytest.fixture
def make(database: Database, spools: Path) -> Iterator[Callable[..., Sender]]:
    """A function that makes senders."""
    made = []

    def make_one(**options: Any) -> Sender:
        usual = {
            "interval": 0.02, "most_bytes": 4 << 20, "directory": spools, "spool_bytes": 1 << 20,
        }  # fmt: skip
        made.append(Sender(database.send, dsn=DSN, **{**usual, **options}))
        return made[-1]

    yield make_one
    database.trouble = None
    for sender in made:
        sender.close(1)


@pytest.fixture
def orders(dsn: str) -> Iterator[MonitoringClient]:
    """A client that never waits."""
    with MonitoringClient(dsn, component="orders", spool=False) as opened:
        yield opened


@pytest.fixture
def asked(orders: MonitoringClient, connection: psycopg.Connection) -> Asked:
    """Ask the database once all that was said is in it."""

    def ask(query: str) -> list[dict[str, Any]]:
        assert orders.flush(10)
        return rows(connection, query)

    return ask


@pytest.fixture
def shop(orders: MonitoringClient) -> Iterator[logging.Logger]:
    """A logger that speaks to that client."""
    with logging_to(MonitoringHandler(orders)) as source:
        yield source

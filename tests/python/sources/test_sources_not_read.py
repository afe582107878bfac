"""What asks for the changes of a source that is not read at that moment does not go on as if."""

from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.exceptions import SourceNotReadError, monitoring_errors
from tests.python.support.asking import value

TRACK = "select monitoring.track_all_status_changes_from_source('orders')"


@pytest.fixture
def here(connection: psycopg.Connection) -> psycopg.Connection:
    """A connection to a database with a source of records."""
    connection.execute("create table public.orders (id integer, state text)")
    connection.execute("insert into public.orders values (1, 'OPEN')")
    connection.execute("grant select on public.orders to monitoring_reader")
    connection.execute(
        "select monitoring.register_record_source('orders', 'shop', 'public.orders',"
        """ '{"record_key": "id", "status": "state"}')"""
    )
    return connection


@pytest.fixture
def other(dsn: str) -> Iterator[psycopg.Connection]:
    """Another session, whose transactions stay open."""
    with psycopg.connect(dsn) as session:
        yield session


def test_while_another_session_reads_it(
    here: psycopg.Connection, other: psycopg.Connection
) -> None:
    other.execute("select monitoring.sync_source('orders')")
    with (
        pytest.raises(SourceNotReadError, match="another session reads it") as refused,
        monitoring_errors(),
    ):
        here.execute(TRACK)
    assert refused.value.hint == "Call this again when that has ended."
    # The job has time, and passes it over.
    assert value(here, "select monitoring.sync_sources()") == [
        {"source": "orders", "skipped": "another session reads it"}
    ]
    other.rollback()
    assert value(here, TRACK)["new"] == 1


def test_the_others_of_its_dataset_are_read(
    here: psycopg.Connection, other: psycopg.Connection
) -> None:
    here.execute(
        "select monitoring.register_record_source('again', 'shop', 'public.orders',"
        """ '{"record_key": "id", "status": "state"}')"""
    )
    other.execute("select monitoring._try_guard('reading of orders')")
    warnings: list[str] = []
    here.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    found = value(here, "select monitoring.track_status_changes('shop', current_date)")
    assert found["new"] == 1
    assert [source["source"] for source in found["sources"]] == ["again", "orders"]
    assert "another session reads it" in found["sources"][1]["error"]
    assert len(warnings) == 1
    assert warnings[0].endswith('; source "orders" was left out')

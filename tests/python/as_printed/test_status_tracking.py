"""The status tracking plan: each call it prints, and each of its sources of changes."""

import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from pgvigil import MonitoringClient
from pgvigil.demo.server import PostgresServer
from tests.python.support.apr_program import DAY, fresh_helpers, program
from tests.python.support.as_printed import assert_is_printed
from tests.python.support.asking import one, rows, value

SIGNATURE = """
def track_all_status_changes_from_source(
    mssql_session: Session,
    mariadb_session: Session,
    target_date: date,
    change_source: str = 'SYSTEM'
) -> int:
"""
SOURCES = ("SYSTEM", "BOT", "AUTO_RESOLVE", "MONITOR")
HISTORY = """
    select record_key, from_status, to_status, change_source from apr.apr_status_history
    where validation_type = '' order by change_id
"""
CAPA = "select proposal, status, changed_at, day from apr_capa"


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The helpers, of which nothing has been bound yet."""
    yield from fresh_helpers(monkeypatch)


@pytest.fixture
def dsn_of_program(server: PostgresServer, dsn: str) -> Iterator[str]:
    """How the programs reach a database with the tables of their system."""
    with program(server, dsn) as own:
        yield own


@pytest.fixture
def monitor(dsn_of_program: str) -> Iterator[MonitoringClient]:
    """A client of the programs that says at once when it is used wrongly."""
    with MonitoringClient(dsn_of_program, component="apr", on_error="raise") as client:
        yield client


@pytest.fixture
def ger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session of the database of GER, which is not PostgreSQL, with three proposals of today."""
    address = f"sqlite:///{tmp_path / 'ger.db'}"
    monkeypatch.setenv("GER", address)
    engine = create_engine(address)
    with Session(engine) as session:
        session.execute(
            text("create table apr_capa (proposal text, status text, changed_at text, day text)")
        )
        for number in (1, 2, 3):
            session.execute(
                text("insert into apr_capa values (:number, 'RECEIVED', null, :day)"),
                {"number": str(number), "day": str(DAY)},
            )
        session.commit()
        yield session
    engine.dispose()


def history(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(connection, HISTORY)]


def move(session: Session, proposal: str, status: str) -> None:
    """Give a proposal another status in GER."""
    session.execute(
        text("update apr_capa set status = :status where proposal = :proposal"),
        {"status": status, "proposal": proposal},
    )
    session.commit()


def test_the_function_is_called_as_printed(helpers: ModuleType) -> None:
    assert_is_printed("001", SIGNATURE, *(f"**{source}**" for source in SOURCES))
    names: dict[str, Any] = {"Session": Session, "date": date}
    exec(compile(f"{SIGNATURE}    return 0", "as printed", "exec"), names)
    printed = inspect.signature(names["track_all_status_changes_from_source"])
    ours = inspect.signature(helpers.track_all_status_changes_from_source)
    assert list(ours.parameters) == list(printed.parameters)
    assert ours.return_annotation is printed.return_annotation is int
    assert [each.default for each in ours.parameters.values()] == [
        each.default for each in printed.parameters.values()
    ]


# Step 1 and 2: all proposals of the source, valid and invalid, whoever changes them


def test_a_table_of_this_database_is_compared(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    track = helpers.track_all_status_changes_from_source
    assert track(None, monitor, DAY, change_source="SYSTEM") == 6
    assert track(None, monitor, DAY) == 0
    connection.execute(
        "update apr.proposals set status = 'ANALYSIS', changed_through = 'MANUAL'"
        " where proposal in ('1', '2')"
    )
    assert track(None, monitor, DAY) == 2
    assert history(connection)[-1] == ("2", "RECEIVED", "ANALYSIS", "MANUAL")
    assert track(None, monitor, DAY - timedelta(days=1)) == 0


def test_a_query_in_another_database_is_compared(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection, ger: Session
) -> None:
    register(connection)
    connection.execute("grant monitoring_admin to apr_program")
    helpers.bind(source="ger")
    monitor.log_invalid_records("apr", ["2"], "SEUNO", target_date=DAY)
    track = helpers.track_all_status_changes_from_source
    assert track(ger, monitor, DAY, "SYSTEM") == 3
    move(ger, "1", "ANALYSIS")
    move(ger, "2", "APPROVED")
    # The call of before does the same.
    assert helpers.track_status_changes(monitor, DAY, change_source="SYSTEM") == 2
    assert history(connection)[-2:] == [
        ("1", "RECEIVED", "ANALYSIS", "SYSTEM"),
        ("2", "RECEIVED", "APPROVED", "SYSTEM"),
    ]


def test_a_session_of_the_program_may_read_the_source(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection, ger: Session
) -> None:
    """Which takes no more rights than those of a writer."""
    helpers.bind(
        read_source=lambda session, day: session.execute(
            text(f"{CAPA} where day = :day"), {"day": str(day)}
        ).mappings()
    )
    track = helpers.track_all_status_changes_from_source
    assert track(ger, monitor, DAY, "MONITOR") == 3
    assert track(ger, monitor, DAY, "MONITOR") == 0
    move(ger, "3", "CANCELLED")
    assert track(ger, monitor, DAY, "MONITOR") == 1
    assert history(connection)[-1] == ("3", "RECEIVED", "CANCELLED", "MONITOR")


def register(connection: psycopg.Connection, change_source: str = "SYSTEM") -> None:
    """Register the query of GER in place of the table that the example has."""
    connection.execute("select monitoring.remove_source('apr_proposals')")
    connection.execute(
        "select monitoring.register_source_query('capa', 'GER', %s, %s)",
        [CAPA, ["proposal", "status", "changed_at", "day"]],
    )
    connection.execute(
        "select monitoring.register_record_source('ger', 'apr', 'query:capa',"
        """ '{"record_key": "proposal", "status": "status", "effective_at": "changed_at",
            "target_date": "day"}', p_change_source => %s)""",
        [change_source],
    )


# Step 3: the bot


def test_the_bot_says_what_became_of_a_proposal_and_when(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    helpers.track_status_changes(monitor, DAY, change_source="SYSTEM")
    clicked = datetime.now(UTC) - timedelta(seconds=5)
    processed = [
        {"proposal": "1", "status": "APPROVED", "changed_at": clicked, "is_bot_processed": 1}
    ]
    assert helpers.track_status_changes(monitor, processed, change_source="BOT") == 1
    assert helpers.track_status_changes(monitor, processed, change_source="BOT") == 0
    assert history(connection)[-1] == ("1", "RECEIVED", "APPROVED", "BOT")
    last = one(
        connection,
        "select effective_at from apr.apr_status_history order by change_id desc limit 1",
    )
    assert last == {"effective_at": clicked}


# Step 4: from invalid to valid


def test_a_proposal_that_becomes_valid_gets_the_status_that_it_has_by_then(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection, ger: Session
) -> None:
    register(connection)
    connection.execute("grant monitoring_admin to apr_program")
    helpers.bind(source="ger")
    helpers.track_all_status_changes_from_source(ger, monitor, DAY)
    helpers.log_invalid_records(monitor, ["1", "2"], "SEUNO", 0)
    move(ger, "1", "ANALYSIS")
    helpers.log_invalid_records(monitor, ["2"], "SEUNO", 0)
    monitor.sync_invalid_records("apr", "SEUNO", {"keys": ["1", "2"]}, ["2"])
    assert helpers.track_all_status_changes_from_source(ger, monitor, DAY) == 1
    assert history(connection)[-1] == ("1", "RECEIVED", "ANALYSIS", "AUTO_RESOLVE")


def test_a_table_is_asked_at_once(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    connection.execute(
        "select monitoring.register_record_source('apr_proposals', 'apr', 'apr.proposals',"
        """ '{"record_key": "proposal", "status": "status", "target_date": "received_on"}')"""
    )
    helpers.track_all_status_changes_from_source(None, monitor, DAY)
    helpers.log_invalid_records(monitor, ["1"], "SEUNO", 0)
    helpers.log_program_execution(monitor, DAY, {}, 0, "full")
    connection.execute("update apr.proposals set status = 'APPROVED' where proposal = '1'")
    helpers.log_program_execution(monitor, DAY, {}, 0, "full")
    assert helpers.auto_resolve_invalid_records(monitor, DAY) == 1
    assert history(connection)[-1] == ("1", "RECEIVED", "APPROVED", "AUTO_RESOLVE")


# Step 5: the monitor of its own, each hour


def test_the_source_is_read_every_hour_without_any_program(
    helpers: ModuleType,
    monitor: MonitoringClient,
    connection: psycopg.Connection,
    ger: Session,
) -> None:
    connection.execute(
        "select monitoring.register_record_source('apr_proposals', 'apr', 'apr.proposals',"
        """ '{"record_key": "proposal", "status": "status"}', p_change_source => 'MONITOR')"""
    )
    source = "select extract(epoch from next_sync_at - synced_at)::int from monitoring.v_sources"
    connection.execute("select monitoring.sync_sources()")
    assert value(connection, source) == 3600
    connection.execute("update apr.proposals set status = 'ANALYSIS' where proposal = '1'")
    assert value(connection, "select monitoring.sync_sources()") == []
    an_hour_on = (datetime.now(UTC) + timedelta(hours=1, seconds=1)).isoformat()
    connection.execute("select set_config('monitoring.now', %s, false)", [an_hour_on])
    connection.execute("select monitoring.sync_sources()")
    assert history(connection)[-1] == ("1", "RECEIVED", "ANALYSIS", "MONITOR")


# What it is for


def test_the_change_sources_are_the_ones_of_the_plan_and_one_for_people(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    known = rows(connection, "select change_source from monitoring.v_change_sources")
    assert {row["change_source"] for row in known} == {*SOURCES, "MANUAL"}
    for number, source in enumerate(SOURCES):
        record = {"proposal": str(number), "status": "OPEN"}
        assert helpers.track_status_changes(monitor, [record], change_source=source) == 1
    assert [change[3] for change in history(connection)] == list(SOURCES)


def test_an_unexpected_change_raises_an_alert(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    helpers.track_all_status_changes_from_source(None, monitor, DAY)
    for status in ("ANALYSIS", "REJECTED", "APPROVED"):
        helpers.track_status_changes(monitor, [{"proposal": "1", "status": status}], "MANUAL")
    connection.execute("select monitoring.evaluate_alerts()")
    alert = one(
        connection,
        "select labels from monitoring.v_active_alerts"
        " where rule_name = 'status_change_unexpected'",
    )
    assert alert["labels"] == {
        "dataset": "apr",
        "from_status": "REJECTED",
        "to_status": "APPROVED",
    }


def test_the_life_of_a_proposal_can_be_followed(
    helpers: ModuleType, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    helpers.track_all_status_changes_from_source(None, monitor, DAY)
    helpers.log_invalid_records(monitor, [{"proposal": "2", "seuno": "9"}], "SEUNO", 0)
    monitor.sync_invalid_records("apr", "SEUNO", {"keys": ["2"]}, [])
    helpers.track_status_changes(monitor, [{"proposal": "2", "status": "APPROVED"}], "BOT")
    # Of something else, which is called 2 as well.
    monitor.start_task("invoice.ocr", task_id="2")
    monitor.complete_task("2")
    told = rows(connection, "select kind, summary from monitoring.get_record_timeline('apr', '2')")
    assert [(row["kind"], row["summary"]) for row in reversed(told)] == [
        ("status", "not known to RECEIVED by SYSTEM portal"),
        ("invalid", "SEUNO: 9"),
        ("resolved", "SEUNO: auto"),
        ("status", "RECEIVED to APPROVED by BOT"),
    ]

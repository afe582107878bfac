"""Sources whose rows come with a query in another database, read by the program that asks."""

import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.client import MonitoringClient
from pgvigil.exceptions import DatabaseNotReadyError, MonitoringError, SourceNotReadError
from tests.python.support.asking import one, rows, value

DAY = date(2026, 1, 15)
STATUSES = "select record_key, status, change_source from monitoring.v_record_status order by 1"
ROLE = "pgvigil_program"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Another team's database, with three proposals of two days."""
    address = tmp_path / "elsewhere.db"
    monkeypatch.setenv("GER", f"sqlite:///{address}")
    other = sqlite3.connect(address, isolation_level=None)
    other.execute("create table capa (proposal text, status text, day text)")
    other.execute(
        "insert into capa values ('1', 'OPEN', '2026-01-15'), ('2', 'OPEN', '2026-01-15'),"
        " ('3', 'OPEN', '2026-01-14')"
    )
    yield other
    other.close()


@pytest.fixture
def here(connection: psycopg.Connection, elsewhere: sqlite3.Connection) -> psycopg.Connection:
    """A connection to a database with a source that reads them by a query."""
    connection.execute(
        """
        select monitoring.register_source_query(
            'capa', 'GER', 'select proposal, status, day from capa', '{proposal,status,day}'
        );
        select monitoring.register_record_source(
            'ger', 'apr', 'query:capa',
            '{"record_key": "proposal", "status": "status", "target_date": "day"}'
        );
        """
    )
    return connection


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client that says at once when it is used wrongly."""
    with MonitoringClient(dsn, on_error="raise") as client:
        yield client


def known(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    return [
        (row["record_key"], row["status"], row["change_source"])
        for row in rows(connection, STATUSES)
    ]


def test_the_number_of_changes_is_returned(
    here: psycopg.Connection, elsewhere: sqlite3.Connection, monitor: MonitoringClient
) -> None:
    assert monitor.track_all_status_changes_from_source("ger", DAY, "BOT") == 2
    # What the query brings of other days is recorded as always.
    assert known(here) == [("1", "OPEN", "BOT"), ("2", "OPEN", "BOT"), ("3", "OPEN", "SYSTEM")]
    assert monitor.track_all_status_changes_from_source("ger") == 0
    elsewhere.execute("update capa set status = 'DONE' where proposal <> '2'")
    assert monitor.track_all_status_changes_from_source("ger", change_source="MONITOR") == 2
    assert known(here)[0] == ("1", "DONE", "MONITOR")
    assert value(here, "select count(*) from monitoring.staged_rows") == 0


def test_all_counts_are_there_as_well(here: psycopg.Connection, monitor: MonitoringClient) -> None:
    counts = monitor.sync_record_source("ger", DAY, task_id="hourly")
    assert counts is not None
    assert (counts["source"], counts["compared"], counts["new"]) == ("ger", 2, 2)
    assert one(here, "select task_id from monitoring.status_history where record_key = '1'") == {
        "task_id": "hourly"
    }


def test_a_dry_run_counts_and_keeps_nothing(
    here: psycopg.Connection, monitor: MonitoringClient
) -> None:
    assert monitor.track_all_status_changes_from_source("ger", DAY, is_dry_run=True) == 2
    counts = monitor.sync_record_source("ger", is_dry_run=True)
    assert counts is not None
    assert [change["record_key"] for change in counts["sample"]] == ["1", "2", "3"]
    assert known(here) == []
    assert value(here, "select count(*) from monitoring.source_loads") == 0


def test_other_sources_of_the_query_are_read_with_it(
    here: psycopg.Connection, monitor: MonitoringClient
) -> None:
    here.execute(
        "select monitoring.register_record_source('second', 'other', 'query:capa',"
        """ '{"record_key": "proposal", "status": "status"}')"""
    )
    assert monitor.track_all_status_changes_from_source("ger", DAY) == 2
    assert (
        value(
            here,
            "select last_result ->> 'new' from monitoring.v_sources s where source_name = 'second'",
        )
        == "3"
    )


def test_a_record_that_has_become_valid_gets_its_status_by_auto_resolve(
    here: psycopg.Connection, elsewhere: sqlite3.Connection, monitor: MonitoringClient
) -> None:
    monitor.track_all_status_changes_from_source("ger", DAY)
    monitor.log_invalid_records("apr", ["1"], "SEUNO", target_date=DAY)
    elsewhere.execute("update capa set status = 'DONE'")
    monitor.sync_invalid_records("apr", "SEUNO", {"keys": ["1"]}, [])
    assert monitor.track_all_status_changes_from_source("ger", DAY, "SYSTEM") == 2
    assert known(here)[:2] == [("1", "DONE", "AUTO_RESOLVE"), ("2", "DONE", "SYSTEM")]


def test_a_day_is_read_from_all_sources_of_the_dataset(
    here: psycopg.Connection, monitor: MonitoringClient
) -> None:
    here.execute("create table local (id text, state text, day date)")
    here.execute("insert into local values ('9', 'OPEN', '2026-01-15'), ('8', 'OPEN', null)")
    here.execute("grant select on local to monitoring_reader")
    here.execute(
        "select monitoring.register_record_source('local', 'apr', 'public.local',"
        """ '{"record_key": "id", "status": "state", "target_date": "day"}')"""
    )
    would = monitor.track_status_changes("apr", DAY, "BOT", is_dry_run=True)
    assert would is not None
    assert (would["new"], known(here)) == (3, [])
    counts = monitor.track_status_changes("apr", "2026-01-15", "BOT")  # as it may be written
    assert counts is not None
    assert (counts["compared"], counts["new"]) == (3, 3)
    assert [source["source"] for source in counts["sources"]] == ["ger", "local"]
    assert [key for key, _, source in known(here) if source == "BOT"] == ["1", "2", "9"]
    assert value(here, "select count(*) from monitoring.error_tracking") == 0


# What goes wrong


def break_query(here: psycopg.Connection, elsewhere: sqlite3.Connection) -> str:
    elsewhere.execute("drop table capa")
    return "no such table: capa"


def lose_address(here: psycopg.Connection, elsewhere: sqlite3.Connection) -> str:
    here.execute("update monitoring.source_queries set connection_name = 'NOWHERE'")
    return "connection NOWHERE is not in the environment"


def disable_query(here: psycopg.Connection, elsewhere: sqlite3.Connection) -> str:
    here.execute("select monitoring.disable_source_query('capa')")
    return "not enabled"


def disable_source(here: psycopg.Connection, elsewhere: sqlite3.Connection) -> str:
    here.execute("select monitoring.disable_source('ger')")
    return "not enabled"


TROUBLES = [break_query, lose_address, disable_query, disable_source]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_cannot_be_read_is_no_number(
    trouble: Callable[[psycopg.Connection, sqlite3.Connection], str],
    here: psycopg.Connection,
    elsewhere: sqlite3.Connection,
    monitor: MonitoringClient,
    dsn: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    why = trouble(here, elsewhere)
    with pytest.raises(SourceNotReadError, match=why):
        monitor.track_all_status_changes_from_source("ger", DAY)
    with caplog.at_level(logging.WARNING, "pgvigil"), MonitoringClient(dsn) as quiet:
        assert quiet.track_all_status_changes_from_source("ger", DAY) is None
        assert quiet.dropped == 0
    assert why in caplog.text


def test_bad_arguments_are_refused_before_anything_is_loaded(
    here: psycopg.Connection, monitor: MonitoringClient
) -> None:
    with pytest.raises(MonitoringError, match="ELF"):
        monitor.track_all_status_changes_from_source("ger", DAY, "ELF")
    with pytest.raises(MonitoringError, match="nothing"):
        monitor.track_all_status_changes_from_source("nothing")
    assert value(here, "select count(*) from monitoring.source_loads") == 0


def test_whoever_may_not_load_a_query_is_told_which_role_that_takes(
    here: psycopg.Connection, dsn: str
) -> None:
    here.execute(f"create role {ROLE} in role monitoring_writer".encode())
    try:
        as_program = make_conninfo(dsn, options=f"-c role={ROLE}")
        with (
            MonitoringClient(as_program, on_error="raise") as program,
            pytest.raises(DatabaseNotReadyError) as refused,
        ):
            program.track_all_status_changes_from_source("ger", DAY)
        assert refused.value.hint == f"Ask for: grant monitoring_admin to {ROLE};"
    finally:
        here.execute(f"drop role {ROLE}".encode())


def test_the_addresses_may_be_in_a_file(
    here: psycopg.Connection,
    monitor: MonitoringClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GER")
    secrets = tmp_path / "secrets.toml"
    secrets.touch(0o600)
    secrets.write_text(f'[connections]\nGER = "sqlite:///{tmp_path / "elsewhere.db"}"\n')
    monkeypatch.setenv("PGVIGIL_SECRETS", str(secrets))
    assert monitor.track_all_status_changes_from_source("ger") == 3


def test_a_program_of_one_file_starts_no_copies_of_itself(
    here: psycopg.Connection, monitor: MonitoringClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(SourceNotReadError, match="made into one file"):
        monitor.track_all_status_changes_from_source("ger")


def test_a_query_that_hangs_ends_in_time(
    here: psycopg.Connection, elsewhere: sqlite3.Connection, monitor: MonitoringClient
) -> None:
    endless = (
        "with recursive n (v) as (select 1 union all select v + 1 from n)"
        " select max(v), 1, 1 from n"
    )
    here.execute(
        "select monitoring.register_source_query('capa', 'GER', %s, '{proposal,status,day}',"
        " p_timeout => '1 second')",
        [endless],
    )
    began = time.monotonic()
    with pytest.raises(SourceNotReadError, match="took longer than 1 s"):
        monitor.track_all_status_changes_from_source("ger")
    assert time.monotonic() - began < 15

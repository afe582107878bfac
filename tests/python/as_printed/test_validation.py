"""The validation system's document: what it prints runs in its order, with the results it says."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.orm import Session

from pgvigil import MonitoringClient
from pgvigil.demo.server import PostgresServer
from tests.harness.clients import clean_environment
from tests.python.support.apr_program import DAY, EXAMPLE, fresh_helpers, program
from tests.python.support.as_printed import assert_is_printed
from tests.python.support.asking import one, rows, value

IMPORTS = """
from monitoring_helpers import (
    log_invalid_records,
    auto_resolve_invalid_records,
    track_status_changes,
    track_proposal_products,
    log_program_execution,
    update_daily_summary,
    cleanup_old_monitoring_data
)
"""
NFECHAVE = """
if invalid_nfechave_records:
    log_invalid_records(mariadb_session, invalid_nfechave_records, 'NFECHAVE', alerted_count)
"""
DUPLICATA = """
if invalid_duplicata_records:
    log_invalid_records(mariadb_session, invalid_duplicata_records, 'DUPLICATA', alerted_count)
"""
SEUNO = """
if invalid_seuno_records:
    log_invalid_records(mariadb_session, invalid_seuno_records, 'SEUNO', alerted_count)
"""
STORED = """
# Track products for each proposal
track_proposal_products(mariadb_session, valid_records)

# Track status changes
track_status_changes(mariadb_session, target_date, change_source='SYSTEM')
"""
EXIT = """
# Log execution
stats = {
    'total_records_queried': total_records,
    'valid_records': len(valid_records),
    'invalid_nfechave': len(invalid_nfechave_records),
    'invalid_duplicata': len(invalid_duplicata_records),
    'invalid_seuno': len(invalid_seuno_records),
    'records_stored': inserted + updated,
    'alerts_sent_nfechave': nfechave_alert_count,
    'alerts_sent_duplicata': duplicata_alert_count,
    'alerts_sent_seuno': seuno_alert_count
}
log_program_execution(mariadb_session, target_date, stats, execution_time, run_mode)

# Update daily summary
update_daily_summary(mariadb_session, target_date)

# Auto-resolve invalid records
resolved = auto_resolve_invalid_records(mariadb_session, target_date)
if resolved > 0:
    print(f"✓ Auto-resolved {resolved} invalid records")

# Cleanup old data (30-day retention)
deleted = cleanup_old_monitoring_data(mariadb_session, retention_days=30)
if sum(deleted.values()) > 0:
    print(f"✓ Cleaned up old data: {deleted}")
"""
IN_ORDER = (IMPORTS, NFECHAVE, DUPLICATA, SEUNO, STORED, EXIT)
TABLES = (
    "apr_invalid_records",
    "apr_status_history",
    "apr_processing_log",
    "apr_proposal_products",
    "apr_daily_summary",
)
MODELS = (
    "APRInvalidRecord",
    "APRStatusHistory",
    "APRProcessingLog",
    "APRProposalProduct",
    "APRDailySummary",
)
SHOWN = """
    (select count(*) from apr.apr_invalid_records where status = 'open') as open,
    (select count(*) from apr.apr_status_history where validation_type = '') as statuses,
    (select count(*) from apr.apr_processing_log) as runs,
    (select count(*) from apr.apr_proposal_products) as products,
    (select count(*) from apr.apr_daily_summary) as days
"""


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The helpers, of which nothing has been bound yet."""
    yield from fresh_helpers(monkeypatch)


@pytest.fixture
def dsn_of_program(server: PostgresServer, dsn: str) -> Iterator[str]:
    """How the program reaches a database with the tables of its system."""
    with program(server, dsn) as own:
        yield own


def wrong(key: str, column: str, value: str, cedente: str) -> dict[str, Any]:
    """Return a record as the program has it."""
    return {"proposal": key, column: value, "cedente": cedente, "message": f"{value} is wrong"}


def run(session: Any, **other: Any) -> dict[str, Any]:
    """Run what the document prints, in its order, as a run of the program does."""
    found: dict[str, Any] = {
        "mariadb_session": session,
        "target_date": DAY,
        "alerted_count": 1,
        "invalid_nfechave_records": [wrong("1", "nfechave", "35X", "Rio")],
        "invalid_duplicata_records": [
            wrong("1", "duplicata", "7/1", "Rio"),
            wrong("2", "duplicata", "8/1", "Sul"),
        ],
        "invalid_seuno_records": [],
        "valid_records": [
            {"proposal": key, "status": "RECEIVED", "product": product}
            for key, product in (("3", "bills"), ("3", "cheques"), ("4", "bills"))
        ],
        "total_records": 6,
        "inserted": 2,
        "updated": 1,
        "nfechave_alert_count": 1,
        "duplicata_alert_count": 2,
        "seuno_alert_count": 0,
        "run_mode": "full",
    }
    names = {**found, **other}
    began = time.monotonic()
    for snippet in IN_ORDER:
        names["execution_time"] = time.monotonic() - began + 0.01
        exec(compile(snippet, "as printed", "exec"), names)
    return names


def shown(connection: psycopg.Connection) -> dict[str, int]:
    """Return how much the five tables hold."""
    return {name: int(count) for name, count in one(connection, f"select {SHOWN}").items()}


def test_all_of_it_is_printed_so() -> None:
    assert_is_printed("000", *IN_ORDER, *(f"`{name}`" for name in (*TABLES, *MODELS)))


# Sessions of all kinds


def a_client(dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    with MonitoringClient(dsn, component="apr") as session:
        use(session)


def within_a_transaction(
    dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with MonitoringClient(dsn) as client, psycopg.connect(dsn) as connection:
        use(client.on(connection))


def a_connection(dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    with psycopg.connect(dsn) as connection:
        use(connection)


def a_session_of_sqlalchemy(
    dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    with Session(engine) as session, session.begin():
        use(session)
    engine.dispose()


def a_session_of_another_database(
    dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    with Session(create_engine("sqlite://")) as session:
        use(session)


def nothing(dsn: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    use(None)


SESSIONS = [
    a_client,
    within_a_transaction,
    a_connection,
    a_session_of_sqlalchemy,
    a_session_of_another_database,
    nothing,
]


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_run_as_printed_fills_the_five_tables(
    kind: Callable[..., None],
    helpers: ModuleType,
    dsn_of_program: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def use(session: Any) -> None:
        names = run(session)
        assert names["resolved"] == 0
        assert sum(names["deleted"].values()) == 0

    kind(dsn_of_program, use, monkeypatch)
    assert shown(connection) == {"open": 3, "statuses": 6, "runs": 1, "products": 3, "days": 1}
    assert one(
        connection,
        "select record_key, reported_value, group_name, message, is_alerted, target_date"
        " from apr.apr_invalid_records where validation_type = 'NFECHAVE'",
    ) == {
        "record_key": "1",
        "reported_value": "35X",
        "group_name": "Rio",
        "message": "35X is wrong",
        "is_alerted": True,
        "target_date": DAY,
    }
    assert one(connection, "select distinct change_source from apr.apr_status_history") == {
        "change_source": "SYSTEM"
    }


def test_what_is_given_up_with_a_transaction_was_never_recorded(
    helpers: ModuleType,
    dsn_of_program: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn_of_program)
    with psycopg.connect(dsn_of_program) as session:
        run(session)
        session.rollback()
    assert not any(shown(connection).values())


def test_the_stats_are_in_the_log_and_the_summary(
    helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        names = run(session)
    log = one(connection, "select * from apr.apr_processing_log")
    assert log["statistics"] == names["stats"]
    assert (log["invalid_records"], log["alerts_sent"], log["records_stored"]) == (3, 3, 3)
    assert log["run_mode"] == "full"
    assert log["execution_seconds"] == pytest.approx(names["execution_time"], abs=1e-5)
    summary = one(connection, "select * from apr.apr_daily_summary")
    assert (summary["records_queried"], summary["invalid_opened"]) == (6, 3)
    assert summary["invalid_by_type"] == {"NFECHAVE": 1, "DUPLICATA": 2}
    assert summary["products"] == 3


def test_what_is_mended_is_resolved_by_the_next_run(
    helpers: ModuleType,
    dsn_of_program: str,
    connection: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        run(session)
        connection.execute("update apr.proposals set status = 'ANALYSIS' where proposal = '1'")
        later = run(session, invalid_nfechave_records=[])
    assert later["resolved"] == 1
    assert "✓ Auto-resolved 1 invalid records" in capsys.readouterr().out
    assert one(
        connection,
        "select from_status, to_status, change_source from apr.apr_status_history"
        " where validation_type = 'NFECHAVE'",
    ) == {"from_status": "invalid", "to_status": "valid", "change_source": "AUTO_RESOLVE"}


def test_what_a_run_found_itself_is_not_resolved_by_it_however_late_it_says_so(
    helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        for _ in range(2):
            helpers.log_invalid_records(session, ["1", "2"], "SEUNO", 0)
            time.sleep(0.1)
            helpers.log_program_execution(session, DAY, {}, 0.001, "full")
            assert helpers.auto_resolve_invalid_records(session, DAY) == 0
        helpers.log_invalid_records(session, ["2"], "SEUNO", 0)
        helpers.log_program_execution(session, DAY, {}, 0.001, "partial")
        assert helpers.auto_resolve_invalid_records(session, DAY) == 0
        helpers.log_invalid_records(session, ["2"], "SEUNO", 0)
        helpers.log_program_execution(session, DAY, {}, 0.001, "full")
        assert helpers.auto_resolve_invalid_records(session, DAY) == 1
    assert shown(connection)["open"] == 1


def test_what_is_older_than_thirty_days_is_cleaned_up(
    helpers: ModuleType,
    dsn_of_program: str,
    connection: psycopg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = datetime.now(UTC) - timedelta(days=31)
    for dataset in ("apr", "of another team"):
        connection.execute(
            "select monitoring.log_program_execution(%s, %s::date, '{}', 1, p_finished_at => %s)",
            [dataset, old.date(), old],
        )
    with MonitoringClient(dsn_of_program) as session:
        deleted = run(session)["deleted"]
    assert deleted["processing_log"] == sum(deleted.values()) == 1
    assert "✓ Cleaned up old data: {" in capsys.readouterr().out
    assert value(connection, "select count(*) from monitoring.processing_log") == 2


def test_a_dry_run_keeps_nothing(
    helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    helpers.bind(is_dry_run="--dry-run" in ["program", "--dry-run"])
    with MonitoringClient(dsn_of_program, on_error="raise") as session:
        names = run(session, run_mode="dry-run")
    assert (names["resolved"], sum(names["deleted"].values())) == (0, 0)
    assert not any(shown(connection).values())


def test_a_run_may_call_itself_otherwise(
    helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    helpers.bind(run_modes={"production": "full"})
    with MonitoringClient(dsn_of_program) as session:
        run(session, run_mode="production")
        assert run(session, run_mode="production", invalid_nfechave_records=[])["resolved"] == 1
        run(session, run_mode="dry-run")
    assert {
        row["run_mode"] for row in rows(connection, "select * from apr.apr_processing_log")
    } == {
        "full",
        "dry_run",
    }


def test_a_program_that_cannot_reach_its_database_goes_on(helpers: ModuleType) -> None:
    with MonitoringClient("postgresql://nobody@127.0.0.1:1/none", spool=False) as session:
        names = run(session)
    assert (names["resolved"], names["deleted"]) == (0, {})


# Records in all forms


class Row:
    """A record as an object-relational mapper has it."""

    def __init__(self, **columns: Any) -> None:
        """Keep the columns, beside what the mapper notes."""
        self._sa_instance_state = object()
        self.__dict__.update(columns)


@pytest.mark.parametrize(
    "record",
    [
        {"record_key": "77", "value": "9"},
        {"PROPOSTA": 77, "SEUNO": 9, "VALOR": 12.5, "DATA": date(2026, 1, 15)},
        Row(proposta=77, seuno="9"),
        SimpleNamespace(_mapping={"PROPOSTA": "77", "SEUNO": "9"}),
    ],
)
def test_a_record_may_be_a_mapping_a_row_or_an_object(
    record: Any, helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    helpers.bind(key="proposta", group="filial")
    with MonitoringClient(dsn_of_program, on_error="raise") as session:
        assert helpers.log_invalid_records(session, [record], "SEUNO", 1) == 1
    found = one(connection, "select * from apr.apr_invalid_records")
    assert (found["record_key"], found["reported_value"]) == ("77", "9")


@pytest.mark.parametrize("odd", [None, "", {}, object(), {"proposal": None}, 3.5])
def test_what_is_no_record_stops_no_program(
    odd: Any, helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        assert helpers.log_invalid_records(session, [odd, "2"], "SEUNO", 1) == 1
        helpers.track_proposal_products(session, [odd, {"proposal": "2", "product": "bills"}])
        helpers.track_status_changes(session, [odd, {"proposal": "2", "status": "OPEN"}], "BOT")
    assert shown(connection)["open"] == 1


def test_a_day_may_be_written_out_and_a_record_without_a_status_is_not_gone(
    helpers: ModuleType, dsn_of_program: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        assert helpers.track_status_changes(session, str(DAY)) == 6
        assert helpers.track_status_changes(session, "no day at all") == 0
        assert helpers.track_status_changes(session, [{"proposal": "1", "state": "OPEN"}]) == 0
        assert helpers.track_status_changes(session, [{"proposal": "1", "status": None}]) == 0
    gone = "select count(*) from monitoring.v_record_status where status is null"
    assert value(connection, gone) == 0


@pytest.mark.parametrize("count", [None, -1, "many", 10**30, True])
@pytest.mark.parametrize("length", [None, timedelta(seconds=2), "90 seconds", "long", float("nan")])
def test_odd_arguments_stop_no_program(
    count: Any, length: Any, helpers: ModuleType, dsn_of_program: str
) -> None:
    with MonitoringClient(dsn_of_program) as session:
        assert helpers.log_invalid_records(session, ["1"], "SEUNO", count) in (0, 1)
        stats = {"valid_records": None, "invalid_x": "many", "records_stored": 1}
        helpers.log_program_execution(session, DAY, stats, length, "full")
        helpers.log_program_execution(session, "yesterday", None, length, None)
        assert helpers.update_daily_summary(session, datetime.now()) != {}
        helpers.update_daily_summary(session, None)
        assert helpers.auto_resolve_invalid_records(session, None) == 0
        assert helpers.cleanup_old_monitoring_data(session, retention_days="soon") == {}


# The rest of the system


def test_the_models_have_the_columns_of_the_tables_and_can_be_read(
    helpers: ModuleType, dsn_of_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import models

    with MonitoringClient(dsn_of_program) as client:
        run(client)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn_of_program))
    with Session(engine) as session:
        for name, table in zip(MODELS, TABLES, strict=True):
            model = getattr(models, name)
            there = {column["name"] for column in inspect(engine).get_columns(table, schema="apr")}
            assert set(model.__table__.columns.keys()) == there
            assert session.scalars(select(model)).unique().all()
    engine.dispose()


def test_the_backfill_begins_the_history_of_today_once(
    dsn_of_program: str, connection: psycopg.Connection
) -> None:
    connection.execute("select monitoring.log_invalid_records('apr', '[1]', 'SEUNO')")
    script = [sys.executable, str(EXAMPLE / "backfill_monitoring_today.py")]
    environment = {**clean_environment(), "PGVIGIL_DSN": dsn_of_program}

    def backfill(*options: str) -> str:
        result = subprocess.run(
            [*script, *options], env=environment, capture_output=True, text=True, timeout=60
        )
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    assert "5 valid records, 5 entries of history" in backfill("--dry-run")
    assert value(connection, "select count(*) from apr.apr_status_history") == 0
    assert "5 valid records, 5 entries of history" in backfill()
    assert shown(connection) == {"open": 1, "statuses": 5, "runs": 0, "products": 0, "days": 1}
    assert "5 valid records, 0 entries of history" in backfill()
    assert shown(connection)["statuses"] == 5

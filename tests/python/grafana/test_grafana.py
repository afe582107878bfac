"""Grafana's dashboards: fresh, whole, and each query answered to a reader from few rows."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from grafana.description.columns import FLAGS, LONG, NAMES, PAGE, STATES, unit_of
from grafana.description.files import dashboards
from grafana.description.queries import columns_of
from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import run_pgvigil, run_psql
from tests.harness.databases import create_database, drop_database
from tests.python.support.grafana_files import (
    FILES,
    Asked,
    panel_of,
    queries,
    sent,
    shown_by,
    variables,
)
from tests.python.support.grafana_macros import Shown

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
READER = "grafana_reader"
# Only an admin may set the clock; everything else is looked at with the rights of the reader.
# What takes long enough is compiled, as it is unless the role is told otherwise.
AS_READER = (
    f"-c monitoring.now={NOW.isoformat()} -c role={READER} -c jit=on -c statement_timeout=30s"
)
RECORDS = Path(__file__).parent / "grafana_records.sql"
ODD = 'it\'s "odd"'
RELEASES = f"""
select monitoring.record_release(
    'it''s "odd"', '1.' || n, p_released_at => '{NOW}'::timestamptz - make_interval(days => n)
)
from generate_series(0, 40) as n
"""
QUERIES = list(queries())
TABLES = [asked for asked in QUERIES if asked.kind == "table"]
# How long people look back: each makes another resolution of it, or another place in the day.
RANGES = [timedelta(hours=6), timedelta(hours=24), timedelta(days=7), timedelta(days=30)]
# Views of single rows, of which only those of the time shown may be read. All others read roll-ups,
# and what these lack, wherever it is; tests/pgtap/plans_of_rollups.sql sees to it that an index
# finds that.
SINGLE_ROWS = re.compile(
    r"monitoring\.(processing_metrics|error_tracking|performance_monitoring|v_health_history|etl_\w+"
    r"|batch_execution_logs|get_batch_timeline|get_batch_performance|alert_history|alerts|v_notif\w+"
    r"|status_history|processing_log)"
)
# Rows that a dashboard's query may read as it opens, of the 40,000 that are recorded.
MOST_ROWS = 5_000
# Business days begin on the day before, and the days before the one shown are shown beside it.
DAYS_BESIDE = {"batch": 8}
ROWS_READ = """
    select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_user_tables
    where schemaname = 'monitoring'
"""


@pytest.fixture(scope="module")
def reader(server: PostgresServer, template: str) -> Iterator[str]:
    """A role that belongs to monitoring_reader and to nothing else."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create role {READER} login in role monitoring_reader".encode())
        yield READER
        connection.execute(f"drop role {READER}".encode())


@pytest.fixture(scope="module")
def recorded(server: PostgresServer, template: str, reader: str) -> Iterator[psycopg.Connection]:
    """What the reader sees of a database with forty days of everything in it."""
    create_database(server, "grafana", template)
    run_psql(server, "grafana", "-q", "-f", RECORDS)
    run_psql(server, "grafana", "-q", "-c", RELEASES)
    dsn = make_conninfo(server.dsn("grafana", via_socket=True), options=AS_READER)
    with psycopg.connect(dsn) as connection:
        yield connection
    drop_database(server, "grafana")


@pytest.fixture(scope="module")
def empty(server: PostgresServer, template: str, reader: str) -> Iterator[psycopg.Connection]:
    """What the reader sees of a database in which nothing has been recorded."""
    create_database(server, "grafana_empty", template)
    dsn = make_conninfo(server.dsn("grafana_empty", via_socket=True), options=AS_READER)
    with psycopg.connect(dsn) as connection:
        yield connection
    drop_database(server, "grafana_empty")


def answer(connection: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query that changes nothing."""
    connection.rollback()
    connection.execute("set transaction read only")
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def rows_read(connection: psycopg.Connection, query: str) -> dict[str, int]:
    """Return how many rows of each table a query reads, whoever reads them for it."""
    connection.rollback()
    # What earlier queries read is still in the figures of the session.
    before: dict[str, int] = dict(connection.execute(ROWS_READ).fetchall())
    connection.execute(query.encode())
    after = connection.execute(ROWS_READ).fetchall()
    read = {table: rows - before.get(table, 0) for table, rows in after}
    return {table: rows for table, rows in read.items() if rows}


def test_the_files_are_what_the_description_says() -> None:
    written = {path.name: path.read_text() for path in FILES}
    assert written == dashboards(), "grafana/dashboards is stale: run make grafana"


def test_the_command_writes_what_grafana_reads(tmp_path: Path) -> None:
    """No database is asked for, so none is given."""
    out = tmp_path / "made" / "here"
    result = run_pgvigil("postgresql://nowhere", "grafana", "--out", str(out))
    assert (result.returncode, result.stderr) == (0, "")
    assert str(out / "dashboards") in result.stdout
    written = {path.relative_to(out) for path in out.rglob("*") if path.is_file()}
    brought = {
        path.relative_to(ROOT / "grafana")
        for part in ("dashboards/*.json", "provisioning/*/*.yaml", "provisioning/*/*.example")
        for path in (ROOT / "grafana").glob(part)
    }
    assert written == brought
    assert all(
        (out / path).read_bytes() == (ROOT / "grafana" / path).read_bytes() for path in brought
    )


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_query_finds_what_is_recorded(recorded: psycopg.Connection, asked: Asked) -> None:
    rows = answer(recorded, sent(asked, shown_by(asked.board, NOW)))
    found = [value for row in rows for name, value in row.items() if name != "time"]
    assert any(value not in (None, 0, "") for value in found), "nothing is found"


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_query_of_any_time_is_no_error(recorded: psycopg.Connection, asked: Asked) -> None:
    for span in RANGES:
        answer(recorded, sent(asked, Shown(NOW - span, NOW)))


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_query_of_an_empty_database_is_no_error(empty: psycopg.Connection, asked: Asked) -> None:
    for span in RANGES:
        answer(empty, sent(asked, Shown(NOW - span, NOW)))


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_few_lines_are_drawn(recorded: psycopg.Connection, asked: Asked) -> None:
    rows = answer(recorded, sent(asked, shown_by(asked.board, NOW)))
    lines = {row["metric"] for row in rows if "metric" in row}
    assert len(lines) <= 9


@pytest.mark.parametrize("asked", TABLES, ids=str)
def test_columns_of_tables_are_those_of_their_queries(
    recorded: psycopg.Connection, asked: Asked
) -> None:
    """What a column is called decides how it is written, so texts may not pass for figures."""
    recorded.rollback()
    query = sent(asked, shown_by(asked.board, NOW))
    hidden = hidden_columns(asked)
    described = recorded.execute(query.encode()).description or []
    assert [column.name for column in described] == columns_of(asked.sql)
    for column in described:
        if column.name in hidden:
            continue
        is_name = bool(re.search(f"{NAMES}|{LONG}|{STATES}|^{PAGE}$", column.name))
        is_time = unit_of(column.name) == "time:YYYY-MM-DD HH:mm:ss"
        match type_of(column):
            case "text" | "name" | "jsonb" | "text[]" | "domain":
                assert is_name, column.name
            case "timestamptz":
                assert is_time, column.name
            case "bool":
                assert re.search(FLAGS, column.name)
            case kind:
                assert not is_name, (column.name, kind)
                assert not is_time, column.name


@pytest.mark.parametrize("span", RANGES, ids=str)
def test_throughput_is_what_was_counted(recorded: psycopg.Connection, span: timedelta) -> None:
    """Each attempt is in one bar: what is drawn adds up to the rows that there are."""
    shown = Shown(NOW - span, NOW)
    drawn = found_by(recorded, "tasks: Throughput", shown)
    counted = recorded.execute(
        """
        select task_type, count(*) from monitoring.processing_metrics
        where
            end_time >= %s and end_time <= %s and end_time is not null
            and not starts_with(task_type, 'pgvigil.')
        group by task_type
        """,
        [first_of(span, shown.since), NOW],
    ).fetchall()
    by_type: Counter[str] = Counter()
    for row in drawn:
        by_type[row["metric"]] += int(row["value"])
    assert by_type == dict(counted)
    assert all(row["time"] <= NOW for row in drawn)


def test_no_line_crosses_a_time_in_which_nothing_was_measured(
    recorded: psycopg.Connection,
) -> None:
    """Minutes: each is ten minutes after the one before, so between any two the line may end."""
    rows = found_by(recorded, "tasks: Slowest task types", Shown(NOW - timedelta(hours=6), NOW))
    times = sorted({row["time"] for row in rows if row["value"] is not None})
    ended = {row["time"] for row in rows if row["value"] is None}
    apart = [first for first, second in pairwise(times) if second - first > timedelta(minutes=2)]
    assert len(apart) > 10
    assert all(any(at < end < at + timedelta(minutes=2) for end in ended) for at in apart)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo"])
def test_days_are_drawn_on_their_day_in_every_zone(recorded: psycopg.Connection, zone: str) -> None:
    shown = Shown(NOW - timedelta(days=30), NOW)
    for title in ("tasks: Throughput", "batch: How long steps took", "records: Processing trend"):
        recorded.rollback()
        recorded.execute("select set_config('timezone', %s, true)", [zone])
        asked = next(asked for asked in QUERIES if str(asked) == title)
        with recorded.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(sent(asked, shown).encode()).fetchall()
        drawn = {row["time"] for row in rows if row["time"] < NOW}
        assert drawn
        days = {at.astimezone(ZoneInfo(zone)).date() for at in drawn}
        assert days == {at.astimezone(UTC).date() for at in drawn}
        assert {at.astimezone(UTC).hour for at in drawn} == {12}


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_query_takes_names_with_quotes(recorded: psycopg.Connection, asked: Asked) -> None:
    chosen = {
        variable["name"]: [ODD, "other"] if variable.get("multi") else ODD
        for variable in variables(asked.board)
        if variable.get("multi") or variable["type"] == "textbox"
    }
    answer(recorded, sent(asked, shown_by(asked.board, NOW), chosen))


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_query_reads_few_rows_and_none_of_days_not_shown(
    recorded: psycopg.Connection, asked: Asked
) -> None:
    shown = shown_by(asked.board, NOW)
    read = rows_read(recorded, sent(asked, shown))
    days = {table: at for table in read if (at := day(table))}
    if SINGLE_ROWS.search(asked.sql):
        first_day = shown.since.toordinal() - DAYS_BESIDE.get(asked.board, 1)
        assert [table for table, at in days.items() if at.toordinal() < first_day] == [], read
    else:
        read = {table: rows for table, rows in read.items() if table not in days}
    assert sum(read.values()) <= MOST_ROWS, read


def test_a_state_is_told_once_so_that_many_checks_hide_none(recorded: psycopg.Connection) -> None:
    rows = found_by(recorded, "health: States", shown_by("health", NOW))
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(row["component"], []).append(row["state"])
    assert told["service api"][-3:] == ["unhealthy", "healthy", "degraded"]
    assert all(first != second for states in told.values() for first, second in pairwise(states))


def test_a_run_is_shown_whatever_part_of_it_is_looked_at(recorded: psycopg.Connection) -> None:
    within = Shown(datetime(2026, 3, 1, 7, 5, tzinfo=UTC), datetime(2026, 3, 1, 7, 10, tzinfo=UTC))
    rows = found_by(recorded, "batch: Runs", within)
    assert [(row["time"].minute, row["step_name"], row["state"]) for row in rows] == [
        (0, "bill", "completed")
    ]
    assert rows[0]["end"] - rows[0]["time"] == timedelta(minutes=15)


def test_what_is_yet_to_end_is_shown_up_to_when_its_end_is_expected(
    recorded: psycopg.Connection,
) -> None:
    rows = found_by(recorded, "batch: Runs", shown_by("batch", NOW))
    (expected,) = (row for row in rows if row["state"] == "expected")
    assert expected["step_name"] == "archive"
    assert NOW + timedelta(hours=1) < expected["time"] < expected["end"]


def test_an_open_alert_is_spanned_up_to_now(recorded: psycopg.Connection) -> None:
    rows = found_by(recorded, "overview: annotation Spans of alerts", shown_by("overview", NOW))
    assert any(row["timeend"] == NOW for row in rows)
    assert all(row["time"] <= row["timeend"] <= NOW for row in rows)
    later = Shown(NOW - timedelta(minutes=1), NOW + timedelta(hours=1))
    assert found_by(recorded, "overview: annotation Spans of alerts", later)[0]["timeend"] == NOW


def test_marks_of_alerts_are_few_and_of_what_is_worst(recorded: psycopg.Connection) -> None:
    month = Shown(NOW - timedelta(days=30), NOW)
    marks = found_by(recorded, "overview: annotation Alerts", month)
    fired = recorded.execute(
        "select severity from monitoring.alerts where fired_at is not null"
    ).fetchall()
    assert {severity for (severity,) in fired} > {"critical", "high"}
    assert 0 < len(marks) <= 20
    assert all(set(mark) == {"time", "text", "tags"} for mark in marks)
    assert {mark["tags"].split(",")[1] for mark in marks} <= {"critical", "high"}


def test_an_attempt_without_a_message_tells_its_last_error(recorded: psycopg.Connection) -> None:
    rows = found_by(recorded, "tasks: Attempts that did not complete", shown_by("tasks", NOW))
    reasons = {row["task_id"]: row["why"] for row in rows}
    assert reasons.pop("bare") == "no ink"
    assert set(reasons.values()) == {"no paper"}


def found_by(recorded: psycopg.Connection, title: str, shown: Shown) -> list[dict[str, Any]]:
    """Return what the query of a panel or of the annotations finds in a span of time."""
    asked = next(asked for asked in QUERIES if str(asked) == title)
    return answer(recorded, sent(asked, shown))


def first_of(span: timedelta, since: datetime) -> datetime:
    """Return from when attempts are counted: from the first span that begins in the time shown."""
    if span <= timedelta(hours=6):
        return since
    if span <= timedelta(days=14):
        return since.replace(minute=0)
    return since.replace(hour=0) + timedelta(days=1)


def hidden_columns(asked: Asked) -> set[str]:
    """Return the columns of a table that only addresses use."""
    return {
        each["matcher"]["options"]
        for each in panel_of(asked)["fieldConfig"]["overrides"]
        if {"id": "custom.hidden", "value": True} in each["properties"]
    }


def type_of(column: psycopg.Column) -> str:
    """Return what a column holds; domains are texts here."""
    known = psycopg.postgres.types.get(column.type_code)
    return column.type_display if known else "domain"


def day(partition: str) -> datetime | None:
    """Return the day of a partition, or nothing for any other table."""
    found = re.search(r"_(\d{8})$", partition)
    return datetime.strptime(found[1], "%Y%m%d") if found else None

"""A row of a year that Python does not have, or of no end, keeps nobody from reading the others.

Recording refuses or repairs such times; earlier versions, and copies into the tables, did not.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.database.far_times import EARLIEST, LATEST, take_far_times
from pgvigil.demo.server import PostgresServer
from pgvigil.faces.export import FORMATS, KINDS, Span, export
from tests.harness.clients import run_pgvigil
from tests.harness.databases import create_database, drop_database
from tests.python.support.web_data import fill
from tests.python.support.web_running import Web

FAR = "20000-01-01 00:00+00"
# Each column of a time that is not the one by which a table is partitioned, and may be updated.
COLUMNS = """
    select c.relname, a.attname, a.atttypid::regtype::text
    from pg_class c
    inner join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'monitoring'::regnamespace
        and c.relkind in ('r', 'p') and not c.relispartition
        and a.atttypid in ('timestamptz'::regtype, 'date'::regtype)
        and c.relname in (
            'finished_tasks', 'active_tasks', 'error_group_totals', 'error_group_states',
            'component_states', 'raised_alerts', 'alert_transitions', 'invalid_record_states',
            'invalid_record_spells', 'products_of_records', 'program_runs', 'daily_summaries',
            'record_states', 'status_changes', 'queued_notifications'
        )
        and (c.relname, a.attname) not in (
            select t.table_name, t.time_column from monitoring.partitioned_tables t
        )
        -- Whether something is over.
        and (c.relname, a.attname) not in (('raised_alerts', 'resolved_at'))
    order by 1, 2
"""
# Enough that some of each are left as they are.
MORE = """
    select
        monitoring.track_record_products(
            'far ' || i, '[{"record_key": "k", "products": ["p"]}]'
        ),
        monitoring.log_program_execution('far ' || i, current_date, '{"records_stored": 1}', 1),
        monitoring.update_daily_summary('far ' || i, current_date)
    from generate_series(1, 40) as i
"""
FAR_ROWS = ("finished_tasks", "errors", "metric_samples", "log_lines", "queue_samples")


def spoil(connection: psycopg.Connection[Any]) -> None:
    """Give rows of each table a time that cannot be, one to a row, and add rows of a far day."""
    columns = connection.execute(COLUMNS).fetchall()
    for table, column, kind in columns:
        are_finite = sql.SQL(" and ").join(
            sql.SQL("isfinite(coalesce({}, '2000-01-01'))").format(sql.Identifier(each))
            for of_table, each, _ in columns
            if of_table == table
        )
        for far in ("infinity", "-infinity", "20000-01-01", "4713-01-01 BC"):
            statement = sql.SQL(
                "update monitoring.{table} set {column} = {far}::{kind} where ctid = ("
                " select ctid from monitoring.{table}"
                " where tableoid = monitoring.{table}.tableoid and isfinite({column})"
                " and {are_finite} order by random() limit 1)"
            ).format(
                table=sql.Identifier(table),
                column=sql.Identifier(column),
                are_finite=are_finite,
                far=sql.Literal(far),
                kind=sql.SQL(kind),
            )
            try:
                connection.execute(statement)
            except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation):
                continue
    for table in FAR_ROWS:
        (column,) = connection.execute(
            "select time_column from monitoring.partitioned_tables where table_name = %s", [table]
        ).fetchone() or ("",)
        connection.execute(
            f"create table monitoring.{table}_far partition of monitoring.{table}"
            " for values from ('9000-01-01') to (maxvalue)".encode()
        )
        connection.execute(
            f"insert into monitoring.{table} select (jsonb_populate_record("
            f"null::monitoring.{table}, to_jsonb(t) || jsonb_build_object('{column}', '{FAR}'))).*"
            f" from (select * from monitoring.{table} limit 1) t".encode()
        )


@pytest.fixture(scope="module")
def spoilt(server: PostgresServer, template: str) -> Iterator[str]:
    """A database with something of everything, some of it of times that cannot be."""
    create_database(server, "far", template)
    dsn = server.dsn("far")
    with psycopg.connect(dsn, autocommit=True) as connection:
        fill(connection)
        connection.execute("set timezone = 'UTC'")
        connection.execute(MORE)
        spoil(connection)
    yield dsn
    drop_database(server, "far")


@pytest.fixture(scope="module")
def served(spoilt: str) -> Iterator[Web]:
    """The web service over that."""
    with Web(spoilt) as running:
        yield running


def paths(web: Web) -> list[str]:
    """Return what may be asked without naming anything."""
    found = web.get("/openapi.json")["paths"]
    return sorted(
        path
        for path, ways in found.items()
        if "get" in ways
        and "{" not in path
        and not any(each.get("required") for each in ways["get"].get("parameters", []))
    )


def test_every_path_answers(served: Web) -> None:
    asked = paths(served)
    assert len(asked) > 15
    wrong = {
        path: answer.text[:300]
        for path in asked
        if (answer := served.client.get(path)).status_code != 200
    }
    assert wrong == {}


def test_spans_and_days_that_cannot_be_are_refused_or_empty(served: Web) -> None:
    """Whatever times are asked about, the answer says what is wrong with them, or has no rows."""
    wrong = {}
    for path, ways in served.get("/openapi.json")["paths"].items():
        names = {each["name"] for each in ways.get("get", {}).get("parameters", [])}
        for name in names & {"from", "to", "business_date", "before", "day", "date"}:
            for far in ("0001-01-01", "1969-12-31", "9999-12-31", "20000-01-01", "infinity"):
                if "{" in path:
                    continue
                answer = served.client.get(path, params={name: far})
                if answer.status_code not in (200, 400, 404, 422):
                    wrong[path, name, far] = answer.text[:200]
    assert wrong == {}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("what", KINDS)
def test_everything_is_exported(spoilt: str, what: str, file_format: str) -> None:
    now = datetime.now(UTC)
    span = Span(now - timedelta(days=1), now + timedelta(hours=1))
    with psycopg.connect(spoilt, autocommit=True) as connection:
        assert b"".join(export(connection, what, file_format, span))


@pytest.mark.parametrize(
    "command",
    [
        ("alerts", "list"), ("check",), ("status",), ("dashboard", "overview"),
        ("dashboard", "tasks"), ("dashboard", "alerts"), ("dashboard", "records"),
        ("dashboard", "batch"), ("dashboard", "etl"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_shows(spoilt: str, command: tuple[str, ...]) -> None:
    result = run_pgvigil(spoilt, *command)
    assert "Traceback" not in result.stdout + result.stderr
    assert "year" not in result.stderr, result.stderr
    assert result.returncode in (0, 1, 2), result.stderr


def test_times_beyond_those_of_python_are_the_last_and_first_of_them(
    connection: psycopg.Connection[Any],
) -> None:
    take_far_times(connection)
    take_far_times(connection)
    row = connection.execute(
        "select 'infinity'::timestamptz, '20000-01-01'::timestamp, '5874897-12-31'::date,"
        " '-infinity'::timestamptz, '4713-01-01 BC'::date, '2026-01-15 12:00+00'::timestamptz"
    ).fetchone()
    assert row == (
        LATEST,
        LATEST.replace(tzinfo=None),
        LATEST.date(),
        EARLIEST,
        EARLIEST.date(),
        datetime(2026, 1, 15, 12, tzinfo=UTC),
    )
    assert row[2] > date(9000, 1, 1)

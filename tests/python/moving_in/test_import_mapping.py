"""Mapping documents: what is wrong is said by its path, all at once, before anything is read."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgvigil.commands.cli import main
from pgvigil.runner.importing.schema import schema_text
from tests import ROOT

TABLE = {"relation": "old.runs", "kind": "tasks"}
COLUMNS = {"task_id": "id", "task_type": {"value": "load"}, "end_time": "ended"}


@pytest.fixture
def theirs(dsn: str) -> str:
    """A database with a table of theirs whose columns have capitals, and times no zone."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create schema old")
        connection.execute(
            'create table old.runs (id int, "Status" text, ended timestamp, took numeric,'
            " note text)"
        )
        connection.execute(
            "insert into old.runs values (1, 'OK', '2026-11-01 01:30', 12.5, 'a'),"
            " (2, 'Broken', '2026-11-01 03:30', 1, null), (3, 'ok', null, 1, null)"
        )
        connection.execute("select monitoring.set_retention('finished_tasks', null)")
    return dsn


def run(dsn: str, document: Any, path: Path, *options: str) -> Result:
    """Import by a document, or by a text."""
    file = path / "mapping.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return CliRunner().invoke(main, ["import", str(file), *options, "--dsn", dsn])


def test_all_that_is_wrong_with_a_mapping_is_said_by_its_path(dsn: str, tmp_path: Path) -> None:
    document = {
        "colour": "red",
        "time_zone": "Mars/Olympus",
        "tables": [
            {"kind": "fruit"},
            {"relation": "a", "query": "select 1", "kind": "alerts", "columns": []},
            {"relation": "a", "kind": "tasks", "columns": {
                "task_id": 7, "status": {"column": "s", "words": "x"},
                "task_type": {"value": "t", "join": ["x"]},
                "counters": {"object": {"rows": {"column": ""}}},
                "worker_id": {"join": []}, "metadata": {"value": 1, "default": 2},
            }},
            "text",
        ],
    }  # fmt: skip
    result = run(dsn, document, tmp_path)
    assert result.exit_code == 1
    for line in (
        "the document.colour: is not known",
        "time_zone: is to be a time zone such as America/Sao_Paulo, not 'Mars/Olympus'",
        'tables[0]: needs either "relation" or "query"',
        "tables[0].kind: is to be one of tasks, errors,",
        'tables[1]: needs either "relation" or "query"',
        "tables[1].kind: alerts cannot be loaded: alerts belong to the rules",
        "tables[1].columns: is to be an object of our columns, not []",
        "tables[2].columns.task_id: is to be the name of a column of theirs, or an object, not 7",
        "tables[2].columns.status.words: is to be an object",
        'tables[2].columns.task_type: needs just one of "column", "value", "join" and "object"',
        "tables[2].columns.counters.object.rows.column: is to be the name of a column",
        "tables[2].columns.worker_id.join: is to be an array",
        'tables[2].columns.metadata.default: goes with "column" alone',
        "tables[3]: is to be an object, not 'text'",
    ):
        assert f"  {line}" in result.stderr


def test_all_that_does_not_fit_the_tables_is_said_before_anything_is_loaded(
    theirs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR", f"sqlite:///{tmp_path / 'far.db'}")
    document = {
        "tables": [
            TABLE | {"columns": COLUMNS},
            TABLE | {"columns": COLUMNS | {"task_id": "number", "status": "state"}},
            TABLE | {"columns": {"task_id": "id", "colour": "note"}},
            TABLE | {"columns": {"task_id": "id"}},
            TABLE | {"relation": "old.none", "columns": COLUMNS},
            TABLE | {"relation": "missing", "columns": COLUMNS, "database": "FAR"},
            TABLE | {"columns": COLUMNS, "database": "NOWHERE"},
        ]
    }
    result = run(theirs, document, tmp_path)
    assert result.exit_code == 1
    for line in (
        "tables[1].columns.task_id: old.runs has no column 'number'; it has id, Status, ended,",
        "tables[1].columns.status: old.runs has no column 'state'",
        "tables[2].columns: tasks have no column 'colour'.",
        "tables[3].columns: end_time, task_type must be told of tasks",
        'tables[4]: old.none cannot be read: relation "old.none" does not exist',
        "tables[5]: OperationalError: no such table: missing",
        "tables[6]: connection NOWHERE is not in the environment",
    ):
        assert f"  {line}" in result.stderr
    with psycopg.connect(theirs) as connection:
        found = connection.execute("select count(*) from monitoring.processing_metrics")
        assert found.fetchone() == (0,)


def test_values_are_made_as_the_mapping_says(theirs: str, tmp_path: Path) -> None:
    document = """{
        // Berlin had summer time until a week before.
        "time_zone": "Europe/Berlin",
        "tables": [{
            "relation": "old.runs", "kind": "tasks",
            "columns": {
                "task_id": {"join": ["run-", {"column": "ID"}]},
                "task_type": {"value": "load"},
                "status": {"column": "status", "words": {"ok": "completed"}, "otherwise": "failed"},
                "end_time": "ended",
                "worker_id": {"column": "note", "default": "nobody"},
                "counters": {"object": {"took": "took"}} /* as they measured it */
            }
        }]
    }"""
    rejects = tmp_path / "rejected.jsonl"
    result = run(theirs, document, tmp_path, "--rejected", str(rejects))
    assert result.exit_code == 3
    assert "row 3: end_time is missing" in result.stderr
    assert result.stdout.splitlines() == [
        "old.runs -> processing_metrics",
        "  3 rows read: 2 new, 0 already there, 1 rejected",
        "  processing_metrics had 0 rows, and has 2",
    ]
    assert json.loads(rejects.read_text())["task_id"] == "run-3"
    with psycopg.connect(theirs) as connection:
        found = connection.execute(
            "select task_id, status, end_time at time zone 'UTC', worker_id, counters ->> 'took'"
            " from monitoring.processing_metrics order by 1"
        )
        assert [(*row[:2], str(row[2]), *row[3:]) for row in found] == [
            ("run-1", "completed", "2026-11-01 00:30:00", "a", "12.5"),
            ("run-2", "failed", "2026-11-01 02:30:00", "nobody", "1"),
        ]


def test_columns_that_nothing_is_made_of_are_named(theirs: str, tmp_path: Path) -> None:
    result = run(theirs, {"tables": [TABLE | {"columns": COLUMNS}]}, tmp_path, "--dry-run")
    assert "  not taken: Status, took, note\n" in result.stdout
    assert "  processing_metrics has 0 rows\n" in result.stdout


def test_their_table_is_only_read(theirs: str, tmp_path: Path) -> None:
    query = "with gone as (delete from old.runs returning *) select * from gone"
    with psycopg.connect(theirs, autocommit=True) as connection:
        connection.execute(
            "create function old.spoil() returns setof old.runs language sql"
            " begin atomic delete from old.runs returning *; end"
        )
        for asked in (query, "select * from old.spoil()"):
            document = {"tables": [{"query": asked, "kind": "tasks", "columns": COLUMNS}]}
            assert run(theirs, document, tmp_path).exit_code == 1
        assert connection.execute("select count(*) from old.runs").fetchone() == (3,)


def test_the_days_of_years_are_made(theirs: str, tmp_path: Path) -> None:
    with psycopg.connect(theirs, autocommit=True) as connection:
        connection.execute("truncate old.runs")
        connection.execute(
            "insert into old.runs"
            " select n, 'OK', timestamp '2023-01-01' + n * interval '5 hours', 1"
            " from generate_series(1, 5000) n"
        )
        document = {"tables": [TABLE | {"columns": COLUMNS}]}
        result = run(theirs, document, tmp_path)
        assert result.exit_code == 0
        assert "5,000 rows read: 5,000 new" in result.stdout
        found = connection.execute(
            "select count(*), count(distinct end_time::date) from monitoring.processing_metrics"
        ).fetchone()
        assert found is not None
        assert found[0] == 5000
        days = connection.execute(
            "select count(*) from pg_inherits"
            " where inhparent = 'monitoring.finished_tasks'::regclass"
        ).fetchone()
        assert days is not None
        assert days[0] >= found[1]


def test_the_schema_is_printed_without_a_mapping_and_fits_the_examples() -> None:
    result = CliRunner().invoke(main, ["import", "--schema"])
    assert (result.exit_code, result.stdout) == (0, schema_text())
    schema = json.loads(result.stdout)
    assert set(schema["properties"]) == {"$schema", "database", "time_zone", "tables"}
    assert "etl_logs" in schema["$defs"]["table"]["properties"]["kind"]["enum"]
    assert sorted((ROOT / "examples" / "moving-in").glob("*.json"))

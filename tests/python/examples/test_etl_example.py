"""The example really loads its matches, and what it tells of that agrees with its files."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests import ROOT
from tests.harness.clients import clean_environment

EXAMPLE = ROOT / "examples" / "etl"
SCRIPT = EXAMPLE / "run_monitored_chunk_processing.py"


def load(dsn: str, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, "--execution-id", "load", *options],
        env=clean_environment() | {"PGVIGIL_DSN": dsn},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )


def execution(connection: psycopg.Connection) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        (row,) = cursor.execute("select * from monitoring.etl_executions").fetchall()
    return row


def table(directory: Path) -> list[dict[str, str]]:
    with (directory / "table.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_loads_all_chunks_and_tells_of_each(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    result = load(dsn, tmp_path, "--matches", "1050", "--chunk-size", "100")
    assert result.returncode == 0, result.stderr
    assert "11 of 11 chunks" in result.stdout
    found = execution(connection)
    assert found["status"] == "COMPLETED"
    assert found["total_fixtures"] == found["processed_fixtures"] == 1050
    assert found["total_chunks"] == found["processed_chunks"] == 11
    assert 0 < found["failed_fixtures"] < 50
    # Each match is in the table twice, once for either team.
    assert sum(int(row["played"]) for row in table(tmp_path)) == 2 * found["successful_fixtures"]
    lines = connection.execute(
        "select level, count(*), count(chunk_id) from monitoring.etl_logs group by 1 order by 1"
    ).fetchall()
    assert lines == [
        ("INFO", 11, 11),
        ("WARNING", found["failed_fixtures"], found["failed_fixtures"]),
    ]


def test_its_measurements_are_recorded_and_exported(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    result = load(
        dsn,
        tmp_path,
        *("--matches", "1000", "--chunk-size", "100", "--max-chunks", "3"),
        *("--track-performance", "--export-metrics", "metrics.json"),
    )
    assert result.returncode == 0, result.stderr
    exported = json.loads((tmp_path / "metrics.json").read_text())
    assert exported["operations"]["parse"]["runs"] == 3
    assert exported["operations"]["parse"]["items"] == 300
    found = execution(connection)
    assert found["processed_chunks"] == 3
    assert exported["counters"].get("broken_matches", 0) == found["failed_fixtures"]
    samples = connection.execute(
        "select metric_name, count(*) from monitoring.etl_metrics"
        " where execution_id = 'load' and metric_name like '%_duration' group by 1 order by 1"
    ).fetchall()
    assert samples == [("aggregate_duration", 3), ("chunk_duration", 3), ("parse_duration", 3)]


def test_it_tells_when_too_many_matches_are_broken(dsn: str, tmp_path: Path) -> None:
    result = load(dsn, tmp_path, "--matches", "400", "--bad-percent", "30")
    assert result.returncode == 1
    assert "high: ETL execution load:" in result.stderr
    assert "medium: ETL execution load:" in result.stderr


def test_a_file_of_ones_own_is_checked_line_by_line(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "own.csv").write_text(
        "fixture_id,played_on,home,away,home_goals,away_goals\n"
        "a,2026-01-03,Ashford,Carlow,2,1\n"
        "b,2026-01-03,Denby,Denby,2,1\n"
        "c,2026-01-04,Carlow,Ashford,1,1\n"
        "d,2026-01-04,Nowhere,Ashford,1,1\n"
        "e,2026-01-04,Carlow,Ashford,31,1\n"
    )
    load(dsn, tmp_path, "--input", "own.csv")
    assert [tuple(row.values()) for row in table(tmp_path)] == [
        ("Ashford", "2", "4", "3", "2"),
        ("Carlow", "2", "1", "2", "3"),
    ]
    lines = connection.execute(
        "select fixture_id, message from monitoring.etl_logs"
        " where level = 'WARNING' order by log_id"
    ).fetchall()
    assert lines == [
        ("b", "match passed over: a team cannot play against itself"),
        ("d", "match passed over: no such team: 'Nowhere'"),
        ("e", "match passed over: goals are out of range: 31"),
    ]


@pytest.mark.parametrize("option", ["--max-chunks", "--chunk-size", "--workers"])
def test_numbers_count_from_one(dsn: str, tmp_path: Path, option: str) -> None:
    result = load(dsn, tmp_path, option, "0")
    assert result.returncode == 2
    assert "0 is less than 1" in result.stderr


def test_without_a_database_it_loads_all_the_same(tmp_path: Path) -> None:
    away = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"
    result = load(away, tmp_path, "--matches", "200", "--bad-percent", "0")
    assert result.returncode == 0, result.stderr
    assert sum(int(row["played"]) for row in table(tmp_path)) == 400

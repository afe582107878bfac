"""``pgvigil export``: where it writes, what it says when it cannot, and loading it again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgvigil.faces.export.document import MOST_ROWS
from tests.harness.clients import run_pgvigil
from tests.python.support.asking import rows
from tests.python.support.exporting import busy, pages, sheets

__all__ = ["busy"]  # a fixture


def test_the_command_writes_what_the_name_of_the_file_says(
    busy: psycopg.Connection, dsn: str, tmp_path: Path
) -> None:
    for name in ("day.jsonl", "day.XLSX", "day.pdf", "day.txt"):
        path = tmp_path / name
        result = run_pgvigil(
            dsn, "export", "logs", "--from", "2026-01-15", "--to", "2026-01-15", "--out", str(path)
        )
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert [json.loads((tmp_path / "day.jsonl").read_text())["message"]] == ["said"]
    assert len(sheets((tmp_path / "day.XLSX").read_bytes())[0]) == 2
    assert "1 row" in pages((tmp_path / "day.pdf").read_bytes())
    assert (tmp_path / "day.txt").read_text().startswith("log_id,")
    assert len(list(tmp_path.iterdir())) == 4


def test_what_is_there_and_is_no_file_stays_what_it_is(
    busy: psycopg.Connection, dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        result = run_pgvigil(dsn, "export", "logs", "--from", "2026-01-15", "--out", str(path))
        assert (result.returncode, result.stderr) == (0, "")
        assert path.is_fifo()
        assert os.read(reader, 100).startswith(b"log_id,")
    finally:
        os.close(reader)
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_writes_csv_to_standard_output(busy: psycopg.Connection, dsn: str) -> None:
    result = run_pgvigil(dsn, "export", "logs", "--from", "2026-01-15T12:00", "--to", "2026-01-16")
    assert result.returncode == 0
    heading, line = result.stdout.splitlines()
    assert heading.startswith("log_id,logged_at,level,")
    assert "2026-01-15T12:00:00+00:00,INFO,c,said" in line


def test_what_fails_leaves_no_file(
    dsn: str, tmp_path: Path, connection: psycopg.Connection
) -> None:
    path = tmp_path / "day.pdf"
    connection.execute(
        "select monitoring.record_log('c', 'INFO', 'x') from generate_series(1, %s)",
        [MOST_ROWS + 1],
    )
    result = run_pgvigil(dsn, "export", "logs", "--out", str(path))
    assert result.returncode == 1
    assert "Hint: Take a shorter span, or another format." in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert run_pgvigil(dsn, "export", "logs", "--from", "soon").returncode == 2
    result = run_pgvigil(dsn, "export", "logs", "--out", str(tmp_path / "none" / "x.csv"))
    assert result.returncode == 1
    assert "No such file or directory" in result.stderr


def test_a_reader_that_has_enough_is_no_reason_to_complain(
    connection: psycopg.Connection, dsn: str
) -> None:
    connection.execute(
        "select monitoring.record_log('c', 'INFO', repeat('x', 8000)) from generate_series(1, 500)"
    )
    process = subprocess.Popen(
        [Path(sys.executable).parent / "pgvigil", "export", "logs", "--dsn", dsn],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"log_id,")
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        assert stream.read() == b""
    process.wait(20)


@pytest.mark.parametrize(
    ("what", "view"),
    [
        ("errors", "error_tracking"),
        ("metrics", "performance_monitoring"),
        ("logs", "v_application_logs"),
    ],
)
@pytest.mark.parametrize("options", [["--format", "jsonl"], ["--format", "csv", "--exact"]])
def test_what_was_exported_can_be_loaded_once(
    what: str, view: str, options: list[str], busy: psycopg.Connection, dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "exported"
    span = ["--from", "2026-01-15", "--to", "2026-01-15"]
    result = run_pgvigil(dsn, "export", what, *span, *options, "--out", str(path))
    assert (result.returncode, result.stderr) == (0, "")
    before = rows(busy, f"select * from monitoring.{view}")
    # Into the database that it comes from it adds nothing, and into an emptied one all, once.
    result = run_pgvigil(dsn, "backfill", str(path), "--kind", what)
    assert f" 0 new, {len(before)} already there" in result.stdout
    table = {"logs": "log_lines", "metrics": "metric_samples"}.get(what, what)
    busy.execute(f"truncate monitoring.{table}, monitoring.late_{table}".encode())
    for new in (len(before), 0):
        result = run_pgvigil(dsn, "backfill", str(path), "--kind", what)
        assert f" {new} new" in result.stdout
    number = next(key for key in before[0] if key in ("error_id", "sample_id", "log_id"))
    loaded = rows(busy, f"select * from monitoring.{view}")
    assert [row | {number: -row[number]} for row in loaded] == before

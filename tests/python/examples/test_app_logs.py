"""Real application logs, converted and loaded, give the numbers that the files give."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.commands.cli import main
from tests import ROOT

CONVERTER = ROOT / "examples" / "app-logs" / "convert_loghub.py"
DATA = Path(os.environ.get("PGVIGIL_DATA") or ROOT.parent / "shared" / "data")
LOGS = DATA / "app-logs"
LEVELS = {
    "INFO": "INFO",
    "notice": "INFO",
    "WARN": "WARNING",
    "WARNING": "WARNING",
    "error": "ERROR",
    "ERROR": "ERROR",
    "FATAL": "CRITICAL",
}
SEVERITIES = {"WARNING": "low", "ERROR": "high", "CRITICAL": "critical"}


def convert(source: Path, target: Path, *more: str) -> str:
    """Convert a file and return what the converter said."""
    command = [sys.executable, str(CONVERTER), str(source), str(target), *more]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def converted(
    tmp_path: Path, text: str, *more: str, name: str = "App_1.csv"
) -> tuple[list[dict[str, Any]], str]:
    source, target = tmp_path / name, tmp_path / "out.jsonl"
    source.write_text(text)
    told = convert(source, target, *more)
    return [json.loads(line) for line in target.read_text().splitlines()], told


@pytest.mark.parametrize(
    ("date", "time", "wanted"),
    [
        ("2015-10-18", '"18:01:47,978"', "2015-10-18T18:01:47.978000+00:00"),
        ("2017-05-16", "00:00:00.008", "2017-05-16T00:00:00.008000+00:00"),
        ("17/06/09", "20:10:40", "2017-06-09T20:10:40+00:00"),
        ("", "Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44+00:00"),
    ],
)
def test_times_are_read_in_the_forms_of_the_logs(
    date: str, time: str, wanted: str, tmp_path: Path
) -> None:
    (log,), _ = converted(tmp_path, f"Date,Time,Level,Content\n{date},{time},INFO,x\n")
    assert log["logged_at"] == wanted


def test_a_bad_line_is_a_log_line_and_an_error(tmp_path: Path) -> None:
    (log, error), told = converted(
        tmp_path, "Date,Time,Level,Content,Pid\n17/06/09,20:10:40,FATAL,x,7\n", "+02:00"
    )
    assert log == {
        "kind": "logs",
        "logged_at": "2017-06-09T20:10:40+02:00",
        "component": "app",
        "level": "CRITICAL",
        "message": "x",
        "details": {"application": "app", "pid": "7"},
    }
    assert error == {
        "kind": "errors",
        "occurred_at": log["logged_at"],
        "error_type": "app",
        "severity": "critical",
        "message": "x",
        "component": "app",
        "details": log["details"],
    }
    assert "1 log lines and 1 errors" in told


def test_lines_of_unknown_time_or_level_are_counted_and_named(tmp_path: Path) -> None:
    logs, told = converted(
        tmp_path, "Date,Time,Level,Content\n17/06/09,late,INFO,x\n17/06/09,20:10:40,PANIC,x\n"
    )
    assert logs == []
    assert "1 skipped: level 'PANIC' is not known" in told
    assert "1 skipped: the time is written in none of the known forms" in told


@pytest.mark.parametrize("name", ["Hadoop", "OpenStack", "Spark", "Apache"])
def test_the_views_give_the_numbers_of_the_log(
    name: str, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    source = LOGS / f"{name}_2k.log_structured.csv.gz"
    if not source.exists():
        pytest.skip(f"the log is not here: {source}")
    with gzip.open(source, "rt", newline="") as file:
        lines = list(csv.DictReader(file))
    target = tmp_path / "out.jsonl"
    convert(source, target)
    load_twice(target, dsn)

    expected = Counter((LEVELS[line["Level"]], component(line, name)) for line in lines)
    assert expected == counts(connection, "level, component", "v_application_logs")

    bad = [line for line in lines if LEVELS[line["Level"]] in SEVERITIES]
    expected = Counter((SEVERITIES[LEVELS[line["Level"]]], component(line, name)) for line in bad)
    assert expected == counts(connection, "severity, component", "error_tracking")

    # Every line comes with the true template of its message: one group for each.
    true_groups = {(component(line, name), line["EventId"]) for line in bad}
    row = connection.execute("select count(*) from monitoring.error_groups").fetchone()
    assert row == (len(true_groups),)


def component(line: dict[str, str], name: str) -> str:
    return line.get("Component") or name.lower()


def load_twice(path: Path, dsn: str) -> None:
    total = f"{len(path.read_text().splitlines()):,}"
    for new, known in [(total, "0"), ("0", total)]:
        result = CliRunner().invoke(main, ["backfill", str(path), "--dsn", dsn])
        assert result.exit_code == 0
        assert result.stdout == (
            f"{total} lines read: {new} new, {known} already there, 0 rejected.\n"
        )


def counts(connection: psycopg.Connection, columns: str, view: str) -> Counter[tuple[str, str]]:
    query = f"select {columns}, count(*) from monitoring.{view} group by {columns}"
    rows = connection.execute(query.encode()).fetchall()
    return Counter({(row[0], row[1]): row[2] for row in rows})

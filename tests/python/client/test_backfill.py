"""Backfills: every line ends up in the database once or in the reject file, whatever happens."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgvigil.client.backfill import KINDS
from pgvigil.commands.cli import main
from tests.python.support.backfilling import (
    AT,
    EXAMPLES,
    VIEWS,
    count_of,
    log,
    messages,
    without_id,
    write_csv,
    write_jsonl,
)

Backfill = Callable[..., Result]


@pytest.fixture
def backfill(dsn: str) -> Backfill:
    """Run ``pgvigil backfill`` on the test's database."""

    def run(*arguments: object, given: str | bytes | None = None) -> Result:
        words = ["backfill", *map(str, arguments), "--dsn", dsn]
        return CliRunner().invoke(main, words, input=given)

    return run


# What is loaded


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write", [write_jsonl, write_csv])
def test_every_column_of_every_kind_arrives(
    kind: str,
    write: Callable[[Path, list[dict[str, Any]]], Path],
    backfill: Backfill,
    connection: psycopg.Connection,
    tmp_path: Path,
) -> None:
    example = EXAMPLES[kind]
    assert set(example) == KINDS[kind].columns, "the example lacks a column"
    name = f"file.{'csv' if write is write_csv else 'jsonl'}"
    result = backfill(write(tmp_path / name, [example]), "--kind", kind)
    assert (result.exit_code, result.stdout) == (
        0,
        "1 line read: 1 new, 0 already there, 0 rejected.\n",
    )
    columns = ", ".join(example)
    query = f"select to_jsonb(x) from (select {columns} from monitoring.{VIEWS[kind]}) x"
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    assert row[0] == example


def test_one_jsonl_file_can_hold_all_kinds(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [{"kind": kind, **example} for kind, example in EXAMPLES.items()]
    assert backfill(write_jsonl(tmp_path / "all.jsonl", lines)).exit_code == 0
    # The run of a program is a task as well.
    counts = {view: count_of(connection, view) for view in VIEWS.values()}
    assert counts == dict.fromkeys(VIEWS.values(), 1) | {"processing_metrics": 2}


def test_empty_csv_cells_are_null_and_quoted_cells_may_span_lines(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "logs.csv"
    path.write_text(f'component,level,message,task_id,logged_at\nc,info,"two\nlines",,{AT}\n')
    assert backfill(path, "--kind", "logs").exit_code == 0
    row = connection.execute(
        "select message, task_id from monitoring.v_application_logs"
    ).fetchone()
    assert row == ("two\nlines", None)


@pytest.mark.parametrize("name", ["x.jsonl.gz", "misnamed.jsonl", "no-ending"])
def test_gzip_is_told_by_the_content(
    name: str, backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(json.dumps(log("zipped")).encode()))
    assert backfill(path, "--kind", "logs").exit_code == 0
    assert messages(connection) == ["zipped"]


@pytest.mark.parametrize("as_csv", [False, True])
def test_standard_input_is_read_and_its_format_guessed(
    as_csv: bool, backfill: Backfill, connection: psycopg.Connection
) -> None:
    text = f"component,level,message,logged_at\nc,info,x,{AT}\n" if as_csv else json.dumps(log("x"))
    assert backfill("-", "--kind", "logs", given="\N{BOM}" + text).exit_code == 0
    assert messages(connection) == ["x"]


def test_times_without_a_zone_are_utc_unless_another_is_named(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [log("x", logged_at="2024-05-01 12:00:00")])
    backfill(path, "--kind", "logs")
    backfill(path, "--kind", "logs", "--time-zone", "Europe/Berlin")
    found = connection.execute(
        "select to_char(logged_at at time zone 'UTC', 'HH24') from monitoring.v_application_logs"
    )
    assert sorted(found.fetchall()) == [("10",), ("12",)]


def test_a_day_that_could_be_another_is_no_time(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [log("x", logged_at="01/10/2024 12:00")])
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 3
    assert 'line 1: date/time field value out of range: "01/10/2024 12:00"' in result.stderr
    assert messages(connection) == []


# Loading again


def test_loading_again_adds_nothing_and_identical_lines_are_all_kept(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [{"kind": kind, **without_id(example)} for kind, example in EXAMPLES.items()] * 3
    path = write_jsonl(tmp_path / "all.jsonl", lines)
    first = backfill(path)
    # A task is the same one when name, attempt and end are the same, an invalid record when name
    # and time are, and so on; errors, metrics and logs are as many occurrences.
    assert first.stdout == "33 lines read: 17 new, 16 already there, 0 rejected.\n"
    again = backfill(path)
    assert again.stdout == "33 lines read: 0 new, 33 already there, 0 rejected.\n"
    counts = {kind: count_of(connection, view) for kind, view in VIEWS.items()}
    # The run of a program is a task as well.
    assert counts == dict.fromkeys(VIEWS, 1) | {
        "tasks": 2,
        "errors": 3,
        "metrics": 3,
        "logs": 3,
    }


def test_exported_records_keep_their_numbers_with_a_minus_sign(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [{**EXAMPLES["logs"], "log_id": number} for number in (12, "13", -14)]
    file = write_csv(tmp_path / "logs.csv", lines)
    assert [backfill(file, "--kind", "logs").exit_code for _ in range(2)] == [0, 0]
    numbers = connection.execute("select log_id from monitoring.v_application_logs").fetchall()
    assert sorted(numbers) == [(-14,), (-13,), (-12,)]


def test_a_file_that_was_appended_to_adds_only_what_is_new(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [log("a"), log("b"), log("a")]
    path = write_jsonl(tmp_path / "x.jsonl", lines)
    backfill(path, "--kind", "logs")
    write_jsonl(path, [*lines, log("a"), log("c")])
    result = backfill(path, "--kind", "logs")
    assert result.stdout == "5 lines read: 2 new, 3 already there, 0 rejected.\n"
    assert messages(connection) == ["a", "a", "a", "b", "c"]


# Bad lines


BAD_LINES: list[tuple[str, str]] = [
    ("not json", "the line is not JSON"),
    ("[1]", "the line is not a JSON object"),
    (json.dumps(log("x", level="loud")), 'level is not known: "loud"'),
    (json.dumps(log("x", logged_at="soon")), "invalid input syntax for type timestamp"),
    (json.dumps(log("x", logged_at=None)), "logged_at is missing"),
    (json.dumps(log("x", logged_at="1955-11-05")), "time is impossible"),
    (json.dumps(log("x", colour="red", size=1)), "logs have no column 'colour', 'size'"),
    (json.dumps(log("x", duration_ms=-1)), "duration_ms is out of range"),
    (json.dumps(log("x", details=float("nan"))), "NaN is not a JSON value"),
    (json.dumps(log("nul \0")), "unsupported Unicode escape sequence"),
    (json.dumps(log("lone \ud800")), "invalid input syntax for type json"),
    ('{"kind": "fruit"}', 'kind is not known: "fruit"'),
    ("[" * 100_000, "the line is not JSON"),
]


def test_a_bad_line_costs_nobody_but_itself(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines: list[dict[str, Any] | str] = []
    for number, (bad, _) in enumerate(BAD_LINES):
        lines += [log(f"good {number:02}"), bad]
    path = write_jsonl(tmp_path / "x.jsonl", lines)
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 3
    assert messages(connection) == [f"good {number:02}" for number in range(len(BAD_LINES))]
    for number, (_, reason) in enumerate(BAD_LINES):
        assert f"line {2 * number + 2}: " in result.stderr
        assert reason in result.stderr
    rejected = (tmp_path / "x.jsonl.rejected").read_text().splitlines()
    assert sorted(rejected) == sorted(bad for bad, _ in BAD_LINES)
    assert f"13 rejected (see {path}.rejected)." in result.stdout


def test_bad_csv_lines_are_kept_unchanged_below_the_header_and_can_be_mended(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    good, loud, short = f"c,info,one,,{AT}\r\n", f'c,loud,"t\nwo",,{AT}\r\n', "c,info\r\n"
    json_cell, quote = f'c,info,x,"{{",{AT}\r\n', f'c,info,"a"b,,{AT}\r\n'
    header = "component,level,message,details,logged_at\r\n"
    with path.open("w", newline="") as file:
        file.write(header + good + loud + short + json_cell + quote)
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 3
    assert "line 5: the line has 2 cells and the header 5" in result.stderr
    assert "line 6: details is not JSON" in result.stderr
    assert "line 7: not CSV" in result.stderr
    assert 'line 3: level is not known: "loud"' in result.stderr
    rejects = tmp_path / "x.csv.rejected"
    with rejects.open(newline="") as file:
        assert file.read() == header + short + json_cell + quote + loud
    with rejects.open("w", newline="") as file:
        file.write(header + loud.replace("loud", "info"))
    assert backfill(rejects, "--kind", "logs").exit_code == 0
    assert messages(connection) == ["one", "t\nwo"]


def test_bytes_that_are_not_utf_8_are_rejected_unchanged(
    backfill: Backfill, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    bad = b'{"message": "caf\xe9"}\n'
    path.write_bytes(json.dumps(log("good")).encode() + b"\n" + bad)
    result = backfill(path, "--kind", "logs", "--rejected", tmp_path / "elsewhere")
    assert "line 2: the line is not UTF-8" in result.stderr
    assert (tmp_path / "elsewhere").read_bytes() == bad


def test_a_batch_of_nothing_but_bad_lines_takes_no_time_to_speak_of(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [log("x", level="bad")] * 1000 + [log("good")])
    began_at = time.monotonic()
    result = backfill(path, "--kind", "logs")
    assert time.monotonic() - began_at < 60
    assert "1,001 lines read: 1 new, 0 already there, 1,000 rejected" in result.stdout
    assert result.stderr.count("line ") == 20
    assert "… and 980 more bad lines" in result.stderr


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("component,colour,level", "logs have no column 'colour'."),
        ("component,", "logs have no column ''."),
    ],
)
def test_a_wrong_csv_header_is_refused_before_anything_is_loaded(
    header: str, message: str, backfill: Backfill, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\nc,red,info\n")
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 1
    assert message in result.stderr
    assert "The columns are: component, details, duration_ms" in result.stderr


def test_a_csv_header_that_has_a_column_twice_is_refused(
    backfill: Backfill, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("component,level,component\nc,info,c\n")
    assert "The header has 'component' twice." in backfill(path, "--kind", "logs").stderr


def test_a_csv_file_without_a_header_is_refused_and_an_empty_one_is_not(
    backfill: Backfill, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\nc,red,info\n")
    result = backfill(path, "--kind", "logs")
    assert "The file does not begin with the names of its columns." in result.stderr
    path.write_text("")
    result = backfill(path, "--kind", "logs")
    assert (result.exit_code, result.stdout[:12]) == (0, "0 lines read")


def test_a_csv_file_needs_a_kind(backfill: Backfill, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("component\n")
    kinds = ", ".join(KINDS)
    assert f"before the file or by --kind: one of {kinds}." in backfill(path).stderr


def test_a_dry_run_checks_everything_and_writes_nothing(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [log("a"), log("b", level="loud"), log("c")])
    result = backfill(path, "--kind", "logs", "--dry-run")
    assert result.exit_code == 3
    first, third = path.read_text().splitlines()[::2]
    assert result.stdout.splitlines() == [
        f"new: line 1: {first}",
        f"new: line 3: {third}",
        "3 lines read: 2 would be new, 0 already there, 1 rejected. Nothing was written.",
    ]
    assert 'line 2: level is not known: "loud"' in result.stderr
    assert messages(connection) == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_dry_run_shows_the_first_twenty_lines_that_are_new(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [log(f"{number:03} " + "x" * 200) for number in range(100)]
    path = write_jsonl(tmp_path / "x.jsonl", lines[::2])
    backfill("logs", path)
    write_jsonl(path, lines)
    result = backfill("logs", path, "--dry-run")
    *shown, summary = result.stdout.splitlines()
    assert [line.split(": ")[1] for line in shown] == [f"line {n}" for n in range(2, 42, 2)]
    assert all(line.endswith("x…") and len(line) < 180 for line in shown)
    assert summary.startswith("100 lines read: 50 would be new, 50 already there, 0 rejected.")
    assert count_of(connection, "v_application_logs") == 50


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["logs", "tasks", "x.jsonl"], "Give one FILE, and before it what it holds."),
        (["fruit", "x.jsonl"], "'fruit' is not one of 'tasks', 'errors'"),
        (["logs", "x.jsonl", "--kind", "tasks"], "The file holds logs or tasks, not both."),
        (["logs"], "File 'logs' does not exist."),
        ([], "Missing argument '[KIND] FILE'"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(
    words: list[str],
    message: str,
    backfill: Backfill,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "x.jsonl", [log("x")])
    result = backfill(*words)
    assert result.exit_code == 2
    assert message in result.stderr


# Runs that break off


def test_a_zipped_file_that_is_cut_off_is_loaded_as_far_as_it_goes(
    backfill: Backfill, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl.gz"
    noise = [log(os.urandom(50).hex()) for _ in range(2000)]
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
        file.write("".join(json.dumps(line) + "\n" for line in noise).encode())
    path.write_bytes(buffer.getvalue()[:-20_000])
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 1
    assert "The file cannot be read after line" in result.stderr
    assert 1000 < count_of(connection, "v_application_logs") < 2000


def test_a_killed_run_is_continued_by_running_again(
    backfill: Backfill, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", (log(f"{n // 2}") for n in range(30_000)))
    command = [sys.executable, "-m", "pgvigil", "backfill", str(path)]
    process = subprocess.Popen([*command, "--kind", "logs", "--dsn", dsn])
    try:
        deadline = time.monotonic() + 30
        while not count_of(connection, "v_application_logs"):
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    loaded = count_of(connection, "v_application_logs")
    assert loaded % 1000 == 0
    result = backfill(path, "--kind", "logs")
    assert result.exit_code == 0
    assert "30,000 lines read" in result.stdout
    assert count_of(connection, "v_application_logs") == 30_000


def test_a_database_without_pgvigil_is_not_blamed_on_the_lines(
    empty_dsn: str, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [log("x")])
    result = CliRunner().invoke(main, ["backfill", str(path), "--kind", "logs", "--dsn", empty_dsn])
    assert result.exit_code == 1
    assert 'schema "monitoring" does not exist' in result.stderr
    assert list(tmp_path.iterdir()) == [path]

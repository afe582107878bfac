"""What our views and exports write is loaded by backfill: equal elsewhere, and nothing here."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.client.backfill.forms import FORMS
from pgvigil.commands.cli import main
from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.python.support.web_data import fill

_numbers = itertools.count()

# Columns that are numbers of a database's own making, or follow from the present time.
_OF_ITS_OWN = {
    "error_id", "sample_id", "log_id", "metric_id", "change_id", "probe_id", "backend_pid",
    "heartbeat_at", "progress_at", "seconds_open",
}  # fmt: skip

# What a round trip of the view is about; tasks that are running are not history.
_ROWS = {
    "processing_metrics": "where end_time is not null",
    "error_tracking": "",
    "performance_monitoring": "",
    "v_application_logs": "",
    "v_health_history": "",
    "system_health": "",
    "queue_monitoring": "",
    "invalid_records": "",
    "status_history": "",
    "record_products": "",
    "processing_log": "",
    "daily_summary": "",
    "etl_executions": "where finished_at is not null",
    "etl_logs": "",
    "etl_metrics": "",
    "batch_execution_logs": "where finished_at is not null",
}

_ODDITIES = """
select set_config('search_path', 'monitoring, public', false);
select record_error(null, 'E', 'low', m, d, j::jsonb, s, null, t)
from (values
    ('', null, null, '', now() - interval '40 days'),
    ('=1+1', 'Capital Letters', '-5', '-x', now() - interval '1 day'),
    ('''=1', 'c', '"text"', 'a,"b"', now()),
    ('\\N', 'c', '[1, 1.10, 12345678901234567890.123456789]', E'two\\nlines', now()),
    ('same', 'c', null, null, '2026-01-15 12:00+00'),
    ('same', 'c', null, null, '2026-01-15 12:00+00')
) as e (m, d, j, s, t);
select record_performance_metric('big', 'gauge', 1e100, null, null, '{"n": 0.1234567890123456789}');
select record_performance_metric('small', 'Mixed Case', -4.9e-300, '%', 'c', '{}', 'load-1');
select record_performance_metric('old', 'gauge', n / 3.0, p_recorded_at => '2026-01-15 12:00+00')
from generate_series(1, 3) n;
select record_log('c', 'error', m, '"just text"', 'load-1', 1.5)
from unnest('{"","x","x"}'::text[]) m;
select start_etl_execution('etl_1', '{"leagues": [1, 2]}', 10, 2);
select finish_etl_execution('etl_1', 'FAILED', 10, 8, 7, 1, 2, 1, 'no answer');
select start_etl_execution('etl_1', null, 10);
select finish_etl_execution('etl_1', 'COMPLETED', 10, 10, 10, 0);
select start_etl_execution('etl_running');
select log_etl_event('ERROR', 'CHUNK', 'failed', '{"at": 1}', 'etl_1', '12_3', '77', 4.5);
select log_etl_event('INFO', 'CHUNK', 'without execution', '"text"');
select record_etl_metric('etl_1', 'rate', 12.25, 'rows/s', '{"region": "north"}');
select record_etl_metric(null, 'rate', 1);
select track_record_products('orders', '[{"record_key": "o-1",
    "products": ["A", {"product": "B", "quantity": 2.5, "amount": 12.10, "details": {"x": 1}}]}]');
select log_program_execution('orders', '2026-01-15', '{"valid_records": 7, "invalid_x": 2}', 12.5);
select log_program_execution('orders', '2026-01-15', null, 3, 'partial', 'named', null, 'failed',
    'why');
select update_daily_summary('orders', '2026-01-15');
select update_daily_summary('orders', current_date);
select track_status_changes('orders', '[{"record_key": "o-2", "status": null}]'::jsonb);
select set_config('search_path', '', false);
"""


@pytest.fixture(scope="module")
def databases(server: PostgresServer, template: str) -> Iterator[Callable[[], str]]:
    """Makes databases with pgvigil."""
    names: list[str] = []

    def make() -> str:
        names.append(f"round_trip_{next(_numbers)}")
        create_database(server, names[-1], template)
        return server.dsn(names[-1])

    yield make
    for name in names:
        drop_database(server, name)


@pytest.fixture(scope="module")
def old(databases: Callable[[], str]) -> str:
    """A database with something of everything."""
    dsn = databases()
    with psycopg.connect(dsn, autocommit=True) as connection:
        fill(connection)
        connection.execute(_ODDITIES.encode())
    return dsn


@pytest.fixture(scope="module")
def new(old: str, databases: Callable[[], str]) -> str:
    """A database with the configuration of the old one, and no history."""
    dsn = databases()
    with psycopg.connect(old) as before, psycopg.connect(dsn) as after:
        row = before.execute("select monitoring.get_config()::text").fetchone()
        assert row is not None
        after.execute("select monitoring.apply_config(%s::jsonb)", row)
    return dsn


@pytest.fixture
def emptied(new: str) -> Iterator[str]:
    """That database, which is emptied again afterwards."""
    yield new
    with psycopg.connect(new, autocommit=True) as connection:
        tables = connection.execute(
            "select string_agg(format('monitoring.%%I', c.relname), ', ') from pg_class c"
            " where c.relnamespace = 'monitoring'::regnamespace and c.relname ~ %s"
            " and c.relkind in ('r', 'p') and not c.relispartition",
            [
                "^(late_)?(finished_tasks|errors|metric_samples|log_lines|health_probes|queue_samples"
                "|status_changes|invalid_record_states|invalid_record_spells|record_states"
                "|products_of_records|program_runs|daily_summaries)$"
            ],
        ).fetchone()
        assert tables is not None
        connection.execute(f"truncate {tables[0]}".encode())


def written_by_copy(dsn: str, view: str, path: Path) -> Path:
    """Write a view as psql's copy does."""
    file = path / f"{view}.csv"
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor() as cursor,
        file.open("wb") as out,
        cursor.copy(
            f"copy (select * from monitoring.{view}) to stdout with (format csv, header)".encode()
        ) as rows,
    ):
        for piece in rows:
            out.write(piece)
    return file


def written_by_psql(dsn: str, view: str, path: Path) -> Path:
    """Write a view as psql --csv does, in another time zone."""
    file = path / f"{view}-psql.csv"
    text = subprocess.run(
        ["psql", "-XqA", "--csv", dsn, "-c", "set timezone = 'Asia/Kolkata'",
         "-c", f"select * from monitoring.{view}"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    file.write_bytes(text)
    return file


def written_as_json(dsn: str, view: str, path: Path) -> Path:
    """Write a view as row_to_json does, a line a row."""
    file = path / f"{view}.jsonl"
    with psycopg.connect(dsn) as connection:
        found = connection.execute(f"select row_to_json(v)::text from monitoring.{view} v".encode())
        file.write_text("".join(f"{row[0]}\n" for row in found))
    return file


def written_as_array(dsn: str, view: str, path: Path) -> Path:
    """Write a view as one array, over many lines."""
    file = path / f"{view}.json"
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            f"select jsonb_pretty(jsonb_agg(v)) from monitoring.{view} v".encode()
        ).fetchone()
        assert found is not None
        file.write_text(found[0])
    return file


WRITERS = [written_by_copy, written_by_psql, written_as_json, written_as_array]


def pgvigil(*words: object) -> str:
    """Run the command and return what it prints."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(dsn: str, view: str) -> list[str]:
    """Return the rows of a view, but for what is of the database's own making, sorted."""
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        found = connection.execute(
            "select (to_jsonb(v) - %s::text[])::text"
            f" from monitoring.{view} v {_ROWS[view]}".encode(),
            [list(_OF_ITS_OWN)],
        )
        return sorted(row[0] for row in found)


def alike(found: list[str]) -> list[str]:
    """Return rows with empty texts as nothing, sorted."""
    return sorted(row.replace(': ""', ": null") for row in found)


def counted(text: str) -> dict[str, int]:
    """Return the counts of the summary."""
    parts = text.split("line", 1)[1].split(": ", 1)[1].rstrip(".\n").split(", ")
    return {name: int(number.replace(",", "")) for number, name in (p.split(" ", 1) for p in parts)}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("view", _ROWS)
def test_what_a_view_writes_is_equal_elsewhere_and_adds_nothing_here(
    view: str,
    write: Callable[[str, str, Path], Path],
    old: str,
    emptied: str,
    tmp_path: Path,
) -> None:
    file = write(old, view, tmp_path)
    before = rows(old, view)
    assert before, "the test has no such rows"
    assert counted(pgvigil("backfill", file, "--dsn", old))["new"] == 0
    assert rows(old, view) == before
    assert counted(pgvigil("backfill", file, "--dsn", emptied))["new"] == len(before)
    after = rows(emptied, view)
    # psql writes an empty text as it writes nothing.
    assert after == before or (write is written_by_psql and alike(after) == alike(before))
    assert counted(pgvigil("backfill", file, "--dsn", emptied))["new"] == 0
    # Back again: it is still what was written there.
    back = write(emptied, view, tmp_path)
    assert counted(pgvigil("backfill", back, "--dsn", old))["new"] == 0
    assert rows(old, view) == before


def test_the_columns_of_every_view_that_can_be_loaded_are_known(old: str) -> None:
    with psycopg.connect(old) as connection:
        for form in FORMS:
            found = connection.execute(f"select * from monitoring.{form.name} where false".encode())
            columns = {column.name for column in found.description or ()}
            assert columns == form.columns, form.name


EXPORTED = {
    "tasks": "processing_metrics",
    "errors": "error_tracking",
    "metrics": "performance_monitoring",
    "logs": "v_application_logs",
    "batch": "batch_execution_logs",
    "records": "invalid_records",
    "statuses": "status_history",
    "health": "v_health_history",
    "queues": "queue_monitoring",
    "products": "record_products",
    "runs": "processing_log",
    "summaries": "daily_summary",
}


@pytest.mark.parametrize("file_format", ["csv", "csv --exact", "json", "jsonl"])
@pytest.mark.parametrize("kind", EXPORTED)
def test_what_is_exported_is_equal_elsewhere_and_adds_nothing_here(
    kind: str, file_format: str, old: str, emptied: str, tmp_path: Path
) -> None:
    view = EXPORTED[kind]
    name, *options = file_format.split()
    file = tmp_path / f"export.{name}"
    pgvigil(
        "export", kind, "--from", "2026-01-01", "--format", name, *options, "--out", file,
        "--dsn", old,
    )  # fmt: skip
    before = rows(old, view)
    assert counted(pgvigil("backfill", file, "--dsn", old))["new"] == 0
    assert counted(pgvigil("backfill", file, "--dsn", emptied))["new"] == len(before)
    assert rows(emptied, view) == before


def test_an_error_of_another_database_with_the_number_of_one_here_is_another_error(
    databases: Callable[[], str], tmp_path: Path
) -> None:
    at = "2026-01-15 12:00+00"
    three = [databases() for _ in range(3)]
    files = []
    for number, dsn in enumerate(three):
        with psycopg.connect(dsn, autocommit=True) as connection:
            for text in ("first", "second"):
                connection.execute(
                    "select monitoring.record_error(null, 'E', 'low', %s, p_occurred_at => %s)",
                    [f"{text} of {number}", at],
                )
        folder = tmp_path / str(number)
        folder.mkdir()
        files.append(written_by_copy(dsn, "error_tracking", folder))
    for _ in range(2):
        for file in files[1:]:
            pgvigil("backfill", file, "--dsn", three[0])
    assert len(rows(three[0], "error_tracking")) == 6
    # And all of them come back to where they were, as what they are.
    back = written_by_copy(three[0], "error_tracking", tmp_path)
    for dsn in three[1:]:
        assert counted(pgvigil("backfill", back, "--dsn", dsn))["new"] == 4
        assert len(rows(dsn, "error_tracking")) == 6


def test_days_without_partition_are_made_and_what_would_not_stay_is_told_before(
    dsn: str, tmp_path: Path
) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select monitoring.set_retention('log_lines', '5 years')")
        now = connection.execute("select monitoring.clock()").fetchone()
        assert now is not None
        file = tmp_path / "logs.csv"
        days = [now[0] - timedelta(days=day) for day in (400, 800, 3000, 4000)]
        lines = "".join(f"c,info,m,{day.isoformat()}\n" for day in days)
        file.write_text(f"component,level,message,logged_at\n{lines}")
        result = CliRunner().invoke(main, ["backfill", str(file), "--dsn", dsn])
        assert result.exit_code == 0
        assert "select monitoring.set_retention('log_lines', null);" in result.stderr
        assert "2 lines of log_lines will be removed by the next clean-up, by age." in result.stderr
        made = connection.execute(
            "select count(*) from pg_class where relname = any (%s)",
            [[f"log_lines_{day.astimezone().strftime('%Y%m%d')}" for day in days]],
        ).fetchone()
        assert made == (2,)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", "component\tlevel\n", "separated by tabs"),
        ("x.csv", "dataset,record_key\n", "To be"),
        ("x.xlsx", "PK\x03\x04", "a workbook"),
        ("x.csv", "a,b\n1,2\n", "no kind has these columns."),
        ("x.csv", "component,level,message,logged_at,colour\n", "'colour' too much"),
        ("x.json", '[{"component": "c"', "cannot be read after line"),
    ],
)
def test_what_is_no_history_is_refused_with_what_would_be_right(
    name: str, content: str, reason: str, dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    result = CliRunner().invoke(main, ["backfill", str(file), "--dsn", dsn])
    assert result.exit_code == 1
    assert reason in result.stderr


@pytest.mark.parametrize("name", ["alerts", "batch_monitoring_alerts", "batch_performance_summary"])
def test_what_cannot_be_loaded_says_why(name: str, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("alert_id\n1\n")
    result = CliRunner().invoke(main, ["backfill", name, str(file), "--dsn", dsn])
    assert result.exit_code == 2
    assert f"{name} cannot be loaded: " in result.stderr


def test_who_may_not_load_history_is_told_what_it_takes(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("component,level,message,logged_at\nc,info,x,2026-01-15\n")
    writer = f"{dsn}?options=-crole%3Dmonitoring_writer"
    result = CliRunner().invoke(main, ["backfill", str(file), "--dsn", writer])
    assert result.exit_code == 1
    assert "history cannot be loaded: permission denied" in result.stderr
    assert "It takes the role monitoring_admin" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_a_load_is_told_how_far_it_came_and_goes_on_later(
    number: signal.Signals, dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    lines = "".join(f"c,info,message {n},2026-01-15\n" for n in range(60_000))
    file.write_text(f"component,level,message,logged_at\n{lines}")
    command = [sys.executable, "-m", "pgvigil", "backfill", str(file), "--dsn", dsn]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with psycopg.connect(dsn, autocommit=True) as connection:
        count = "select count(*) from monitoring.v_application_logs"
        deadline = time.monotonic() + 30
        while connection.execute(count.encode()).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        assert said.startswith("Stopped. ")
        assert said.endswith("Run it again to go on.\n")
        pgvigil("backfill", file, "--dsn", dsn)
        assert connection.execute(count.encode()).fetchone() == (60_000,)

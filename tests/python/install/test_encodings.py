"""Databases that are not in UTF-8 hold pgvigil as well, if not every text that is sent to them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from pgvigil.database.dsn import complete_dsn
from pgvigil.demo.server import PostgresServer
from pgvigil.install import Migrated, migrate, roll_back, single_file
from pgvigil.resources import migrations_directory, sql_directory
from tests.harness.clients import rows, run, run_psql
from tests.harness.databases import OWNER, drop_database
from tests.python.support.web_running import Web

_WORDS = {"LATIN1": "Zähler größer", "SQL_ASCII": "plain", "EUC_JP": "計量器", "WIN1251": "счёт"}


@pytest.fixture(params=_WORDS)
def foreign(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Name and encoding of an empty database."""
    name = f"in_{request.param.lower()}"
    run(
        server.dsn(),
        f"create database {name} owner {OWNER} template template0 encoding '{request.param}'"
        " locale_provider libc lc_collate 'C' lc_ctype 'C'",
    )
    yield name, request.param
    drop_database(server, name)


def test_the_sources_are_plain_ascii() -> None:
    files = [*migrations_directory().glob("*.sql"), *sql_directory().rglob("*.sql")]
    assert len(files) > 100
    assert [file.name for file in files if not file.read_bytes().isascii()] == []
    assert single_file().isascii()


def test_it_installs_and_works(server: PostgresServer, foreign: tuple[str, str]) -> None:
    name, encoding = foreign
    dsn = server.dsn(name)
    assert migrate(dsn).code_loaded
    assert migrate(dsn) == Migrated([], False)
    word = _WORDS[encoding]
    foreign_word = "…漢字 ☃" if encoding != "EUC_JP" else "☃ привет ش"
    with MonitoringClient(dsn, component=word, on_error="raise") as monitor:
        for number in range(5):
            task = f"{word} {number}"
            monitor.start_task(word, task_id=task)
            monitor.record_error(task, "E", "medium", f"{word} failed {number}")
            monitor.complete_task(task, "failed")
        monitor.record_performance_metric(word, "gauge", 1)
        monitor.record_queue_metrics(word, 5000)
        monitor.update_system_health("service", word, "unhealthy", failure_reason=word * 40)
        monitor.record_log("info", word, details={word: word})
        # What the encoding lacks is recorded all the same, as far as it can be.
        monitor.record_log("info", f"foreign {foreign_word}", details={foreign_word: [word]})
        assert monitor.dropped == 0
    with psycopg.connect(complete_dsn(dsn), autocommit=True) as connection:
        # Names with what is no letter anywhere, and with bytes that mean letters elsewhere.
        connection.execute("select monitoring.start_task_tracking(E'a\\tb\\nc \\u0001', 'x')")
        connection.execute("select monitoring.roll_up()")
        connection.execute("call monitoring.run_due_jobs()")
        connection.execute("select monitoring.evaluate_alerts()")
        for row in connection.execute(
            "select viewname from pg_views where schemaname = 'monitoring'"
        ).fetchall():
            connection.execute(f"select * from monitoring.{row[0]}".encode())
        failed = connection.execute(
            "select job_name, last_error from monitoring.v_jobs where last_status = 'failed'"
        ).fetchall()
    assert failed == []
    logged = rows(dsn, "select message from monitoring.v_application_logs order by log_id")
    assert len(logged) == 2
    if encoding != "SQL_ASCII":
        assert logged[0] == (word,)
        assert str(logged[1][0]).startswith("foreign ?")
    found = rows(dsn, "select distinct summary from monitoring.v_active_alerts")
    assert found
    if encoding != "SQL_ASCII":
        assert any(word in str(row[0]) for row in found), found
    with Web(dsn) as web:
        for path in ("/api/summary", "/api/tasks", "/api/active-alerts", "/metrics"):
            assert web.client.get(path).status_code == 200, path
    roll_back(dsn)


def test_the_single_file_installs(
    server: PostgresServer, foreign: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "pgvigil.sql"
    file.write_text(single_file(), encoding="ascii")
    run_psql(server, foreign[0], "-1", "-f", file)
    by_owner = server.dsn(foreign[0], user=OWNER, via_socket=True)
    assert migrate(by_owner) == Migrated([], False)

"""Everything that reads works on a hot standby, and says how far that is behind."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect
from psycopg.types.json import Jsonb

from pgvigil.commands.cli import main
from pgvigil.demo.server import PostgresServer
from pgvigil.faces.export import KINDS
from tests.harness.databases import (
    SETTINGS,
    create_database,
    disposable_server,
    install_pgvigil,
    memory_directory,
)
from tests.python.support.browsing import Service, opened
from tests.python.support.running import wait_until
from tests.python.support.web_data import fill
from tests.python.support.web_running import Web

DATABASE = "watched"


@dataclass(frozen=True)
class Pair:
    """Where a primary is, and its standby."""

    primary: str
    standby: str


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary with something of everything, and a standby that follows it."""
    with (
        TemporaryDirectory(prefix="pgvigil-standby-", dir=memory_directory()) as home,
        disposable_server(binaries := PostgresServer(home).binaries) as primary,
    ):
        create_database(primary, DATABASE)
        install_pgvigil(primary, DATABASE)
        with psycopg.connect(primary.dsn(DATABASE), autocommit=True) as connection:
            fill(connection)
        standby = PostgresServer(
            Path(home) / "standby",
            binaries=binaries,
            settings=SETTINGS
            | {
                "primary_conninfo": f"host={primary.socket_directory} port={primary.port}"
                " user=postgres",
            },
        )
        _copy(primary, standby)
        with standby:
            yield Pair(primary.dsn(DATABASE), standby.dsn(DATABASE))


def _copy(primary: PostgresServer, standby: PostgresServer) -> None:
    """Make the standby's directory what a base backup would be."""
    with psycopg.connect(primary.dsn(), autocommit=True) as connection:
        connection.execute("select pg_backup_start('standby', true)")
        shutil.copytree(primary.home, standby.home, ignore=shutil.ignore_patterns("*.pid", ".s.*"))
        row = connection.execute("select labelfile from pg_backup_stop()").fetchone()
    assert row is not None
    (standby.data / "backup_label").write_text(row[0])
    (standby.data / "standby.signal").touch()


def _standby_row(dsn: str) -> Any:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select status, lateness from monitoring.self_check() where check_name = 'standby'"
        ).fetchone()


@pytest.fixture(autouse=True)
def has_received(pair: Pair) -> None:
    """Something has come from the primary since the standby began."""
    with psycopg.connect(pair.primary, autocommit=True) as connection:
        connection.execute("select monitoring.record_log('c', 'INFO', 'a minute')")
    wait_until(lambda: _standby_row(pair.standby)[1] is not None, 30)


def test_standby_says_how_far_it_is_behind_and_the_primary_nothing_of_it(pair: Pair) -> None:
    assert _standby_row(pair.primary) is None
    status, lateness = _standby_row(pair.standby)
    assert (status, lateness.days) == ("ok", 0)
    with psycopg.connect(pair.standby) as connection:
        # Where an hour goes by without anything from the primary.
        connection.execute("set monitoring.now = '2999-01-01'")
        known = connection.execute(
            "select state, is_known from monitoring.v_freshness where subject = 'standby'"
        ).fetchone()
        assert known == ("old", False)
        assert connection.execute(
            "select status from monitoring.self_check() where check_name = 'standby'"
        ).fetchone() == ("late",)


def test_what_the_primary_records_is_read_there(pair: Pair) -> None:
    with psycopg.connect(pair.primary, autocommit=True) as connection:
        connection.execute("select monitoring.start_task_tracking('on the primary', 'follow')")

    with psycopg.connect(pair.standby, autocommit=True) as connection:
        wait_until(
            lambda: bool(
                connection.execute(
                    "select 1 from monitoring.v_realtime_processing_status"
                    " where task_type = 'follow'"
                ).fetchone()
            ),
            30,
        )
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("select monitoring.record_log('c', 'INFO', 'said')")


def test_a_hub_may_read_a_member_there(pair: Pair) -> None:
    with psycopg.connect(pair.standby, autocommit=True) as connection:
        told = _told_rollups(connection, {})
        assert told["is_full"]
        assert not _told_rollups(connection, told["cursor"])["is_full"]


def _told_rollups(connection: psycopg.Connection, cursor: dict[str, Any]) -> dict[str, Any]:
    row = connection.execute(
        "select monitoring.get_fleet_changes(%s)", [Jsonb({"rollups": {"cursor": cursor}})]
    ).fetchone()
    assert row is not None
    told: dict[str, Any] = row[0]["rollups"]
    return told


def test_page_and_metrics_answer_there(pair: Pair) -> None:
    with Web(pair.standby, ping_key=None) as web:
        described = web.get("/openapi.json")["paths"]
        asked = [
            path
            for path, methods in described.items()
            if "get" in methods
            and not any(each.get("required") for each in methods["get"].get("parameters", []))
        ]
        assert len(asked) >= 15
        for path in asked:
            answer = web.client.get(path)
            assert answer.status_code == 200, (path, answer.text)
        assert web.get("/api/cards")["cards"]["freshness"]["standby"]["is_known"]


def test_the_page_says_how_far_it_is_behind(browser: Browser, pair: Pair) -> None:
    with Service(pair.standby, now=None) as service, opened(browser, service.url) as page:
        expect(page.locator("#freshness")).to_have_text(
            re.compile(r"^as of .*, on a standby \d+ (ms|s|min)")
        )


@pytest.mark.parametrize(
    "words",
    [
        ["dashboard"],
        ["dashboard", "batch"],
        ["dashboard", "etl"],
        ["dashboard", "records"],
        ["alerts"],
        ["jobs"],
        ["tasks"],
        ["errors"],
        ["queues"],
        ["records"],
        ["rules"],
        ["logs"],
        ["status"],
    ],
)
def test_terminal_shows_it_there(pair: Pair, words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--dsn", pair.standby])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("what", KINDS)
def test_exports_are_made_there(pair: Pair, what: str, tmp_path: Path) -> None:
    made = tmp_path / "made.csv"
    result = CliRunner().invoke(main, ["export", what, "--dsn", pair.standby, "--out", str(made)])
    assert result.exit_code == 0, result.output
    assert made.stat().st_size > 0


def test_report_is_made_there(pair: Pair, tmp_path: Path) -> None:
    made = tmp_path / "report.html"
    result = CliRunner().invoke(main, ["report", "--dsn", pair.standby, "--out", str(made)])
    assert result.exit_code == 0, result.output
    assert "<html" in made.read_text()

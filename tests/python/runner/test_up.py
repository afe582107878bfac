"""`pgvigil up` installs, runs jobs and serves the page, and ends all of it together."""

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import InstallError
from pgvigil.install import roll_back
from pgvigil.install.files import read_migrations
from pgvigil.together import Part, prepare, run_parts_until_stopped
from pgvigil.together.parts import PartEndedError
from pgvigil.together.preparing import ServerAwayError
from tests.harness.clients import dsn_of, rows, run, run_pgvigil
from tests.harness.databases import disposable_server
from tests.python.support.job_running import JobBench
from tests.python.support.running import RunningUp, wait_until

SECRET = "Tr0ub4dor"
NOWHERE = f"postgresql://nobody:{SECRET}@127.0.0.1:1/nowhere"
# What a busy machine takes to start a program, install all and serve.
BEGUN = 90.0


def is_served(url: str) -> bool:
    try:
        return httpx.get(f"{url}healthz", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def schema_of(dsn: str) -> object:
    return rows(dsn, "select to_regnamespace('monitoring')::text")[0][0]


# Beginning


def test_an_empty_database_shows_its_first_record(empty_dsn: str, tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    with printed.open("w") as file, RunningUp(empty_dsn, printed=file) as up:
        up.wait_for("[run] started", BEGUN)
        up.wait_for("[run] job make_partitions completed", BEGUN)
        page = httpx.get(up.url, timeout=20)
        assert (page.status_code, "<title>" in page.text) == (200, True)
        begin, end = re.findall(r"^ +(select .*;)$", printed.read_text(), re.MULTILINE)
        run(empty_dsn, begin)
        up.wait_for("[up] the first record has arrived: task hello\n", BEGUN)
        tasks = httpx.get(f"{up.url}api/tasks", params={"state": "running"}, timeout=20).json()
        assert [task["task_id"] for task in tasks["rows"]] == ["hello"]
        run(empty_dsn, end)
        url = up.url
        up.signal(signal.SIGINT)
        assert up.wait() == 0
    assert f"\nPage: {url}\n" in printed.read_text()
    said = [line.split(maxsplit=2)[2] for line in up.lines]
    name = conninfo_to_dict(empty_dsn)["dbname"]
    assert said[0].startswith(f"[up] database {name} on 127.0.0.1, port ")
    assert re.fullmatch(r"\[up\] pgvigil is not in this database yet; this .* \S+\n", said[1])
    assert "[migrate] applied 0001_schema_and_roles\n" in said
    assert said[-1] == "[up] stopped\n"
    assert said.count("[up] stopping\n") == 1
    assert not is_served(url)
    query = "select status from monitoring.processing_metrics where task_id = 'hello'"
    assert rows(empty_dsn, query) == [("completed",)]


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ("record_error('t', 'Blank', 'low', 'm', 'scanner')", "error Blank"),
        ("record_log('app', 'INFO', 'said')", "log line said"),
        ("record_performance_metric('pages', 'gauge', 3)", "metric pages"),
        ("update_system_health('service', 'printer', 'healthy')", "check of component printer"),
        ("record_queue_metrics('scans', 3)", "sample of queue scans"),
    ],
)
def test_records_of_all_kinds_are_a_first_one(dsn: str, record: str, what: str) -> None:
    from pgvigil.together import first_record

    since = asyncio.run(first_record._look(dsn, None))[0]
    run(dsn, "select monitoring.start_task_tracking('own', 'pgvigil.roll_up')")
    assert asyncio.run(first_record._look(dsn, since)) == (since, None)
    run(dsn, f"select monitoring.{record}")
    assert asyncio.run(first_record._look(dsn, since)) == (since, what)


def test_two_run_beside_each_other_each_on_a_port_of_its_own(dsn: str) -> None:
    with RunningUp(dsn, "--log-format", "json") as first, RunningUp(dsn) as second:
        for each in (first, second):
            wait_until(lambda each=each: is_served(each.url), BEGUN)  # type: ignore[misc]
        port = first.url.rstrip("/").rpartition(":")[2]
        third = run_pgvigil(dsn, "up", "--port", port)
        assert [each.stop() for each in (first, second)] == [0, 0]
    assert third.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in third.stderr
    assert "0 for any free one" in third.stderr
    entries = [json.loads(line) for line in first.lines]
    assert {entry["part"] for entry in entries} == {"up", "run", "serve"}
    assert "is in this database: nothing to install" in second.text


def test_a_port_that_is_taken_is_told_before_anything_is_changed(empty_dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = run_pgvigil(empty_dsn, "up", "--port", port)
    assert (told.returncode, told.stdout) == (1, "")
    assert "Address already in use" in told.stderr
    assert schema_of(empty_dsn) is None


# A database that comes and goes


def test_a_server_is_waited_for_and_may_go_away_and_come_back(tmp_path: Path) -> None:
    home = tmp_path / "server"
    with PostgresServer(home) as server:
        dsn, port = server.dsn(), server.port
    with RunningUp(dsn) as up:
        up.wait_for("[up] connection failed", BEGUN)
        assert "; waiting up to 1 min\n" in up.text
        with PostgresServer(home, port=port):
            wait_until(lambda: is_served(up.url), BEGUN)
            up.wait_for("[run] job roll_up completed", BEGUN)
        up.wait_for("; trying again", BEGUN)
        wait_until(lambda: not is_served(up.url), BEGUN)
        with PostgresServer(home, port=port):
            up.wait_for("[run] the database works again", BEGUN)
            wait_until(lambda: is_served(up.url), BEGUN)
            assert up.stop() == 0
    assert up.text.count("waiting up to") == 1


def test_waiting_has_an_end_and_tells_no_password() -> None:
    with pytest.raises(ServerAwayError, match="did not take a connection within 1 s") as told:
        prepare(NOWHERE, seconds_to_wait=1, is_migrating=True)
    assert "Check --dsn" in (told.value.hint or "")
    assert SECRET not in str(told.value)


def test_who_refuses_us_is_not_waited_for(server: PostgresServer) -> None:
    began_at = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match='"there_is_none" does not exist'):
        prepare(server.dsn("there_is_none"), seconds_to_wait=600, is_migrating=True)
    assert time.monotonic() - began_at < 60


def test_who_stops_it_before_it_has_begun_is_told_so() -> None:
    with RunningUp(NOWHERE) as up:
        up.wait_for("waiting up to", BEGUN)
        up.signal(signal.SIGTERM)
        assert up.wait() == 130
    assert "[up] stopped before it had begun" in up.text
    assert "Traceback" not in up.text


# Rights


@pytest.fixture
def stranger(server: PostgresServer, template: str) -> Iterator[str]:
    """A role that may log in and nothing else."""
    run(server.dsn(), "create role up_stranger login")
    yield "up_stranger"
    run(server.dsn(), "drop role up_stranger")


def test_who_lacks_a_right_is_told_which(
    server: PostgresServer, dsn: str, empty_dsn: str, stranger: str
) -> None:
    empty, installed = (
        dsn_of(server, str(conninfo_to_dict(each)["dbname"]), stranger) for each in (empty_dsn, dsn)
    )
    assert "create schema monitoring authorization" in refusal(empty)
    assert schema_of(empty_dsn) is None
    assert f"grant monitoring_reader to {stranger}" in refusal(installed)
    run(dsn, f"grant monitoring_reader to {stranger}")
    told = refusal(installed)
    assert f"{stranger} may not run the jobs of pgvigil here" in told
    assert f"grant monitoring_admin to {stranger};" in told
    # Who runs what is installed need not be the one who installed it.
    run(dsn, f"grant monitoring_admin to {stranger}")
    prepare(installed, seconds_to_wait=0, is_migrating=True)


def refusal(dsn: str, *, is_migrating: bool = True) -> str:
    """Return the message and the hint of a refusal."""
    with pytest.raises(InstallError) as told:
        prepare(dsn, seconds_to_wait=0, is_migrating=is_migrating)
    return f"{told.value} {told.value.hint}"


def test_an_owner_who_may_not_create_roles_needs_nobody() -> None:
    from pgvigil.demo.server_binaries import embedded_binaries

    binaries = embedded_binaries()
    assert binaries is not None
    with disposable_server(binaries) as server:
        run(server.dsn(), "create role plain login", "create database app owner plain")
        with RunningUp(dsn_of(server, "app", "plain")) as up:
            up.wait_for("[run] job roll_up completed", BEGUN)
            assert is_served(up.url)
            run(server.dsn("app"), "select monitoring.start_task_tracking('mine', 'x')")
            up.wait_for("[up] the first record has arrived: task mine", BEGUN)
            assert up.stop() == 0
    assert "warning [migrate] warning: the monitoring roles were not set up" in up.text
    assert "grant monitoring_admin to plain;" in up.text


@pytest.mark.parametrize("is_migrating", [True, False])
def test_what_takes_no_changes_is_refused(dsn: str, is_migrating: bool) -> None:
    standby = make_conninfo(dsn, options="-c default_transaction_read_only=on")
    told = refusal(standby, is_migrating=is_migrating)
    assert told.startswith("the database is read-only Connect to the primary")


# What is found


def test_without_migrating_nothing_is_installed_or_upgraded(
    dsn: str, empty_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert "Leave out --no-migrate" in refusal(empty_dsn, is_migrating=False)
    assert schema_of(empty_dsn) is None
    run(dsn, "update monitoring.installed_code set checksum = 'other'")
    with caplog.at_level("INFO", "pgvigil.runner"):
        prepare(dsn, seconds_to_wait=0, is_migrating=False)
    assert "is in this database and is left as it is; it differs" in caplog.text
    assert rows(dsn, "select checksum from monitoring.installed_code") == [("other",)]


def test_what_is_behind_is_upgraded(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    roll_back(dsn)
    with caplog.at_level("INFO", "pgvigil.runner"):
        prepare(dsn, seconds_to_wait=0, is_migrating=True)
        assert "of tables alone is in this database: installing" in caplog.text
        assert f"applied {read_migrations()[-1].migration_id}" in caplog.text
        assert "loaded the functions and views" in caplog.text
        caplog.clear()
        prepare(dsn, seconds_to_wait=0, is_migrating=True)
    assert "is in this database: nothing to install" in caplog.text
    assert len(caplog.messages) == 2


# Ending


def test_a_job_that_goes_on_holds_up_the_end_for_seconds_only(dsn: str) -> None:
    with ExitStack() as stack:
        jobs = JobBench(dsn, stack)
        jobs.add("endless", "perform pg_sleep(600)")
        with RunningUp(dsn, "--drain", "1s") as up:
            wait_until(lambda: jobs.job("endless")["is_running"], BEGUN)
            up.signal(signal.SIGTERM)
            assert up.wait(60) == 0
        assert "[run] cancelling jobs: 1" in up.text
        assert jobs.job("endless")["last_status"] == "cancelled"


class _Fake:
    """A part that goes on until it is told to stop, or ends after a moment."""

    def __init__(self, ending: Exception | str | None = None) -> None:
        self.ending = ending
        self.was_stopped = 0
        self._end = asyncio.Event()

    async def run(self) -> None:
        if self.ending is None:
            await self._end.wait()
            return
        await asyncio.sleep(0.01)
        if isinstance(self.ending, Exception):
            raise self.ending

    def stop(self) -> None:
        self.was_stopped += 1
        self._end.set()


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (RuntimeError("no paper"), "run failed: RuntimeError: no paper"),
        (psycopg.OperationalError("gone"), "run failed: gone"),
        ("by itself", "run ended without having been told to"),
    ],
)
def test_a_part_that_ends_ends_the_others_and_is_named(ending: Exception | str, said: str) -> None:
    async def main() -> int:
        dying, lasting = _Fake(ending), _Fake()
        parts = [Part("serve", lasting.run, lasting.stop), Part("run", dying.run, dying.stop)]
        with pytest.raises(PartEndedError) as told:
            await run_parts_until_stopped(parts, asyncio.sleep(60))
        assert str(told.value) == said
        return lasting.was_stopped

    began_at = time.monotonic()
    assert asyncio.run(main()) == 1
    assert time.monotonic() - began_at < 30

"""`pgvigil run` outlives its server, keeps passwords to itself, and tells systemd how it is."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.database.dsn import complete_dsn
from pgvigil.database.outage import pauses
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import DatabaseNotReadyError
from pgvigil.install import migrate
from pgvigil.runner import BackgroundRunner, Settings
from tests.harness.clients import run_pgvigil
from tests.python.support.asking import rows
from tests.python.support.job_running import JobBench
from tests.python.support.running import RunningRunner, wait_until

SECRET = "Tr0ub4dor"
NOWHERE = f"postgresql://nobody:{SECRET}@127.0.0.1:1/nowhere"


@pytest.fixture
def jobs(dsn: str) -> Iterator[JobBench]:
    """Jobs of a fresh database, none yet."""
    with ExitStack() as stack:
        yield JobBench(dsn, stack)


# When the server is away


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_comes_late_goes_away_and_comes_back_is_told_of_once_each_time(
    tmp_path: Path, form: str
) -> None:
    home = tmp_path / "server"
    with PostgresServer(home) as server:
        dsn, port = server.dsn(), server.port
        migrate(dsn)
        with ExitStack() as stack:
            JobBench(dsn, stack).add("often", schedule="1 second")
    with RunningRunner(dsn, "--log-format", form, "--log-level", "info") as running:
        running.wait_for("trying again")
        for outage in (1, 2):
            with PostgresServer(home, port=port):
                running.wait_for("works again", 60, times=outage)
                wait_for_another_run(dsn)
            running.wait_for("trying again", times=outage + 1)
        assert running.stop() == 0
    assert running.text.count("trying again") == 3
    if form == "json":
        assert all(json.loads(line)["message"] for line in running.lines)


def wait_for_another_run(dsn: str) -> None:
    query = "select count(*) from errands.notes"
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = rows(connection, query)
        wait_until(lambda: rows(connection, query) != before)


def test_a_database_without_pgvigil_is_waited_for(empty_dsn: str) -> None:
    with RunningRunner(empty_dsn, "--poll", "200ms") as running:
        running.wait_for("pgvigil is not in this database, or too old")
        assert "Hint: Run `pgvigil migrate` on it.; trying again" in running.text
        migrate(empty_dsn)
        running.wait_for("the database works again, after", 60)
        running.wait_for("job make_partitions completed", 30)
        assert running.stop() == 0
    assert running.text.count("pgvigil is not in this database") == 1


def test_a_role_without_rights_and_a_standby_are_told_what_is_missing(
    dsn: str, jobs: JobBench
) -> None:
    jobs.session.execute("create role runner_stranger")
    jobs.session.execute("grant monitoring_reader to runner_stranger")
    try:
        stranger = make_conninfo(dsn, options="-c role=runner_stranger")
        with RunningRunner(stranger) as running:
            running.wait_for("Hint: Grant monitoring_admin to the runner's role.")
            assert running.stop() == 0
    finally:
        jobs.session.execute("drop role runner_stranger")
    jobs.add("due")
    standby = make_conninfo(dsn, options="-c default_transaction_read_only=on")
    with RunningRunner(standby, "--once") as running:
        assert running.wait() == 1
    assert running.text.count("the database is read-only Hint: Connect to the primary") == 1


def test_a_worker_whose_session_is_ended_loses_its_job_and_goes_on(
    dsn: str, jobs: JobBench
) -> None:
    jobs.add("slow", "perform pg_sleep(60)")
    with RunningRunner(dsn, "--poll", "1s") as running:
        wait_until(lambda: jobs.job("slow")["is_running"])
        query = "select pg_terminate_backend(running_pid) from monitoring.v_jobs where is_running"
        jobs.session.execute(query.encode())
        running.wait_for("terminating connection due to administrator command")
        running.wait_for("the database works again")
        wait_until(lambda: jobs.job("slow")["last_status"] == "lost")
        jobs.add("next")
        wait_until(lambda: jobs.done("next") == 1)
        assert running.stop() == 0


def test_sessions_ended_while_idle_are_opened_again_and_lose_nothing(
    dsn: str, jobs: JobBench
) -> None:
    jobs.add("wanted")
    with RunningRunner(dsn, "--poll", "1h") as running:
        wait_until(lambda: jobs.done("wanted") == 1)
        query = """
        select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where application_name = 'pgvigil runner'
        """
        jobs.session.execute(query.encode())
        jobs.request("wanted")
        wait_until(lambda: jobs.done("wanted") == 2)
        running.wait_for("the database works again")
        assert running.stop() == 0
    # Once for all of them, but that one may be back before another has noticed.
    assert running.text.count("trying again") in (1, 2)


def test_a_silent_server_is_given_up(
    dsn: str, jobs: JobBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pgvigil.database.sessions._SECONDS_TO_ANSWER", 1.0)
    caplog.set_level("INFO", logger="pgvigil.runner")
    with running_here(dsn):
        jobs.add("wanted")
        wait_until(lambda: jobs.done("wanted") == 1)
        (frozen,) = rows(
            jobs.session,
            "select pid from pg_stat_activity where query like '%from monitoring.v_jobs%'"
            " and application_name = 'pgvigil runner'",
        )
        os.kill(frozen["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: "no answer within 1 s; trying again" in caplog.text)
            wait_until(lambda: "the database works again" in caplog.text)
            jobs.request("wanted")
            wait_until(lambda: jobs.done("wanted") == 2)
        finally:
            os.kill(frozen["pid"], signal.SIGCONT)


@contextmanager
def running_here(dsn: str) -> Iterator[None]:
    """Run a runner in a thread of this process."""
    runner = BackgroundRunner(Settings(dsn, poll_seconds=0.2))
    try:
        yield
    finally:
        runner.stop()


def test_a_runner_that_is_stopped_before_it_began_does_not_begin(dsn: str) -> None:
    for _ in range(20):
        BackgroundRunner(Settings(dsn)).stop()


def test_pauses_grow_to_a_cap_and_are_never_in_step() -> None:
    first, second = (list(islice(pauses(), 40)) for _ in range(2))
    assert first != second
    assert 0.25 <= first[0] <= 0.5
    assert all(15 <= pause <= 30 for pause in first[8:])


def test_once_does_not_wait_for_a_server() -> None:
    with RunningRunner(NOWHERE, "--once") as running:
        assert running.wait() == 1
    (line,) = [line for line in running.lines if " error " in line]
    assert "Connection refused" in line
    assert "trying again" not in line


# Secrets


@pytest.mark.parametrize("option", [["--once"], []])
def test_a_password_is_never_logged(server: PostgresServer, option: list[str]) -> None:
    wrong = f"postgresql://postgres:{SECRET}@127.0.0.1:{server.port}/postgres"
    for dsn in (NOWHERE, wrong):
        with RunningRunner(dsn, "--log-level", "debug", *option) as running:
            running.wait_for("127.0.0.1")
            running.signal()
            running.wait()
        assert SECRET not in running.text
        assert "warning" in running.text or "error" in running.text


@pytest.mark.parametrize(
    "dsn",
    [
        f"host=localhost {SECRET}",
        f"postgresql://me:{SECRET}",
        f"postgresql://me:a@{SECRET}@localhost/x",
        f"password={SECRET} nonsense=1",
    ],
)
def test_a_dsn_that_makes_no_sense_is_refused_without_showing_it(dsn: str) -> None:
    result = run_pgvigil(dsn, "run", "--once")
    assert result.returncode == 1
    assert "cannot parse the DSN" in result.stderr
    assert SECRET not in result.stderr


def test_a_socket_without_a_name_in_the_file_system_is_a_host_all_the_same() -> None:
    assert "@pgvigil" in complete_dsn("host=@pgvigil")
    with pytest.raises(DatabaseNotReadyError, match="cannot parse the DSN"):
        complete_dsn("postgresql://me:a@b@host/x")


@pytest.mark.parametrize(
    "options", [["--poll", "soon"], ["--poll", "0"], ["--workers", "0"], ["--drain", "-1s"]]
)
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    result = run_pgvigil("", "run", *options)
    assert result.returncode == 2
    assert f"Invalid value for '{options[0]}'" in result.stderr


# systemd


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_is_told_how_it_is(dsn: str, jobs: JobBench, tmp_path: Path, kind: str) -> None:
    address = f"{tmp_path}/notify" if kind == "path" else f"@{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(20)
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        with RunningRunner(dsn, environment=environment) as running:
            heard = hear(manager, {"READY=1", "WATCHDOG=1", "STATUS=running jobs"})
            assert "STOPPING=1" not in heard
            hear(manager, {"WATCHDOG=1"})
            assert running.stop() == 0
            hear(manager, {"STOPPING=1"})


def test_a_service_is_ready_while_its_database_is_away(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{tmp_path}/notify")
        manager.settimeout(20)
        # The watchdog is another process's.
        environment = {
            "NOTIFY_SOCKET": f"{tmp_path}/notify",
            "WATCHDOG_USEC": "200000",
            "WATCHDOG_PID": "1",
        }
        with RunningRunner(NOWHERE, environment=environment) as running:
            heard = hear(manager, {"READY=1", "STATUS=waiting for the database"})
            assert running.stop() == 0
            heard += hear(manager, {"STOPPING=1"})
        assert "WATCHDOG=1" not in heard


def hear(manager: socket.socket, wanted: set[str]) -> list[str]:
    """Take in messages until all that are wanted have come."""
    heard: list[str] = []
    while wanted - set(heard):
        heard.append(manager.recv(4096).decode())
    return heard

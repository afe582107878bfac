"""`pgvigil exec` runs the command whatever is wrong with recording it, and tells what is lost."""

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.install import migrate
from pgvigil.wrapping.job import Ending, Job
from pgvigil.wrapping.outputs import Tail
from pgvigil.wrapping.witness import Witness
from tests.python.support.asking import one, rows, the_task, value
from tests.python.support.running import wait_until
from tests.python.support.wrapped import NOWHERE, PGVIGIL, surroundings, wrapped


def lines(done: "subprocess.CompletedProcess[bytes]") -> list[str]:
    """Return what was said on standard error."""
    return done.stderr.decode().splitlines()


@pytest.mark.parametrize("code", [0, 3])
def test_a_database_that_is_away_changes_nothing_but_a_line(code: int) -> None:
    done = wrapped(NOWHERE, "--", "sh", "-c", f"echo ran; exit {code}")
    assert (done.returncode, done.stdout) == (code, b"ran\n")
    (line,) = lines(done)
    assert line.startswith("pgvigil: cannot reach its database, so records wait: ")
    assert "refused" in line
    assert wrapped(NOWHERE, "--quiet", "--", "true").stderr == b""


def test_what_was_not_told_is_told_by_the_next_command_with_its_own_times(
    dsn: str, connection: psycopg.Connection, server: PostgresServer
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    connection.close()
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as other:
        other.execute(f'alter database "{name}" rename to "{name}_away"'.encode())
        try:
            before = datetime.now(UTC)
            done = wrapped(dsn, "--id", "first", "--", "sh", "-c", "echo why; exit 3")
            after = datetime.now(UTC)
        finally:
            other.execute(f'alter database "{name}_away" rename to "{name}"'.encode())
    assert done.returncode == 3
    assert "does not exist" in lines(done)[0]
    time.sleep(1)
    assert wrapped(dsn, "--id", "second", "--", "true").stderr == b""
    with psycopg.connect(dsn, autocommit=True) as again:
        first, second = rows(again, "select * from monitoring.processing_metrics order by task_id")
        assert (first["status"], second["status"]) == ("failed", "completed")
        assert before <= first["start_time"] <= first["end_time"] <= after
        error = one(again, "select * from monitoring.error_tracking")
        assert (error["task_id"], error["stack"]) == ("first", "why\n")
        assert before <= error["occurred_at"] <= after


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no address", "cannot parse the DSN"),
        ("postgresql://u@h:port/d", "port is not a number"),
        ("postgresql://u:secret@127.0.0.1:1/d", "refused"),
        ("service=nothing-of-that-name", "nothing-of-that-name"),
    ],
)
def test_a_wrong_address_is_told_and_the_command_runs(address: str, said: str) -> None:
    done = wrapped(address, "--", "sh", "-c", "echo ran; exit 3")
    assert (done.returncode, done.stdout) == (3, b"ran\n")
    assert said in done.stderr.decode()
    assert "secret" not in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_records_wait_where_pgvigil_is_not_installed_yet(empty_dsn: str) -> None:
    done = wrapped(empty_dsn, "--id", "early", "--", "sh", "-c", "exit 3")
    assert done.returncode == 3
    assert "records wait" in lines(done)[0]
    migrate(empty_dsn)
    assert wrapped(empty_dsn, "--id", "later", "--", "true").stderr == b""
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        names = (
            "select string_agg(task_id, ' ' order by task_id) from monitoring.processing_metrics"
        )
        assert value(connection, names) == "early later"


def test_a_server_that_says_nothing_holds_up_the_end_for_a_while_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        done = wrapped(f"postgresql://u@127.0.0.1:{port}/d", "--", "sh", "-c", "exit 3")
        took = time.monotonic() - began
    assert done.returncode == 3
    assert "records wait" in done.stderr.decode()
    assert took < 20


@pytest.mark.parametrize("state", ["/dev/null", "/proc/nothing"])
def test_records_that_can_neither_be_sent_nor_kept_are_told_to_be_lost(state: str) -> None:
    done = wrapped(NOWHERE, "--", "sh", "-c", "exit 3", environment={"XDG_STATE_HOME": state})
    assert done.returncode == 3
    assert "lost 2 records, which could be neither sent nor kept on disk" in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_full_disk_is_told_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    state = tmp_path / "state of a job"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(state)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small file system can be mounted here")
    try:
        done = wrapped(NOWHERE, "--", "false", environment={"XDG_STATE_HOME": str(state)})
        left = [path for path in state.rglob("*") if path.is_file()]
    finally:
        subprocess.run(["umount", str(state)], check=True)
    assert done.returncode == 1
    assert "lost 2 records, which could be neither sent nor kept on disk" in done.stderr.decode()
    assert left == []


def test_a_user_without_a_home_is_told_as_well(dsn: str, connection: psycopg.Connection) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user that the system does not know")
    bare = {"PATH": os.environ["PATH"], "LANG": "C"}
    run = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", PGVIGIL, "exec", "--"]
    look = subprocess.run([*run[:-3], "test", "-x", PGVIGIL], check=False)
    if look.returncode != 0:
        pytest.skip("other users cannot execute what is installed here")
    for address, said in ((NOWHERE, "lost 2 records"), (dsn, "")):
        done = subprocess.run(
            [*run, "sh", "-c", "exit 3"], env={**bare, "PGVIGIL_DSN": address},
            capture_output=True, timeout=60, cwd="/",
        )  # fmt: skip
        assert done.returncode == 3
        assert said in done.stderr.decode()
    assert the_task(connection)["status"] == "failed"


def test_a_driver_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')")
    done = wrapped(NOWHERE, "--", "sh", "-c", "exit 3", environment={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 3
    assert lines(done) == [
        "pgvigil: cannot record this run: ImportError: no pq wrapper available"
    ]  # fmt: skip


def test_the_command_begins_before_the_database_answers(tmp_path: Path) -> None:
    """What takes long to load is slowed down here; the command has ended long before."""
    (tmp_path / "psycopg.py").write_text(
        "import time, sys; time.sleep(2); raise ImportError('slow')"
    )
    began = time.time()
    done = wrapped(NOWHERE, "--", "date", "+%s.%N", environment={"PYTHONPATH": str(tmp_path)})
    assert float(done.stdout) - began < 2 <= time.time() - began


def test_commands_beside_each_other_are_all_recorded(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = f'for i in 1 2 3 4 5; do "{PGVIGIL}" exec --type many -- sh -c "exit $i" & done; wait'
    subprocess.run(["bash", "-c", script], env=surroundings(dsn), check=True, timeout=120)
    codes = "select array_agg((metadata ->> 'exit_status')::int) from monitoring.processing_metrics"
    found = value(connection, codes)
    assert sorted(found) == [1, 2, 3, 4, 5]


# What cannot be watched


@pytest.mark.parametrize(
    "hindrance",
    [
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))",
        "import signal; del signal.sigtimedwait",
        "import threading\ndef fail(thread): raise RuntimeError('too many')\n"
        "threading.Thread.start = fail",
    ],
)
def test_a_command_that_cannot_be_watched_runs_alone(hindrance: str) -> None:
    program = f"{hindrance}\nfrom pgvigil.commands.cli import main; main(prog_name='pgvigil')"
    for words, code, out in (
        (["sh", "-c", "echo ran; kill -PIPE $$"], -13, b"ran\n"),
        (["no-such-program-here"], 127, b""),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, "exec", "--", *words],
            env=surroundings(NOWHERE), capture_output=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (code, out)
        first, *others = lines(done)
        assert first.startswith("pgvigil: cannot watch this command, and runs it alone: ")
        assert len(others) == (code == 127)


# Signs of life


def test_a_run_shows_that_it_is_alive_and_how_far_it_is(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.wrapping.witness._BETWEEN_BEATS", 0.2)
    tail = Tail()
    said: list[str] = []
    witness = Witness(Job(("x",), "work", "w", dsn), tail, said.append)
    worker = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        witness.began(time.time(), worker.pid)
        tail.add(b"12345")
        running = (
            "select counters from monitoring.processing_metrics "
            "where status = 'running' and counters is not null"
        )
        # Output and the processor's seconds count as progress.
        wait_until(
            lambda: any(row["counters"]["cpu_seconds"] >= 1 for row in rows(connection, running))
        )
        assert one(connection, running)["counters"]["output_bytes"] == 5
    finally:
        worker.kill()
        worker.wait()
    witness.ended(Ending(time.time(), 0))
    assert the_task(connection)["status"] == "completed"
    assert said == []


def test_a_silent_run_has_a_heartbeat_and_makes_no_progress(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.wrapping.witness._BETWEEN_BEATS", 0.2)
    worker = subprocess.Popen(["sleep", "60"])
    witness = Witness(Job(("x",), "work", "w", dsn), Tail(), lambda text: None)
    state = "select heartbeat_at, progress_at, started_at from monitoring.active_tasks"
    try:
        witness.began(time.time(), worker.pid)
        wait_until(lambda: bool(rows(connection, f"{state} where counters is not null")))
        first = one(connection, state)
        wait_until(lambda: one(connection, state)["heartbeat_at"] > first["heartbeat_at"])
        later = one(connection, state)
        assert later["progress_at"] == first["progress_at"]
        assert later["heartbeat_at"] - later["progress_at"] < timedelta(seconds=60)
    finally:
        worker.kill()
        worker.wait()
    witness.ended(Ending(time.time(), 0))


def test_recording_that_hangs_does_not_keep_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgvigil.wrapping.witness._LONGEST", 0.2)
    hangs = threading.Event()
    monkeypatch.setattr(Witness, "_record", lambda *arguments: hangs.wait(30))
    said: list[str] = []
    witness = Witness(Job(("x",), "work", "w"), Tail(), said.append)
    witness.began(time.time(), None)
    witness.ended(Ending(time.time(), 0))
    hangs.set()
    assert said == ["does not wait any longer for the end of this run to be recorded"]

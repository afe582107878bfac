"""Signals and time limits of `pgvigil exec`: the command gets them, and ends as it would alone."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.python.support.asking import one, the_task, value
from tests.python.support.running import wait_until
from tests.python.support.wrapped import PGVIGIL, begun, read_until, surroundings, wrapped

REPORT = """
import os, signal, sys
def report(number, frame):
    print('got', signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(5)
for number in (1, 2, 3, 10, 12, 15, 28):
    signal.signal(number, report)
print('ready', os.getpid(), flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def heeded_signals() -> Iterator[None]:
    """Commands begin with signals as they are by default, also for tests in the background."""
    ignored = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def ready(running: "subprocess.Popen[bytes]") -> int:
    """Wait until the command says that it is ready; return its process id."""
    assert running.stdout is not None
    return int(read_until(running.stdout.fileno(), b"\n").split()[1])


def test_signals_are_passed_on(dsn: str, connection: psycopg.Connection) -> None:
    with begun(dsn, "--", sys.executable, "-c", REPORT, start_new_session=True) as running:
        assert running.stdout is not None
        ready(running)
        for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"):
            running.send_signal(signal.Signals[name])
            assert read_until(running.stdout.fileno(), b"\n") == f"got {name}\n".encode()
        assert running.wait(30) == 5
    assert the_task(connection)["status"] == "cancelled"
    assert value(connection, "select count(*) from monitoring.error_tracking") == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_command_that_a_signal_ends_has_it_end_us_as_well(
    dsn: str, connection: psycopg.Connection, name: str
) -> None:
    number = signal.Signals[name]
    with begun(dsn, "--", "sh", "-c", "echo ready $$; exec sleep 60") as running:
        pid = ready(running)
        if number == signal.SIGKILL:
            os.kill(pid, number)
        else:
            running.send_signal(number)
        assert running.wait(30) == -number
    task = the_task(connection)
    assert task["status"] == ("failed" if number == signal.SIGKILL else "cancelled")
    assert task["metadata"]["signal"] == name


def test_a_command_that_ends_well_when_asked_to_is_completed(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = "trap 'exit 0' TERM; echo ready $$; while :; do sleep 0.1; done"
    with begun(dsn, "--", "sh", "-c", script, start_new_session=True) as running:
        ready(running)
        running.terminate()
        assert running.wait(30) == 0
    assert the_task(connection)["status"] == "completed"


def test_a_failure_long_after_a_hangup_is_a_failure(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = "trap 'echo again' HUP; echo ready $$; read line; exit 3"
    with begun(dsn, "--", "bash", "-c", script, stdin=subprocess.PIPE) as running:
        assert running.stdout is not None
        ready(running)
        running.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        running.communicate(b"\n")
        assert running.returncode == 3
    assert the_task(connection)["status"] == "failed"


def test_ignored_signals_stay_ignored(dsn: str) -> None:
    """As `nohup` has it, whose commands are not to notice that the terminal is gone."""
    look = "import signal; print('HUP ignored:', signal.getsignal(1) is signal.SIG_IGN)"
    done = subprocess.run(
        ["sh", "-c", f"trap '' HUP; exec \"{PGVIGIL}\" exec -- {sys.executable} -c \"{look}\""],
        env=surroundings(dsn), capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == b"HUP ignored: True\n"


def test_nothing_is_blocked_or_ignored_that_would_not_be_otherwise(dsn: str) -> None:
    look = ("grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status")
    alone = subprocess.run(look, capture_output=True, check=True)
    assert masks(wrapped(dsn, "--", *look).stdout) == masks(alone.stdout)


def masks(status: bytes) -> dict[bytes, int]:
    """Return sets of signals by name, without the two that the C library uses by itself."""
    own = 1 << 31 | 1 << 32
    lines = (line.split() for line in status.splitlines())
    return {name: int(mask, 16) & ~own for name, mask in lines}


def test_it_is_known_how_a_command_ends_where_children_are_ignored(dsn: str) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ignoring, PGVIGIL, "exec", "--", "sh", "-c", "exit 9"],
        env=surroundings(dsn), capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (9, b"")


def test_stop_and_continue(dsn: str) -> None:
    with begun(dsn, "--", sys.executable, "-c", REPORT, start_new_session=True) as running:
        pid = ready(running)
        running.send_signal(signal.SIGTSTP)
        wait_until(lambda: state(pid) == "T" and state(running.pid) == "T")
        running.send_signal(signal.SIGCONT)
        wait_until(lambda: state(pid) == "S" and state(running.pid) == "S")
        running.terminate()
        assert running.wait(30) == 5


def state(pid: int) -> str:
    """Return the letter by which the system says what a process does."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


# Time limits


def test_a_command_whose_time_is_up_is_ended(dsn: str, connection: psycopg.Connection) -> None:
    done = wrapped(dsn, "--timeout", "500ms", "--", "sh", "-c", "echo working; sleep 60")
    assert done.returncode == 124
    task = the_task(connection)
    assert task["status"] == "timeout"
    assert 500 <= task["duration_ms"] < 10_000
    error = one(connection, "select error_type, message, stack from monitoring.error_tracking")
    assert error == {
        "error_type": "Timeout",
        "message": "sh did not end within 500 ms: working",
        "stack": "working\n",
    }


def test_one_that_does_not_end_is_killed_with_all_it_has_started(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    stubborn = f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/pid; wait; sleep 60"
    done = wrapped(dsn, "--timeout", "500ms", "--kill-after", "500ms", "--", "sh", "-c", stubborn)
    assert done.returncode == 124
    assert the_task(connection)["metadata"]["signal"] == "SIGKILL"
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not Path(f"/proc/{pid}").exists() or state(pid) == "Z")


def test_what_it_has_started_is_given_the_same_time(dsn: str, tmp_path: Path) -> None:
    """The shell ends at once; its child tidies up for a while."""
    tidy = f"trap 'sleep 1; echo done > {tmp_path}/tidied; exit' TERM; while :; do sleep 0.1; done"
    (tmp_path / "tidy.sh").write_text(tidy)
    done = wrapped(
        dsn, "--timeout", "1s", "--", "sh", "-c", f"sh {tmp_path}/tidy.sh & sleep 60"
    )  # fmt: skip
    assert done.returncode == 124
    assert (tmp_path / "tidied").exists()


def test_one_that_ends_well_when_its_time_is_up_has_timed_out(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = "trap 'echo tidied; exit 0' TERM; while :; do sleep 0.1; done"
    done = wrapped(dsn, "--timeout", "500ms", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (124, b"tidied\n")
    assert the_task(connection)["status"] == "timeout"


def test_one_that_is_stopped_is_ended_too(dsn: str) -> None:
    assert wrapped(dsn, "--timeout", "500ms", "--", "sh", "-c", "kill -STOP $$").returncode == 124


def test_one_that_ends_in_time_is_left_alone(dsn: str, connection: psycopg.Connection) -> None:
    assert wrapped(dsn, "--timeout", "1h", "--", "true").returncode == 0
    assert the_task(connection)["status"] == "completed"


# Our own end


def test_the_command_outlives_us_when_we_are_killed(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Its record says that it runs: nobody is left to say how it ended."""
    script = f"echo ready $$; until [ -e {tmp_path}/go ]; do sleep 0.1; done; : > {tmp_path}/proof"
    with begun(dsn, "--id", "x", "--", "sh", "-c", script) as running:
        ready(running)
        query = "select count(*) from monitoring.v_realtime_processing_status"
        wait_until(lambda: value(connection, query) == 1)
        running.kill()
        assert running.wait(30) == -signal.SIGKILL
    (tmp_path / "go").touch()
    wait_until((tmp_path / "proof").exists)
    assert the_task(connection)["status"] == "running"
    # The same name again closes it as lost.
    assert wrapped(dsn, "--id", "x", "--", "true").returncode == 0
    statuses = "select string_agg(status, ' ' order by attempt) from monitoring.processing_metrics"
    assert value(connection, statuses) == "lost completed"


def test_the_first_process_of_a_container_takes_care_of_orphans(
    dsn: str, connection: psycopg.Connection
) -> None:
    can = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False)
    if can.returncode != 0:
        pytest.skip("namespaces cannot be made here")
    script = "(sleep 0.2 & ) ; sleep 1; ps -o stat= -A | grep -c Z; kill -TERM $$"
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", PGVIGIL, "exec", "--", "sh", "-c", script],
        env=surroundings(dsn), capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == b"0\n"
    # No signal of its own ends the first process: it says by its exit code what ended the command.
    assert done.returncode == 128 + signal.SIGTERM
    assert the_task(connection)["status"] == "failed"


def test_ctrl_z_stops_both_and_the_shell_continues_both(dsn: str) -> None:
    pid, screen = pty.fork()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--norc", "-i"], surroundings(dsn, PS1="$ ", TERM="dumb"))
    read_until(screen, b"$ ")
    os.write(screen, f"{PGVIGIL} exec -- sh -c 'echo be''gun; read x; echo $x; exit 6'\n".encode())
    read_until(screen, b"begun\r\n")
    os.write(screen, b"\x1a")
    read_until(screen, b"Stopped")
    os.write(screen, b"fg\n")
    read_until(screen, b"\r\n")
    time.sleep(0.5)
    os.write(screen, b"keys\n")
    read_until(screen, b"keys\r\nkeys")
    os.write(screen, b"echo code=$?\n")
    read_until(screen, b"code=6")
    os.write(screen, b"exit\n")
    os.waitpid(pid, 0)
    os.close(screen)


def test_a_terminal_that_hangs_up_ends_the_command(
    dsn: str, connection: psycopg.Connection
) -> None:
    pid, screen = pty.fork()
    if pid == 0:
        os.execve(PGVIGIL, [PGVIGIL, "exec", "--", "sleep", "60"], surroundings(dsn))
    count: Callable[[], int] = lambda: value(  # noqa: E731
        connection, "select count(*) from monitoring.v_realtime_processing_status"
    )
    wait_until(lambda: count() == 1)
    os.close(screen)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGHUP
    assert the_task(connection)["status"] == "cancelled"

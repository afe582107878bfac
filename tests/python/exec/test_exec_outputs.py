"""What a command writes under `pgvigil exec`: byte by byte as it comes, and the end is kept."""

import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.python.support.asking import one, the_task, value
from tests.python.support.wrapped import NOWHERE, PGVIGIL, begun, read_until, surroundings, wrapped

KEPT = 8192


def program(text: str) -> tuple[str, ...]:
    """Return a command that runs a Python program."""
    return (sys.executable, "-c", text)


def test_a_megabyte_of_any_bytes_comes_through_and_its_end_is_kept(
    dsn: str, connection: psycopg.Connection
) -> None:
    write = program(
        "import os, random; random.seed(1); o = random.randbytes(1 << 20)\n"
        "while o: o = o[os.write(1, o):]\n"
        "os.write(2, b'x' * 10_000 + '\\n€ at the end'.encode()); raise SystemExit(1)"
    )
    done = wrapped(dsn, "--quiet", "--", *write)
    alone = subprocess.run(write, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (alone.stdout, alone.stderr)
    error = one(connection, "select * from monitoring.error_tracking")
    total = (1 << 20) + len(alone.stderr)
    assert error["details"] == {"exit_status": 1, "output_bytes": total, "kept_bytes": KEPT}
    assert error["stack"].startswith(f"[{total - KEPT:,} bytes before this are left out]\n")
    assert the_task(connection)["counters"]["output_bytes"] == total


def test_binary_output_does_not_keep_a_run_from_being_recorded(
    dsn: str, connection: psycopg.Connection
) -> None:
    done = wrapped(dsn, "sh", "-c", r"printf '\000\377\033[31mred\033[0m\000\n'; exit 1")
    assert done.stdout == b"\0\xff\x1b[31mred\x1b[0m\0\n"
    stack = value(connection, "select stack from monitoring.error_tracking")
    assert "red" in stack
    assert "\x1b" not in stack


def test_no_output_is_no_output(dsn: str, connection: psycopg.Connection) -> None:
    assert wrapped(dsn, "false").stdout == b""
    error = one(connection, "select message, stack from monitoring.error_tracking")
    assert error == {"message": "false ended with exit status 1", "stack": None}


def test_output_comes_as_it_is_written_and_input_goes_where_it_belongs() -> None:
    echo = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
    with begun(NOWHERE, "--quiet", "--", *program(echo), stdin=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for word in (b"one\n", b"two\n"):
            running.stdin.write(word)
            running.stdin.flush()
            assert read_until(running.stdout.fileno(), b"\n") == word.upper()
        running.stdin.close()
        assert running.wait(30) == 0


def test_a_reader_that_has_enough_ends_the_command(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = f'"{PGVIGIL}" exec -- yes | head -n 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script], env=surroundings(dsn), capture_output=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == (b"y\n141\n", b"")
    assert the_task(connection)["metadata"]["signal"] == "SIGPIPE"


def test_a_slow_reader_gets_all_of_it(dsn: str) -> None:
    """More than fits into pipes is on its way when the command ends."""
    write = program("import os; os.write(1, b'x' * 60_000); os.write(1, b'y' * 60_000 + b'end')")
    with begun(dsn, "--", *write) as running:
        assert running.stdout is not None
        time.sleep(2)
        assert running.stdout.read() == b"x" * 60_000 + b"y" * 60_000 + b"end"
        assert running.wait(30) == 0


def test_a_nonblocking_output_gets_all_of_it(dsn: str) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with begun(dsn, "--", *program("print('x' * 300_000)"), stdout=writing) as running:
        os.close(writing)
        time.sleep(1)
        found = 0
        while chunk := os.read(reading, 65536):
            found += len(chunk)
        assert found == 300_001
        assert running.wait(30) == 0
    os.close(reading)


def test_a_full_disk_is_told_and_seen_by_the_command(
    dsn: str, connection: psycopg.Connection
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = wrapped(dsn, "yes", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == -13
    assert done.stderr == b"pgvigil: cannot write to standard output: No space left on device\n"
    assert the_task(connection)["status"] == "failed"


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_stay_closed(dsn: str, tmp_path: Path, redirection: str) -> None:
    found = tmp_path / "found"
    look = f"{sys.executable} {tmp_path / 'look.py'}"
    (tmp_path / "look.py").write_text(
        "import os, sys\n"
        "found = [n for n in (0, 1, 2) if os.path.exists(f'/proc/self/fd/{n}')]\n"
        f"open({str(found)!r}, 'w').write(str(found))\n"
    )
    env = surroundings(dsn)
    options: dict[str, object] = {"env": env, "check": True, "timeout": 60, "capture_output": True}
    subprocess.run(["sh", "-c", f"{look} {redirection}"], **options)  # type: ignore[call-overload]
    alone = found.read_text()
    script = f'"{PGVIGIL}" exec -- {look} {redirection}'
    subprocess.run(["sh", "-c", script], **options)  # type: ignore[call-overload]
    assert found.read_text() == alone


def test_a_command_that_closes_its_outputs_is_waited_for(
    dsn: str, connection: psycopg.Connection
) -> None:
    assert wrapped(dsn, "sh", "-c", "exec >&- 2>&-; sleep 1; exit 6").returncode == 6
    assert the_task(connection)["duration_ms"] >= 1000


def test_what_stays_in_the_background_does_not_keep_it(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; echo begun"
    began = time.monotonic()
    done = wrapped(dsn, "sh", "-c", script)
    took = time.monotonic() - began
    os.kill(int((tmp_path / "pid").read_text()), 9)
    assert (done.returncode, done.stdout) == (0, b"begun\n")
    assert done.stderr.count(b"\n") == 1
    assert b"can write to its outputs no more" in done.stderr
    assert took < 20
    assert the_task(connection)["duration_ms"] < 5000


def test_one_that_writes_on_in_the_background_does_not_keep_it(dsn: str, tmp_path: Path) -> None:
    script = f"while echo more; do sleep 0.1; done & echo $! > {tmp_path}/pid"
    done = wrapped(dsn, "--quiet", "sh", "-c", script)
    assert done.returncode == 0
    assert b"more" in done.stdout
    assert done.stderr == b""


@pytest.fixture
def terminal(dsn: str) -> Callable[..., tuple[int, int]]:
    """A function that runs a command under watch in a terminal; returns it and the process."""

    def begin(*arguments: str) -> tuple[int, int]:
        pid, screen = pty.fork()
        if pid == 0:
            os.execve(PGVIGIL, [PGVIGIL, "exec", *arguments], surroundings(dsn, TERM="xterm"))
        termios.tcsetwinsize(screen, (24, 91))
        return screen, pid

    return begin


def ended(screen: int, pid: int) -> int:
    """Wait for the end of a process, and return its exit code."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(screen)
    return code


def test_in_a_terminal_the_command_has_one_as_well(
    terminal: Callable[..., tuple[int, int]], connection: psycopg.Connection
) -> None:
    look = (
        "import os, time; time.sleep(0.3)\n"
        "print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size(1).columns, flush=True)\n"
        "print('got', input()); raise SystemExit(4)"
    )
    screen, pid = terminal("--", *program(look))
    assert b"[True, True, True] " in read_until(screen, b"\r\n")
    os.write(screen, b"keys\n")
    read_until(screen, b"got keys\r\n")
    assert ended(screen, pid) == 4
    stack = value(connection, "select stack from monitoring.error_tracking")
    assert stack.endswith("got keys\n")
    assert "\r" not in stack


def test_ctrl_c_reaches_the_command_once(
    terminal: Callable[..., tuple[int, int]], connection: psycopg.Connection
) -> None:
    count = (
        "import signal, time; got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready', flush=True)\n"
        "while not got: time.sleep(0.05)\n"
        "time.sleep(1); print(len(got), 'times')\n"
        "raise SystemExit(7)"
    )
    screen, pid = terminal("--", *program(count))
    read_until(screen, b"ready")
    os.write(screen, b"\x03")
    read_until(screen, b"1 times")
    assert ended(screen, pid) == 7
    assert the_task(connection)["status"] == "cancelled"


def test_a_time_limit_holds_in_a_terminal_as_well(
    terminal: Callable[..., tuple[int, int]], connection: psycopg.Connection
) -> None:
    screen, pid = terminal("--timeout", "500ms", "--", "sh", "-c", "echo begun; exec sleep 60")
    read_until(screen, b"begun\r\n")
    assert ended(screen, pid) == 124
    assert the_task(connection)["status"] == "timeout"


def test_the_size_of_the_terminal_follows(terminal: Callable[..., tuple[int, int]]) -> None:
    follow = (
        "import os, signal, sys\n"
        "def tell(*_): print(os.get_terminal_size(1).columns, 'columns', flush=True)\n"
        "signal.signal(signal.SIGWINCH, tell); print('ready', flush=True); sys.stdin.readline()"
    )
    screen, pid = terminal("--quiet", "--", *program(follow))
    read_until(screen, b"ready")
    termios.tcsetwinsize(screen, (24, 123))
    read_until(screen, b"123 columns")
    os.write(screen, b"\n")
    assert ended(screen, pid) == 0

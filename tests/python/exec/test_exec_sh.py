"""The shell function of `pgvigil exec --print-sh`: the same over psql, in the shells there are."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.harness.tools import can_have, program
from tests.python.support.asking import one, rows, the_task, value
from tests.python.support.running import wait_until
from tests.python.support.wrapped import NOWHERE, PGVIGIL, surroundings

SHELLS = ["dash", "bash", "busybox"]
HOSTILE = [
    b"", b" ", b"--", b"-x", b"--timeout", b"a b", b"'", b'"', b"\\", b"$(touch owned)", b"`id`",
    b"*", b"~", b"line\nbreak", b"\xff\xfe", "naïve €".encode(), b"%s", b"{}", b"x" * 10_000,
]  # fmt: skip


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that is printed."""
    path = tmp_path_factory.mktemp("sh") / "pgvigil-exec.sh"
    path.write_bytes(subprocess.check_output([PGVIGIL, "exec", "--print-sh"]))
    return path


class Shell:
    """A shell that runs the file."""

    def __init__(self, name: str, file: Path, directory: Path) -> None:
        """Find the shell; temporary files go into that directory."""
        if not can_have(name):
            pytest.skip(f"there is no {name}, and no way to install it")
        self.words = [program(name), *(["sh"] if name == "busybox" else [])]
        self.file = file
        self.directory = directory

    def begin(
        self, dsn: str, *arguments: str | bytes, environment: Mapping[str, str] = {}
    ) -> "subprocess.Popen[bytes]":
        """Begin to run the file with these arguments."""
        return subprocess.Popen(
            [*self.words, self.file, *arguments],
            env=surroundings(dsn, TMPDIR=str(self.directory), **environment),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self,
        dsn: str,
        *arguments: str | bytes,
        stdin: bytes = b"",
        environment: Mapping[str, str] = {},
    ) -> tuple[int, bytes, bytes]:
        """Run it, and return its exit code and what it wrote."""
        with self.begin(dsn, *arguments, environment=environment) as running:
            out, err = running.communicate(stdin, timeout=60)
        return running.returncode, out, err

    def call(self, dsn: str, script: str) -> tuple[int, bytes, bytes]:
        """Run a script that has the function."""
        done = subprocess.run(
            [*self.words, "-c", f". {self.file}; {script}"],
            env=surroundings(dsn, TMPDIR=str(self.directory)), capture_output=True, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, function: Path, tmp_path: Path) -> Iterator[Shell]:
    """Each shell; it leaves no temporary files behind."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    yield Shell(request.param, function, directory)
    wait_until(lambda: not list(directory.iterdir()), 10)


def test_a_run_is_recorded(shell: Shell, dsn: str, connection: psycopg.Connection) -> None:
    code, out, err = shell.run(
        dsn, "--type", "backup", "--", "sh", "-c", "cat; echo oops >&2; exit 3", stdin=b"given\n"
    )
    assert (code, out, err) == (3, b"given\n", b"oops\n")
    task = the_task(connection)
    assert (task["task_type"], task["status"], task["attempt"]) == ("backup", "failed", 1)
    assert task["task_id"].startswith("backup-")
    assert task["metadata"]["exit_status"] == 3
    assert task["metadata"]["work"] == "backup"
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["task_id"], error["error_type"]) == (task["task_id"], "ExitStatus")
    assert sorted(error["stack"].splitlines()) == ["given", "oops"]


def test_success_and_names(shell: Shell, dsn: str, connection: psycopg.Connection) -> None:
    assert shell.run(dsn, "--id", "nightly", "true") == (0, b"", b"")
    task = the_task(connection)
    assert (task["task_id"], task["task_type"], task["status"]) == ("nightly", "true", "completed")


def test_hostile_arguments_and_names(
    shell: Shell, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    show = ["sh", "-c", 'printf "<%s>" "$@"', "show"]
    name = "it's \"$(touch owned)\" :'id' \\ `id` ; drop schema monitoring; --"
    code, out, err = shell.run(dsn, "--type", name, "--id", name, "--", *show, *HOSTILE)
    assert (code, err) == (0, b"")
    assert out == b"".join(b"<%s>" % argument for argument in HOSTILE)
    task = the_task(connection)
    assert (task["task_id"], task["task_type"]) == (name, name)
    assert not list(tmp_path.glob("**/owned"))


def test_any_output_comes_through_and_its_end_is_kept(
    shell: Shell, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    output = bytes(range(256)) * 4000 + "\n€ at the end".encode()
    (tmp_path / "output").write_bytes(output)
    code, out, _ = shell.run(dsn, "sh", "-c", f"cat {tmp_path}/output; exit 1")
    assert (code, out) == (1, output)
    stack = value(connection, "select stack from monitoring.error_tracking")
    assert stack.endswith("at the end")
    assert 1000 < len(stack) <= 8192


@pytest.mark.parametrize(
    ("arguments", "code", "status", "kind"),
    [
        (["sh", "-c", "kill -KILL $$"], 137, "failed", "SIGKILL"),
        (["no-such-program-here"], 127, "failed", "ExitStatus"),
        (["/etc/passwd"], 126, "failed", "ExitStatus"),
        (["--timeout", "1s", "--", "sleep", "30"], 124, "timeout", "Timeout"),
    ],
)
def test_ends(
    shell: Shell,
    dsn: str,
    connection: psycopg.Connection,
    arguments: list[str],
    code: int,
    status: str,
    kind: str,
) -> None:
    assert shell.run(dsn, *arguments)[0] == code
    assert the_task(connection)["status"] == status
    assert value(connection, "select error_type from monitoring.error_tracking") == kind


def test_sigterm_is_passed_on(shell: Shell, dsn: str, connection: psycopg.Connection) -> None:
    script = "trap 'echo tidied; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
    with shell.begin(dsn, "sh", "-c", script) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.terminate()
        assert running.stdout.read() == b"tidied\n"
        assert running.wait(30) == 5
    assert the_task(connection)["status"] == "cancelled"


def test_the_order_stays_where_both_outputs_go_to_the_same_place(shell: Shell, dsn: str) -> None:
    script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done"
    code, out, _ = shell.call(dsn, f"pgvigil_exec -- sh -c '{script}' 2>&1")
    expected = "".join(f"out {i}\nerr {i}\n" for i in range(1, 6))
    assert (code, out.decode()) == (0, expected)


def test_the_caller_keeps_its_traps_options_and_variables(shell: Shell, dsn: str) -> None:
    script = (
        "set -eu; type=mine; trap 'echo mine' TERM; "
        "pgvigil_exec --type x -- sh -c 'exit 3' || code=$?; "
        'echo "$type $code $-"; trap'
    )
    code, out, _ = shell.call(dsn, script)
    first, rest = out.decode().split("\n", 1)
    assert code == 0
    assert first.startswith("mine 3 ")
    assert {"e", "u"} <= set(first.split()[2])
    assert "echo mine" in rest


def test_a_database_that_is_away_changes_nothing_but_a_line(shell: Shell) -> None:
    code, out, err = shell.run(NOWHERE, "sh", "-c", "echo ran; exit 3")
    assert (code, out) == (3, b"ran\n")
    (line,) = err.decode().splitlines()
    assert line.startswith("pgvigil: cannot record this run: ")
    assert shell.run(NOWHERE, "--quiet", "true") == (0, b"", b"")


def test_a_start_that_could_not_be_recorded_is_recorded_at_the_end(
    shell: Shell, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The first call of psql fails here, as one does while the database is away."""
    real = program("psql")
    fake = tmp_path / "bin" / "psql"
    fake.parent.mkdir()
    fake.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/again ] && exec {real} \"$@\"\n"
        f"cat > /dev/null; : > {tmp_path}/again; echo away >&2; exit 2\n"
    )  # fmt: skip
    fake.chmod(0o755)
    path = {"PATH": f"{fake.parent}:{os.environ['PATH']}"}
    done = shell.run(dsn, "--", "sh", "-c", "sleep 1.2", environment=path)
    assert done == (0, b"", b"")
    task = the_task(connection)
    assert task["status"] == "completed"
    assert task["duration_ms"] >= 1000


def test_without_psql_the_command_runs(shell: Shell, dsn: str, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "date", "od", "tr", "mktemp", "mkfifo", "tail", "tee", "mv", "rm"):
        (tools / name).symlink_to(shutil.which(name) or "")
    for name in ("sleep", "readlink", "iconv", "grep", "cut", "sed", "uname", "head"):
        (tools / name).symlink_to(shutil.which(name) or "")
    path = {"PATH": str(tools)}
    code, out, err = shell.run(dsn, "--", "sh", "-c", "echo ran; exit 3", environment=path)
    assert (code, out) == (3, b"ran\n")
    assert err == b"pgvigil: there is no psql here, so this is not recorded\n"
    code, out, err = shell.run(dsn, "--timeout", "9s", "--", "echo", "ran", environment=path)
    assert (code, out) == (0, b"ran\n")
    assert b"there is no timeout here" in err


def test_without_temporary_files_the_command_runs(function: Path, dsn: str) -> None:
    done = subprocess.run(
        ["sh", function, "--", "sh", "-c", "echo ran; exit 3"],
        env=surroundings(dsn, TMPDIR="/proc/nothing"), capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, b"ran\n")
    assert b"no temporary files can be made" in done.stderr


def test_what_stays_in_the_background_does_not_keep_the_caller(
    shell: Shell, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid"
    began = time.monotonic()
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(
            [*shell.words, shell.file, "--", "sh", "-c", script],
            env=surroundings(dsn, TMPDIR=str(shell.directory)), stdout=out, stderr=out,
            timeout=50, check=True,
        )  # fmt: skip
    assert time.monotonic() - began < 40
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert the_task(connection)["status"] == "completed"


def test_expected_runs_are_defined_or_told_not_to_be(
    shell: Shell, dsn: str, connection: psycopg.Connection
) -> None:
    options = ("--type", "backup", "--expect", "0 5 * * *", "--time-zone", "Europe/Berlin")
    assert shell.run(dsn, *options, "--", "true") == (0, b"", b"")
    connection.execute(
        "select monitoring.define_expected_runs('backup', '0 5 * * *', 'Europe/Berlin', '1 hour')"
    )
    assert shell.run(dsn, *options, "--", "true") == (0, b"", b"")
    found = "select schedule, time_zone, grace_seconds from monitoring.v_expected_runs"
    assert one(connection, found) == {
        "schedule": "0 5 * * *", "time_zone": "Europe/Berlin", "grace_seconds": 3600,
    }  # fmt: skip
    code, _, err = shell.run(dsn, "--type", "backup", "--expect", "now and then", "--", "true")
    assert code == 0
    (line,) = err.decode().splitlines()
    assert "cannot define when runs of backup are expected" in line
    assert "now and then" in line
    assert len(rows(connection, "select * from monitoring.processing_metrics")) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tpye", "x", "--", "true"], "no such option: --tpye"),
        (["--type"], "--type takes a value"),
        (["--type", "x"], "give a command"),
        (["--timeout", "soon", "--", "true"], '"soon" is not a length of time'),
        (["--timeout", "1h30m", "--", "true"], '"1h30m" is not a length of time'),
    ],
)
def test_what_is_said_wrongly_is_named_and_nothing_runs(
    function: Path, arguments: list[str], said: str
) -> None:
    done = subprocess.run(
        ["sh", function, *arguments], env=surroundings(NOWHERE), capture_output=True, timeout=60
    )
    assert done.returncode == 2
    assert said in done.stderr.decode()


@pytest.mark.parametrize("name", ["ksh", "mksh", "yash", "zsh"])
def test_other_shells_agree(function: Path, dsn: str, name: str) -> None:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    script = f". {function}; out=$(pgvigil_exec -- sh -c 'echo out; exit 3'); echo $out $?"
    options = ["--emulate", "sh"] if name == "zsh" else []
    done = subprocess.run(
        [found, *options, "-c", script], env=surroundings(dsn), capture_output=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"out 3\n", b"")


@pytest.mark.skipif(not can_have("shellcheck"), reason="there is no ShellCheck to install")
def test_shellcheck_finds_nothing(function: Path) -> None:
    done = subprocess.run(
        [program("shellcheck"), "--shell=sh", function], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


def test_a_full_disk_keeps_nothing_but_the_end_of_the_output(
    shell: Shell, dsn: str, connection: psycopg.Connection
) -> None:
    """The first psql says that it failed when it could not write what the start returned."""
    options = ["-t", "tmpfs", "-o", "size=4k", "tmpfs", str(shell.directory)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
        pytest.skip("no small file system can be mounted here")
    try:
        with suppress(OSError), (shell.directory / "filling").open("wb", buffering=0) as file:
            file.write(bytes(4096))
        code, out, err = shell.run(dsn, "--type", "full", "--", "sh", "-c", "echo ran; exit 3")
    finally:
        subprocess.run(["umount", str(shell.directory)], check=True)
    assert (code, out) == (3, b"ran\n")
    assert b"the disk is full" in err
    task = the_task(connection)
    assert (task["attempt"], task["status"], task["task_type"]) == (1, "failed", "full")
    assert value(connection, "select count(*) from monitoring.error_tracking") == 1

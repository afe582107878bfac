"""The example of a systemd unit says what our command and systemd understand."""

import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from pgvigil.commands.cli import main
from pgvigil.commands.options import Duration
from pgvigil.runner import Settings
from tests import ROOT

UNIT = ROOT / "examples" / "systemd" / "pgvigil.service"


@pytest.fixture(scope="module")
def service() -> dict[str, str]:
    """The section of the unit that is about the program; of a repeated key, the last line."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text())
    return dict(parser["Service"])


def test_our_command_accepts_what_it_starts(service: dict[str, str]) -> None:
    program, name, *options = shlex.split(service["ExecStart"])
    assert (Path(program).name, Path(program).is_absolute()) == ("pgvigil", True)
    with main.make_context("pgvigil", [name, *options]) as context:
        command = main.get_command(context, name)
        assert command is not None
        given = command.make_context(name, options, parent=context).params
    assert (given["once"], given["dsn"]) == (False, "")
    assert given["workers"] == Settings.workers


def test_it_leaves_time_to_drain_and_tells_systemd_how_it_is(service: dict[str, str]) -> None:
    options = shlex.split(service["ExecStart"])
    drain = Duration()(options[options.index("--drain") + 1])
    assert drain is not None
    assert (Duration()(service["TimeoutStopSec"]) or 0) >= drain + 20
    assert service["Type"] == "notify"
    assert "WatchdogSec" in service


def test_the_password_is_in_a_file_and_not_in_the_command_line(service: dict[str, str]) -> None:
    assert "--dsn" not in service["ExecStart"]
    assert service["EnvironmentFile"].startswith("/etc/")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault_in_it(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    program = str(Path(sys.executable).parent / "pgvigil")
    unit.write_text(UNIT.read_text().replace("/opt/pgvigil/bin/pgvigil", program))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")

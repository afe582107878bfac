"""`make test` runs all its parts, tells how each went, and passes over no failure."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import ROOT
from tests.harness.__main__ import main
from tests.harness.parts import PARTS, run_parts


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `make` that prints two lines, and fails for lint."""
    program = tmp_path / "make"
    program.write_text('#!/bin/sh\necho "$1 begins"\necho "$1 ends" >&2\n[ "$1" != lint ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


def test_a_part_that_fails_keeps_no_other_from_running(
    make: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = run_parts()
    assert [(result.part, result.passed) for result in results] == [
        ("test-python", True),
        ("lint", False),
        ("plpgsql-check", True),
        ("test-matrix", True),
    ]
    printed, _ = capfd.readouterr()
    for part in ("lint", "plpgsql-check", "test-matrix"):
        assert f"s\n{part} begins\n{part} ends\n" in printed


def test_the_end_says_how_each_part_went(make: Path) -> None:
    told = CliRunner().invoke(main, ["parts"])
    assert told.exit_code == 1
    verdicts = [line.split()[:2] for line in told.output.splitlines()[-4:]]
    assert verdicts == [
        ["test-python", "passed"],
        ["lint", "FAILED"],
        ["plpgsql-check", "passed"],
        ["test-matrix", "passed"],
    ]
    make.write_text("#!/bin/sh\n")
    assert CliRunner().invoke(main, ["parts"]).exit_code == 0


def test_every_part_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {part for group in PARTS for part in group} <= targets

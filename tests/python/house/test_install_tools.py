"""What tests need from outside Python is installed by what is asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT

SCRIPT = ROOT / "tests/harness/install-tools.sh"
# What the script itself calls, and nothing that tests need.
PROGRAMS = ("bash", "env", "flock", "grep", "head", "sed")
STUBS = {
    "id": "echo 1000",
    "sudo": '[ "$1" != tee ] || read -r _; echo "$*" >> "$RECORD"',
    "apt-get": "exit 99",  # as root alone
    "apt-cache": "echo Package: postgresql-15",
}


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine that has none of the programs, and where installing is recorded."""
    for name in PROGRAMS:
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    for name, body in STUBS.items():
        (tmp_path / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (tmp_path / name).chmod(0o755)
    record = tmp_path / "record"
    record.touch()
    return {"PATH": str(tmp_path), "TMPDIR": str(tmp_path), "RECORD": str(record)}


def installed(machine: dict[str, str], *words: str) -> set[str]:
    subprocess.run([SCRIPT, *words], env=machine, check=True, capture_output=True)
    calls = Path(machine["RECORD"]).read_text().splitlines()
    wanted = [call for call in calls if " apt-get install " in call]
    return {name for call in wanted for name in call.split()[4:] if not name.startswith("-")}


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        (["promtool"], {"prometheus"}),
        (["chromium"], {"chromium", "fonts-liberation"}),
        (["npm", "prometheus-alertmanager"], {"npm", "prometheus-alertmanager"}),
        (["php", "ruby"], {"php-cli", "php-pgsql", "ruby", "ruby-pg"}),
    ],
)
def test_what_is_asked_for_is_installed_and_no_more(
    bare_machine: dict[str, str], words: list[str], packages: set[str]
) -> None:
    assert installed(bare_machine, *words) == packages


def test_what_pgtap_files_need_is_no_browser_and_no_other_database(
    bare_machine: dict[str, str],
) -> None:
    packages = installed(bare_machine, "sql")
    assert any(name.startswith("postgresql-client-") for name in packages)
    assert all("postgresql" in name or name.startswith("libtap-") for name in packages)


def test_all_is_installed_where_nothing_is_named(bare_machine: dict[str, str]) -> None:
    packages = {"chromium", "npm", "prometheus", "prometheus-sql-exporter"}
    assert packages < installed(bare_machine)


def test_an_unknown_word_is_refused(bare_machine: dict[str, str]) -> None:
    result = subprocess.run(
        [SCRIPT, "sqlite"], env=bare_machine, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("sqlite is nothing that tests need: sql borgmatic chromium ")


@pytest.mark.parametrize("target", ["pgtap", "try", "plpgsql-check", "test-python"])
def test_targets_install_what_they_need_alone(target: str) -> None:
    plan = subprocess.run(
        ["make", "--dry-run", target, "FILE=tests/pgtap/clock.sql"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    calls = [line for line in plan.splitlines() if "install-tools.sh" in line]
    assert calls == ["tests/harness/install-tools.sh sql"]

"""The wheel carries all the SQL, and what is pinned is pinned by version and hash alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests import ROOT

REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.!]+)( ; [\w' .<>=!]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the tools of this environment."""
    directory = tmp_path_factory.mktemp("wheel")
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run([sys.executable, "-m", *build], cwd=ROOT, check=True)
    (built,) = directory.glob("*.whl")
    return built


def test_who_builds_it_anew_gets_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    """Whatever the checkout's path, rights and times are."""
    checkout = tmp_path / "somewhere else"
    names = {path.name for path in ROOT.iterdir() if path.is_file()}
    for name in names.union(*map(names_below, ("python", "sql", "migrations", "grafana"))):
        copy = checkout / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
        copy.chmod(0o600)
        os.utime(copy, (1_000_000_000, 1_000_000_000))
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run([sys.executable, "-m", *build], cwd=checkout, check=True)
    assert (tmp_path / "dist" / wheel.name).read_bytes() == wheel.read_bytes()


def names_below(directory: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / directory).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def pins(requirements: Path) -> dict[str, str]:
    """Return the version of each package, refusing any line that is more than version and hash."""
    found = {}
    for line in requirements.read_text().splitlines():
        pinned = PINNED.fullmatch(line)
        if pinned is None:
            assert HASH.fullmatch(line), f"{requirements.name}: {line}"
        else:
            found[pinned["name"]] = pinned["version"]
    return found


def test_the_wheel_holds_the_package_and_what_it_brings_and_nothing_else(wheel: Path) -> None:
    brought = ("sql", "migrations", "grafana/dashboards", "grafana/provisioning")
    resources = {
        f"pgvigil/resources/{name}" for directory in brought for name in names_below(directory)
    }
    package = {name.removeprefix("python/") for name in names_below("python/pgvigil")}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == resources | package
    assert "pgvigil/resources/sql/install.sql" in packed


def test_an_installed_wheel_finds_what_it_brings(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False)
    python = tmp_path / "bin" / "python"
    install = ["pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, "-m", *install, str(wheel)], check=True)
    show = (
        "import pgvigil, pgvigil.resources as r;"
        "print(pgvigil.__version__, r.sql_directory(), r.migrations_directory(),"
        "r.grafana_directory() / 'dashboards', r.grafana_directory() / 'provisioning', sep='\\n')"
    )
    answer = subprocess.run(
        [python, "-P", "-c", show], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    version, *directories = answer.stdout.splitlines()
    assert version in wheel.name
    names = ("sql", "migrations", "grafana/dashboards", "grafana/provisioning")
    for directory, name in zip(map(Path, directories), names, strict=True):
        assert directory.is_relative_to(tmp_path)
        files = {f"{name}/{path.relative_to(directory)}" for path in directory.rglob("*.*")}
        assert files == names_below(name)


def test_a_checkout_finds_its_own_resources() -> None:
    from pgvigil import resources

    assert resources.sql_directory() == ROOT / "sql"
    assert resources.migrations_directory() == ROOT / "migrations"
    assert resources.grafana_directory() == ROOT / "grafana"


@pytest.mark.parametrize("requirements", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_hold_versions_and_hashes_and_no_address(requirements: Path) -> None:
    assert pins(requirements)


def test_requirements_agree_with_each_other_and_cover_the_package() -> None:
    client, server, demo, dev = (
        pins(ROOT / "requirements" / f"{name}.txt") for name in ("client", "server", "demo", "dev")
    )
    assert client.items() < server.items() < demo.items() <= dev.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert names_of(project["dependencies"]) <= client.keys()
    assert names_of(project["optional-dependencies"]["server"]) <= server.keys() - client.keys()


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", needed)[0] for needed in requirements}


def test_what_only_the_benchmarks_need_is_in_no_other_list() -> None:
    demo, dev, bench = (
        pins(ROOT / "requirements" / f"{name}.txt") for name in ("demo", "dev", "bench")
    )
    assert demo.items() <= bench.items()
    assert {name: bench[name] for name in bench.keys() & dev.keys()}.items() <= dev.items()
    assert {"drain3"} <= bench.keys() - dev.keys()


def test_the_matrix_is_locked_without_an_address() -> None:
    text = (ROOT / "tests" / "matrix" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert all("integrity" in package for name, package in packages.items() if name)

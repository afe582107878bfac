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

from pgvigil import __version__
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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What `make dist` writes in two checkouts of other paths, rights, times and habits."""
    return [
        make_dist(tmp_path_factory.mktemp("a"), 0o600, 1_000_000_000, "umask 077; export TZ=UTC"),
        make_dist(
            tmp_path_factory.mktemp("some where else"),
            0o664,
            1_100_000_000,
            "umask 002; export TZ=Asia/Tokyo LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1700000000",
        ),
    ]


def make_dist(checkout: Path, mode: int, time: int, habits: str) -> Path:
    names = {path.name for path in ROOT.iterdir() if path.is_file()}
    rooms = ("python", "sql", "migrations", "grafana", "extension", "tests/upgrade", "requirements")
    for name in names.union(*map(names_below, rooms)):
        copy = checkout / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
        copy.chmod(mode)
        os.utime(copy, (time, time))
    # The environment is there, and is not to be made again for a copy.
    make = f"make VENV='{sys.prefix}' -o '{sys.prefix}/.demo' dist"
    subprocess.run(["bash", "-c", f"{habits}; {make}"], cwd=checkout, check=True)
    return checkout / "dist"


def test_who_builds_it_anew_gets_the_same_bytes(wheel: Path, built: list[Path]) -> None:
    one, other = (
        {path.relative_to(dist): path.read_bytes() for path in dist.rglob("*") if path.is_file()}
        for dist in built
    )
    assert one == other
    archive, script = f"pgvigil-{__version__}.zip", f"extension/pgvigil--{__version__}.sql"
    assert {"pgvigil.sql", wheel.name, archive, script, "SHA256SUMS"} <= set(map(str, one))
    assert one[Path(wheel.name)] == wheel.read_bytes()
    check = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    subprocess.run(check, cwd=built[0], check=True)


def test_what_an_installed_wheel_prints_is_the_file_beside_it(
    built: list[Path], tmp_path: Path
) -> None:
    (wheel,) = built[0].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    for options, file in (
        ([], "pgvigil.sql"),
        (["--extension"], f"extension/pgvigil--{__version__}.sql"),
    ):
        printed = subprocess.run(
            [sys.executable, "-m", "pgvigil", "sql", *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            check=True,
        )
        assert printed.stdout == (built[0] / file).read_bytes()


def test_the_archive_for_pgxn_is_what_its_description_says(built: list[Path]) -> None:
    with zipfile.ZipFile(built[0] / f"pgvigil-{__version__}.zip") as archive:
        names = set(archive.namelist())
        meta = json.loads(archive.read(f"pgvigil-{__version__}/META.json"))
    assert {name.partition("/")[0] for name in names} == {f"{meta['name']}-{meta['version']}"}
    for provided in meta["provides"].values():
        assert f"pgvigil-{__version__}/{provided['file']}" in names
        assert f"pgvigil-{__version__}/{provided['docfile']}" in names


def test_the_description_for_pgxn_has_what_it_must_have() -> None:
    """As version 1.0.0 of the specification says; there is no validator for us to run."""
    meta = json.loads((ROOT / "extension" / "META.json").read_text())
    required = {
        "name", "version", "abstract", "maintainer", "license", "provides", "meta-spec",
    }  # fmt: skip
    optional = {
        "description", "generated_by", "tags", "no_index", "prereqs", "release_status", "resources",
    }  # fmt: skip
    assert required <= meta.keys() <= required | optional
    assert (meta["name"], meta["version"]) == ("pgvigil", __version__)
    assert (meta["license"], meta["release_status"]) == ("postgresql", "stable")
    assert meta["meta-spec"]["version"] == "1.0.0"
    assert all(isinstance(who, str) and who for who in meta["maintainer"])
    assert all(re.fullmatch(r"[^/\\\0-\x1f]{2,}", tag) for tag in [meta["name"], *meta["tags"]])
    assert meta["provides"].keys() == {"pgvigil"}
    for provided in meta["provides"].values():
        assert {"file", "version"} <= provided.keys() <= {"file", "version", "abstract", "docfile"}
        assert provided["version"] == __version__
    semantic = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    assert re.fullmatch(semantic, meta["version"])
    for phase in meta["prereqs"].values():
        for needed in phase["requires"].values():
            assert needed == 0 or re.fullmatch(semantic, needed)
    control = (ROOT / "extension" / "pgvigil.control").read_text()
    assert f"default_version = '{__version__}'" in control


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
    client, server, demo, dev, build = (
        pins(ROOT / "requirements" / f"{name}.txt")
        for name in ("client", "server", "demo", "dev", "build")
    )
    assert client.items() < server.items() < demo.items() <= dev.items()
    assert "hatchling" in build
    assert build.items() <= demo.items()
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

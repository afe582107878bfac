"""The files that an installation is made from, read and checked."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pgvigil.exceptions import ChangedMigrationError, InstallError
from pgvigil.resources import migrations_directory, sql_directory

CHECKSUMS = "checksums.txt"
_INCLUDE = re.compile(r"^\\ir\s+(\S+)\s*$")


@dataclass(frozen=True)
class Migration:
    """A migration: a step in the history of the tables, run once."""

    path: Path

    @property
    def migration_id(self) -> str:
        """The file's name without its ending, which the book and yoyo go by."""
        return self.path.stem

    @property
    def rollback_path(self) -> Path:
        """The file that undoes it; whether it exists is for the caller to look."""
        return self.path.with_suffix(".rollback.sql")


def read_migrations(directory: Path | None = None) -> list[Migration]:
    """Return the migrations in order, after comparing them with their checksums.

    Args:
        directory: where they are; those of the package when None.

    Raises:
        ChangedMigrationError: a file differs from its checksum or is gone; the message names it.
    """
    directory = directory or migrations_directory()
    _check_frozen(directory)
    files = sorted(directory.glob("*.sql"))
    return [Migration(path) for path in files if not path.name.endswith(".rollback.sql")]


def _check_frozen(directory: Path) -> None:
    """Compare the files with the list; a file that is not listed yet is not released yet."""
    checksums = directory / CHECKSUMS
    if not checksums.exists():
        return
    for line in checksums.read_text().splitlines():
        expected, name = line.split(maxsplit=1)
        file = directory / name.strip().lstrip("*")
        if not file.exists():
            raise _changed(file, "is missing")
        if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            raise _changed(file, "was changed")


def _changed(file: Path, what: str) -> ChangedMigrationError:
    return ChangedMigrationError(
        f"migration {file.name} {what}: its SHA-256 is not the one in {CHECKSUMS}",
        hint="Restore the file, or install the package again; a change of the tables belongs "
        "into a new migration.",
    )


@dataclass(frozen=True)
class CodeFile:
    """One file of functions, views or grants."""

    name: str
    text: str


class Code:
    r"""Functions, views and grants, as listed by ``\ir`` lines in ``install.sql``."""

    def __init__(self, manifest: Path | None = None) -> None:
        """Describe the code; nothing is read yet.

        Args:
            manifest: the list of files; the package's ``sql/install.sql`` when None.
        """
        self._manifest = manifest or sql_directory() / "install.sql"

    @cached_property
    def files(self) -> list[CodeFile]:
        """The files in the order in which psql reads them.

        Raises:
            InstallError: the manifest or a file holds what only psql understands.
        """
        return list(self._read(self._manifest))

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over the names and texts of the files, in order, as hexadecimal digits."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.name}\n{file.text}\0".encode())
        return digest.hexdigest()

    def _read(self, path: Path) -> list[CodeFile]:
        text = path.read_text(encoding="utf-8")
        included = [(line, _INCLUDE.match(line)) for line in text.splitlines()]
        files: list[CodeFile] = []
        for line, match in included:
            if match:
                files += self._read(path.parent / match.group(1))
            elif line.startswith("\\"):
                raise InstallError(f"{path} has a line that only psql understands: {line}")
        if files and _has_statements(text):
            raise InstallError(f"{path} must hold either \\ir lines or SQL, not both")
        name = path.relative_to(self._manifest.parent).as_posix()
        return files or [CodeFile(name, text)]


def _has_statements(manifest: str) -> bool:
    lines = (line.strip() for line in manifest.splitlines())
    return any(line and not line.startswith(("--", "\\ir")) for line in lines)

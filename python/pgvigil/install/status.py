"""What is installed in a database, compared with what this package would install."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

import psycopg

from pgvigil import __version__
from pgvigil.database.connections import current_role
from pgvigil.database.freshness import Freshness, read_freshness
from pgvigil.exceptions import DatabaseNotReadyError
from pgvigil.install.book import has_book, read_book
from pgvigil.install.files import Code, read_migrations
from pgvigil.install.grants import grants_are_stale

CodeState = Literal["current", "other", "unknown", "missing"]
"""Loaded code: this package's, another's, loaded by plain psql (which notes nothing), or none."""


@dataclass(frozen=True)
class Partitions:
    """Partitions of one table."""

    table: str
    partitions: int
    days_ahead: int | None
    """Days after today (UTC) that have a partition; negative when today has none."""


@dataclass(frozen=True)
class Status:
    """What is installed and what is missing."""

    database: str
    user: str
    server_version: str
    package_version: str
    installed: bool
    version: str | None = None
    """Version of the code in the database."""
    applied: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Migrations that this package does not have: the database is newer."""
    code: CodeState = "missing"
    code_loaded_at: str | None = None
    missing_roles: list[str] = field(default_factory=list)
    grants_are_stale: bool = False
    """A role came, or the installer joined the admins, after the grants were made."""
    partitions: list[Partitions] = field(default_factory=list)
    freshness: list[Freshness] = field(default_factory=list)
    """How fresh is what is known; empty where the code is too old to say."""

    def as_json(self) -> dict[str, Any]:
        """Return the status as values that JSON knows."""
        document = asdict(self)
        for each in document["freshness"]:
            each["known_at"] = each["known_at"] and each["known_at"].isoformat()
        return document


def read_status(connection: psycopg.Connection) -> Status:
    """Look what is installed.

    Raises:
        DatabaseNotReadyError: the caller may not see it.
        InstallError: the package's own files are not what was released.
    """
    user = current_role(connection)
    known = [migration.migration_id for migration in read_migrations()]
    try:
        facts = _read_facts(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseNotReadyError(
            f"{user} may not see what is installed: {error.diag.message_primary}",
            hint=f"Ask for: grant monitoring_reader to {user};",
        ) from error
    applied = facts.get("migrations") or []
    return Status(
        database=connection.info.dbname,
        user=user,
        server_version=connection.info.parameter_status("server_version") or "unknown",
        package_version=__version__,
        installed=bool(applied),
        version=facts.get("version"),
        applied=applied,
        pending=[name for name in known if name not in applied],
        unknown=[name for name in applied if name not in known],
        code=_code_state(facts),
        code_loaded_at=facts.get("code_loaded_at"),
        missing_roles=facts.get("missing_roles") or [],
        grants_are_stale=bool(facts.get("version")) and grants_are_stale(connection),
        partitions=[_partitions(entry, facts["today"]) for entry in facts.get("partitions", [])],
        freshness=_read_freshness(connection) if "version" in facts else [],
    )


def _read_freshness(connection: psycopg.Connection) -> list[Freshness]:
    row = connection.execute("select to_regclass('monitoring.v_freshness')").fetchone()
    return [] if row is None or row[0] is None else read_freshness(connection)


def _read_facts(connection: psycopg.Connection) -> Mapping[str, Any]:
    """Return what `get_installation` says; where the code is missing, what the book says."""
    if not has_book(connection):
        return {}
    row = connection.execute("select to_regprocedure('monitoring.get_installation()')").fetchone()
    if row is None or row[0] is None:
        return {"migrations": read_book(connection)}
    row = connection.execute("select monitoring.get_installation()").fetchone()
    assert row is not None
    facts: Mapping[str, Any] = row[0]
    return facts


def _code_state(facts: Mapping[str, Any]) -> CodeState:
    if "version" not in facts:
        return "missing"
    checksum = facts["code_checksum"]
    if checksum is None and facts["version"] == __version__:
        return "unknown"
    return "current" if checksum == Code().checksum else "other"


def _partitions(entry: Mapping[str, Any], today: str) -> Partitions:
    newest = entry["newest"]
    ahead = (date.fromisoformat(newest) - date.fromisoformat(today)).days if newest else None
    return Partitions(entry["table"], entry["partitions"], ahead)

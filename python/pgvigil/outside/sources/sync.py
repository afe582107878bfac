"""Reading sources when somebody asks for it: queries elsewhere, and relations here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from pgvigil.database.connections import current_role
from pgvigil.exceptions import DatabaseNotReadyError, UnknownNameError, installed_or_told
from pgvigil.outside.secrets import Secrets
from pgvigil.outside.sources.calls import Connection
from pgvigil.outside.sources.loading import load

_QUERIES = "select query_name, is_enabled from monitoring.v_source_queries order by query_name"
_SOURCES = (
    "select source_name, kind, is_enabled, relation_name from monitoring.v_sources"
    " order by source_name"
)
_SYNC = "select monitoring.sync_source(p_source_name => %(source_name)s)"


class Source(NamedTuple):
    """What may be read by name."""

    kind: str
    """query, run source, record source or queue source."""
    name: str


@dataclass
class Found:
    """What came of reading a source."""

    results: list[dict[str, Any]] = field(default_factory=list)
    """What each source found: of a query those that read it."""
    asked: dict[str, Any] | None = None
    """What was found by reading one of them as was asked."""
    rows_read: int | None = None
    """Rows of a query; None of a source."""
    skipped: str | None = None
    error: str | None = None
    remark: str = ""
    """What becomes of a load that failed."""

    @property
    def is_fine(self) -> bool:
        """Whether all could be read."""
        return self.error is None and not any("error" in result for result in self.results)


def choose(connection: Connection, names: Sequence[str]) -> list[Source]:
    """Return the sources of these names, or all that are enabled; queries come first.

    Raises:
        UnknownNameError: a name is neither that of a query nor of a source.
        DatabaseNotReadyError: the caller may not see which there are.
        NotInstalledError: this database does not have pgvigil.
    """
    with installed_or_told(), _allowed(connection, "see which sources there are", "operator"):
        return _chosen(connection, names)


def _chosen(connection: Connection, names: Sequence[str]) -> list[Source]:
    wanted = list(dict.fromkeys(names))
    found = [
        Source("query", name)
        for name, is_enabled in connection.execute(_QUERIES)
        if (name in wanted if wanted else is_enabled)
    ]
    for name, kind, is_enabled, relation in connection.execute(_SOURCES):
        if relation.startswith("query:"):
            # One of a query is read with it.
            source = Source("query", relation.removeprefix("query:"))
        else:
            source = Source(f"{kind} source", name)
        if name in wanted if wanted else is_enabled and source.kind != "query":
            found.append(source)
    known = {source.name for source in found} | _names(connection)
    for name in wanted:
        if name not in known:
            raise UnknownNameError(
                f'there is no query or source "{name}"',
                hint="Take the name from v_source_queries or v_sources.",
            )
    return list(dict.fromkeys(found))


def sync(
    connection: Connection,
    source: Source,
    secrets: Secrets,
    *,
    is_due_only: bool = False,
    is_dry_run: bool = False,
    asked: Mapping[str, Any] | None = None,
    report: Callable[[int], None] = lambda rows: None,
) -> Found:
    """Read a source, or show what that would change.

    Args:
        connection: to our database, in autocommit mode.
        source: one that `choose` has found.
        secrets: where the addresses of other databases are.
        is_due_only: whether to skip a query that is not due.
        is_dry_run: whether to undo everything in the end.
        asked: how one source of a query is to be read first; see `load`.
        report: is told how many rows of a query have been read.

    Raises:
        DatabaseNotReadyError: the caller may not read it.
    """
    if source.kind == "query":
        with _allowed(connection, f"load query {source.name}", "admin"):
            outcome = load(
                connection,
                source.name,
                secrets,
                is_due_only=is_due_only,
                is_dry_run=is_dry_run,
                asked=asked,
                report=report,
            )
        return Found(
            outcome.sources,
            outcome.asked,
            outcome.rows_read,
            outcome.skipped,
            outcome.error,
            "; it will be continued" if outcome.status == "interrupted" else "",
        )
    with _allowed(connection, f"read source {source.name}", "operator"), ExitStack() as stack:
        if is_dry_run:
            stack.enter_context(connection.transaction(force_rollback=True))
        row = connection.execute(_SYNC, {"source_name": source.name}).fetchone()
        assert row is not None
        return Found([row[0]])


@contextmanager
def _allowed(connection: Connection, what: str, role: str) -> Iterator[None]:
    """Say which role is lacking; what a source itself lacks is told by whoever reads it."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        user = current_role(connection)
        raise DatabaseNotReadyError(
            f"{user} may not {what}: {error.diag.message_primary}",
            hint=f"Ask for: grant monitoring_{role} to {user};",
        ) from error


def _names(connection: Connection) -> set[str]:
    return {row[0] for query in (_QUERIES, _SOURCES) for row in connection.execute(query)}

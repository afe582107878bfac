"""What is ours in schema monitoring, so that nothing else is touched."""

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

import psycopg

from pgvigil.exceptions import DatabaseNotReadyError, RollbackRefusedError
from pgvigil.install.files import Migration

_MADE = re.compile(
    r"\b(?:create\s+(?:unlogged\s+)?(table|type|domain)\s+(?:if\s+not\s+exists\s+)?monitoring\."
    r"|rename\s+(to)\s+)(\w+)"
)
_NAMED = 10


def only_ours(known: Sequence[Migration]) -> str:
    """Return the statement that refuses a schema in which there is what is not ours.

    Args:
        known: the migrations of this package; what they make is ours.
    """
    made = [
        (kind or "table", name)
        for migration in known
        for kind, _, name in _MADE.findall(migration.path.read_text(encoding="utf-8"))
    ]
    statement = (files("pgvigil.install") / "only_ours.sql").read_text(encoding="utf-8")
    return statement.replace(
        "/*tables*/", _list(name for kind, name in made if kind == "table")
    ).replace("/*types*/", _list(name for kind, name in made if kind != "table"))


def refuse_foreign(connection: psycopg.Connection, known: Sequence[Migration]) -> None:
    """Refuse a schema that is somebody else's, or in which somebody else has something.

    Raises:
        DatabaseNotReadyError: it is so; the message names what is there.
    """
    try:
        with connection.transaction():
            connection.execute("set local search_path = pg_catalog, pg_temp")
            connection.execute(only_ours(known).encode())
    except psycopg.errors.DuplicateSchema as error:
        raise DatabaseNotReadyError(
            error.diag.message_primary, hint=error.diag.message_hint
        ) from error


def refuse_needed_outside(connection: psycopg.Connection) -> None:
    """Refuse a rollback while something outside the schema needs something in it.

    Raises:
        RollbackRefusedError: it is so; the message names what.
    """
    query = (files("pgvigil.install") / "needed_outside.sql").read_text(encoding="utf-8")
    found = [row[0] for row in connection.execute(query.encode())]
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise RollbackRefusedError(
            f"objects outside schema monitoring depend on it: {'; '.join(found[:_NAMED])}{more}",
            hint="Nothing was changed. Drop what is named first, and make it again after the next "
            "migrate.",
        )


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(set(names)))

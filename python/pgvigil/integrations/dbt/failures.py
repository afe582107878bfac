"""Rows that fail tests, from the tables that ``store_failures`` makes, and which they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql

from pgvigil.client.backfill import exact_json
from pgvigil.database.words import count_of
from pgvigil.integrations.dbt.artifacts import Result, as_object
from pgvigil.outside.sources.cells import text_of

Row = dict[str, Any]
KEY_SETTING = "pgvigil_key"
# The one column by which tests that dbt brings tell of which value they speak.
_VALUES_OF_TESTS = ("unique_field", "value_field", "from_field")
_READ = "select to_jsonb(failure)::text from {table} as failure limit {limit}"


class UnknownFailuresError(Exception):
    """It is not known which rows fail; the message says why."""


@dataclass(frozen=True)
class Check:
    """A test of a run, and what the manifest says of it."""

    result: Result
    node: dict[str, Any]
    nodes: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the name of the test."""
        return text_of(self.node.get("name")) or self.result.unique_id

    @property
    def model(self) -> str:
        """Return the unique name of what is tested; of a query of its own, what it reads."""
        attached = text_of(self.node.get("attached_node"))
        if attached:
            return attached
        read = _names(as_object(self.node.get("depends_on")).get("nodes"))
        file_key = str(self.node.get("file_key_name") or "").partition(".")[2]
        named = [name for name in read if file_key and name.endswith(f".{file_key}")]
        return (named or read or [self.result.unique_id])[0]

    @property
    def dataset(self) -> str:
        """Return the name of what is tested, without its kind and package."""
        return self.model.split(".", 2)[-1]

    @property
    def config(self) -> dict[str, Any]:
        """Return the configuration of the test."""
        return as_object(self.node.get("config"))

    @property
    def is_stored(self) -> bool:
        """Return whether its failures are kept in a table."""
        return bool(self.node.get("relation_name"))

    @property
    def asked_key(self) -> list[str]:
        """Return the columns that somebody has named as the key of what fails."""
        for meta in (self.config.get("meta"), self.node.get("meta")):
            if names := _names(as_object(meta).get(KEY_SETTING)):
                return names
        return []

    def key(self, columns: Iterable[str]) -> list[str]:
        """Return the columns of the table that name a row; none when nothing does.

        Raises:
            UnknownFailuresError: a column that somebody has named is not there.
        """
        there = set(columns)
        missing = sorted(set(self.asked_key) - there)
        if missing:
            raise UnknownFailuresError(
                f'meta.{KEY_SETTING} names the column "{missing[0]}", which its failures do not '
                f"have: {', '.join(sorted(there))}"
            )
        model = as_object(self.nodes.get(self.model))
        config = as_object(model.get("config"))
        of_model = _names(config.get("unique_key")) or _names(model.get("primary_key"))
        for key in (self.asked_key, of_model, *([name] for name in _VALUES_OF_TESTS)):
            if key and there.issuperset(key):
                return list(key)
        return []


@dataclass(frozen=True)
class Failing:
    """The rows that fail a test, as records."""

    records: list[Row]
    is_complete: bool
    """Whether these are all; where they are not, the rest is not known to be fine."""
    has_key: bool = True


def failing_of(
    check: Check,
    tables: psycopg.Connection[Any],
    most_rows: int,
) -> Failing:
    """Return what fails a test.

    Args:
        check: the test.
        tables: where dbt has made its tables.
        most_rows: how many rows are read at most.

    Raises:
        UnknownFailuresError: that is not known.
    """
    if check.result.failures == 0:
        return Failing([], is_complete=True)
    rows = _rows(check, tables, most_rows + 1)
    is_complete = len(rows) <= most_rows and not _is_cut(check, len(rows))
    if not rows:
        return Failing([], is_complete)
    key = check.key(rows[0])
    records = [_record(row, key) for row in rows[:most_rows]]
    return Failing(records, is_complete, has_key=bool(key))


def _rows(check: Check, tables: psycopg.Connection[Any], limit: int) -> list[Row]:
    node = check.node
    _refuse_elsewhere(str(node.get("database")), tables)
    table = sql.Identifier(str(node.get("schema")), str(node.get("alias") or check.name))
    query = sql.SQL(_READ).format(table=table, limit=limit)
    try:
        rows = [exact_json.loads(text, "a row") for (text,) in tables.execute(query)]
    except psycopg.Error as error:
        raise UnknownFailuresError(f"{error.diag.message_primary or error}") from error
    told = check.result.failures
    is_counted = str(check.config.get("fail_calc", "count(*)")).replace(" ", "") == "count(*)"
    if is_counted and told is not None and len(rows) != min(told, limit):
        raise UnknownFailuresError(
            f"its table has {count_of(len(rows), 'row')} where the test found {told:,}: "
            "it is of another run"
        )
    return rows


def _refuse_elsewhere(wanted: str, tables: psycopg.Connection[Any]) -> None:
    """Refuse to read a table of the same name in another database."""
    (here,) = tables.execute("select current_database()").fetchone() or (None,)
    if here != wanted:
        raise UnknownFailuresError(
            f"its table is in database {wanted}, and {here} was asked: name it by --tables-dsn"
        )


def _is_cut(check: Check, rows: int) -> bool:
    """Return whether the test itself stopped looking."""
    limit = check.config.get("limit")
    return isinstance(limit, int) and rows >= limit


def _record(row: Row, key: Sequence[str]) -> Row:
    parts = [_text(row[name]) for name in key]
    record_key = key_of_record(parts) if any(parts) else None
    if not record_key:
        # Nothing names it but what it holds.
        content = exact_json.dumps(row, sort_keys=True).encode()
        record_key = f"row {blake2b(content, digest_size=8).hexdigest()}"
    return {"record_key": record_key, "details": row}


def key_of_record(parts: Sequence[str | None]) -> str | None:
    """Return the key of a record that several columns name, as the function of that name does."""
    if len(parts) == 1:
        return parts[0]
    return "|".join((part or "").replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return exact_json.dumps(value)


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text_of(name) or "" for name in value] if isinstance(value, list) else []

"""The mapping document: read, and checked as far as can be without a database."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from pgvigil.client.backfill.forms import NAMES, NOT_LOADED
from pgvigil.client.backfill.kinds import KINDS
from pgvigil.database.json_files import read_document
from pgvigil.exceptions import PgvigilError
from pgvigil.runner.importing import values
from pgvigil.runner.importing.schema import DOCUMENT_KEYS, TABLE_KEYS, VALUE_KEYS
from pgvigil.runner.importing.values import Value


class MappingError(PgvigilError):
    """A mapping document cannot be used; the message has all that is wrong, by its path."""


@dataclass(frozen=True)
class Table:
    """A table of theirs, or a query, and what becomes of its columns."""

    path: str
    """Where it stands in the document."""
    name: str
    database: str | None
    """Name of its database's address; None for this database."""
    relation: str | None
    query: str | None
    kind: str
    time_zone: str
    columns: Dictionary[str, Value] | None
    """By our columns; None when those of the same name are meant."""


@dataclass(frozen=True)
class Mapping:
    """Tables in the order in which they are loaded."""

    tables: tuple[Table, ...]


def read_mapping(text: str) -> Mapping:
    """Return what a mapping document says.

    Raises:
        DocumentError: it is no JSON.
        MappingError: it is wrong; the message has all faults, a line each.
    """
    checker = _Checker()
    mapping = checker.mapping(read_document(text))
    if checker.faults:
        raise MappingError(
            "the mapping cannot be used:\n" + "\n".join(f"  {fault}" for fault in checker.faults),
            hint="pgvigil import --schema prints what it may hold; docs/moving-in.md has examples.",
        )
    return mapping


class _Checker:
    """Reads a document and collects what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def mapping(self, document: Any) -> Mapping:
        document = self._object("the document", document, DOCUMENT_KEYS)
        self._text("database", document.get("database"))
        self._zone("time_zone", document.get("time_zone"))
        tables = document.get("tables")
        if not isinstance(tables, list) or not tables:
            self._fault("tables", "is to be an array of one table at least")
            tables = []
        return Mapping(
            tuple(
                self._table(f"tables[{number}]", table, document)
                for number, table in enumerate(tables)
            )
        )

    def _table(self, path: str, given: Any, document: Dictionary[str, Any]) -> Table:
        table = self._object(path, given, TABLE_KEYS)
        for key in ("name", "database", "relation", "query", "kind"):
            self._text(f"{path}.{key}", table.get(key))
        self._zone(f"{path}.time_zone", table.get("time_zone"))
        if ("relation" in table) == ("query" in table):
            self._fault(path, 'needs either "relation" or "query"')
        return Table(
            path=path,
            name=str(table.get("name") or table.get("relation") or path),
            database=table.get("database", document.get("database")),
            relation=table.get("relation"),
            query=table.get("query"),
            kind=self._kind(f"{path}.kind", table.get("kind")),
            time_zone=table.get("time_zone") or document.get("time_zone") or "UTC",
            columns=self._columns(f"{path}.columns", table.get("columns")),
        )

    def _kind(self, path: str, kind: Any) -> str:
        if kind in NOT_LOADED:
            self._fault(path, f"{kind} cannot be loaded: {NOT_LOADED[kind]}")
        elif kind not in NAMES:
            self._fault(
                path, f"is to be one of {', '.join(KINDS)}, or a view of such, not {_shown(kind)}"
            )
        return str(kind)

    def _columns(self, path: str, columns: Any) -> dict[str, Value] | None:
        if columns is None:
            return None
        if not isinstance(columns, dict) or not columns:
            self._fault(path, f"is to be an object of our columns, not {_shown(columns)}")
            return None
        return {name: self._value(f"{path}.{name}", given) for name, given in columns.items()}

    def _value(self, path: str, given: Any) -> Value:
        if isinstance(given, str) and given:
            return values.column(given, {}, None, None)
        if not isinstance(given, dict):
            self._fault(
                path, f"is to be the name of a column of theirs, or an object, not {_shown(given)}"
            )
            return values.constant(None)
        self._object(path, given, VALUE_KEYS)
        makers = [key for key in ("column", "value", "join", "object") if key in given]
        if len(makers) != 1:
            self._fault(path, 'needs just one of "column", "value", "join" and "object"')
            return values.constant(None)
        for key in ("words", "otherwise", "default"):
            if key in given and makers != ["column"]:
                self._fault(f"{path}.{key}", 'goes with "column" alone')
        make = {"column": self._column, "join": self._joined, "object": self._document}
        maker = make.get(makers[0])
        return maker(path, given) if maker else values.constant(given["value"])

    def _column(self, path: str, given: Dictionary[str, Any]) -> Value:
        words = given.get("words", {})
        if not isinstance(words, dict):
            self._fault(f"{path}.words", 'is to be an object such as {"OK": "completed"}')
            words = {}
        name = given["column"]
        if not isinstance(name, str) or not name:
            self._fault(f"{path}.column", f"is to be the name of a column, not {_shown(name)}")
        return values.column(str(name), words, given.get("otherwise"), given.get("default"))

    def _part(self, path: str, given: Any) -> Value:
        return values.constant(given) if isinstance(given, str) else self._value(path, given)

    def _joined(self, path: str, given: Dictionary[str, Any]) -> Value:
        parts = given["join"]
        if not isinstance(parts, list) or not parts:
            self._fault(f"{path}.join", 'is to be an array such as ["run-", {"column": "id"}]')
            return values.constant(None)
        return values.joined(
            [self._part(f"{path}.join[{n}]", part) for n, part in enumerate(parts)]
        )

    def _document(self, path: str, given: Dictionary[str, Any]) -> Value:
        parts = given["object"]
        if not isinstance(parts, dict):
            self._fault(f"{path}.object", 'is to be an object such as {"rows": "row_count"}')
            return values.constant(None)
        return values.document(
            {name: self._value(f"{path}.object.{name}", part) for name, part in parts.items()}
        )

    def _object(self, path: str, given: Any, keys: frozenset[str]) -> Dictionary[str, Any]:
        if not isinstance(given, dict):
            self._fault(path, f"is to be an object, not {_shown(given)}")
            return {}
        for key in sorted(set(given) - keys):
            self._fault(f"{path}.{key}", f"is not known: it may have {', '.join(sorted(keys))}")
        return given

    def _text(self, path: str, given: Any) -> None:
        if given is not None and (not isinstance(given, str) or not given.strip()):
            self._fault(path, f"is to be a text, not {_shown(given)}")

    def _zone(self, path: str, zone: Any) -> None:
        if zone is not None and zone not in available_timezones():
            self._fault(path, f"is to be a time zone such as America/Sao_Paulo, not {_shown(zone)}")

    def _fault(self, path: str, what: str) -> None:
        self.faults.append(f"{path}: {what}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"

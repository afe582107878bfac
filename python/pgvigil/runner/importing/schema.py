"""The JSON Schema of a mapping document, for editors."""

import json
from typing import Any

from pgvigil.client.backfill.forms import NAMES

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_WORDS = {
    "type": "object",
    "description": "Their words and what they mean here; case does not count.",
}
_OBJECT_KEYS = {
    "column": _TEXT | {"description": "Column of their table."},
    "words": _WORDS,
    "otherwise": {"description": "What any other word means; left out, it stays as it is."},
    "default": {"description": "What stands for nothing."},
    "value": {"description": "The same for each row."},
    "join": {
        "type": "array",
        "minItems": 1,
        "description": "Texts one after the other: texts as they are, columns as objects.",
        "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/value"}]},
    },
    "object": {
        "type": "object",
        "description": "A JSON object of such values, for counters, metadata, details and tags.",
        "additionalProperties": {"$ref": "#/$defs/value"},
    },
}
VALUE_KEYS = frozenset(_OBJECT_KEYS)
_TIME_ZONE = _TEXT | {"description": "Zone of times that do not name theirs, UTC if left out."}
_DATABASE = _TEXT | {
    "description": "Name of another database's address; left out, tables are in this one."
}
_TABLE_KEYS = {
    "name": _TEXT | {"description": "What messages call it; its relation if left out."},
    "database": _DATABASE,
    "relation": _TEXT | {"description": "Table or view, with its schema or without."},
    "query": _TEXT | {"description": "Select statement, in the words of that database."},
    "kind": {"enum": sorted(NAMES), "description": "What its rows are: a kind, or a view of ours."},
    "time_zone": _TIME_ZONE,
    "columns": {
        "type": "object",
        "description": "Our columns and what they are made of; left out, those of the same name.",
        "additionalProperties": {"$ref": "#/$defs/value"},
    },
}
TABLE_KEYS = frozenset(_TABLE_KEYS)
_DOCUMENT_KEYS = {
    "$schema": {"type": "string"},
    "database": _DATABASE,
    "time_zone": _TIME_ZONE,
    "tables": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/table"}},
}
DOCUMENT_KEYS = frozenset(_DOCUMENT_KEYS)


def schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) of a mapping document."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mapping of tables that become history in pgvigil",
        "type": "object",
        "required": ["tables"],
        "additionalProperties": False,
        "properties": _DOCUMENT_KEYS,
        "$defs": {
            "table": {
                "type": "object",
                "required": ["kind"],
                "oneOf": [{"required": ["relation"]}, {"required": ["query"]}],
                "additionalProperties": False,
                "properties": _TABLE_KEYS,
            },
            "value": {
                "description": "A column of theirs by its name, or an object.",
                "anyOf": [
                    _TEXT,
                    {
                        "type": "object",
                        "oneOf": [
                            {"required": [key]} for key in ("column", "value", "join", "object")
                        ],
                        "additionalProperties": False,
                        "properties": _OBJECT_KEYS,
                    },
                ],
            },
        },
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

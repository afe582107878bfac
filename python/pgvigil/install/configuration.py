"""The configuration as one JSON document: its schema, and telling what changes."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pgvigil.resources import sql_directory

_JSON = re.compile(r"\$json\$(.*?)\$json\$", re.DOTALL)


def write_document(document: Any) -> str:
    """Return a document as text, its keys in order."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)


def schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) of the document, as ``get_config_schema`` does.

    Its parts are written in the SQL, once; here they are put together without a database.
    """
    schema = _part("reading/config/schema_alerts.sql")
    systems = _part("reading/config/schema_systems.sql")
    workflow = _part("systems/batch/schema.sql")
    for key in ("$schema", "title", "required"):
        del workflow[key]
    for key in ("$schema", "workflow"):
        del workflow["properties"][key]
    for key in ("properties", "$defs"):
        schema[key] |= systems[key]
    schema["$defs"]["workflow"] = workflow | systems["$defs"]["workflow"]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _part(file: str) -> dict[str, Any]:
    found = _JSON.search((sql_directory() / file).read_text(encoding="utf-8"))
    assert found is not None
    part: dict[str, Any] = json.loads(found[1])
    return part


def describe_changes(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each change that ``apply_config`` tells of, by its full path."""
    for path, change in sorted(changes.items()):
        yield f"{path}: {_in_short(change['from'])} -> {_in_short(change['to'])}"


def _in_short(value: Any) -> str:
    return "none" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)

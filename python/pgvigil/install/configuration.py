"""The configuration as one JSON document: reading it from a file, and telling what changes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgvigil.exceptions import PgvigilError
from pgvigil.resources import sql_directory

_JSON = re.compile(r"\$json\$(.*?)\$json\$", re.DOTALL)


class DocumentError(PgvigilError):
    """The configuration is no JSON document that means one thing."""


def read_document(text: str) -> Any:
    """Return what a text in JSON says.

    Raises:
        DocumentError: it is not JSON, or names a key of an object twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not JSON: {error}", hint="Compare it with what `pgvigil config show` prints."
        ) from error


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


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DocumentError(
                f'key "{key}" appears twice in one object', hint="Keep one of the two."
            )
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise DocumentError(f"{name} is not a JSON number", hint="Give a finite number.")

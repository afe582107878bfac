"""Documents from the database that are nested deeper than anything here can show.

PostgreSQL takes documents of any depth, so that one row could break every list it is in.
"""

import json
from typing import Any

from psycopg.abc import AdaptContext
from psycopg.types.json import set_json_loads

_DEEPEST = 100
_MOST_CHARACTERS = 1000


def tame_documents(connection: AdaptContext) -> None:
    """Have a connection return the beginning of the text of what is nested too deep."""
    set_json_loads(loads, connection)


def loads(text: str | bytes) -> Any:
    """Return a document; of one that is nested too deep, an object with its text, cut."""
    written = text if isinstance(text, str) else bytes(text).decode()
    if _may_be_deep(written) and _depth_of(written) > _DEEPEST:
        return {"nested too deep": written[:_MOST_CHARACTERS]}
    return json.loads(written)


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > _DEEPEST


def _depth_of(text: str) -> int:
    """Return how deep a document is nested, at least up to a little beyond what is too deep."""
    depth = deepest = 0
    is_text = is_escaped = False
    for char in text:
        if is_text:
            if is_escaped:
                is_escaped = False
            elif char == "\\":
                is_escaped = True
            elif char == '"':
                is_text = False
        elif char == '"':
            is_text = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > _DEEPEST:
                break
        elif char in "]}":
            depth -= 1
    return deepest

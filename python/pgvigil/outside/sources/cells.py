"""Values of another database as texts, and back where a query is to continue after one."""

import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

# More than any name, status or message that becomes of it.
_LONGEST = 10_000


def text_of(value: Any) -> str | None:
    """Return a value as a text such as our database would write it, None for a missing one."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.hex()
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime | date | time):
        text = value.isoformat()
    elif isinstance(value, Decimal):
        text = format(value, "f")
    else:
        text = str(value)
    # Neither NUL nor half a character can be stored.
    text = text[:_LONGEST].replace("\0", "")
    return text if text.isascii() else text.encode(errors="replace").decode()


# The type makes the difference: to compare a number as a text is to compare something else.
_KINDS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "Decimal": Decimal,
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def mark_of(value: Any) -> str | None:
    """Return a value so that `value_of` finds it again; None for one of another kind."""
    kind = type(value).__name__
    return json.dumps([kind, text_of(value)]) if kind in _KINDS else None


def value_of(mark: str | None) -> Any:
    """Return the value that `mark_of` made a mark of."""
    if mark is None:
        return None
    kind, text = json.loads(mark)
    return _KINDS[kind](text)

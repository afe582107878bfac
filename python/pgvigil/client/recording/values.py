"""Turning Python values into what the recording functions take.

Monitoring must not fail because a message holds a NUL byte or a file name that is not UTF-8, so
such text is mended, and whatever JSON does not know is written as text.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from numbers import Number
from typing import Any

from psycopg.types.json import Jsonb

from pgvigil.client.recording.arguments import NUMBERS, fitted

_DEEPEST = 100
_MOST_BITS = 10_000  # longer numbers Python does not write in decimals
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DOCUMENTS = frozenset(
    {"metadata", "counters", "step_durations", "details", "tags", "config"}
    | {"tasks", "errors", "metrics", "logs"}
    | {"records", "failing_keys", "scope", "stats"}
)


def as_parameter(name: str, value: Any) -> Any:
    """Return a value as psycopg should send it for the function parameter ``p_<name>``.

    Names may be given as numbers or UUIDs, times without a zone are local ones. A document is as it
    is now: whoever gave it may change it before it is sent.

    Raises:
        UnfitError: it is nothing of the kind that the function takes.
    """
    value = fitted(name, value)
    if value is None:
        return None
    if name in _DOCUMENTS:
        return Jsonb(to_json(value), dumps=str)
    if isinstance(value, datetime):
        return value.date() if name == "target_date" else with_zone(value)
    if name in NUMBERS or isinstance(value, bool | timedelta):
        return value
    if isinstance(value, list | tuple):
        return [clean_text(str(item)) for item in value]
    return clean_text(str(value))


def as_json(name: str, value: Any) -> str:
    """Return a value of the function parameter ``p_<name>`` as JSON text.

    It is the value as it is now: whoever gave it may change it before it is sent.

    Raises:
        UnfitError: it is nothing of the kind that the function takes.
    """
    value = fitted(name, value)
    if value is None:
        return "null"
    if name in _DOCUMENTS:
        return to_json(value)
    if isinstance(value, datetime):
        value = value.date() if name == "target_date" else with_zone(value)
        return json.dumps(value.isoformat())
    if isinstance(value, timedelta):
        return json.dumps(f"PT{value.total_seconds():.6f}S")
    if name in NUMBERS or isinstance(value, bool):
        return to_json(value)
    if isinstance(value, list | tuple):
        return to_json([clean_text(str(item)) for item in value])
    return json.dumps(clean_text(str(value)), ensure_ascii=False)


def as_rows(rows: Any) -> Any:
    """Return any collection as a list; what is none stays as it is, for the database to refuse."""
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | Mapping):
        return list(rows)
    return rows


def how_many(rows: Any) -> int:
    """Return how many records are lost with what `as_rows` returned."""
    return len(rows) if isinstance(rows, list) else 1


def with_zone(moment: datetime) -> datetime:
    """Return an aware time; one without a zone is taken as local time."""
    return moment.astimezone() if moment.tzinfo is None else moment


def clean_text(text: str) -> str:
    """Return the text with what PostgreSQL cannot store (NUL, lone surrogates) replaced."""
    if text.isascii() and "\0" not in text:
        return text
    return (
        text.replace("\0", _REPLACEMENT)
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )


def in_ascii(value: Any) -> Any:
    """Return what `as_parameter` returned, with question marks for letters that are not ASCII."""
    if isinstance(value, str):
        return value.encode("ascii", "replace").decode()
    if isinstance(value, list):
        return [in_ascii(item) for item in value]
    if isinstance(value, Jsonb):
        return Jsonb(in_ascii(value.obj), dumps=str)
    return value


def to_json(document: Any) -> str:
    """Return a document as JSON text that PostgreSQL accepts, whatever objects are in it."""
    try:
        text = json.dumps(document, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:  # NaN or infinite, which JSON does not know
        text = json.dumps(document, default=_plain, ensure_ascii=False)
    else:
        if clean_text(text) == text and "\\u0000" not in text:
            return text
    return json.dumps(mended(json.loads(text)), ensure_ascii=False)


def readable(value: object) -> str:
    """Return an object as text, even one that raises when it is asked for it."""
    try:
        return clean_text(str(value))
    except Exception:
        return f"({type(value).__name__} that cannot be read)"


def _plain(value: Any) -> Any:
    """Return a stand-in for an object that JSON does not know."""
    if isinstance(value, datetime):
        return with_zone(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)  # numbers of numpy and its kin
    if callable(item):
        return item()
    if isinstance(value, Number) and not isinstance(value, complex):
        return float(str(value))
    return str(value)


def mended(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a value such that JSON can hold it and PostgreSQL accepts it, whatever it is.

    Circles, and what is nested more than 100 deep, end in dots.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return value if abs(value).bit_length() <= _MOST_BITS else hex(value)
    if id(value) in above or len(above) >= _DEEPEST:
        return "..."
    above = (*above, id(value))
    try:
        if isinstance(value, Mapping):
            return {readable(key): mended(item, above) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [mended(item, above) for item in value]
        return mended(_plain(value), above)
    except Exception:
        return readable(value)

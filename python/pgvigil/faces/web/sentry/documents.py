"""Reading documents in which anything may stand in the place of anything."""

from datetime import UTC, datetime
from typing import Any

from pgvigil.client.recording.values import clean_text

_DEEPEST = 4
_MOST_MEMBERS = 50
_LONGEST_TEXT = 1000


def table(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, which may be wrapped, or be a single one."""
    if isinstance(value, dict):
        value = value.get("values", [value])
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any, most: int = _LONGEST_TEXT) -> str:
    """Return a value as text of so many characters at most; nothing for what has members."""
    if value is None or isinstance(value, dict | list):
        return ""
    words = clean_text(str(value))
    return words if len(words) <= most else words[: most - 3] + "..."


def name(value: Any) -> str:
    """Return a value as a name that needs no repair: 255 bytes that can be printed."""
    words = "".join(letter if letter.isprintable() else " " for letter in text(value))
    return words.strip().encode(errors="replace")[:255].decode(errors="ignore").strip()


def moment(value: Any) -> str | None:
    """Return a time, in seconds since 1970 or in words, as the database reads it; None for none."""
    try:
        if isinstance(value, str) and not value.replace(".", "").isdecimal():
            found = datetime.fromisoformat(value)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        else:
            found = datetime.fromtimestamp(float(value), UTC)
        return found.astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def trimmed(value: Any, depth: int = _DEEPEST) -> Any:
    """Return a value with its members, depth and texts within bounds."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        if depth == 0:
            return "..."
        kept = list(value.items())[:_MOST_MEMBERS]
        return {text(key, 200): trimmed(item, depth - 1) for key, item in kept if item is not None}
    if isinstance(value, list):
        return "..." if depth == 0 else [trimmed(item, depth - 1) for item in value[:_MOST_MEMBERS]]
    return value


def without_empty(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that say something."""
    return {key: value for key, value in members.items() if value not in (None, "", [], {})}

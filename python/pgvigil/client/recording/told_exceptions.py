"""What to record of an exception: what it is, in words that are equal whenever it happens again.

Drivers put into a message what differs each time: the row that failed, the statement and its
parameters. That belongs to the details. Drivers are known by the attributes of their exceptions,
for none but psycopg is imported here.
"""

import traceback
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

_MOST_LEAVES = 20
_LONGEST = 4000  # characters of each detail
# Our names for what PostgreSQL says of an error: by psycopg's and psycopg2's `diag`, by asyncpg's
# attributes, and by the letters of the protocol, as pg8000 has them.
_PARTS = (
    ("sqlstate", "sqlstate", "sqlstate", "C"),
    ("constraint", "constraint_name", "constraint_name", "n"),
    ("table", "table_name", "table_name", "t"),
    ("column", "column_name", "column_name", "c"),
    ("detail", "message_detail", "detail", "D"),
    ("hint", "message_hint", "hint", "H"),
    ("context", "context", "context", "W"),
)


class ToldException(NamedTuple):
    """What is recorded of an exception."""

    error_type: str
    message: str
    stack: str | None
    details: dict[str, Any]


def told(error: BaseException) -> ToldException:
    """Return what to record of an exception; nothing in it can make this raise."""
    message, details = _told_by_driver(error) or (_words_of(error), {})
    notes = getattr(error, "__notes__", None)
    if notes:
        details["notes"] = [_text(note) for note in notes]
    return ToldException(type_name(error), message, _stack_of(error), details)


def message_of(error: BaseException) -> str:
    """Return the message that is recorded of an exception."""
    found = _told_by_driver(error)
    return found[0] if found else _words_of(error)


def leaves(error: BaseException) -> list[tuple[BaseException, dict[str, Any]]]:
    """Return the exceptions that a group is about, 20 at most, each with details about the group.

    One that is no group is its own only leaf.
    """
    if not isinstance(error, BaseExceptionGroup):
        return [(error, {})]
    found = list(_leaves_of(error))
    about = {"exception_group": {"message": _words_of(error), "exceptions": len(found)}}
    return [(leaf, about) for leaf in found[:_MOST_LEAVES]]


def type_name(error: BaseException) -> str:
    """Return the class of an exception with its module, unless it is a builtin."""
    kind = type(error)
    name = kind.__qualname__
    return name if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{name}"


def _leaves_of(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves_of(error)
        else:
            yield error


def _told_by_driver(error: BaseException, depth: int = 5) -> tuple[str, dict[str, Any]] | None:
    """Return message and details of an exception of a database driver, or None for another."""
    try:
        found = _by_postgresql(error) or _by_code_and_text(error)
        if found is not None or depth == 0:
            return found
        wrapped = getattr(error, "orig", None)  # of SQLAlchemy, which adds statement and values
        if isinstance(wrapped, BaseException):
            return _told_by_driver(wrapped, depth - 1) or (_words_of(wrapped), {})
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        quoted = "" if cause is None else str(cause)
        if cause is not None and quoted and quoted in str(error):
            found = _told_by_driver(cause, depth - 1)
            return found and (str(error).replace(quoted, found[0]), found[1])
    except Exception:  # an attribute that cannot be read
        return None
    return None


def _by_postgresql(error: BaseException) -> tuple[str, dict[str, Any]] | None:
    diag: Any = getattr(error, "diag", None)
    fields = error.args[0] if error.args and isinstance(error.args[0], Mapping) else {}
    if getattr(diag, "message_primary", None):
        message = diag.message_primary
        values = [getattr(diag, name, None) for _, name, _, _ in _PARTS]
    elif hasattr(error, "sqlstate") and hasattr(error, "constraint_name") and error.args:
        message = error.args[0]
        values = [getattr(error, name, None) for _, _, name, _ in _PARTS]
    elif "M" in fields and "C" in fields:
        message = fields["M"]
        values = [fields.get(letter) for _, _, _, letter in _PARTS]
    else:
        return None
    named = zip((name for name, *_ in _PARTS), values, strict=True)
    return str(message), {name: _text(value) for name, value in named if value}


def _by_code_and_text(error: BaseException) -> tuple[str, dict[str, Any]] | None:
    """Return what MySQL's drivers and ODBC say: a code and a text, which Python shows in quotes."""
    match error.args:
        case (int() | str() as code, str() as text) if str(error) == str(error.args):
            return text if str(code) in text else f"{code}: {text}", {}
    return None


def _words_of(error: BaseException) -> str:
    try:
        # Of a group without the number of its exceptions, and of an exception without its notes.
        return error.message if isinstance(error, BaseExceptionGroup) else str(error)
    except Exception:
        return f"({type(error).__name__} whose message cannot be read)"


def _stack_of(error: BaseException) -> str | None:
    try:
        whole = traceback.TracebackException.from_exception(error, compact=True)
        _remember_frames(whole)
        return "".join(whole.format())
    except Exception:
        return None


class _RememberedFrames(traceback.StackSummary):
    """Frames whose lines are made once: what fails again comes the same way."""

    _lines: ClassVar[dict[tuple[Any, ...], str]] = {}
    _MOST = 2000

    def format_frame_summary(self, frame_summary: traceback.FrameSummary, **options: Any) -> str:
        frame: Any = frame_summary
        place = (
            frame.filename, frame.lineno, frame.name, frame.line,
            frame.colno, frame.end_lineno, frame.end_colno,
        )  # fmt: skip
        lines = self._lines.get(place)
        if lines is None:
            if len(self._lines) >= self._MOST:
                self._lines.clear()
            lines = super().format_frame_summary(frame_summary, **options)
            self._lines[place] = lines
        return lines


def _remember_frames(told: traceback.TracebackException) -> None:
    others = [told]
    for one in others:
        # The library makes frames of its own class alone.
        one.stack.__class__ = _RememberedFrames
        around = (one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ()))
        others.extend(other for other in around if other is not None)


def _text(value: Any) -> str:
    try:
        return str(value)[:_LONGEST]
    except Exception:
        return f"({type(value).__name__} that cannot be read)"

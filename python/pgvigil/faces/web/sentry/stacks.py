"""Stacks of exceptions as text: what failed last first, and below it what that came of."""

from collections.abc import Iterator
from typing import Any

from pgvigil.faces.web.sentry.documents import table, tables, text

_LONGEST = 60_000  # characters; the database keeps 65,536
_MOST_EXCEPTIONS = 20
_MOST_FRAMES = 100
_LONGEST_LINE = 300


def stack_of(exceptions: list[dict[str, Any]], event: dict[str, Any]) -> str | None:
    """Return the stack of an event, or None where it has none.

    Args:
        exceptions: those of the event, the one that was raised last at the end.
        event: it itself, which may have the stack of where it was said.
    """
    lines = list(_of_exceptions(exceptions) if exceptions else _of_place(event))
    return "\n".join(lines)[:_LONGEST] or None


def title_of(exception: dict[str, Any]) -> str:
    """Return an exception in one line, with its module."""
    words = ".".join(filter(None, (text(exception.get(key)) for key in ("module", "type"))))
    return ": ".join(filter(None, (words, text(exception.get("value")))))


def _of_exceptions(exceptions: list[dict[str, Any]]) -> Iterator[str]:
    for number, exception in enumerate(reversed(exceptions[-_MOST_EXCEPTIONS:])):
        if number > 0:
            yield ""
        yield _relation(exception, number) + title_of(exception)
        yield from _of_frames(exception.get("stacktrace"))


def _relation(exception: dict[str, Any], number: int) -> str:
    if number == 0:
        return ""
    source = text(table(exception.get("mechanism")).get("source"))
    return "with " if source.startswith("exceptions") else "caused by "


def _of_place(event: dict[str, Any]) -> Iterator[str]:
    """Yield the frames of the thread that said it."""
    threads = tables(event.get("threads"))
    spoke = [each for each in threads if each.get("crashed") or each.get("current")]
    stack = event.get("stacktrace") or (spoke or threads or [{}])[0].get("stacktrace")
    yield from _of_frames(stack)


def _of_frames(stack: Any) -> Iterator[str]:
    frames = tables(table(stack).get("frames"))
    half = _MOST_FRAMES // 2
    for number, frame in enumerate(reversed(frames)):
        if len(frames) - half > number >= half and len(frames) > _MOST_FRAMES:
            if number == half:
                yield f"  ... {len(frames) - _MOST_FRAMES} more"
            continue
        yield f"  at {_place(frame)}"[:_LONGEST_LINE]
        if source := text(frame.get("context_line")).strip():
            yield f"      {source}"[:_LONGEST_LINE]


def _place(frame: dict[str, Any]) -> str:
    function = ".".join(filter(None, (text(frame.get(key)) for key in ("module", "function"))))
    file = text(frame.get("filename") or frame.get("abs_path"))
    numbers = (text(frame.get(key)) for key in ("lineno", "colno"))
    return f"{function or '?'} ({':'.join(filter(None, (file, *numbers))) or '?'})"

"""Numbers and names as people read them, safe to print on a terminal."""

from datetime import UTC, datetime
from math import isfinite

from rich.text import Text

from pgvigil.database.far_times import read_time
from pgvigil.database.words import length_of_time
from pgvigil.faces.plain import plain

_STYLES = {
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "bold red",
    "unknown": "dim",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "complete": "green",
    "running": "cyan",
    "failed": "red",
    "timeout": "red",
    "lost": "red",
    "late": "yellow",
    "pending": "dim",
    "skipped": "dim",
}
NOTHING = Text("-", "dim")


def name(value: object, style: str = "") -> Text:
    """Return text from the database on one line: without markup and control characters."""
    return Text(plain(value), style, no_wrap=True, overflow="ellipsis")


def word(value: str) -> Text:
    """Return a status or severity, coloured where there is colour."""
    return name(value, _STYLES.get(value, ""))


def duration(milliseconds: float | None) -> Text:
    """Return a length of time in words."""
    if milliseconds is None or not isfinite(milliseconds):
        return NOTHING
    return Text(length_of_time(milliseconds / 1000))


def short(value: float) -> str:
    """Return a number in about three digits."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def count(value: float | None, style: str = "") -> Text:
    """Return a count; the style is for counts other than zero."""
    if value is None:
        return NOTHING
    return Text(f"{value:,.0f}", style if value else "")


def figure(value: float | None) -> Text:
    """Return three digits that matter, or all before the point."""
    if value is None:
        return NOTHING
    return Text(f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}")


def percent(value: float | None) -> Text:
    """Return a share of a hundred."""
    return NOTHING if value is None else Text(f"{float(value):.4g} %")


def age(moment: str | datetime | None, now: str | datetime) -> Text:
    """Return how long ago something was."""
    if moment is None:
        return NOTHING
    seconds = seconds_between(moment, now)
    return Text("now") if seconds < 1 else duration(seconds // 1 * 1000)


def seconds_between(moment: str | datetime, now: str | datetime) -> float:
    """Return how long ago something was."""
    return (_time(now) - _time(moment)).total_seconds()


def clock_time(moment: str | datetime | None) -> str:
    """Return a time as local date and time, to the second."""
    if moment is None:
        return NOTHING.plain
    return _time(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _time(moment: str | datetime) -> datetime:
    parsed = read_time(moment) if isinstance(moment, str) else moment
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)

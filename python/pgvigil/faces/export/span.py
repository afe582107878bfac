"""The span of time that is exported, as people write it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_DEFAULT_LENGTH = timedelta(hours=24)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


@dataclass(frozen=True)
class Span:
    """From a time up to, and without, another; both know their time zone."""

    from_at: datetime
    to_at: datetime

    def __post_init__(self) -> None:
        """Refuse a span that ends before it begins."""
        if self.to_at < self.from_at:
            raise ValueError(f"{self.to_at} lies before {self.from_at}")


def parse_span(
    from_text: str | None, to_text: str | None, now: datetime, zone: tzinfo = UTC
) -> Span:
    """Return the span that two texts describe.

    Args:
        from_text: date or time in ISO 8601; a date is its beginning. 24 hours before the end
            when left out.
        to_text: date or time in ISO 8601; a date is its end, so that the day is in the span.
            Now when left out.
        now: the time of the database.
        zone: time zone of times that do not name theirs, and in which days begin.

    Raises:
        ValueError: a text is neither, or the span ends before it begins.
    """
    to_at = now if not to_text else _moment(to_text, zone, is_end=True)
    from_at = to_at - _DEFAULT_LENGTH if not from_text else _moment(from_text, zone)
    return Span(from_at, to_at)


def _moment(text: str, zone: tzinfo, *, is_end: bool = False) -> datetime:
    moment = _parsed(text, zone, timedelta(days=1 if is_end else 0))
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment


def _parsed(text: str, zone: tzinfo, length_of_day: timedelta) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time(), zone) + length_of_day
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a date or time: write 2026-01-15, 2026-01-15T06:00 or"
            " 2026-01-15T06:00+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def parse_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone: write Europe/Berlin or UTC") from None

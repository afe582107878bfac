"""Spans of time, as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pgvigil.faces.export import Span, file_name, parse_span

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("from_text", "to_text", "expected"),
    [
        (None, None, ("2026-01-14T12:00Z", "2026-01-15T12:00Z")),
        ("2026-01-15", None, ("2026-01-14T23:00Z", "2026-01-15T12:00Z")),
        ("2026-01-01", "2026-01-31", ("2025-12-31T23:00Z", "2026-01-31T23:00Z")),
        ("2026-01-01T06:00", "2026-01-01T07:00Z", ("2026-01-01T05:00Z", "2026-01-01T07:00Z")),
        # The day on which clocks go forward has 23 hours.
        ("2026-03-29", "2026-03-29", ("2026-03-28T23:00Z", "2026-03-29T22:00Z")),
        (None, "2026-01-10", ("2026-01-09T23:00Z", "2026-01-10T23:00Z")),
    ],
)
def test_a_date_is_a_whole_day_at_both_ends(
    from_text: str | None, to_text: str | None, expected: tuple[str, str]
) -> None:
    span = parse_span(from_text, to_text, NOON, BERLIN)
    assert (span.from_at, span.to_at) == tuple(map(datetime.fromisoformat, expected))


@pytest.mark.parametrize(
    ("from_text", "to_text", "why"),
    [
        ("yesterday", None, "'yesterday' is not a date or time"),
        ("2026-13-01", None, "is not a date or time"),
        ("2026-01-16", "2026-01-14", "lies before"),
        (None, "9999-12-30", "is not between 1970 and 2999"),
    ],
)
def test_what_is_no_span_is_refused(from_text: str | None, to_text: str | None, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_span(from_text, to_text, NOON, BERLIN)


def test_files_are_named_by_what_is_in_them() -> None:
    name = file_name("tasks", "csv", Span(NOON, NOON + timedelta(hours=1)), BERLIN)
    assert name == "tasks-20260115T1300-20260115T1400.csv"

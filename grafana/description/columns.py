"""How a column is headed, written, coloured and how wide it is, from its name.

The views of pgvigil name units and meanings alike everywhere, so no panel has to say them again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DashboardSpecialValueMapOptions,
    DynamicConfigValue,
    RegexMap,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

UNITS = {
    r"_ms$": "ms",
    r"(_seconds$|^seconds_|^lateness$)": "s",
    r"_percent$": "percent",
    r"_per_second$": "suffix: /s",
    r"_bytes$": "bytes",
    r"(_at|_time)$": "time:YYYY-MM-DD HH:mm:ss",
}
"""Units by how a column is named."""

PLAIN = "text"
"""Words and figures that are neither good nor bad."""

COLOURS = {
    # severities
    "low": "blue",
    "medium": "yellow",
    "high": "orange",
    "critical": "red",
    # tasks, executions, steps
    "running": "blue",
    "completed": "green",
    "complete": "green",
    "failed": "red",
    "cancelled": "yellow",
    "timeout": "orange",
    "lost": "purple",
    "late": "orange",
    "expected": "super-light-blue",
    "pending": PLAIN,
    "skipped": PLAIN,
    "RUNNING": "blue",
    "COMPLETED": "green",
    "FAILED": "red",
    # components, checks, what is known
    "healthy": "green",
    "ok": "green",
    "current": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "old": "red",
    "never": "orange",
    "unknown": PLAIN,
    # error groups and alerts
    "open": "red",
    "regressed": "dark-red",
    "muted": PLAIN,
    "resolved": "green",
    "firing": "red",
    "acknowledged": "blue",
    "unacknowledged": "red",
    "escalated": "dark-red",
    "eased": "yellow",
    # messages
    "sent": "green",
    "waiting": "yellow",
    "dead": "red",
    "dropped": "orange",
    "manual": "blue",
    # records
    "queried": "blue",
    "valid": "green",
    "invalid": "red",
    "accepted": "blue",
    "superseded": PLAIN,
    "gone": "purple",
    # log lines
    "DEBUG": "super-light-blue",
    "INFO": "blue",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "dark-red",
}
"""Colours of the words that views use for states and severities, and of columns named so."""

TROUBLE = r"^(late_or_failed|not_well|not_ok|given_up|failing|errors)$"
"""Counts that are red from 1 on, whatever the panel."""

RATES = r"^(success|uptime)(_7d)?_percent$"
PROGRESS = r"^(progress|processed)_percent$"
STATES = r"^(severity|status|state|transition|last_status|to_status|from_status)$"
"""Columns whose words are coloured."""

LONG = (
    r"^(summary|message|template|why|detail|details|last_error|error_message|failure_reason|subject"
    r"|note|reason|waits_for|matchers|thresholds)$"
)
"""Texts and documents, which get the room that is left, and open when clicked."""

NAMES = (
    r"(_name|_type|_id|_key|_date|_by|_mode|_source)$"
    r"|^(about|actor|category|channel|component|components|dataset|family|happened|keep|kind|metric"
    r"|owner|record_key|resolution|schedule|unit|reported_value|level)$"
)
FLAGS = r"^is_"

PAGE = "page"
"""The column with an address on pgvigil's own page; empty where nobody said where that is."""

_WIDTHS = {
    rf"^{PAGE}$": 70,
    STATES: 105,
    r"(_at|_time)$": 165,
    RATES: 110,
    PROGRESS: 110,
    FLAGS: 85,
    r"^unit$": 80,
    r"(_date|^kind|^keep|^family|_mode)$": 105,
    NAMES: 150,
}
_WIDTH_OF_FIGURES = 95
# Versions of Grafana name it differently, and pass over what they do not know.
_HIDDEN: tuple[tuple[str, Any], ...] = (
    ("custom.hidden", True),
    ("custom.hideFrom", {"legend": False, "tooltip": False, "viz": True}),
)
# Headings that the name of the column alone would make less plain.
_HEADINGS = {
    "avg_duration_ms": "Mean",
    "p50_duration_ms": "Median",
    "p95_duration_ms": "95 %",
    "p99_duration_ms": "99 %",
    "max_duration_ms": "Longest",
    "avg_response_time_ms": "Mean answer",
    "response_time_ms": "Answer",
    "avg_value": "Mean",
    "stddev_value": "Deviation",
    "min_value": "Least",
    "p50_value": "Median",
    "p95_value": "95 %",
    "p99_value": "99 %",
    "max_value": "Greatest",
    "p50_seconds": "Median",
    "p95_seconds": "95 %",
    "utc_date": "UTC day",
    "task_id": "Task",
    "worker_id": "Worker",
    "records_processed": "Records",
    "records_remaining": "Remaining",
    "records_per_second": "Rate",
    "total_records_queried": "Queried",
    "execution_seconds": "Took",
    "last_at": "Last measured",
    "last_rows_read": "Rows read",
    "success_7d_percent": "Success, 7 d",
    "seconds_without_progress": "No progress for",
    "seconds_since_check": "Checked ago",
    "seconds_old": "Age",
    "seconds_late": "Late by",
    "seconds_behind": "Behind by",
    "oldest_ready_seconds": "Oldest waits",
    "consecutive_failures": "Failed in a row",
    "completed_per_minute": "Done a minute",
    "eta_at": "Expected end",
    "until_acknowledged_seconds": "acknowledged",
    "until_resolved_seconds": "resolved",
}
_UNSAID = re.compile(r"(_at|_ms|_seconds|_percent|_bytes|_time|_name)$|^is_")
_WIDTH_OF_A_LETTER = 8


def heading(column: str) -> str:
    """Return how a column is headed: in words, without the unit that its values show."""
    words = _HEADINGS.get(column) or _UNSAID.sub("", column).replace("_", " ")
    return words[:1].upper() + words[1:]


def unit_of(column: str) -> str | None:
    """Return the unit of the values of a column, if its name has one."""
    return next((unit for pattern, unit in UNITS.items() if re.search(pattern, column)), None)


def width_of(column: str) -> int | None:
    """Return how wide a column is; None takes the room that is left."""
    if re.search(LONG, column):
        return None
    found = (width for pattern, width in _WIDTHS.items() if re.search(pattern, column))
    return max(next(found, _WIDTH_OF_FIGURES), 24 + _WIDTH_OF_A_LETTER * len(heading(column)))


def colour_words(quiet: str, is_only_trouble: bool = False) -> list[ValueMapping]:
    """Return what colours the words for states and severities; any other word stays as it is.

    Args:
        quiet: the colour of words that say nothing.
        is_only_trouble: whether words that are well say nothing either, nor that an alert fires or
            an error is open: the severity beside it says how bad that is.
    """

    def colour_of(word: str) -> str:
        colour = COLOURS[word]
        is_quiet = colour == PLAIN or (
            is_only_trouble and (colour == "green" or word in ("firing", "open"))
        )
        return quiet if is_quiet else colour

    return [
        ValueMap(
            {
                word: ValueMappingResult(
                    text=word.replace("_", " "), color=colour_of(word), index=place
                )
                for place, word in enumerate(COLOURS)
            }
        )
    ]


def settings_of_table_columns(
    columns: Sequence[str], links: Mapping[str, str], hidden: Sequence[str]
) -> dict[str, list[DynamicConfigValue]]:
    """Return the settings of each column of a table by its name.

    Args:
        columns: the columns in their order.
        links: addresses by column, for columns that lead somewhere.
        hidden: columns that only addresses use.
    """
    is_wide = not any(width_of(column) is None for column in columns)
    settings = {
        column: list(_HIDDEN)
        if column in hidden
        else _settings_of(column, links.get(column), is_wide)
        for column in columns
    }
    return {
        column: [DynamicConfigValue(name, value) for name, value in of_column]
        for column, of_column in settings.items()
    }


def _settings_of(column: str, link: str | None, is_wide: bool) -> list[tuple[str, Any]]:
    """Return the settings of a column; names share the room where no long text takes it."""
    settings: list[tuple[str, Any]] = [("displayName", heading(column)), ("noValue", "")]
    width = width_of(column)
    if width is None:
        settings += [("custom.minWidth", 150), ("custom.inspect", True)]
    elif is_wide and re.search(NAMES, column):
        settings += [("custom.minWidth", width)]
    else:
        settings += [("custom.width", width)]
    if unit := unit_of(column):
        settings += [("unit", unit)]
    if unit in ("percent", "s", "suffix: /s"):
        settings += [("decimals", 1)]
    settings += _colours_of(column)
    if link:
        title = "On pgvigil's page" if column == PAGE else f"Show this {heading(column).lower()}"
        settings += [("links", [{"title": title, "url": link}])]
    return settings


def _colours_of(column: str) -> list[tuple[str, Any]]:
    if column == PAGE:
        return [("mappings", _opens())]
    if re.search(FLAGS, column):
        return [("mappings", _yes_or_no())]
    if re.search(STATES, column):
        return [
            ("mappings", colour_words("transparent", is_only_trouble=True)),
            ("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
        ]
    if re.search(RATES, column):
        steps = [(None, "red"), (95, "yellow"), (99, "green")]
        return [("custom.cellOptions", {"type": "color-text"}), ("thresholds", _steps(steps))]
    if re.search(PROGRESS, column):
        return [
            ("custom.cellOptions", {"type": "gauge", "mode": "basic"}),
            ("min", 0),
            ("max", 100),
            ("color", {"mode": "fixed", "fixedColor": "blue"}),
        ]
    return []


def _steps(marks: Sequence[tuple[float | None, str]]) -> dict[str, Any]:
    steps = [{"value": value, "color": colour} for value, colour in marks]
    return {"mode": "absolute", "steps": steps}


def nothing_as(text: str, colour: str) -> ValueMapping:
    """Return what shows a value that is not there as a text in a colour."""
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(
            match=SpecialValueMatch.NULL_AND_NAN,
            result=ValueMappingResult(text=text, color=colour, index=0),
        )
    )


def _opens() -> list[ValueMapping]:
    result = ValueMappingResult(text="open", index=0)
    return [RegexMap(DashboardRegexMapOptions(pattern=".+", result=result))]


def _yes_or_no() -> list[ValueMapping]:
    words = [(SpecialValueMatch.TRUE, "yes"), (SpecialValueMatch.FALSE, "no")]
    return [
        SpecialValueMap(
            DashboardSpecialValueMapOptions(match=match, result=ValueMappingResult(text=text))
        )
        for match, text in words
    ]

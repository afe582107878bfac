"""How a figure is written and coloured, from the name of its column.

The views of pgvigil name units and meanings alike everywhere, so no panel has to say them again.
"""

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

UNITS = {
    r"/_ms$/": "ms",
    r"/(_seconds$|^seconds_|^lateness$)/": "s",
    r"/_percent$/": "percent",
    r"/_per_second$/": "ops",
    r"/_bytes$/": "bytes",
}
"""Units by how a column is named."""

COLOURS = {
    # severities
    "low": "blue",
    "medium": "yellow",
    "high": "orange",
    "critical": "dark-red",
    # tasks, executions, steps
    "running": "blue",
    "completed": "green",
    "complete": "green",
    "failed": "red",
    "ended_otherwise": "yellow",
    "cancelled": "yellow",
    "timeout": "orange",
    "lost": "purple",
    "late": "orange",
    "pending": "text",
    "skipped": "text",
    "RUNNING": "blue",
    "COMPLETED": "green",
    "FAILED": "red",
    # components, checks
    "healthy": "green",
    "ok": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "unknown": "text",
    # error groups and alerts
    "open": "red",
    "regressed": "dark-red",
    "muted": "text",
    "resolved": "green",
    "firing": "red",
    "acknowledged": "yellow",
    "escalated": "dark-red",
    "eased": "yellow",
    # messages
    "sent": "green",
    "dead": "red",
    # records
    "valid": "green",
    "invalid": "red",
    "accepted": "blue",
    "superseded": "text",
    "gone": "purple",
}
"""Colours of the words that views use for states and severities, and of columns named so."""

SHARES = r"/^(success|uptime|progress|processed)_percent$/"
"""Columns that are the better the nearer they are to 100."""

STATES = r"/^(severity|status|state|transition|last_status|to_status|from_status)$/"
"""Columns whose words are coloured."""


def colour_words() -> list[ValueMapping]:
    """Return what colours the words for states and severities."""
    return [
        ValueMap(
            {
                word: ValueMappingResult(text=word, color=colour, index=place)
                for place, (word, colour) in enumerate(COLOURS.items())
            }
        )
    ]


def settings_of_table_columns(links: Mapping[str, str]) -> dict[str, list[DynamicConfigValue]]:
    """Return settings by regular expression for the columns of a table.

    Args:
        links: addresses by column, for columns that lead somewhere.
    """
    settings = {columns: [DynamicConfigValue("unit", unit)] for columns, unit in UNITS.items()}
    settings[SHARES] = [
        DynamicConfigValue("custom.cellOptions", {"type": "gauge", "mode": "basic"}),
        DynamicConfigValue("min", 0),
        DynamicConfigValue("max", 100),
        DynamicConfigValue("color", {"mode": "continuous-RdYlGr"}),
    ]
    settings[STATES] = [
        DynamicConfigValue("mappings", colour_words()),
        DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
    ]
    for column, address in links.items():
        settings[f"/^{column}$/"] = [
            DynamicConfigValue("links", [{"title": f"Show this {column}", "url": address}])
        ]
    return settings

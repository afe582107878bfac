"""What alerts look like: readable without colour, at 80 columns, with numbers never cut."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pgvigil.database.queries.alerts import SEVERITIES, WholeAlert
from pgvigil.database.words import count_of, length_of_time
from pgvigil.faces.plain import plain
from pgvigil.faces.terminal.lists import Column, ago, moment, text_of, word_of
from pgvigil.faces.terminal.matchers import spell
from pgvigil.faces.words import age, clock_time, name, short, word

_Row = Mapping[str, Any]
_DETAILS_SHOWN = 500


def _said(row: _Row, now: datetime) -> Text:
    """Return all that is to be said of an alert, on one line."""
    said = [f"{row['rule_name']}: {row['summary']}", reason_of(row), _measured(row), *_remarks(row)]
    return Text(plain("; ".join(filter(None, said))))


ALERTS = (
    Column("id", lambda row, now: name(row["alert_id"]), is_number=True),
    word_of("severity"),
    text_of("status", "state"),
    ago("started_at", "since"),
    Column("rule: what is wrong", _said),
)
"""A line an alert, for other programs."""
TRANSITIONS = (
    moment("changed_at", "at"),
    text_of("alert_id", "id"),
    text_of("transition", "what"),
    word_of("severity"),
    text_of("changed_by", "by whom"),
    Column("about, why", lambda row, now: Text(plain(_about(row)))),
)
"""A line for each thing that happened to an alert."""
SILENCES = (
    text_of("silence_id", "silence"),
    Column("state", lambda row, now: Text(_silence_state(row, now))),
    Column("until", lambda row, now: Text(_end(row))),
    Column("what", lambda row, now: Text(plain(spell(row["matchers"])))),
    text_of("created_by", "by whom"),
    text_of("note", "why"),
)
"""A line a silence."""


def _about(row: _Row) -> str:
    why = f": {row['note']}" if row["note"] else ""
    return f"{row['rule_name']}: {row['summary']}{why}"


def alerts(rows: Sequence[_Row], now: datetime) -> RenderableType:
    """Return the table of ``pgvigil alerts list``."""
    table = _table("id>", "severity", "state", "since>")
    table.add_column("rule: what is wrong", header_style="dim", overflow="fold")
    for row in rows:
        said = folded(f"{row['rule_name']}: {row['summary']}")
        for remark in filter(None, [reason_of(row), _measured(row), *_remarks(row)]):
            said.append(f"\n{plain(remark)}", "dim")
        table.add_row(
            str(row["alert_id"]), word(row["severity"]), name(row["status"]),
            age(row["started_at"], now), said,
        )  # fmt: skip
    return table


def whole_alert(found: WholeAlert, now: datetime) -> RenderableType:
    """Return what ``pgvigil alerts show`` shows."""
    row = found.alert
    head = folded(f"Alert {row['alert_id']}: {row['summary']}", "bold")
    parts: list[RenderableType] = [head, _facts(found, now)]
    parts += [Text(), Text("History", "bold"), transitions(found.transitions, with_alert=False)]
    parts += [Text(), Text("Rows behind it, the newest first", "bold"), _rows_behind(found.rows)]
    return Group(*parts)


def transitions(rows: Sequence[_Row], *, with_alert: bool = True) -> RenderableType:
    """Return what became of alerts, in order."""
    table = _table("at", *(["id>"] if with_alert else []), "what", "severity")
    table.add_column("by whom, why", header_style="dim", overflow="fold")
    for row in rows:
        said = folded(row["changed_by"])
        if row["note"]:
            said.append(f": {plain(row['note'])}")
        about = f"{row['rule_name']}: {row['summary']}" if with_alert else _measured(row)
        if about:
            said.append(f"\n{plain(about)}", "dim")
        number = [str(row["alert_id"])] if with_alert else []
        table.add_row(
            clock_time(row["changed_at"]), *number, name(row["transition"]), word(row["severity"]),
            said,
        )  # fmt: skip
    return table


def silences(rows: Sequence[_Row], now: datetime) -> RenderableType:
    """Return the table of ``pgvigil alerts silences``."""
    table = _table("silence>", "state", "until")
    table.add_column("what, by whom, why", header_style="dim", overflow="fold")
    for row in rows:
        said = folded(spell(row["matchers"]))
        why = f": {plain(row['note'])}" if row["note"] else ""
        said.append(f"\n{plain(row['created_by'])}{why}", "dim")
        table.add_row(str(row["silence_id"]), _silence_state(row, now), _end(row), said)
    return table


def silence_made(row: _Row, matching: int) -> str:
    """Return what to say of a new silence."""
    count = "no alert" if not matching else count_of(matching, "alert")
    return (
        f"silence {row['silence_id']}: {plain(spell(row['matchers']))}\n"
        f"until {_end(row)}; it silences {count} now"
    )


def folded(value: object, style: str = "") -> Text:
    """Return text from the database that is folded rather than cut."""
    return Text(plain(value), style, overflow="fold")


def reason_of(row: _Row) -> str:
    """Return why an alert fires, where its summary does not say that already."""
    reason = row.get("reason") or ""
    return "" if reason in row["summary"] else reason


def _remarks(row: _Row) -> list[str]:
    """Return what is to be known beside the state."""
    remarks = []
    if row.get("suppressed_by"):
        remarks.append(f"not notified: {row['suppressed_by']}")
    if row["acknowledged_by"]:
        note = f": {row['acknowledged_note']}" if row["acknowledged_note"] else ""
        remarks.append(f"acknowledged by {row['acknowledged_by']}{note}")
    return remarks


def _facts(found: WholeAlert, now: datetime) -> RenderableType:
    row, rule = found.alert, found.rule
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    times = count_of(row["occurrences"], "time")
    about = f": {rule['description']}" if rule and rule["description"] else ""
    facts = {
        "rule": f"{row['rule_name']}{about}",
        "why": row["reason"],
        "fingerprint": row["fingerprint"],
        "severity": _severity(row),
        "state": _state(row),
        "since": f"{clock_time(row['started_at'])} ({age(row['started_at'], now)})",
        "last found": f"{clock_time(row['last_seen_at'])}, {times} so far",
        "measured": _measured(row),
        "thresholds": _thresholds(rule),
        "labels": _labels(row["labels"]),
    }
    if row["resolved_at"]:
        facts["resolved"] = (
            f"{clock_time(row['resolved_at'])} by {row['resolved_by']}: {row['resolution']}"
        )
    for fact, value in facts.items():
        if value:
            table.add_row(fact, folded(value))
    return table


def _state(row: _Row) -> str:
    remarks = _remarks(row)
    # That somebody acknowledged it says as much as the state does.
    return ", ".join(remarks if row["acknowledged_by"] else [row["status"], *remarks])


def _severity(row: _Row) -> str:
    if row["severity"] == row["worst_severity"]:
        return str(row["severity"])
    return f"{row['severity']}, at worst {row['worst_severity']}"


def _measured(row: _Row) -> str:
    if row["value"] is None:
        return ""
    unit = row.get("unit")
    limit = "" if row["threshold"] is None else f", threshold {_spelled(row['threshold'], unit)}"
    return f"{_spelled(row['value'], unit)}{limit}"


def _spelled(value: float, unit: str | None) -> str:
    if unit == "seconds" and value >= 0:
        return length_of_time(value)
    return f"{_number(value)} {unit}" if unit else _number(value)


def _thresholds(rule: _Row | None) -> str:
    """Return the thresholds of a rule: for all, then for those with certain labels."""
    if rule is None:
        return ""
    said = [_levels(rule, rule["thresholds"])] if rule["thresholds"] else []
    for entry in rule["overrides"]:
        said.append(f"{_labels(entry['labels'])}: {_levels(rule, entry['thresholds'])}")
    return "; ".join(said)


def _levels(rule: _Row, thresholds: _Row) -> str:
    return ", ".join(
        f"{severity} {rule['comparison']} {_number(thresholds[severity])}"
        for severity in SEVERITIES
        if severity in thresholds
    )


def _labels(labels: _Row) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _number(value: float) -> str:
    return f"-{short(-value)}" if value < 0 else short(value)


def _rows_behind(rows: Sequence[_Row]) -> RenderableType:
    if not rows:
        return Text("none are kept", "dim")
    table = _table("at", "source")
    table.add_column("what", header_style="dim", overflow="fold")
    for row in rows:
        details = json.dumps(row["details"], ensure_ascii=False)
        cut = details if len(details) <= _DETAILS_SHOWN else f"{details[:_DETAILS_SHOWN]} …"
        table.add_row(clock_time(row["happened_at"]), name(row["source"]), folded(cut))
    return table


def _silence_state(row: _Row, now: datetime) -> str:
    if row["is_active"]:
        return "active"
    return "pending" if row["starts_at"] > now else "ended"


def _end(row: _Row) -> str:
    if row["ends_at"] is not None:
        also = " or resolved" if row["is_until_resolved"] else ""
        return f"{clock_time(row['ends_at'])}{also}"
    return "resolved"


def _table(*columns: str) -> Table:
    """Return an empty table whose columns are never cut; a trailing ``>`` aligns right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.removesuffix(">"),
            justify="right" if column.endswith(">") else "left",
            header_style="dim",
            no_wrap=True,
        )
    return table

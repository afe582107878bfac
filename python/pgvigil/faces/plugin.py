"""What a monitoring plugin says: one line, figures, an exit code, and then the particulars."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from pgvigil.database.freshness import Freshness
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.faces.plain import plain

_Row = Mapping[str, Any]
# While these stand still no rule looks, and silence would mean nothing.
_VITAL_CHECKS = ("scheduler", "alerts", "job evaluate_alerts")


class Level(IntEnum):
    """How things are; the value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Verdict:
    """What the plugin prints, and how it exits."""

    level: Level
    text: str


@dataclass(frozen=True)
class Limits:
    """What counts, and from which severity on."""

    critical_from: str = "critical"
    warning_from: str = "medium"
    ignores_acknowledged: bool = False
    ignores_silenced: bool = False

    def counts(self, alert: _Row) -> bool:
        """Tell whether an alert is looked at."""
        if self.ignores_acknowledged and alert["acknowledged_by"] is not None:
            return False
        return not (self.ignores_silenced and alert["suppressed_by"] is not None)

    def level(self, severity: str) -> Level:
        """Return what an alert of a severity means."""
        rank = SEVERITIES.index(severity)
        if rank >= SEVERITIES.index(self.critical_from):
            return Level.CRITICAL
        return Level.WARNING if rank >= SEVERITIES.index(self.warning_from) else Level.OK


def judge(
    alerts: Sequence[_Row], checks: Sequence[_Row], limits: Limits, known: Freshness
) -> Verdict:
    """Sum up.

    Args:
        alerts: firing alerts, the worst first.
        checks: rows of ``self_check()``.
        limits: what counts.
        known: how fresh the alerts are. Where they are not known, that none fires means nothing.
    """
    counted = [alert for alert in alerts if limits.counts(alert)]
    troubles = [check for check in checks if check["status"] != "ok"]
    level = max(
        [
            *(limits.level(alert["severity"]) for alert in counted),
            *(_level_of_trouble(trouble) for trouble in troubles),
            Level.OK,
        ]
    )
    summary = _summary(counted, troubles, len(alerts))
    if not known.is_known and level < Level.CRITICAL:
        level = Level.UNKNOWN
        summary = f"alerts are not known: {known.detail}" + (f"; {summary}" if counted else "")
    figures = _figures(alerts, counted, troubles, limits)
    lines = [f"{_line(level, summary)} | {figures}"]
    lines += [_alert_line(alert) for alert in counted]
    lines += [f"pgvigil itself: {_trouble(trouble)}" for trouble in troubles]
    return Verdict(level, "\n".join(lines))


def unknown(reason: str) -> Verdict:
    """Return that nothing is known, in one line, because of something."""
    lines = reason.strip().splitlines() or ["no reason given"]
    return Verdict(Level.UNKNOWN, _line(Level.UNKNOWN, lines[0]))


def _line(level: Level, text: str) -> str:
    # Whatever follows a bar is taken for figures.
    return f"PGVIGIL {level.name} - {plain(text).replace('|', '/')}"


def _level_of_trouble(trouble: _Row) -> Level:
    if trouble["status"] == "failed" or trouble["check_name"] in _VITAL_CHECKS:
        return Level.CRITICAL
    return Level.WARNING


def _summary(counted: Sequence[_Row], troubles: Sequence[_Row], seen: int) -> str:
    counts = Counter(alert["severity"] for alert in counted)
    parts = [f"{counts[each]} {each}" for each in reversed(SEVERITIES) if counts[each]]
    if troubles:
        parts.append(f"{len(troubles)} about pgvigil itself")
    if not parts:
        return f"no alert that counts, {seen} that do not" if seen else "no alert"
    worst = counted[0]["summary"] if counted else _trouble(troubles[0])
    return f"{', '.join(parts)}: {worst}"


def _figures(
    alerts: Sequence[_Row], counted: Sequence[_Row], troubles: Sequence[_Row], limits: Limits
) -> str:
    """Return performance data; a limit of 0 means that one is too many."""
    counts = Counter(alert["severity"] for alert in counted)
    figures = []
    for severity in reversed(SEVERITIES):
        level = limits.level(severity)
        warning = "0" if level is Level.WARNING else ""
        critical = "0" if level is Level.CRITICAL else ""
        figures.append(f"{severity}={counts[severity]};{warning};{critical};0")
    acknowledged = sum(alert["acknowledged_by"] is not None for alert in alerts)
    silenced = sum(alert["suppressed_by"] is not None for alert in alerts)
    figures.append(f"acknowledged={acknowledged};;;0 silenced={silenced};;;0")
    figures.append(f"self_check={len(troubles)};0;;0")
    return " ".join(figures)


def _alert_line(alert: _Row) -> str:
    said = f"{alert['severity']} {alert['alert_id']} {alert['rule_name']}: {alert['summary']}"
    if alert["acknowledged_by"] is not None:
        said += f" (acknowledged by {alert['acknowledged_by']})"
    if alert["suppressed_by"] is not None:
        said += f" ({alert['suppressed_by']})"
    return plain(said).replace("|", "/")


def _trouble(trouble: _Row) -> str:
    return plain(f"{trouble['check_name']} {trouble['status']}: {trouble['detail']}").replace(
        "|", "/"
    )

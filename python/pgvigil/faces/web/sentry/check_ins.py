"""A check-in as a ping, and the settings of its monitor as runs that are expected."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pgvigil.faces.web.sentry.documents import name, table, text

# Whose runs have the name of the monitor alone.
_USUAL = "production"
_ACTIONS = {"in_progress": "start", "ok": "success", "error": "fail"}
# No month is longer, and no year: what has a calendar is a crontab.
_DAYS = {"month": 31, "year": 366}
_MOST_MINUTES = 366 * 24 * 60


@dataclass(frozen=True)
class CheckIn:
    """What is told of one run."""

    name: str
    """Of the monitor, with the environment unless that is production."""
    action: str
    """As `record_ping()` takes it; a status that is not known stays one."""
    run_id: str | None
    duration: timedelta | None
    expected: dict[str, Any] | None
    """When runs are expected, as `record_expected_runs()` takes it."""

    def values(self) -> dict[str, Any]:
        """Return what `record_ping()` is told."""
        return {
            "name": self.name,
            "action": self.action,
            "run_id": self.run_id,
            "duration": self.duration,
        }


def check_in_of(told: dict[str, Any]) -> CheckIn:
    """Return what a check-in says, whatever it holds.

    Args:
        told: as an SDK sends it.
    """
    slug = name(told.get("monitor_slug")) or "(unnamed)"
    environment = name(told.get("environment")) or _USUAL
    task_type = slug if environment == _USUAL else name(f"{slug}@{environment}")
    status = text(told.get("status")) or "error"
    return CheckIn(
        task_type,
        _ACTIONS.get(status, status),
        _run_id(told.get("check_in_id")),
        _seconds(told.get("duration")),
        _expected(task_type, table(told.get("monitor_config"))),
    )


def _run_id(value: Any) -> str | None:
    """Return the id of a run; the one of zeros stands for whichever is running."""
    words = text(value, 100).strip().lower()
    return words if words.strip("0-") else None


def _seconds(value: Any) -> timedelta | None:
    try:
        return timedelta(seconds=float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _expected(task_type: str, config: dict[str, Any]) -> dict[str, Any] | None:
    schedule = _schedule(config.get("schedule"))
    if schedule is None:
        return None
    return {
        "task_type": task_type,
        "schedule": schedule,
        "time_zone": text(config.get("timezone"), 100) or None,
        "grace": _minutes(config.get("checkin_margin")),
    }


def _schedule(schedule: Any) -> str | None:
    """Return a schedule in words, for the database to judge, or None where there is none."""
    if isinstance(schedule, str):
        return schedule
    given = table(schedule)
    value = text(given.get("value"), 200)
    if given.get("type") == "crontab":
        return value or None
    unit = text(given.get("unit"), 100)
    if unit in _DAYS and value.isdecimal() and len(value) < 5:
        value, unit = str(int(value) * _DAYS[unit]), "day"
    return f"{value} {unit}".strip() or None


def _minutes(value: Any) -> timedelta | None:
    """Return how late a run may be; None, which is our own default, where it is not said."""
    try:
        minutes = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return timedelta(minutes=minutes) if 0 < minutes <= _MOST_MINUTES else None

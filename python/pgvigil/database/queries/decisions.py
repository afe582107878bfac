"""What people decide about alerts: each a call of one function of the database."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_DECIDE = (
    "select monitoring.{function}(p_alert_id => %(alert_id)s, p_note => %(note)s, p_by => %(by)s)"
)
ACKNOWLEDGE = _DECIDE.format(function="acknowledge_alert")
UNACKNOWLEDGE = _DECIDE.format(function="unacknowledge_alert")
RESOLVE = _DECIDE.format(function="resolve_alert")
_DECISIONS = {
    "acknowledge": ACKNOWLEDGE,
    "unacknowledge": UNACKNOWLEDGE,
    "resolve": RESOLVE,
}
EVALUATE = "select monitoring.evaluate_alerts()"
EVALUATE_PROCESSING = "select monitoring.check_processing_performance_alerts()"
SILENCE = """
select monitoring.silence_alerts(
    p_matchers => %(matchers)s, p_for => %(for)s, p_note => %(note)s, p_by => %(by)s,
    p_until_resolved => %(until_resolved)s
)
"""
_SET_THRESHOLDS = """
select monitoring.set_alert_thresholds(
    p_rule_name => %(rule)s, p_thresholds => %(thresholds)s, p_labels => %(labels)s
)
"""
UNSILENCE = "select monitoring.unsilence_alerts(p_silence_id => %(silence_id)s, p_by => %(by)s)"


def decide(
    connection: psycopg.Connection[Any],
    decision: str,
    alert_id: int,
    *,
    note: str | None,
    by: str,
) -> bool:
    """Acknowledge, unacknowledge or resolve an alert; False when there was nothing to do.

    Raises:
        psycopg.Error: there is no such alert (PV007).
    """
    values = {"alert_id": alert_id, "note": note, "by": by}
    return bool(_value(connection, _DECISIONS[decision], values))


def silence(
    connection: psycopg.Connection[Any],
    matchers: Mapping[str, Any],
    *,
    seconds: float | None,
    until_resolved: bool,
    note: str | None,
    by: str,
) -> int:
    """Silence alerts from now on and return the number of the silence.

    Raises:
        psycopg.Error: a matcher is none, or the time is impossible.
    """
    values = {
        "matchers": Jsonb(dict(matchers)),
        "for": None if seconds is None else timedelta(seconds=seconds),
        "note": note,
        "by": by,
        "until_resolved": until_resolved,
    }
    return int(_value(connection, SILENCE, values))


def set_thresholds(
    connection: psycopg.Connection[Any],
    rule: str,
    thresholds: Mapping[str, float],
    labels: Mapping[str, str],
) -> None:
    """Set from which value on what a rule finds has which severity, where it has certain labels.

    Raises:
        psycopg.Error: a threshold makes no sense.
    """
    values = {
        "rule": rule,
        "thresholds": Jsonb(dict(thresholds)),
        "labels": Jsonb(dict(labels)),
    }
    _value(connection, _SET_THRESHOLDS, values)


def unsilence(connection: psycopg.Connection[Any], silence_id: int, *, by: str) -> bool:
    """End a silence; False when it had ended already.

    Raises:
        psycopg.Error: there is no such silence (PV007).
    """
    return bool(_value(connection, UNSILENCE, {"silence_id": silence_id, "by": by}))


def _value(connection: psycopg.Connection[Any], statement: str, values: dict[str, Any]) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    return row[0] if row else None

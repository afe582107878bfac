"""Rules, and what keeps alerts from being told: reading them, trying and making changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from pgvigil.database.queries.lists import SEARCHED

_BY_STATE = "array_position(array['failing', 'firing', 'on', 'off'], {})"
"""Rules in the order in which every face lists them: what cannot look is worst."""
BY_URGENCY = f"{_BY_STATE.format('state')}, rule_name"
LISTED = f"""
select *
from monitoring.v_alert_rules
where (%(family)s::text is null or family = %(family)s)
    and (%(state)s::text is null or state = %(state)s)
    and {SEARCHED.format(columns="rule_name, description")}
    and (%(after_rule_name)s::text is null
        or ({_BY_STATE.format("state")}, rule_name)
            > ({_BY_STATE.format("%(after_state)s::text")}, %(after_rule_name)s))
order by {BY_URGENCY}
limit %(limit)s
"""
CHANGES = """
select *
from monitoring.v_alert_rule_changes
where rule_name = %(rule)s
order by change_id desc
limit %(limit)s
"""
ALERTS = """
select *
from monitoring.alerts
where rule_name = %(rule)s
order by resolved_at is not null, coalesce(fired_at, started_at) desc, alert_id desc
limit %(limit)s
"""
INHIBITIONS = """
select *
from monitoring.v_inhibitions
where %(rule)s::text is null or %(rule)s in (source_rule, target_rule)
order by source_rule, target_rule
"""
SUPPRESSED = """
select suppressed_by, count(*) as alerts
from monitoring.v_active_alerts
where suppressed_by is not null
group by suppressed_by
order by suppressed_by
"""
SILENCE = "select * from monitoring.v_silences where silence_id = %(silence_id)s"
MESSAGES = """
select
    notification_id, channel_name, target, kind, status, subject, body, created_at, attempts,
    next_attempt_at, last_error, finished_at
from monitoring.v_notifications
where (%(channel)s::text is null or channel_name = %(channel)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(after_notification_id)s::bigint is null
        or notification_id < %(after_notification_id)s)
order by notification_id desc
limit %(limit)s
"""
CHANNELS = "select * from monitoring.v_notification_channels order by channel_name"

CHANGE = """
select monitoring.change_alert_rule(
    p_rule_name => %(rule)s, p_settings => %(settings)s, p_by => %(by)s, p_note => %(note)s
)
"""
SET_THRESHOLDS = """
select monitoring.set_alert_thresholds(
    p_rule_name => %(rule)s, p_thresholds => %(thresholds)s, p_labels => %(labels)s,
    p_by => %(by)s, p_note => %(note)s
)
"""
_SWITCH = (
    "select monitoring.{function}(p_rule_name => %(rule)s, p_by => %(by)s, p_note => %(note)s)"
)
ENABLE = _SWITCH.format(function="enable_alert_rule")
DISABLE = _SWITCH.format(function="disable_alert_rule")
RESET = _SWITCH.format(function="reset_alert_rule")
BACKTEST = """
select monitoring.backtest_rule_change(
    p_rule_name => %(rule)s, p_from => %(from)s, p_to => %(to)s, p_step => %(step)s,
    p_settings => %(settings)s, p_thresholds => %(thresholds)s, p_labels => %(labels)s
)
"""
MAKE_SILENCE = """
select monitoring.silence_alerts(
    p_matchers => %(matchers)s, p_for => %(for)s, p_note => %(note)s, p_by => %(by)s,
    p_starts_at => %(starts_at)s, p_until_resolved => %(until_resolved)s
)
"""


def backtest_values(
    rule: str,
    *,
    until: datetime,
    days: float,
    step_seconds: float,
    change: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what BACKTEST takes; `change` has what is to be other, as `change_values` says."""
    return {
        "rule": rule,
        "from": until - timedelta(days=days),
        "to": until,
        "step": timedelta(seconds=step_seconds),
        **change,
    }


def change_values(
    settings: Mapping[str, Any],
    thresholds: Mapping[Any, Any] | None,
    labels: Mapping[str, str],
    *,
    is_reset: bool = False,
) -> dict[str, Any]:
    """Return settings, thresholds and labels as the database takes them; null changes nothing.

    Args:
        settings: settings of the rule, as ``change_alert_rule()`` takes them.
        thresholds: all thresholds by severity; None leaves them alone.
        labels: which findings the thresholds are for; none for all.
        is_reset: let thresholds be as they are shipped.
    """
    has_thresholds = thresholds is not None or is_reset
    return {
        "settings": Jsonb(dict(settings)) if settings else None,
        "thresholds": Jsonb(None if thresholds is None else dict(thresholds))
        if has_thresholds
        else None,
        "labels": Jsonb(dict(labels)),
    }

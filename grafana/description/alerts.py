"""Alerts: what fires, what became of what fired, and what people were told."""

from grafana.description.board import Board, Row, choice
from grafana.description.panels import bars, graph, listing, numbers

CHOSEN = "severity in ($severity) and rule_name in ($rule_name)"

BOARD = Board(
    name="alerts",
    title="Alerts",
    about="What fires, what became of what fired, and what people were told.",
    since="now-7d",
    variables=[
        choice(
            "severity",
            "Severity",
            """
            select severity from unnest(monitoring.severities()) with ordinality s (severity, rank)
            order by rank desc
            """,
        ),
        choice(
            "rule_name",
            "Rule",
            "select rule_name from monitoring.v_alert_rules order by rule_name",
        ),
    ],
    rows=[
        Row(
            "Now",
            [
                numbers(
                    "Firing",
                    "Alerts that fire, how many of them nobody has acknowledged, and how many "
                    "are silenced or inhibited.",
                    f"""
                    select
                        count(*) as firing,
                        count(*) filter (where acknowledged_at is null) as unacknowledged,
                        count(suppressed_by) as suppressed
                    from monitoring.v_active_alerts
                    where {CHOSEN}
                    """,
                    width=12,
                    poor=1,
                    bad=10,
                ),
                numbers(
                    "How long until",
                    "Mean time from when an alert fired until it was acknowledged and resolved, "
                    "of those that fired in the time shown.",
                    f"""
                    select
                        extract(epoch from avg(acknowledged_at - fired_at))
                            as until_acknowledged_seconds,
                        extract(epoch from avg(resolved_at - fired_at)) as until_resolved_seconds
                    from monitoring.alerts
                    where $__timeFilter(fired_at) and {CHOSEN}
                    """,
                    width=12,
                ),
                listing(
                    "Active alerts",
                    "What fires now, worst first, those that nobody looks after before the others.",
                    f"""
                    select
                        alert_id, severity, status, rule_name, summary, value, threshold, unit,
                        labels, fired_at, last_seen_at, acknowledged_by, acknowledged_note,
                        suppressed_by
                    from monitoring.v_active_alerts
                    where {CHOSEN}
                    limit 500
                    """,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                graph(
                    "Alerts that began to fire",
                    "Alerts that began to fire, by severity.",
                    f"""
                    select
                        $__timeGroupAlias(changed_at, $__interval),
                        severity as metric,
                        count(*) as alerts
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and transition = 'firing' and {CHOSEN}
                    group by time, severity
                    order by time
                    """,
                    is_stacked=True,
                ),
                bars(
                    "By rule",
                    "Alerts that began to fire in the time shown, by rule.",
                    f"""
                    select rule_name, count(*) as alerts
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and transition = 'firing' and {CHOSEN}
                    group by rule_name
                    order by alerts desc
                    limit 20
                    """,
                ),
                listing(
                    "What became of alerts",
                    "Everything that happened to alerts in the time shown, newest first.",
                    f"""
                    select
                        changed_at, transition, severity, rule_name, summary, value, changed_by,
                        note
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and {CHOSEN}
                    order by changed_at desc, transition_id desc
                    limit 200
                    """,
                ),
            ],
        ),
        Row(
            "Rules and messages",
            [
                listing(
                    "Rules",
                    "The alert rules, how their last evaluation went, and what is open.",
                    """
                    select
                        rule_name, family, is_enabled, firing, pending, thresholds, unit,
                        evaluated_at, duration_ms, findings, consecutive_failures, last_error
                    from monitoring.v_alert_rules
                    where rule_name in ($rule_name)
                    order by firing desc, consecutive_failures desc, rule_name
                    """,
                ),
                listing(
                    "Messages",
                    "What was written to channels in the time shown, newest first.",
                    """
                    select
                        created_at, channel_name, kind, status, subject, attempts, last_error,
                        finished_at
                    from monitoring.v_notifications
                    where $__timeFilter(created_at)
                    order by created_at desc
                    limit 200
                    """,
                    width=12,
                ),
                listing(
                    "Silences",
                    "Silences that hold, or will.",
                    """
                    select silence_id, is_active, matchers, starts_at, ends_at, note, created_by
                    from monitoring.v_silences
                    where ends_at is null or ends_at >= $__timeTo()
                    order by starts_at desc
                    limit 100
                    """,
                    width=12,
                ),
            ],
        ),
    ],
)

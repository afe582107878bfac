"""Alerts: what fires, what became of what fired, and what people were told."""

from grafana.description.board import LINK_OF_ALERT, Board, Row, choice, link_to
from grafana.description.panels import bars, counts, listing, numbers
from grafana.description.queries import ABOUT, span_of

OF_THIS_RULE = link_to("alerts", "rule_name", "rule_name")
STATUS = "case when suppressed_by is null then status else 'muted' end"
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
                    width=9,
                ),
                numbers(
                    "By severity",
                    "Alerts that fire, by severity.",
                    f"""
                    select
                        count(*) filter (where severity = 'critical') as critical,
                        count(*) filter (where severity = 'high') as high,
                        count(*) filter (where severity = 'medium') as medium,
                        count(*) filter (where severity = 'low') as low
                    from monitoring.v_active_alerts
                    where {CHOSEN}
                    """,
                    width=9,
                ),
                numbers(
                    "Mean time until",
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
                ),
                listing(
                    "Active alerts",
                    "What fires now, worst first, those that nobody looks after before the others.",
                    f"""
                    select
                        severity, {STATUS} as status, summary, reason, {ABOUT},
                        fired_at, coalesce(acknowledged_by, owner) as owner, rule_name,
                        link as page
                    from monitoring.v_active_alerts
                    where {CHOSEN}
                    limit 200
                    """,
                    height=11,
                    links={
                        "about": LINK_OF_ALERT,
                        "rule_name": OF_THIS_RULE,
                        "page": "${__value.raw}",
                    },
                    hidden=["shown_by"],
                    empty="No alert is known to fire",
                ),
            ],
        ),
        Row(
            "Over time",
            [
                counts(
                    "Alerts that began to fire",
                    "Alerts that began to fire, by severity.",
                    f"""
                    select
                        {span_of("changed_at")} as time,
                        severity as metric,
                        count(*) as alerts
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and transition = 'firing' and {CHOSEN}
                    group by 1, 2
                    order by 1, 2
                    """,
                ),
                bars(
                    "By rule",
                    "Alerts that began to fire in the time shown, of the ten rules with most.",
                    f"""
                    select rule_name, count(*) as alerts
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and transition = 'firing' and {CHOSEN}
                    group by rule_name
                    order by alerts desc
                    limit 10
                    """,
                ),
                listing(
                    "What became of alerts",
                    "Everything that happened to alerts in the time shown, newest first.",
                    f"""
                    select
                        changed_at, transition, severity, summary, note, value, changed_by,
                        rule_name
                    from monitoring.alert_history
                    where $__timeFilter(changed_at) and {CHOSEN}
                    order by changed_at desc, transition_id desc
                    limit 200
                    """,
                    links={"rule_name": OF_THIS_RULE},
                    empty="Nothing happened to alerts in the time shown",
                ),
            ],
        ),
        Row(
            "Rules and messages",
            [
                listing(
                    "Rules in trouble",
                    "Alert rules that fire, wait to fire, or fail.",
                    """
                    select
                        rule_name, firing, pending, consecutive_failures, last_error, evaluated_at,
                        duration_ms, family
                    from monitoring.v_alert_rules
                    where
                        rule_name in ($rule_name)
                        and (firing > 0 or pending > 0 or consecutive_failures > 0)
                    order by consecutive_failures desc, firing desc, rule_name
                    """,
                    links={"rule_name": OF_THIS_RULE},
                    empty="No rule fires, waits to fire or fails",
                ),
                listing(
                    "Messages",
                    "What was written to channels in the time shown: what did not get through "
                    "first, then the newest.",
                    """
                    select created_at, status, channel_name, subject, last_error
                    from monitoring.v_notifications
                    where $__timeFilter(created_at)
                    order by status = 'sent', created_at desc
                    limit 200
                    """,
                    empty="No message was written in the time shown",
                ),
                listing(
                    "Silences",
                    "Silences that hold, or will.",
                    """
                    select is_active, matchers, note, starts_at, ends_at, created_by
                    from monitoring.v_silences
                    where ends_at is null or ends_at >= monitoring.clock()
                    order by is_active desc, starts_at desc
                    limit 100
                    """,
                    empty="No silence holds",
                ),
            ],
            is_folded=True,
        ),
    ],
)

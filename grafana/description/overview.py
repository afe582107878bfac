"""The dashboard to begin with: is anything wrong, and how much is going on?"""

from grafana.description.board import (
    LINK_OF_ALERT,
    Board,
    Row,
    link_to,
    link_to_page,
    page_address,
    resolution,
)
from grafana.description.panels import bars, counts, listing, numbers
from grafana.description.queries import ABOUT, BUCKET, PAGE_ADDRESS, TREND

BOARD = Board(
    name="overview",
    title="Overview",
    about="Whether anything is wrong, and how much is going on: where to begin.",
    variables=[resolution(), page_address()],
    rows=[
        Row(
            "Now",
            [
                numbers(
                    "Alerts",
                    "Alerts that fire now, by severity; empty where no rule has run lately, so "
                    "that nobody knows of any.",
                    """
                    select
                        case when a.critical > 0 or f.is_known then a.critical end as critical,
                        case when a.high > 0 or f.is_known then a.high end as high,
                        case when a.medium > 0 or f.is_known then a.medium end as medium,
                        case when a.low > 0 or f.is_known then a.low end as low
                    from (
                        select
                            count(*) filter (where severity = 'critical') as critical,
                            count(*) filter (where severity = 'high') as high,
                            count(*) filter (where severity = 'medium') as medium,
                            count(*) filter (where severity = 'low') as low
                        from monitoring.v_active_alerts
                    ) as a
                    cross join monitoring.v_freshness as f
                    where f.subject = 'alerts'
                    """,
                    width=6,
                    leads_to=link_to("alerts"),
                ),
                numbers(
                    "Rules ran",
                    "How long ago all alert rules had last run: alerts are as of then.",
                    """
                    select seconds_old
                    from monitoring.v_freshness
                    where subject = 'alerts'
                    """,
                    width=3,
                    poor=120,
                    bad=180,
                    none=("never", "red"),
                    leads_to=link_to("self"),
                ),
                numbers(
                    "Running tasks",
                    "Tasks that run now.",
                    "select count(*) as running from monitoring.v_realtime_processing_status",
                    width=3,
                    leads_to=link_to("tasks"),
                ),
                numbers(
                    "Success rate, 24 h",
                    "Completed of ended attempts, in this hour and the 23 before it.",
                    """
                    select
                        round(100.0 * sum(completed) / nullif(sum(tasks), 0), 2) as success_percent
                    from monitoring.v_task_statistics
                    """,
                    width=3,
                    poor=99,
                    bad=95,
                    is_more_better=True,
                    leads_to=link_to("tasks"),
                ),
                numbers(
                    "Failed tasks, 24 h",
                    "Attempts that failed, timed out or got lost in this hour and the 23 "
                    "before it; the success rate says whether that is many.",
                    """
                    select coalesce(sum(failed), 0) as failed_tasks
                    from monitoring.v_task_statistics
                    """,
                    width=3,
                    leads_to=link_to("tasks"),
                ),
                numbers(
                    "Components not well",
                    "Components whose newest check found them degraded or unhealthy.",
                    """
                    select
                        count(*) filter (where status in ('degraded', 'unhealthy')) as not_well
                    from monitoring.system_health
                    """,
                    width=3,
                    poor=1,
                    bad=2,
                    leads_to=link_to("health"),
                ),
                numbers(
                    "pgvigil itself",
                    "Checks of pgvigil itself that are late or failed, and what is not known: "
                    "while it stands still, no alert fires.",
                    """
                    select
                        (select count(*) from monitoring.self_check() where status <> 'ok')
                        + (
                            select count(*) from monitoring.v_freshness
                            where subject in ('alerts', 'scheduler') and not is_known
                        ) as late_or_failed
                    """,
                    width=3,
                    bad=1,
                    leads_to=link_to("self"),
                ),
                listing(
                    "Active alerts",
                    "What fires now, worst first, those that nobody looks after before the others.",
                    f"""
                    select
                        severity,
                        case when suppressed_by is null then status else 'muted' end as status,
                        summary, {ABOUT},
                        fired_at, acknowledged_by, rule_name, link as page
                    from monitoring.v_active_alerts
                    limit 100
                    """,
                    links={
                        "about": LINK_OF_ALERT,
                        "rule_name": link_to("alerts", "rule_name", "rule_name"),
                        "page": "${__value.raw}",
                    },
                    hidden=["shown_by"],
                    empty="No alert is known to fire",
                ),
            ],
        ),
        Row(
            "In trouble",
            [
                listing(
                    "Task types that failed, 24 h",
                    "Task types of which attempts failed in this hour and the 23 before it, worst "
                    "first.",
                    f"""
                    select task_type, success_percent, failed, tasks, {PAGE_ADDRESS}
                    from monitoring.v_task_statistics
                    where failed > 0
                    order by success_percent, tasks desc
                    limit 50
                    """,
                    width=12,
                    links={
                        "task_type": link_to("tasks", "task_type", "task_type"),
                        "page": link_to_page("jobs", "task_type"),
                    },
                    empty="No task failed in 24 hours",
                ),
                listing(
                    "Workflows",
                    "How far each workflow is on its present business day, those with a step that "
                    "failed or is late first.",
                    """
                    select
                        workflow_name, failed, late, running,
                        success_percent as success_7d_percent
                    from monitoring.v_batch_health
                    where is_enabled
                    order by failed desc, late desc, workflow_name
                    limit 50
                    """,
                    width=12,
                    links={"workflow_name": link_to("batch", "workflow_name", "workflow_name")},
                    empty="There is no workflow",
                ),
                listing(
                    "Components not well",
                    "Components that their newest check did not find healthy, or that nobody "
                    "checks any more.",
                    """
                    select component_name, status, failure_reason, last_check_at
                    from monitoring.v_system_health_summary
                    where status <> 'healthy'
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], status),
                        component_type,
                        component_name
                    limit 50
                    """,
                    width=12,
                    links={"component_name": link_to("health", "component_name", "component_name")},
                    empty="No check found anything wrong",
                ),
                bars(
                    "Deepest queues",
                    "Items waiting in the ten deepest queues of those seen in the last 24 hours.",
                    """
                    select queue_name, pending
                    from monitoring.v_queue_performance
                    order by pending desc
                    limit 10
                    """,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                counts(
                    "Ended tasks",
                    "Attempts that ended, by how they ended.",
                    f"""
                    select
                        {BUCKET} as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as cancelled
                    from monitoring.v_task_trends
                    where {TREND}
                    group by 1
                    order by 1
                    """,
                ),
                counts(
                    "Errors",
                    "Errors by severity.",
                    f"""
                    select {BUCKET} as time, severity as metric, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND}
                    group by 1, 2
                    order by 1, 2
                    """,
                ),
            ],
        ),
    ],
)

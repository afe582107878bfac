"""The dashboard to begin with: is anything wrong, and how much is going on?"""

from grafana.description.board import Board, Row, link_to, resolution
from grafana.description.panels import bars, graph, listing, numbers
from grafana.description.queries import TREND

BOARD = Board(
    name="overview",
    title="Overview",
    about="Whether anything is wrong, and how much is going on: where to begin.",
    variables=[resolution()],
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
                ),
                numbers(
                    "Rules ran",
                    "How long ago all alert rules had last run: alerts are as of then.",
                    """
                    select seconds_old as seconds_ago
                    from monitoring.v_freshness
                    where subject = 'alerts'
                    """,
                    width=3,
                    poor=120,
                    bad=180,
                ),
                numbers(
                    "Running tasks",
                    "Tasks that run now.",
                    "select count(*) as running from monitoring.v_realtime_processing_status",
                    width=3,
                ),
                numbers(
                    "Success rate",
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
                ),
                numbers(
                    "Failed tasks",
                    "Attempts that failed, timed out or got lost in this hour and the 23 "
                    "before it.",
                    "select sum(failed) as failed from monitoring.v_task_statistics",
                    width=3,
                    poor=1,
                    bad=10,
                ),
                numbers(
                    "Components that are not well",
                    "Components whose newest check found them degraded or unhealthy.",
                    """
                    select
                        count(*) filter (where status in ('degraded', 'unhealthy')) as not_well
                    from monitoring.system_health
                    """,
                    width=3,
                    poor=1,
                    bad=2,
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
                ),
                listing(
                    "Active alerts",
                    "What fires now, worst first, those that nobody looks after before the others.",
                    """
                    select
                        severity, status, rule_name, summary, fired_at, acknowledged_by,
                        suppressed_by
                    from monitoring.v_active_alerts
                    limit 100
                    """,
                    links={"rule_name": link_to("alerts", "rule_name", "rule_name")},
                ),
            ],
        ),
        Row(
            "Over time",
            [
                graph(
                    "Ended tasks",
                    "Attempts that ended, by how they ended.",
                    f"""
                    select
                        bucket_at as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as ended_otherwise
                    from monitoring.v_task_trends
                    where {TREND}
                    group by bucket_at
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
                graph(
                    "Errors",
                    "Errors by severity.",
                    f"""
                    select bucket_at as time, severity as metric, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND}
                    group by bucket_at, severity
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
            ],
        ),
        Row(
            "What there is",
            [
                listing(
                    "Task types",
                    "Attempts that ended in this hour and the 23 before it, worst first.",
                    """
                    select task_type, tasks, failed, success_percent, p95_duration_ms
                    from monitoring.v_task_statistics
                    order by success_percent, tasks desc
                    """,
                    width=12,
                    links={"task_type": link_to("tasks", "task_type", "task_type")},
                ),
                listing(
                    "Workflows",
                    "How far each workflow is on its present business day.",
                    """
                    select
                        workflow_name, business_date::text as business_date, steps, complete,
                        running, late, failed, success_percent
                    from monitoring.v_batch_health
                    order by failed desc, late desc, workflow_name
                    """,
                    width=12,
                    links={"workflow_name": link_to("batch", "workflow_name", "workflow_name")},
                ),
                bars(
                    "Queues",
                    "Items waiting in each queue seen in the last 24 hours.",
                    """
                    select queue_name, pending
                    from monitoring.v_queue_performance
                    order by pending desc
                    limit 20
                    """,
                ),
                listing(
                    "Components",
                    "The newest check of each component, those that are not well first.",
                    """
                    select
                        component_type, component_name, status, failure_reason, uptime_percent,
                        last_check_at
                    from monitoring.v_system_health_summary
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], status),
                        component_type,
                        component_name
                    """,
                    width=12,
                    links={"component_name": link_to("health", "component_name", "component_name")},
                ),
            ],
        ),
    ],
)

"""Workflows: the batch day as bars over time, and how far each step is."""

from grafana.description.board import Board, Row, choice, one_of
from grafana.description.panels import graph, listing, numbers, states

CHOSEN = "workflow_name in ($workflow_name)"
IN_SIGHT = """
        started_at <= $__timeTo() and (finished_at is null or finished_at >= $__timeFrom())
""".strip()
DAYS = """
        monitoring.get_batch_performance(
            ($__timeFrom()::timestamptz - interval '6 days')::date, $__timeTo()::timestamptz::date
        )
"""

BOARD = Board(
    name="batch",
    title="Batch day",
    about="How far each step of each workflow is, when steps ran, and how the last days were.",
    variables=[
        choice(
            "workflow_name",
            "Workflow",
            "select distinct workflow_name from monitoring.batch_workflow_config order by 1",
        ),
        one_of(
            "business_date",
            "Business date",
            """
            select 'today' as business_date
            union all
            (
                select distinct business_date::text
                from monitoring.batch_performance_summary
                order by 1 desc
            )
            """,
        ),
    ],
    rows=[
        Row(
            "The business day",
            [
                numbers(
                    "Steps",
                    "Steps of the present business day, by how far they are.",
                    f"""
                    select
                        sum(steps) as steps, sum(complete) as complete, sum(running) as running,
                        sum(late) as late, sum(failed) as failed, sum(active_alerts) as alerts
                    from monitoring.v_batch_health
                    where {CHOSEN}
                    """,
                    width=24,
                ),
                listing(
                    "Timeline",
                    "How far each step is on the business date chosen, and when it is expected "
                    "to be complete.",
                    f"""
                    select
                        workflow_name, step_name, status, progress_percent, started_at,
                        finished_at, duration_seconds, eta_at, eta_from_at, eta_to_at,
                        records_processed, records_remaining, records_per_second, runs, due_at,
                        array_to_string(waits_for, ', ') as waits_for
                    from monitoring.get_batch_timeline(nullif('$business_date', 'today')::date)
                    where {CHOSEN}
                    """,
                    height=11,
                ),
                states(
                    "Runs",
                    "When steps ran, coloured by how the run ended.",
                    f"""
                    select started_at as time, step_name, status as state
                    from monitoring.batch_execution_logs
                    where {IN_SIGHT} and {CHOSEN}
                    union all
                    select coalesce(finished_at, monitoring.clock()), step_name, null
                    from monitoring.batch_execution_logs
                    where {IN_SIGHT} and {CHOSEN}
                    order by time, state nulls first
                    """,
                    by="step_name",
                    height=12,
                ),
            ],
        ),
        Row(
            "The days before",
            [
                graph(
                    "How long steps took",
                    "Time that the runs of each step took on each business day, from a week "
                    "before the time shown.",
                    f"""
                    select
                        business_date::timestamptz as time,
                        step_name as metric,
                        duration_seconds
                    from {DAYS.strip()}
                    where {CHOSEN}
                    order by time
                    """,
                    unit="s",
                ),
                graph(
                    "How quickly",
                    "Records that each step worked off in a second, by business day.",
                    f"""
                    select
                        business_date::timestamptz as time,
                        step_name as metric,
                        records_per_second
                    from {DAYS.strip()}
                    where {CHOSEN}
                    order by time
                    """,
                    unit="ops",
                ),
                listing(
                    "Runs",
                    "Runs that run now or ended in the time shown, newest first.",
                    f"""
                    select
                        step_name, status, business_date::text as business_date, task_id, attempt,
                        started_at, finished_at, duration_seconds, records_processed,
                        records_remaining, records_per_second, error_message
                    from monitoring.batch_execution_logs
                    where (finished_at is null or $__timeFilter(finished_at)) and {CHOSEN}
                    order by started_at desc
                    limit 200
                    """,
                ),
                listing(
                    "Alerts",
                    "Alerts about steps that are open, or fired in the time shown.",
                    f"""
                    select
                        severity, status, step_name, rule_name, summary, fired_at, resolved_at,
                        acknowledged_by
                    from monitoring.batch_monitoring_alerts
                    where (resolved_at is null or $__timeFilter(fired_at)) and {CHOSEN}
                    order by fired_at desc
                    limit 200
                    """,
                ),
            ],
        ),
    ],
)

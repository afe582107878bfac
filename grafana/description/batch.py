"""Workflows: the batch day as bars over time, and how far each step is."""

from grafana.description.board import (
    Board,
    Row,
    choice,
    link_to,
    link_to_page,
    one_of,
    page_address,
)
from grafana.description.panels import Panel, lines, listing, numbers, states
from grafana.description.queries import PAGE_ADDRESS, noon_of, unbroken

CHOSEN = "workflow_name in ($workflow_name)"
IN_SIGHT = "started_at <= $__timeTo() and (finished_at is null or finished_at >= $__timeFrom())"
THIS_STEP = {
    "step_name": link_to("tasks", "task_type", "step_name"),
    "page": link_to_page("jobs", "step_name"),
}


def _days_of(title: str, about: str, column: str, unit: str) -> Panel:
    return lines(
        title,
        f"{about} Of the eight steps with the greatest, in the last eight days.",
        unbroken(
            f"""
        select {noon_of("business_date")} as time, step_name as name, {column} as value
        from monitoring.get_batch_performance(
            ($__timeTo()::timestamptz - interval '8 days')::date, $__timeTo()::timestamptz::date
        )
        where {CHOSEN}
        """,
            step="interval '1 day'",
        ),
        unit=unit,
        last="8d",
    )


BOARD = Board(
    name="batch",
    title="Batch day",
    about="How far each step of each workflow is, when steps ran, and how the last days were.",
    since="now-18h",
    until="now+6h",
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
            at_first="today",
        ),
        page_address(),
    ],
    rows=[
        Row(
            "The business day",
            [
                numbers(
                    "Steps",
                    "Steps of the present business day, by how far they are, and alerts about "
                    "them.",
                    f"""
                    select
                        sum(steps) as steps, sum(complete) as complete, sum(running) as running,
                        sum(late) as late, sum(failed) as failed, sum(active_alerts) as firing
                    from monitoring.v_batch_health
                    where {CHOSEN}
                    """,
                    width=18,
                ),
                numbers(
                    "Expected end",
                    "When the last step of the business day is expected to be complete, and how "
                    "long that is from now.",
                    f"""
                    select
                        1000 * extract(epoch from max(eta_at)) as eta_at,
                        extract(epoch from max(eta_at) - monitoring.clock()) as left_seconds
                    from monitoring.get_batch_timeline()
                    where {CHOSEN}
                    """,
                ),
                listing(
                    "Steps",
                    "How far each step is on the business date chosen, and when it is expected "
                    "to be complete: what failed or is late first.",
                    f"""
                    select
                        status, step_name, progress_percent, started_at, finished_at, eta_at,
                        duration_seconds, records_remaining,
                        array_to_string(waits_for, ', ') as waits_for, workflow_name,
                        {PAGE_ADDRESS}
                    from monitoring.get_batch_timeline(nullif('$business_date', 'today')::date)
                        with ordinality
                    where {CHOSEN}
                    order by array_position(array['failed', 'late', 'running'], status), ordinality
                    """,
                    height=11,
                    links=THIS_STEP,
                    empty="No step belongs to this day",
                ),
                states(
                    "Runs",
                    "When steps ran, coloured by how the run ended, and from when to when the end "
                    "of those that are yet to end is expected.",
                    f"""
                    select
                        started_at as time,
                        coalesce(finished_at, monitoring.clock()) as "end",
                        step_name,
                        status as state
                    from monitoring.batch_execution_logs
                    where {IN_SIGHT} and {CHOSEN}
                    union all
                    select
                        greatest(coalesce(eta_from_at, eta_at), monitoring.clock()),
                        greatest(coalesce(eta_to_at, eta_at), monitoring.clock())
                            + interval '1 minute',
                        step_name,
                        'expected'
                    from monitoring.get_batch_timeline()
                    where
                        eta_at <= $__timeTo() and {CHOSEN}
                        and monitoring.clock() between $__timeFrom() and $__timeTo()
                    order by step_name, time
                    """,
                    by="step_name",
                    height=12,
                ),
            ],
        ),
        Row(
            "The days before",
            [
                _days_of(
                    "How long steps took",
                    "Time that the runs of each step took on each business day.",
                    "duration_seconds",
                    "dthms",
                ),
                _days_of(
                    "How quickly",
                    "Records that each step worked off in a second, by business day.",
                    "records_per_second",
                    "suffix: /s",
                ),
                listing(
                    "Runs",
                    "Runs that run now or ended in the time shown, newest first.",
                    f"""
                    select
                        status, step_name, business_date::text as business_date, error_message,
                        started_at, finished_at, duration_seconds, records_processed,
                        attempt, task_id, {PAGE_ADDRESS}
                    from monitoring.batch_execution_logs
                    where (finished_at is null or $__timeFilter(finished_at)) and {CHOSEN}
                    order by started_at desc
                    limit 200
                    """,
                    links=THIS_STEP
                    | {
                        "task_id": link_to("errors", "task_id", "task_id"),
                        "page": link_to_page("runs", "task_id", "attempt"),
                    },
                    empty="No step ran in the time shown",
                ),
                listing(
                    "Alerts",
                    "Alerts about steps that are open, or fired in the time shown.",
                    f"""
                    select
                        severity, status, step_name, summary, fired_at, resolved_at,
                        acknowledged_by, rule_name
                    from monitoring.batch_monitoring_alerts
                    where (resolved_at is null or $__timeFilter(fired_at)) and {CHOSEN}
                    order by resolved_at is not null, fired_at desc
                    limit 200
                    """,
                    links=THIS_STEP | {"rule_name": link_to("alerts", "rule_name", "rule_name")},
                    empty="No alert is about a step",
                ),
            ],
        ),
    ],
)

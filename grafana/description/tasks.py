"""Tasks: how many, how well, how long, what runs and what failed."""

from grafana.description.board import (
    Board,
    Row,
    choice,
    link_to,
    link_to_page,
    page_address,
    resolution,
)
from grafana.description.panels import counts, lines, listing, numbers
from grafana.description.queries import (
    BUCKET,
    OUR_JOBS,
    PAGE_ADDRESS,
    TREND,
    TREND_OF_SHARES,
    greatest,
    unbroken,
)

OF_TYPE = "task_type in ($task_type)"
OF_THIS_TYPE = link_to("tasks", "task_type", "task_type")

BOARD = Board(
    name="tasks",
    title="Tasks",
    about="How many tasks there were, how well and how long they did, what runs and what failed. "
    "All are those of programs: pgvigil's own jobs are shown if chosen by name.",
    variables=[
        choice(
            "task_type",
            "Task type",
            """
            select distinct task_type from monitoring.v_task_trends
            where resolution = 'day' and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            order by task_type
            """,
            all_of_them=f"case when not {OUR_JOBS} then task_type end",
        ),
        resolution(),
        page_address(),
    ],
    rows=[
        Row(
            "In the time shown",
            [
                numbers(
                    "Ended attempts",
                    "Attempts that ended in the time shown, widened to whole hours, and those of "
                    "them that failed, timed out or got lost.",
                    f"""
                    select
                        coalesce(sum(tasks), 0) as ended,
                        coalesce(sum(tasks) filter (
                            where status in ('failed', 'timeout', 'lost')
                        ), 0) as failed
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    """,
                ),
                numbers(
                    "Success rate",
                    "Completed of ended attempts, in the time shown.",
                    f"""
                    select
                        round(
                            100.0 * sum(tasks) filter (where status = 'completed')
                            / nullif(sum(tasks), 0), 2
                        ) as success_percent
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    """,
                    width=3,
                    poor=99,
                    bad=95,
                    is_more_better=True,
                ),
                numbers(
                    "Running now",
                    "Tasks that run now.",
                    f"""
                    select count(*) as running
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    """,
                    width=3,
                ),
                numbers(
                    "Longest runs for",
                    "For how long the task has run that has run for longest.",
                    f"""
                    select max(running_ms) as longest_ms
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    """,
                    width=3,
                ),
                numbers(
                    "Without progress",
                    "For how long the task has got no further that has not for longest.",
                    f"""
                    select max(seconds_without_progress) as seconds_without_progress
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    """,
                    width=3,
                ),
                numbers(
                    "Task types",
                    "Task types that ended in the time shown, and those of them that failed.",
                    f"""
                    select
                        count(distinct task_type) as types,
                        count(distinct task_type) filter (
                            where status in ('failed', 'timeout', 'lost')
                        ) as not_well
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    """,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                counts(
                    "How tasks ended",
                    "Attempts that ended, by how they ended.",
                    f"""
                    select
                        {BUCKET} as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as cancelled
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    group by 1
                    order by 1
                    """,
                ),
                counts(
                    "Throughput",
                    "Attempts that ended in each span, by task type: the eight with most by name.",
                    greatest(f"""
                    select {BUCKET} as time, task_type as name, tasks as value
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    """),
                ),
                lines(
                    "Slowest task types",
                    "95 % of the attempts took no longer than this, of the eight task types of "
                    "which some took longest.",
                    unbroken(f"""
                    select {BUCKET} as time, task_type as name, p95_duration_ms as value
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    """),
                    unit="ms",
                ),
                lines(
                    "Lowest success rates",
                    "Completed of ended attempts, of the five task types that did worst, by the "
                    "hour at finest.",
                    unbroken(
                        f"""
                    select {BUCKET} as time, task_type as name, success_percent as value
                    from monitoring.v_task_trends
                    where {TREND_OF_SHARES} and {OF_TYPE}
                    """,
                        most=5,
                        first="avg(value)",
                        is_share=True,
                    ),
                    unit="percent",
                ),
            ],
        ),
        Row(
            "Figures and tasks",
            [
                listing(
                    "Attempts that did not complete",
                    "The newest attempts that failed, timed out, were cancelled or got lost, and "
                    "why: as their metadata say, else their last error.",
                    f"""
                    select
                        end_time, status, task_type, error_message as why, task_id, attempt,
                        duration_ms, worker_id, {PAGE_ADDRESS}
                    from monitoring.v_unsuccessful_tasks
                    where $__timeFilter(end_time) and {OF_TYPE}
                    order by end_time desc
                    limit 200
                    """,
                    links={
                        "task_id": link_to("errors", "task_id", "task_id"),
                        "task_type": OF_THIS_TYPE,
                        "page": link_to_page("runs", "task_id", "attempt"),
                    },
                    empty="Every attempt in the time shown completed",
                ),
                listing(
                    "Running now",
                    "Tasks that run, those that got no further for longest first.",
                    f"""
                    select
                        task_type, task_id, seconds_without_progress, running_ms,
                        progress_percent, items_done, items_total, start_time, attempt, worker_id,
                        {PAGE_ADDRESS}
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    order by seconds_without_progress desc
                    limit 200
                    """,
                    links={
                        "task_id": link_to("errors", "task_id", "task_id"),
                        "task_type": OF_THIS_TYPE,
                        "page": link_to_page("runs", "task_id", "attempt"),
                    },
                    empty="Nothing runs",
                ),
                listing(
                    "By type and status",
                    "Attempts that ended in the time shown, and how long they took, the hundred "
                    "with most.",
                    f"""
                    select
                        task_type, status, tasks, avg_duration_ms, p50_duration_ms,
                        p95_duration_ms, p99_duration_ms, max_duration_ms, {PAGE_ADDRESS}
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    order by tasks desc
                    limit 100
                    """,
                    links={"task_type": OF_THIS_TYPE, "page": link_to_page("jobs", "task_type")},
                ),
            ],
        ),
    ],
)

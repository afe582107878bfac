"""Tasks: how many, how well, how long, what runs and what failed."""

from grafana.description.board import Board, Row, choice, resolution
from grafana.description.panels import graph, listing, numbers
from grafana.description.queries import TREND

OF_TYPE = "task_type in ($task_type)"

BOARD = Board(
    name="tasks",
    title="Tasks",
    about="How many tasks there were, how well and how long they did, what runs and what failed.",
    variables=[
        choice(
            "task_type",
            "Task type",
            """
            select distinct task_type from monitoring.v_task_trends
            where resolution = 'day' and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            order by task_type
            """,
        ),
        resolution(),
    ],
    rows=[
        Row(
            "In the time shown",
            [
                numbers(
                    "Ended attempts",
                    "Attempts that ended in the time shown, widened to whole hours.",
                    f"""
                    select
                        coalesce(sum(tasks), 0) as ended,
                        coalesce(sum(tasks) filter (
                            where status in ('failed', 'timeout', 'lost')
                        ), 0) as failed
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    """,
                    width=12,
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
                    width=6,
                    poor=99,
                    bad=95,
                    is_more_better=True,
                ),
                numbers(
                    "Running",
                    "Tasks that run now, and for how long the oldest of them has.",
                    f"""
                    select count(*) as running, max(running_ms) as longest_ms
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    """,
                    width=6,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                graph(
                    "How tasks ended",
                    "Attempts that ended, by how they ended.",
                    f"""
                    select
                        bucket_at as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as ended_otherwise
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    group by bucket_at
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
                graph(
                    "Throughput",
                    "Attempts that ended, by hour, for each task type.",
                    f"""
                    select bucket_at as time, task_type as metric, tasks_per_hour
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    order by bucket_at
                    """,
                ),
                graph(
                    "95th percentile of durations",
                    "95 % of the attempts took no longer than this, for each task type.",
                    f"""
                    select bucket_at as time, task_type as metric, p95_duration_ms
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    order by bucket_at
                    """,
                    unit="ms",
                ),
                graph(
                    "Success rate",
                    "Completed of ended attempts, for each task type.",
                    f"""
                    select bucket_at as time, task_type as metric, success_percent
                    from monitoring.v_task_trends
                    where {TREND} and {OF_TYPE}
                    order by bucket_at
                    """,
                    unit="percent",
                ),
            ],
        ),
        Row(
            "Figures and tasks",
            [
                listing(
                    "By type and status",
                    "Attempts that ended in the time shown, and how long they took.",
                    f"""
                    select
                        task_type, status, tasks, avg_duration_ms, p50_duration_ms,
                        p95_duration_ms, p99_duration_ms, max_duration_ms
                    from monitoring.get_task_statistics($__timeFrom(), $__timeTo())
                    where {OF_TYPE}
                    order by tasks desc
                    """,
                ),
                listing(
                    "Running now",
                    "Tasks that run, those that got no further for longest first.",
                    f"""
                    select
                        task_id, task_type, attempt, worker_id, start_time, running_ms,
                        items_done, items_total, progress_percent, seconds_without_progress
                    from monitoring.v_realtime_processing_status
                    where {OF_TYPE}
                    order by seconds_without_progress desc
                    limit 200
                    """,
                ),
                listing(
                    "Attempts that did not complete",
                    "The newest attempts that failed, timed out, were cancelled or got lost, and "
                    "why: as their metadata say, else their last error.",
                    f"""
                    select
                        end_time, task_id, task_type, status, attempt, worker_id, duration_ms,
                        error_message as why
                    from monitoring.v_unsuccessful_tasks
                    where $__timeFilter(end_time) and {OF_TYPE}
                    order by end_time desc
                    limit 200
                    """,
                    links={
                        "task_id": "/d/pgvigil-errors?var-task_id="
                        "${__data.fields.task_id:percentencode}&${__url_time_range}"
                    },
                ),
            ],
        ),
    ],
)

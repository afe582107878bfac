"""pgvigil itself: does it keep up, and what does it cost?"""

from grafana.description.board import Board, Row, resolution
from grafana.description.panels import graph, listing, numbers
from grafana.description.queries import TREND

BOARD = Board(
    name="self",
    title="Self-monitoring",
    about="Whether pgvigil itself keeps up: jobs, rules, messages, sources and retention.",
    variables=[resolution()],
    rows=[
        Row(
            "Does it keep up",
            [
                listing(
                    "How fresh what is known is",
                    "When alerts, the scheduler, roll-ups and sources were last looked at.",
                    """
                    select subject, state, detail, known_at, seconds_old
                    from monitoring.v_freshness
                    order by is_known, subject
                    """,
                    height=6,
                ),
                numbers(
                    "Checks",
                    "Checks of pgvigil itself that are late or failed, and all of them.",
                    """
                    select
                        count(*) filter (where status <> 'ok') as not_ok, count(*) as checks
                    from monitoring.self_check()
                    """,
                    width=8,
                ),
                numbers(
                    "Messages",
                    "Messages that wait to be sent, and those that were given up.",
                    """
                    select sum(waiting) as waiting, sum(dead) as given_up
                    from monitoring.v_notification_channels
                    """,
                    width=8,
                ),
                numbers(
                    "Rules",
                    "Alert rules that are on, those that fail, and how long they take together.",
                    """
                    select
                        count(*) as enabled,
                        count(*) filter (where consecutive_failures > 0) as failing,
                        sum(duration_ms) as together_ms
                    from monitoring.v_alert_rules
                    where is_enabled
                    """,
                    width=8,
                ),
                listing(
                    "Checks",
                    "What pgvigil thinks of itself, what is wrong first.",
                    """
                    select check_name, status, extract(epoch from lateness) as lateness, detail
                    from monitoring.self_check()
                    order by status = 'ok', check_name
                    """,
                ),
            ],
        ),
        Row(
            "Jobs",
            [
                listing(
                    "Jobs",
                    "What the scheduler runs, and how it last went.",
                    """
                    select
                        job_name, schedule, is_enabled, is_running, last_status, seconds_late,
                        next_run_at, last_started_at, last_finished_at, runs, failures,
                        consecutive_failures, missed_runs, last_error
                    from monitoring.v_jobs
                    order by consecutive_failures desc, seconds_late desc nulls last, job_name
                    """,
                ),
                graph(
                    "How long jobs take",
                    "95 % of the runs of a job took no longer than this.",
                    f"""
                    select bucket_at as time, task_type as metric, p95_duration_ms
                    from monitoring.v_task_trends
                    where {TREND} and task_type like 'pgvigil.%'
                    order by bucket_at
                    """,
                    unit="ms",
                ),
                graph(
                    "How jobs ended",
                    "Runs of jobs, by how they ended.",
                    f"""
                    select
                        bucket_at as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as ended_otherwise
                    from monitoring.v_task_trends
                    where {TREND} and task_type like 'pgvigil.%'
                    group by bucket_at
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
            ],
        ),
        Row(
            "What is kept and read",
            [
                listing(
                    "Retention",
                    "How long rows are kept, and how far removal is behind.",
                    """
                    select
                        table_name, category, keep::text as keep, seconds_behind, partitions,
                        oldest_day_at, days_ahead
                    from monitoring.v_retention
                    order by seconds_behind desc nulls last, table_name, category
                    """,
                    width=12,
                ),
                listing(
                    "Slowest rules",
                    "Alert rules by how long their last evaluation took.",
                    """
                    select rule_name, duration_ms, findings, evaluated_at, last_error
                    from monitoring.v_alert_rules
                    where evaluated_at is not null
                    order by duration_ms desc
                    limit 20
                    """,
                    width=12,
                ),
                listing(
                    "Channels",
                    "Where people are told, and whether messages get through.",
                    """
                    select
                        channel_name, kind, is_enabled, waiting, dead, held_back, last_sent_at
                    from monitoring.v_notification_channels
                    order by dead desc, waiting desc, channel_name
                    """,
                    width=12,
                ),
                listing(
                    "Sources",
                    "Relations in which other systems keep runs, records and queues, and their "
                    "last reading.",
                    """
                    select
                        kind, source_name, relation_name, is_enabled, succeeded_at, synced_at,
                        next_sync_at, consecutive_failures, last_error
                    from monitoring.v_sources
                    order by consecutive_failures desc, kind, source_name
                    """,
                    width=12,
                ),
                listing(
                    "Queries elsewhere",
                    "Queries that the runner executes in other databases, and their last load.",
                    """
                    select
                        query_name, is_enabled, is_due, last_status, loaded_at, next_load_at,
                        last_rows_read, last_error
                    from monitoring.v_source_queries
                    order by last_error is null, query_name
                    """,
                ),
            ],
        ),
    ],
)

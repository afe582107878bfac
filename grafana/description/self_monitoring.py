"""pgvigil itself: does it keep up, and what does it cost?"""

from grafana.description.board import Board, Row, link_to, resolution
from grafana.description.panels import counts, lines, listing, numbers
from grafana.description.queries import BUCKET, OUR_JOBS, TREND, unbroken

BOARD = Board(
    name="self",
    title="Self-monitoring",
    about="Whether pgvigil itself keeps up: jobs, rules, messages, sources and retention.",
    variables=[resolution()],
    rows=[
        Row(
            "Now",
            [
                numbers(
                    "Checks",
                    "Checks of pgvigil itself that are late or failed, and all of them.",
                    """
                    select
                        count(*) filter (where status <> 'ok') as not_ok, count(*) as checks
                    from monitoring.self_check()
                    """,
                ),
                numbers(
                    "Messages",
                    "Messages that wait to be sent, and those that were given up.",
                    """
                    select
                        coalesce(sum(waiting), 0) as waiting, coalesce(sum(dead), 0) as given_up
                    from monitoring.v_notification_channels
                    """,
                ),
                numbers(
                    "Rules",
                    "Alert rules that are on, and those that fail.",
                    """
                    select
                        count(*) as enabled,
                        count(*) filter (where consecutive_failures > 0) as failing
                    from monitoring.v_alert_rules
                    where is_enabled
                    """,
                    leads_to=link_to("alerts"),
                ),
                numbers(
                    "All rules take",
                    "How long the last evaluations of all rules took together.",
                    """
                    select coalesce(sum(duration_ms), 0) as together_ms
                    from monitoring.v_alert_rules
                    where is_enabled
                    """,
                    width=3,
                ),
                numbers(
                    "Sources that fail",
                    "Relations and queries of other systems whose last reading failed.",
                    """
                    select
                        (
                            select count(*) from monitoring.v_sources
                            where is_enabled and consecutive_failures > 0
                        ) + (
                            select count(*) from monitoring.v_source_queries
                            where is_enabled and last_error is not null
                        ) as failing
                    """,
                    width=3,
                ),
                listing(
                    "Checks",
                    "What pgvigil thinks of itself, what is wrong first.",
                    """
                    select status, check_name, detail, extract(epoch from lateness) as lateness
                    from monitoring.self_check()
                    order by status = 'ok', check_name
                    """,
                    width=12,
                ),
                listing(
                    "How fresh what is known is",
                    "When alerts, the scheduler, roll-ups and sources were last looked at.",
                    """
                    select state, subject as about, detail, seconds_old
                    from monitoring.v_freshness
                    order by is_known, subject
                    """,
                    width=12,
                ),
            ],
        ),
        Row(
            "Jobs",
            [
                listing(
                    "Jobs",
                    "What the scheduler runs, and how it last went: what fails or is late first.",
                    """
                    select
                        last_status, job_name, last_error, consecutive_failures, seconds_late,
                        is_running, last_finished_at, next_run_at, schedule, is_enabled
                    from monitoring.v_jobs
                    order by consecutive_failures desc, seconds_late desc nulls last, job_name
                    """,
                ),
                lines(
                    "How long jobs take",
                    "95 % of the runs of a job took no longer than this, of the eight jobs of "
                    "which some took longest.",
                    unbroken(f"""
                    select {BUCKET} as time, task_type as name, p95_duration_ms as value
                    from monitoring.v_task_trends
                    where {TREND} and {OUR_JOBS}
                    """),
                    unit="ms",
                ),
                counts(
                    "How jobs ended",
                    "Runs of jobs, by how they ended.",
                    f"""
                    select
                        {BUCKET} as time,
                        sum(completed) as completed,
                        sum(failed) as failed,
                        sum(ended_otherwise) as cancelled
                    from monitoring.v_task_trends
                    where {TREND} and {OUR_JOBS}
                    group by 1
                    order by 1
                    """,
                ),
            ],
        ),
        Row(
            "What is kept",
            [
                listing(
                    "Retention",
                    "How long rows are kept, and how far removal is behind.",
                    """
                    select seconds_behind, table_name, category, keep::text as keep, partitions
                    from monitoring.v_retention
                    order by seconds_behind desc nulls last, table_name, category
                    """,
                    width=12,
                ),
                listing(
                    "Slowest rules",
                    "The ten alert rules whose last evaluation took longest.",
                    """
                    select duration_ms, rule_name, findings, evaluated_at
                    from monitoring.v_alert_rules
                    where evaluated_at is not null
                    order by duration_ms desc
                    limit 10
                    """,
                    width=12,
                    empty="No rule was evaluated yet",
                ),
            ],
            is_folded=True,
        ),
        Row(
            "Channels and sources",
            [
                listing(
                    "Channels",
                    "Where messages go, and whether they get through.",
                    """
                    select dead, waiting, channel_name, held_back, last_sent_at
                    from monitoring.v_notification_channels
                    order by dead desc, waiting desc, channel_name
                    """,
                    width=12,
                    empty="There is no channel",
                ),
                listing(
                    "Sources",
                    "Relations in which other systems keep runs, records and queues, and their "
                    "last reading.",
                    """
                    select consecutive_failures, source_name, last_error, succeeded_at
                    from monitoring.v_sources
                    order by consecutive_failures desc, kind, source_name
                    """,
                    width=12,
                    empty="There is no source",
                ),
                listing(
                    "Queries elsewhere",
                    "Queries that the runner executes in other databases, and their last load.",
                    """
                    select
                        last_status, query_name, last_error, loaded_at, next_load_at,
                        last_rows_read, is_due, is_enabled
                    from monitoring.v_source_queries
                    order by last_error is null, query_name
                    """,
                    empty="There is no query",
                ),
            ],
            is_folded=True,
        ),
    ],
)

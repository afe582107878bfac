"""ETL: executions, their items, log lines and metrics."""

from grafana.description.board import Board, Row, link_to, words
from grafana.description.panels import counts, lines, lines_of_log, listing, numbers, points
from grafana.description.performance import UNITS
from grafana.description.queries import span_of, unbroken

IN_TIME = "(finished_at is null or $__timeFilter(finished_at))"
OF_EXECUTION = "${execution_id:sqlstring} in ('', execution_id)"

BOARD = Board(
    name="etl",
    title="ETL",
    about="ETL executions, the items they worked on, and what they said and measured.",
    variables=[words("execution_id", "Execution")],
    rows=[
        Row(
            "Now and in the time shown",
            [
                numbers(
                    "Executions, 24 h",
                    "Executions that run, and those that ended within 24 hours.",
                    """
                    select
                        (executions ->> 'RUNNING')::bigint as running,
                        (executions ->> 'COMPLETED')::bigint as completed,
                        (executions ->> 'FAILED')::bigint as failed
                    from (
                        select monitoring.get_etl_health_status() -> 'executions' as executions
                    ) as health
                    """,
                    width=9,
                ),
                numbers(
                    "Items",
                    "Items of executions that run or ended in the time shown.",
                    f"""
                    select
                        coalesce(sum(total_fixtures), 0) as total,
                        coalesce(sum(successful_fixtures), 0) as succeeded,
                        coalesce(sum(failed_fixtures), 0) as failed
                    from monitoring.etl_executions
                    where {IN_TIME} and {OF_EXECUTION}
                    """,
                    width=9,
                ),
                numbers(
                    "Log lines",
                    "Log lines of the time shown that say of errors, and of warnings.",
                    f"""
                    select
                        count(*) filter (where level in ('ERROR', 'CRITICAL')) as errors,
                        count(*) filter (where level = 'WARNING') as warnings
                    from monitoring.etl_logs as l
                    where $__timeFilter(l.timestamp) and {OF_EXECUTION}
                    """,
                ),
            ],
        ),
        Row(
            "Executions",
            [
                listing(
                    "Executions",
                    "Executions that run or ended in the time shown: those that failed first, then "
                    "the newest.",
                    f"""
                    select
                        status, execution_id, error_message,
                        round(100.0 * processed_fixtures / nullif(total_fixtures, 0), 1)
                            as processed_percent,
                        failed_fixtures as failed, total_fixtures as total, started_at,
                        finished_at, duration_seconds
                    from monitoring.etl_executions
                    where {IN_TIME} and {OF_EXECUTION}
                    order by status <> 'FAILED', started_at desc
                    limit 200
                    """,
                    links={"execution_id": link_to("etl", "execution_id", "execution_id")},
                    empty="No execution ran in the time shown",
                ),
                counts(
                    "Items by execution",
                    "Items that went well and that failed, when the execution ended.",
                    f"""
                    select
                        finished_at as time,
                        successful_fixtures as completed,
                        failed_fixtures as failed
                    from monitoring.etl_executions
                    where $__timeFilter(finished_at) and {OF_EXECUTION}
                    order by finished_at
                    """,
                ),
                points(
                    "Duration",
                    "How long executions took, when they ended.",
                    f"""
                    select finished_at as time, duration_seconds
                    from monitoring.etl_executions
                    where $__timeFilter(finished_at) and {OF_EXECUTION}
                    order by finished_at
                    """,
                    unit="dthms",
                ),
            ],
        ),
        Row(
            "What they said and measured",
            [
                counts(
                    "Log lines",
                    "Log lines by level.",
                    f"""
                    select
                        {span_of("l.timestamp")} as time,
                        level as metric,
                        count(*) as lines
                    from monitoring.etl_logs as l
                    where $__timeFilter(l.timestamp) and {OF_EXECUTION}
                    group by 1, 2
                    order by 1, 2
                    """,
                ),
                lines(
                    "Metrics",
                    "Means of what executions measured, of the eight metrics with the greatest.",
                    unbroken(
                        f"""
                    select
                        to_timestamp($__timeGroup(m.timestamp, $__interval)) as time,
                        concat_ws(' ', metric_name, metric_unit) as name,
                        avg(metric_value) as value
                    from monitoring.etl_metrics as m
                    where $__timeFilter(m.timestamp) and {OF_EXECUTION}
                    group by 1, 2
                    """,
                        step="'$__interval'::interval",
                    ),
                    units=UNITS,
                ),
                listing(
                    "Metrics, 24 h",
                    "Mean, maximum and number of samples of this hour and the 23 before it, or of "
                    "the execution since it began.",
                    """
                    select
                        metric_name, metric_unit as unit, avg_value as mean, max_value as maximum,
                        last_value as last, samples, last_at
                    from monitoring.get_etl_metric_statistics(
                        nullif(${execution_id:sqlstring}, '')
                    )
                    limit 200
                    """,
                ),
                lines_of_log(
                    "Log",
                    "The newest log lines of the time shown.",
                    f"""
                    select
                        l.timestamp as time, l.message as body, lower(l.level) as level,
                        l.component, l.execution_id, l.chunk_id, l.fixture_id, l.duration_ms
                    from monitoring.etl_logs as l
                    where $__timeFilter(l.timestamp) and {OF_EXECUTION}
                    order by l.timestamp desc
                    limit 500
                    """,
                ),
            ],
        ),
    ],
)

"""ETL: executions, their items, log lines and metrics."""

from grafana.description.board import Board, Row, link_to, words
from grafana.description.panels import graph, lines_of_log, listing, numbers

IN_TIME = "(finished_at is null or $__timeFilter(finished_at))"
OF_EXECUTION = "${execution_id:sqlstring} in ('', execution_id)"

BOARD = Board(
    name="etl",
    title="ETL",
    about="ETL executions, the items they worked on, and what they said and measured.",
    variables=[words("execution_id", "Execution")],
    rows=[
        Row(
            "The last day",
            [
                numbers(
                    "Executions",
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
                    width=12,
                ),
                numbers(
                    "Items",
                    "Items of executions that run or ended in the time shown.",
                    f"""
                    select
                        sum(total_fixtures) as total,
                        sum(successful_fixtures) as succeeded,
                        sum(failed_fixtures) as failed
                    from monitoring.etl_executions
                    where {IN_TIME} and {OF_EXECUTION}
                    """,
                    width=12,
                ),
            ],
        ),
        Row(
            "Executions",
            [
                listing(
                    "Executions",
                    "Executions that run or ended in the time shown, newest first.",
                    f"""
                    select
                        execution_id, status, started_at, finished_at, duration_seconds,
                        round(100.0 * processed_fixtures / nullif(total_fixtures, 0), 1)
                            as processed_percent,
                        total_fixtures, processed_fixtures, successful_fixtures, failed_fixtures,
                        processed_chunks, total_chunks, error_message
                    from monitoring.etl_executions
                    where {IN_TIME} and {OF_EXECUTION}
                    order by started_at desc
                    limit 200
                    """,
                    links={"execution_id": link_to("etl", "execution_id", "execution_id")},
                ),
                graph(
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
                    is_stacked=True,
                ),
                graph(
                    "Duration",
                    "How long executions took, when they ended.",
                    f"""
                    select finished_at as time, duration_seconds
                    from monitoring.etl_executions
                    where $__timeFilter(finished_at) and {OF_EXECUTION}
                    order by finished_at
                    """,
                    unit="s",
                ),
            ],
        ),
        Row(
            "What they said and measured",
            [
                graph(
                    "Log lines",
                    "Log lines by level.",
                    f"""
                    select
                        $__timeGroupAlias(l.timestamp, $__interval),
                        level as metric,
                        count(*) as lines
                    from monitoring.etl_logs as l
                    where $__timeFilter(l.timestamp) and {OF_EXECUTION}
                    group by time, level
                    order by time
                    """,
                    is_stacked=True,
                ),
                graph(
                    "Metrics",
                    "Means of what executions measured.",
                    f"""
                    select
                        $__timeGroupAlias(m.timestamp, $__interval),
                        concat_ws(' ', metric_name, metric_unit) as metric,
                        avg(metric_value) as value
                    from monitoring.etl_metrics as m
                    where $__timeFilter(m.timestamp) and {OF_EXECUTION}
                    group by time, metric
                    order by time
                    """,
                ),
                listing(
                    "Metrics of the last day",
                    "Mean, maximum and number of samples of this hour and the 23 before it, or of "
                    "the execution since it began.",
                    """
                    select
                        metric_name, metric_unit as unit, avg_value as mean, max_value as maximum,
                        samples, last_value as last, last_at
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

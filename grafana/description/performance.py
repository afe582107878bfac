"""Measured values and how they change."""

from grafana.description.board import Board, Row, choice, resolution
from grafana.description.panels import graph, listing
from grafana.description.queries import TREND

CHOSEN = "metric_name in ($metric_name)"

BOARD = Board(
    name="performance",
    title="Performance trends",
    about="Measured values: their mean, their spread and their percentiles over any time.",
    since="now-7d",
    variables=[
        choice(
            "metric_name",
            "Metric",
            """
            select distinct metric_name from monitoring.v_performance_trends
            where resolution = 'day' and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            order by metric_name
            """,
        ),
        resolution(),
    ],
    rows=[
        Row(
            "Over time",
            [
                graph(
                    "Mean",
                    "Mean of what was measured, for each metric, component and unit.",
                    f"""
                    select
                        bucket_at as time,
                        concat_ws(' ', metric_name, component, unit) as metric,
                        avg_value
                    from monitoring.v_performance_trends
                    where {TREND} and {CHOSEN}
                    order by bucket_at
                    """,
                ),
                graph(
                    "95th percentile",
                    "95 % of the values were no greater than this.",
                    f"""
                    select
                        bucket_at as time,
                        concat_ws(' ', metric_name, component, unit) as metric,
                        p95_value
                    from monitoring.v_performance_trends
                    where {TREND} and {CHOSEN}
                    order by bucket_at
                    """,
                ),
                graph(
                    "Greatest",
                    "The greatest value that was measured.",
                    f"""
                    select
                        bucket_at as time,
                        concat_ws(' ', metric_name, component, unit) as metric,
                        max_value
                    from monitoring.v_performance_trends
                    where {TREND} and {CHOSEN}
                    order by bucket_at
                    """,
                ),
                graph(
                    "How often",
                    "How many values were measured.",
                    f"""
                    select bucket_at as time, metric_name as metric, sum(samples) as samples
                    from monitoring.v_performance_trends
                    where {TREND} and {CHOSEN}
                    group by bucket_at, metric_name
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
            ],
        ),
        Row(
            "Figures",
            [
                listing(
                    "Metrics by day",
                    "What was measured, by UTC day, newest first.",
                    f"""
                    select
                        bucket_at, metric_name, component, unit, samples, avg_value, stddev_value,
                        min_value, p50_value, p95_value, p99_value, max_value
                    from monitoring.v_performance_trends
                    where resolution = 'day' and $__timeFilter(bucket_at) and {CHOSEN}
                    order by bucket_at desc, metric_name
                    limit 500
                    """,
                ),
                graph(
                    "Single values",
                    "Means over short spans, from the values themselves: for a look at the last "
                    "hours.",
                    f"""
                    select
                        $__timeGroupAlias(recorded_at, $__interval),
                        metric_name as metric,
                        avg(value) as value
                    from monitoring.performance_monitoring
                    where
                        $__timeFilter(recorded_at) and {CHOSEN}
                        and recorded_at >= $__timeTo()::timestamptz - interval '6 hours'
                    group by time, metric_name
                    order by time
                    """,
                    width=24,
                ),
            ],
        ),
    ],
)

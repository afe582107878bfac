"""Measured values and how they change."""

from grafana.description.board import Board, Row, choice, one_of, resolution
from grafana.description.panels import Panel, counts, lines, listing
from grafana.description.queries import BUCKET, TREND, greatest, unbroken

CHOSEN = "metric_name in ($metric_name) and coalesce(unit, 'none') = ${unit:sqlstring}"
NAMED = "concat_ws(' ', metric_name, component, unit)"
UNITS = {
    "ms": "ms",
    "s": "s",
    "seconds": "s",
    "bytes": "bytes",
    "MB": "decmbytes",
    "%": "percent",
    "percent": "percent",
}
"""Grafana's units for those that programs give, at the end of a line's name."""


def _lines_of(title: str, about: str, column: str) -> Panel:
    return lines(
        title,
        f"{about} Of the eight metrics with the greatest.",
        unbroken(f"""
        select {BUCKET} as time, {NAMED} as name, {column} as value
        from monitoring.v_performance_trends
        where {TREND} and {CHOSEN}
        """),
        units=UNITS,
    )


BOARD = Board(
    name="performance",
    title="Performance trends",
    about="Measured values of one unit: their mean, spread and percentiles over any time.",
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
        one_of(
            "unit",
            "Unit",
            """
            select coalesce(unit, 'none') as unit from monitoring.v_performance_trends
            where
                resolution = 'day' and metric_name in ($metric_name)
                and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            group by 1
            order by sum(samples) desc, 1
            """,
        ),
        resolution(),
    ],
    rows=[
        Row(
            "Over time",
            [
                _lines_of("Mean", "Mean of what was measured.", "avg_value"),
                _lines_of(
                    "95th percentile",
                    "95 % of the values were no greater than this.",
                    "p95_value",
                ),
                _lines_of("Greatest", "The greatest value that was measured.", "max_value"),
                counts(
                    "How often",
                    "How many values were measured: the eight metrics with most by name.",
                    greatest(f"""
                    select {BUCKET} as time, metric_name as name, samples as value
                    from monitoring.v_performance_trends
                    where {TREND} and {CHOSEN}
                    """),
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
                        (bucket_at at time zone 'UTC')::date::text as utc_date, metric_name,
                        component, unit, samples, avg_value, stddev_value, min_value, p50_value,
                        p95_value, p99_value, max_value
                    from monitoring.v_performance_trends
                    where resolution = 'day' and $__timeFilter(bucket_at) and {CHOSEN}
                    order by bucket_at desc, metric_name
                    limit 500
                    """,
                ),
                lines(
                    "Single values of the last six hours",
                    "Means over short spans, from the values themselves. Of the eight metrics "
                    "with the greatest.",
                    unbroken(
                        f"""
                    select
                        to_timestamp($__timeGroup(recorded_at, $__interval)) as time,
                        {NAMED} as name,
                        avg(value) as value
                    from monitoring.performance_monitoring
                    where
                        $__timeFilter(recorded_at) and {CHOSEN}
                        and recorded_at >= $__timeTo()::timestamptz - interval '6 hours'
                    group by 1, 2
                    """,
                        step="'$__interval'::interval",
                    ),
                    units=UNITS,
                    width=24,
                    last="6h",
                ),
            ],
        ),
    ],
)

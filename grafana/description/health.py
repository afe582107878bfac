"""Components: are they well, since when, how quickly do they answer?"""

from grafana.description.board import Board, Row, choice, resolution
from grafana.description.panels import graph, listing, numbers, states
from grafana.description.queries import TREND

CHOSEN = "component_type in ($component_type) and component_name in ($component_name)"

BOARD = Board(
    name="health",
    title="Health and uptime",
    about="Which components are well, when they were not, and how quickly they answer.",
    variables=[
        choice(
            "component_type",
            "Kind",
            "select distinct component_type from monitoring.system_health order by component_type",
        ),
        choice(
            "component_name",
            "Component",
            """
            select distinct component_name from monitoring.system_health
            where component_type in ($component_type)
            order by component_name
            """,
        ),
        resolution(),
    ],
    rows=[
        Row(
            "Now",
            [
                numbers(
                    "Components",
                    "Components by what their newest check found.",
                    f"""
                    select
                        count(*) filter (where status = 'healthy') as healthy,
                        count(*) filter (where status = 'degraded') as degraded,
                        count(*) filter (where status = 'unhealthy') as unhealthy,
                        count(*) filter (where status = 'unknown') as unknown
                    from monitoring.system_health
                    where {CHOSEN}
                    """,
                    width=24,
                ),
                listing(
                    "Components",
                    "The newest check of each component, with its last day.",
                    f"""
                    select
                        component_type, component_name, status, failure_reason, uptime_percent,
                        response_time_ms, avg_response_time_ms, checks, last_check_at,
                        seconds_since_check, last_unhealthy_at
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], status),
                        component_type,
                        component_name
                    """,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                states(
                    "States",
                    "What checks found, from the checks themselves: for a few days at most.",
                    f"""
                    select checked_at as time, component, status as state
                    from (
                        select
                            checked_at,
                            component_type || ' ' || component_name as component,
                            status,
                            lag(status) over (
                                partition by component_type, component_name order by checked_at
                            ) as status_before
                        from monitoring.v_health_history
                        where $__timeFilter(checked_at) and {CHOSEN}
                    ) as checks
                    where status is distinct from status_before
                    order by checked_at
                    """,
                    by="component",
                ),
                # Minutes have no uptime: with six hours more, they are never what suits.
                graph(
                    "Uptime",
                    "Share of the known time in which a component was healthy or degraded.",
                    f"""
                    select bucket_at as time, component_name as metric, uptime_percent
                    from monitoring.v_health_trends
                    where
                        resolution = monitoring.get_trend_resolution(
                            $__timeFrom()::timestamptz - interval '6 hours', $__timeTo()
                        )
                        and $__timeFilter(bucket_at) and {CHOSEN}
                    order by bucket_at
                    """,
                    unit="percent",
                ),
                graph(
                    "Response time, 95th percentile",
                    "95 % of the answers took no longer than this.",
                    f"""
                    select bucket_at as time, component_name as metric, p95_response_time_ms
                    from monitoring.v_health_trends
                    where {TREND} and {CHOSEN}
                    order by bucket_at
                    """,
                    unit="ms",
                ),
                graph(
                    "Checks that found it unhealthy",
                    "How many checks found a component unhealthy.",
                    f"""
                    select bucket_at as time, component_name as metric, unhealthy_checks
                    from monitoring.v_health_trends
                    where {TREND} and {CHOSEN}
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
                listing(
                    "Failed checks",
                    "Checks of the time shown that found something wrong, newest first.",
                    f"""
                    select
                        checked_at, component_type, component_name, status, failure_reason,
                        response_time_ms
                    from monitoring.v_health_history
                    where $__timeFilter(checked_at) and status <> 'healthy' and {CHOSEN}
                    order by checked_at desc
                    limit 200
                    """,
                    width=12,
                ),
            ],
        ),
    ],
)

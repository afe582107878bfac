"""Components: are they well, since when, how quickly do they answer?"""

from grafana.description.board import Board, Row, choice, link_to, resolution
from grafana.description.panels import counts, lines, listing, numbers, states
from grafana.description.queries import BUCKET, TREND, TREND_OF_SHARES, greatest, unbroken

THIS_ONE = link_to("health", "component_name", "component_name")
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
                    width=12,
                ),
                numbers(
                    "Silent",
                    "Components that nobody has checked for so long that their state is unknown.",
                    f"""
                    select count(*) filter (where status = 'unknown') as not_well
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                numbers(
                    "Lowest uptime, 24 h",
                    "The least share of the known time of the last day in which a component was "
                    "healthy or degraded.",
                    f"""
                    select min(uptime_percent) as uptime_percent
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    """,
                    width=3,
                    poor=99,
                    bad=95,
                    is_more_better=True,
                ),
                numbers(
                    "Slowest answer",
                    "How long the newest check took that took longest.",
                    f"""
                    select max(response_time_ms) as slowest_ms
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                numbers(
                    "Checks, 24 h",
                    "Checks of this hour and the 23 before it.",
                    f"""
                    select coalesce(sum(checks), 0) as checks
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    """,
                    width=3,
                ),
                listing(
                    "Components",
                    "The newest check of each component, with its last day: those that are not "
                    "well first.",
                    f"""
                    select
                        status, component_name, failure_reason, uptime_percent,
                        response_time_ms, avg_response_time_ms, checks, seconds_since_check,
                        last_unhealthy_at, component_type
                    from monitoring.v_system_health_summary
                    where {CHOSEN}
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], status),
                        component_type,
                        component_name
                    limit 200
                    """,
                    links={"component_name": THIS_ONE},
                    empty="No component is checked",
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
                    order by component, checked_at
                    """,
                    by="component",
                ),
                lines(
                    "Lowest uptime",
                    "Share of the known time in which a component was healthy or degraded, of the "
                    "five that did worst, by the hour at finest.",
                    unbroken(
                        f"""
                    select {BUCKET} as time, component_name as name, uptime_percent as value
                    from monitoring.v_health_trends
                    where {TREND_OF_SHARES} and {CHOSEN}
                    """,
                        most=5,
                        first="avg(value)",
                        is_share=True,
                    ),
                    unit="percent",
                ),
                lines(
                    "Slowest answers",
                    "95 % of the answers took no longer than this, of the eight components of "
                    "which some took longest.",
                    unbroken(f"""
                    select {BUCKET} as time, component_name as name, p95_response_time_ms as value
                    from monitoring.v_health_trends
                    where {TREND} and {CHOSEN}
                    """),
                    unit="ms",
                ),
                counts(
                    "Checks that found it unhealthy",
                    "How many checks found a component unhealthy: the eight with most by name.",
                    greatest(f"""
                    select {BUCKET} as time, component_name as name, unhealthy_checks as value
                    from monitoring.v_health_trends
                    where {TREND} and {CHOSEN} and unhealthy_checks > 0
                    """),
                ),
                listing(
                    "Failed checks",
                    "Checks of the time shown that found something wrong, newest first.",
                    f"""
                    select checked_at, component_name, status, failure_reason, response_time_ms
                    from monitoring.v_health_history
                    where $__timeFilter(checked_at) and status <> 'healthy' and {CHOSEN}
                    order by checked_at desc
                    limit 200
                    """,
                    width=12,
                    links={"component_name": THIS_ONE},
                    empty="Every check in the time shown went well",
                ),
            ],
        ),
    ],
)

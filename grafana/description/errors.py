"""Errors and their groups."""

from grafana.description.board import Board, Row, choice, link_to, resolution, words
from grafana.description.panels import bars, graph, listing, numbers
from grafana.description.queries import TREND

CHOSEN = "severity in ($severity) and error_type in ($error_type)"

BOARD = Board(
    name="errors",
    title="Errors",
    about="Errors over time, the groups that they fall into, and the newest of them.",
    variables=[
        choice(
            "severity",
            "Severity",
            """
            select severity from unnest(monitoring.severities()) with ordinality s (severity, rank)
            order by rank desc
            """,
        ),
        choice(
            "error_type",
            "Error type",
            """
            select distinct error_type from monitoring.v_error_trends
            where resolution = 'day' and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            order by error_type
            """,
        ),
        words("task_id", "Task"),
        resolution(),
    ],
    rows=[
        Row(
            "In the time shown",
            [
                numbers(
                    "Groups",
                    "Error groups seen in the time shown, those of them that are new since then, "
                    "and those that came back after they were resolved.",
                    f"""
                    select
                        count(*) as seen,
                        count(*) filter (where $__timeFilter(first_seen_at)) as new,
                        count(*) filter (where status = 'regressed') as regressed
                    from monitoring.error_groups
                    where $__timeFilter(last_seen_at) and {CHOSEN}
                    """,
                    width=12,
                ),
                numbers(
                    "Errors",
                    "Errors recorded in the time shown, by severity.",
                    f"""
                    select
                        coalesce(sum(occurrences) filter (where severity = 'critical'), 0)
                            as critical,
                        coalesce(sum(occurrences) filter (where severity = 'high'), 0) as high,
                        coalesce(sum(occurrences) filter (where severity = 'medium'), 0) as medium,
                        coalesce(sum(occurrences) filter (where severity = 'low'), 0) as low
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    """,
                    width=12,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                graph(
                    "By severity",
                    "Errors by severity.",
                    f"""
                    select bucket_at as time, severity as metric, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    group by bucket_at, severity
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
                graph(
                    "By type",
                    "Errors by type.",
                    f"""
                    select bucket_at as time, error_type as metric, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    group by bucket_at, error_type
                    order by bucket_at
                    """,
                    is_stacked=True,
                ),
                bars(
                    "By component",
                    "Errors in the time shown, by the component that spoke.",
                    f"""
                    select coalesce(component, 'none') as component, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    group by component
                    order by errors desc
                    limit 20
                    """,
                    width=24,
                ),
            ],
        ),
        Row(
            "Groups and errors",
            [
                listing(
                    "Error groups",
                    "Errors that differ only in the variable parts of their messages, seen in the "
                    "time shown, the newest first.",
                    f"""
                    select
                        severity, status, error_type, template, occurrences, components,
                        first_seen_at, last_seen_at, note, fingerprint
                    from monitoring.error_groups
                    where $__timeFilter(last_seen_at) and {CHOSEN}
                    order by last_seen_at desc
                    limit 200
                    """,
                ),
                listing(
                    "Newest errors",
                    "Errors of the time shown, of one task if its name is given above.",
                    f"""
                    select
                        occurred_at, severity, error_type, component, task_id, message, details
                    from monitoring.error_tracking
                    where
                        $__timeFilter(occurred_at) and {CHOSEN}
                        and ${{task_id:sqlstring}} in ('', task_id)
                    order by occurred_at desc
                    limit 200
                    """,
                    links={"error_type": link_to("errors", "error_type", "error_type")},
                ),
            ],
        ),
    ],
)

"""Errors and their groups."""

from grafana.description.board import (
    Board,
    Row,
    choice,
    link_to,
    link_to_page,
    page_address,
    resolution,
    words,
)
from grafana.description.panels import bars, counts, listing, numbers
from grafana.description.queries import BUCKET, PAGE_ADDRESS, TREND, greatest

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
        page_address(),
    ],
    rows=[
        Row(
            "In the time shown",
            [
                numbers(
                    "Groups",
                    "Error groups seen in the time shown, those of them that are new since then, "
                    "those that came back after they were resolved, and those that are open.",
                    f"""
                    select
                        count(*) as seen,
                        count(*) filter (where $__timeFilter(first_seen_at)) as new,
                        count(*) filter (where status = 'regressed') as regressed,
                        count(*) filter (where status = 'open') as open
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
                counts(
                    "By severity",
                    "Errors by severity.",
                    f"""
                    select {BUCKET} as time, severity as metric, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    group by 1, 2
                    order by 1, 2
                    """,
                ),
                counts(
                    "By type",
                    "Errors by type: the eight with most by name.",
                    greatest(f"""
                    select {BUCKET} as time, error_type as name, occurrences as value
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    """),
                ),
            ],
        ),
        Row(
            "Groups and errors",
            [
                listing(
                    "Error groups",
                    "Errors that differ only in the variable parts of their messages, seen in the "
                    "time shown: open and regressed ones first, then the newest.",
                    f"""
                    select
                        severity, status, error_type, template, occurrences, last_seen_at,
                        first_seen_at, note, fingerprint, {PAGE_ADDRESS}
                    from monitoring.error_groups
                    where $__timeFilter(last_seen_at) and {CHOSEN}
                    order by status not in ('open', 'regressed'), last_seen_at desc
                    limit 200
                    """,
                    links={
                        "error_type": link_to("errors", "error_type", "error_type"),
                        "page": link_to_page("errors", "fingerprint"),
                    },
                    hidden=["fingerprint"],
                    empty="No error was recorded in the time shown",
                ),
                listing(
                    "Newest errors",
                    "Errors of the time shown, of one task if its name is given above.",
                    f"""
                    select
                        occurred_at, severity, error_type, message, details, component, task_id
                    from monitoring.error_tracking
                    where
                        $__timeFilter(occurred_at) and {CHOSEN}
                        and ${{task_id:sqlstring}} in ('', task_id)
                    order by occurred_at desc
                    limit 200
                    """,
                    links={
                        "error_type": link_to("errors", "error_type", "error_type"),
                        "task_id": link_to("errors", "task_id", "task_id"),
                    },
                    empty="No error was recorded in the time shown",
                ),
                bars(
                    "By component",
                    "Errors in the time shown, of the ten components with most.",
                    f"""
                    select coalesce(component, 'none') as component, sum(occurrences) as errors
                    from monitoring.v_error_trends
                    where {TREND} and {CHOSEN}
                    group by component
                    order by errors desc
                    limit 10
                    """,
                    width=24,
                ),
            ],
        ),
    ],
)

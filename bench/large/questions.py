"""What people ask, of pgvigil and of the rows themselves."""

from dataclasses import dataclass

SINCE = "(select monitoring.clock() - interval '30 days')"
DAY_AGO = "(select monitoring.clock() - interval '24 hours')"

FIGURES = """
    count(*) as tasks, avg(duration_ms) as average,
    percentile_disc(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as percentiles,
    min(duration_ms) as least, max(duration_ms) as most
"""


@dataclass(frozen=True)
class Question:
    """A question, how both sides are asked, and how long the answer may take."""

    name: str
    ours: str
    raw: str | None = None
    target_ms: float | None = None


def _task_trend(resolution: str, target_ms: float | None = None) -> Question:
    return Question(
        f"v_task_trends, 30 days by {resolution}",
        f"""
        select * from monitoring.v_task_trends
        where resolution = '{resolution}'
            and bucket_at >= date_trunc('{resolution}', {SINCE}, 'UTC')
        """,
        f"""
        select date_trunc('{resolution}', finished_at, 'UTC') as bucket_at, task_type,
            count(*) filter (where status = 'completed') as completed, {FIGURES}
        from monitoring.finished_tasks
        where finished_at >= {SINCE}
        group by 1, 2
        """,
        target_ms,
    )


STATISTICS = Question(
    "get_task_statistics(), 30 days",
    "select * from monitoring.get_task_statistics()",
    f"""
    select task_type, status, {FIGURES}
    from monitoring.finished_tasks
    where finished_at >= {SINCE}
    group by task_type, status
    """,
    target_ms=60,
)

QUESTIONS = (
    Question("get_dashboard_summary()", "select monitoring.get_dashboard_summary()", target_ms=30),
    STATISTICS,
    Question(
        "v_task_statistics",
        "select * from monitoring.v_task_statistics",
        f"""
        select task_type, count(*) filter (where status = 'completed') as completed, {FIGURES}
        from monitoring.finished_tasks
        where finished_at >= {DAY_AGO}
        group by task_type
        """,
    ),
    _task_trend("hour", target_ms=60),
    *(_task_trend(resolution) for resolution in ("day", "week", "month")),
    Question(
        "v_error_summary",
        "select * from monitoring.v_error_summary",
        f"""
        select error_type, severity, component, count(*) as occurrences,
            count(distinct fingerprint) as groups, max(occurred_at) as last_seen_at
        from monitoring.errors
        where occurred_at >= {DAY_AGO}
        group by error_type, severity, component
        """,
    ),
    Question(
        "error_groups",
        "select * from monitoring.error_groups",
        """
        select fingerprint, count(*) as occurrences, min(occurred_at) as first_seen_at,
            max(occurred_at) as last_seen_at
        from monitoring.errors
        group by fingerprint
        """,
    ),
    Question(
        "v_error_trends, 30 days by day",
        f"""
        select * from monitoring.v_error_trends
        where resolution = 'day' and bucket_at >= date_trunc('day', {SINCE}, 'UTC')
        """,
        f"""
        select date_trunc('day', occurred_at, 'UTC') as bucket_at, error_type, severity,
            component, count(*) as occurrences
        from monitoring.errors
        where occurred_at >= {SINCE}
        group by 1, 2, 3, 4
        """,
    ),
    Question(
        "system_health",
        "select * from monitoring.system_health",
        """
        select distinct on (component_type, component_name) component_type, component_name,
            status, response_time_ms, checked_at
        from monitoring.health_probes
        order by component_type, component_name, checked_at desc, probe_id desc
        """,
    ),
)

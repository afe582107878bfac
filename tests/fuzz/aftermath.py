"""Whether everything still works after a campaign."""

from collections.abc import Iterator
from typing import Any

import psycopg

from tests.python.support.web_running import Web

_LIMIT = "30s"
_VIEWS = """
select relname from pg_class
where relnamespace = 'monitoring'::regnamespace and relkind = 'v' and relname not like '\\_%'
order by relname
"""
_JOBS = (
    "select monitoring.ensure_partitions()",
    "select monitoring.roll_up()",
    "select monitoring.evaluate_alerts()",
    "call monitoring.run_due_jobs()",
    "select * from monitoring.self_check()",
    "select monitoring.get_dashboard_summary()",
    "select monitoring.get_daily_report()",
    "select monitoring.get_config()",
)
_RECORDED = """
select monitoring.start_task_tracking('after the fuzz', 'after');
select monitoring.complete_task_tracking('after the fuzz');
select monitoring.record_error('after the fuzz', 'After', 'low', 'after', 'after')
"""
_SEEN = """
select
    (select count(*) from monitoring.processing_metrics
    where task_id = 'after the fuzz' and status = 'completed')
    + (select count(*) from monitoring.error_tracking where task_id = 'after the fuzz')
"""


def troubles_of(dsn: str, login_dsns: dict[str, str]) -> Iterator[str]:
    """Yield what does not work in a database: recording, jobs, views, paths of the page."""
    with psycopg.connect(login_dsns["monitoring_writer"], autocommit=True) as writer:
        yield from _trouble_of(writer, _RECORDED)
    with psycopg.connect(login_dsns["monitoring_admin"], autocommit=True) as admin:
        for statement in _JOBS:
            yield from _trouble_of(admin, statement)
        for (view,) in admin.execute(_VIEWS.encode()).fetchall():
            yield from _trouble_of(admin, f"select v::text from monitoring.{view} as v limit 5000")
        seen = admin.execute(_SEEN).fetchone()
        if seen != (2,):
            yield f"of what was recorded afterwards {seen} is seen, not 2 rows"
    yield from _troubles_of_the_web(dsn)


def _trouble_of(connection: psycopg.Connection[Any], statement: str) -> Iterator[str]:
    try:
        connection.execute(f"set statement_timeout = '{_LIMIT}'".encode())
        for part in statement.split(";"):
            connection.execute(part.encode()).fetchall()
    except psycopg.Error as error:
        yield f"{statement}: {error.sqlstate} {error}"


def _troubles_of_the_web(dsn: str) -> Iterator[str]:
    with Web(dsn, seconds_to_answer=30.0) as web:
        for path, methods in web.get("/openapi.json")["paths"].items():
            if "get" not in methods or "{" in path:
                continue
            needed = {
                parameter["name"]: _value_for(parameter)
                for parameter in methods["get"].get("parameters", [])
                if parameter.get("required")
            }
            answer = web.client.get(path, params=needed, timeout=60)
            if answer.status_code not in (200, 404):
                yield f"GET {path} {needed}: {answer.status_code} {answer.text[:500]}"


def _value_for(parameter: dict[str, Any]) -> str:
    choices = parameter["schema"].get("enum")
    return choices[0] if choices else "x"

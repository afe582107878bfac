"""A month of history of every kind, with PostgreSQL's default settings: nothing is compiled.

What the planner takes for dear is compiled, whatever it is; that takes longer than all the work, by
far. Estimates depend on which kinds there are, on statistics, and on how far roll-ups have come.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database
from tests.harness.month import DAYS, NOW, record_month
from tests.python.support.grafana_files import queries, sent
from tests.python.support.grafana_macros import Shown
from tests.python.support.role_calls import CALLS

COMPILED_ABOVE = 100_000  # jit_above_cost
# What statistics tell is forgotten, as if autovacuum had not come by.
FORGET = """
set allow_system_table_mods = on;
delete from pg_statistic where starelid in (
    select oid from pg_class where relnamespace = 'monitoring'::regnamespace
);
update pg_class set reltuples = -1, relpages = 0
where relnamespace = 'monitoring'::regnamespace and relkind in ('r', 'p', 'i');
"""
EXPLAIN = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_settings = on;
set auto_explain.log_format = json;
set auto_explain.log_level = notice;
set client_min_messages = notice;
"""
# Beside a call of each public function: such as find something in the month.
CALLS_OF_A_MONTH = (
    "get_task_statistics()",
    "get_queue_trends(clock() - interval '30 days', clock())",
    "get_trend_points('tasks', clock() - interval '30 days', clock())",
    "get_trend_points('errors', clock() - interval '1 hour', clock())",
    "get_daily_report()",
    "get_etl_execution_summary('etl-030212')",
    "get_record_timeline('proposals', 'r0227')",
    "get_batch_performance()",
    "get_ended_tasks(clock() - interval '30 days')",
    "get_ended_batch_runs(clock() - interval '30 days')",
)
EVERY_RULE = "select rule_name from monitoring.v_alert_rules"
BACKTEST = """
select monitoring.backtest_alert_rule(
    '{}', monitoring.clock() - interval '1 minute', monitoring.clock()
)
"""
EVERY_ALERT = "select min(alert_id)::text from monitoring.alerts group by rule_name"
EXPLANATION = "select monitoring.explain_alert({})"


def _named(chosen: tuple[int, str]) -> str:
    history, statistics = chosen
    return f"{('lively', 'dead')[history]}-{'analysed' if statistics == 'analyze' else 'not'}"


def _described(plan: dict[str, Any]) -> str:
    """Name a plan: by its statement, or, where that is in a SQL function, by what it reads."""
    statement = " ".join(plan["Query Text"].split())[:200]
    return statement or " ".join(
        re.findall(r'"(?:Relation|Function) Name": "\w+"', json.dumps(plan))
    )


class Month:
    """A connection to a database with a month of history, at its end."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take the end of the month for the present."""
        self.connection = connection
        self.connection.execute("select set_config('monitoring.now', %s, false)", [str(NOW)])

    def dear(self, query: str) -> str | None:
        """Say what a query would cost where that is enough for it to be compiled."""
        (explained,) = self._first(f"explain (format json) {query}")
        cost = explained[0]["Plan"]["Total Cost"]
        return f"{cost:,.0f}: {query}" if cost >= COMPILED_ABOVE else None

    def dear_within(self, *statements: str) -> list[str]:
        """Run statements and say what was dear in them and not pinned, at any depth.

        What a statement does is undone, but for what it commits.
        """
        seen: list[dict[str, Any]] = []

        def note(diagnostic: psycopg.errors.Diagnostic) -> None:
            _, marked, plan = (diagnostic.message_primary or "").partition("plan:\n")
            if marked:
                seen.append(json.loads(plan))

        self.connection.execute(EXPLAIN)
        self.connection.add_notice_handler(note)
        try:
            for statement in statements:
                self._undone(statement)
        finally:
            self.connection.remove_notice_handler(note)
        assert seen, "no plan was told"
        return [
            f"{plan['Plan']['Total Cost']:,.0f}: {_described(plan)}"
            for plan in seen
            if plan["Plan"]["Total Cost"] >= COMPILED_ABOVE
            and plan.get("Settings", {}).get("jit") != "off"
        ]

    def views(self) -> list[str]:
        """Return the public views."""
        found = self.connection.execute(
            "select relname from pg_class where relnamespace = 'monitoring'::regnamespace"
            r" and relkind = 'v' and relname not like '\_%' order by 1"
        ).fetchall()
        return [name for (name,) in found]

    def each(self, query: str, statement: str) -> list[str]:
        """Return a statement for each name that a query finds."""
        return [
            statement.format(name) for (name,) in self.connection.execute(query.encode()).fetchall()
        ]

    def _undone(self, statement: str) -> None:
        if statement.startswith("call"):  # commits by itself
            self.connection.execute(statement.encode())
            return
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(statement.encode())
        except psycopg.Error as error:
            # Functions that have nothing to work on here refuse to.
            if not (error.sqlstate or "").startswith("PV"):
                raise

    def _first(self, query: str) -> Any:
        return self.connection.execute(query.encode()).fetchone()


@pytest.fixture(scope="module")
def histories(server: PostgresServer, template: str) -> Iterator[Sequence[str]]:
    """Names of two databases with a month of history: the scheduler of the second died early on."""
    names = ("month_lively", "month_dead")
    for name, scheduler_lives in zip(names, (DAYS, 10), strict=True):
        create_database(server, name, template)
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            record_month(connection, scheduler_lives)
    yield names
    for name in names:
        drop_database(server, name)


@pytest.fixture(scope="module", params=product((0, 1), ("analyze", FORGET)), ids=_named)
def month(
    request: pytest.FixtureRequest, server: PostgresServer, histories: Sequence[str]
) -> Iterator[Month]:
    """A month, with statistics and without."""
    history, statistics = request.param
    create_database(server, "month", histories[history])
    with psycopg.connect(server.dsn("month"), autocommit=True) as connection:
        connection.execute(statistics)
    with psycopg.connect(server.dsn("month"), autocommit=True) as connection:
        yield Month(connection)
    drop_database(server, "month")


def test_no_view_is_dear_enough_to_be_compiled(month: Month) -> None:
    assert len(month.views()) > 50
    dear = [month.dear(f"select * from monitoring.{view}") for view in month.views()]
    assert list(filter(None, dear)) == []


@pytest.mark.parametrize("hours", [6, 24, 7 * 24, 30 * 24])
def test_no_query_of_a_dashboard_is(month: Month, hours: int) -> None:
    shown = Shown(NOW - timedelta(hours=hours), NOW)
    dear = [month.dear(sent(asked, shown)) for asked in queries()]
    assert list(filter(None, dear)) == []


def test_nothing_that_a_function_runs_is(month: Month) -> None:
    calls = [*CALLS.values(), *CALLS_OF_A_MONTH]
    statements = [f"select monitoring.{call}" for call in calls]
    statements += month.each(EVERY_ALERT, EXPLANATION) + month.each(EVERY_RULE, BACKTEST)
    month.connection.execute("set search_path = monitoring, public")
    assert month.dear_within(*statements) == []


def test_nothing_that_a_job_runs_is(month: Month) -> None:
    later = NOW + timedelta(days=1)
    month.connection.execute("select set_config('monitoring.now', %s, false)", [str(later)])
    month.connection.execute("select monitoring.request_job(job_name) from monitoring.v_jobs")
    assert month.dear_within("call monitoring.run_due_jobs()") == []
    jobs = month.connection.execute(
        "select job_name from monitoring.v_jobs where last_status is distinct from 'completed'"
    ).fetchall()
    assert jobs == []

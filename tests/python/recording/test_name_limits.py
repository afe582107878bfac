"""How many names are told apart: those beyond a limit are one, "(other)", wherever names are kept.

In Python, for a roll-up takes no rows of its own transaction.
"""

import json
from typing import Any

import psycopg
import pytest

KINDS = ("tasks", "errors", "metrics", "queues", "health", "error_groups")
# Whatever tells names: what it is, the name, and a number of which nothing may get lost.
TOLD = """
create view public.told as
select 'tasks' as what, task_type as name, tasks::bigint as n
from monitoring.v_task_trends where resolution = 'day'
union all
select 'statistics', task_type, tasks from monitoring.get_task_statistics()
union all
select 'errors', error_type || ' of ' || component, occurrences
from monitoring.v_error_trends where resolution = 'day'
union all
select 'groups', error_type, occurrences from monitoring.error_groups
union all
select 'metrics', metric_name || ' of ' || component || coalesce(' in ' || unit, ''), samples
from monitoring.v_performance_trends where resolution = 'day'
union all
select 'queues', queue_name, pending from monitoring.v_queue_performance
union all
select 'checks', component_type || '/' || component_name, checks
from monitoring.v_health_trends where resolution = 'day' and checks > 0
union all
select 'uptime', component_type || '/' || component_name, 1
from monitoring.v_health_trends where resolution = 'day' and known_seconds > 0
union all
select 'states', component_type || '/' || component_name, 1 from monitoring.system_health
"""
SAMPLES = """
select monitoring.record_queue_metrics(%(name)s, %(n)s, 1, 2, 0, %(n)s),
    monitoring.update_system_health('service', %(name)s, 'unhealthy', %(n)s)
"""


class Sender:
    """Sends names of every kind at moments that it sets."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Set limits of ten names."""
        self.connection = connection
        self.at("2026-01-15 12:00+00")
        connection.execute(TOLD)
        for kind in KINDS:
            self.limit(kind, 10)

    def at(self, now: str) -> None:
        """Let it be another time."""
        self.connection.execute("select set_config('monitoring.now', %s, false)", [now])
        self.connection.execute("select monitoring.ensure_partitions()")
        self.now = now

    def limit(self, kind: str, at_most: int | None) -> None:
        """Set how many names there may be."""
        self.connection.execute("select monitoring.set_name_limit(%s, %s)", [kind, at_most])

    def send(self, first: int, last: int, prefix: str = "n") -> None:
        """Send names such as n01 of every kind, once each."""
        names = {f"{prefix}{n:02}": n for n in range(first, last + 1)}
        rows: dict[str, list[dict[str, Any]]] = {
            "record_finished_tasks": [
                {"task_id": f"of {name}", "task_type": name, "end_time": self.now} for name in names
            ],
            "record_errors": [
                {"error_type": name, "severity": "low", "message": f"no {name}", "component": name}
                for name in names
            ],
            "record_metrics": [
                {"metric_name": name, "value": n, "unit": name, "component": name}
                for name, n in names.items()
            ],
        }
        for function, sent in rows.items():
            self.connection.execute(
                f"select monitoring.{function}(%s)".encode(), [json.dumps(sent)]
            )
        for name, n in names.items():
            self.connection.execute(SAMPLES, {"name": name, "n": n})

    def roll_up(self) -> None:
        """Do what the job does."""
        self.connection.execute("select monitoring.roll_up()")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.connection.execute(query.encode()).fetchall()

    def told(self) -> set[tuple[Any, ...]]:
        """Return all that is told."""
        return set(self.rows("select what, name, n from public.told"))

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return how many names are told, and the sum of their numbers."""
        query = "select what, count(*), sum(n)::bigint from public.told group by what"
        return {what: (names, total) for what, names, total in self.rows(query)}

    def named(self, limits: str) -> tuple[Any, ...]:
        """Return some columns of the limit of task types."""
        return self.rows(f"select {limits} from monitoring.v_name_limits where kind = 'tasks'")[0]

    def found(self, rule: str) -> dict[str, float]:
        """Return what a rule finds, by fingerprint."""
        finders = f"select finder_name from monitoring.alert_rules where rule_name = '{rule}'"
        ((finder,),) = self.rows(finders)
        return dict(
            self.rows(
                f"select f.fingerprint, f.value from monitoring.alert_rules r, monitoring.{finder}("
                f"r, monitoring.clock()) f where r.rule_name = '{rule}'"
            )
        )


@pytest.fixture
def sender(connection: psycopg.Connection[Any]) -> Sender:
    """A database in which ten names of each kind are told apart."""
    return Sender(connection)


def _first(many: int) -> set[str]:
    return {f"n{n:02}" for n in range(1, many + 1)}


def test_names_beyond_the_limit_are_one_and_nothing_else_is_lost(sender: Sender) -> None:
    sender.send(1, 15)
    sender.roll_up()
    assert sender.totals() == {
        "tasks": (11, 15),
        "statistics": (11, 15),
        "errors": (11, 15),
        "groups": (11, 15),
        "metrics": (11, 15),
        "queues": (11, 120),
        "checks": (11, 15),
        "states": (10, 10),
    }
    assert {row for row in sender.told() if "other" in row[1]} == {
        ("tasks", "(other)", 5),
        ("statistics", "(other)", 5),
        ("errors", "(other) of (other)", 5),
        ("groups", "(other)", 5),
        ("metrics", "(other) of (other)", 5),
        ("queues", "(other)", 65),
        ("checks", "(other)/(other)", 5),
    }
    assert {name for what, name, _ in sender.told() if what == "tasks"} == _first(10) | {"(other)"}
    kept = sender.rows("select task_id from monitoring.processing_metrics where task_type = 'n15'")
    assert kept == [("of n15",)], "rows keep the names they have"


def test_what_is_not_rolled_up_yet_counts_under_the_same_names(sender: Sender) -> None:
    sender.send(1, 15)
    sender.roll_up()
    sender.at("2026-01-15 12:10+00")
    sender.send(6, 20)
    before, totals = sender.told(), sender.totals()
    assert totals["tasks"] == totals["errors"] == totals["groups"] == totals["metrics"] == (11, 30)
    assert (totals["checks"], totals["queues"]) == ((11, 30), (11, 210))
    assert (totals["states"], totals["uptime"]) == ((10, 10), (5, 5))
    sender.roll_up()
    assert sender.told() == before
    for source in ("tasks", "errors", "metrics", "queues", "health"):
        sender.rows(f"select monitoring.rebuild_rollups('{source}', '2026-01-15', '2026-01-16')")
    assert sender.told() == before, "and a rebuild tells the same"


def test_rules_judge_what_is_beyond_as_one(sender: Sender) -> None:
    sender.send(1, 20)
    assert len(sender.found("component_unhealthy")) == 10, "before any roll-up"
    assert len(sender.found("queue_backlog")) == 11
    sender.roll_up()
    assert sender.found("queue_backlog") == {f"n{n:02}": n for n in range(1, 11)} | {"(other)": 155}
    assert set(sender.found("component_unhealthy")) == {f"service/{name}" for name in _first(10)}
    assert sender.found("names_over_limit") == dict.fromkeys(KINDS, 10)
    sender.rows("select monitoring.evaluate_alerts()")
    ((summary, severity),) = sender.rows(
        "select summary, severity from monitoring.v_active_alerts"
        " where rule_name = 'names_over_limit' and fingerprint = 'queues'"
    )
    assert summary == (
        'queues: more than 10, and so 10 are counted as "(other)", such as n11, n12, n13'
    )
    assert severity == "medium"
    ((details,),) = sender.rows(
        "select e.details from monitoring.v_active_alerts a"
        " cross join lateral monitoring.explain_alert(a.alert_id) e"
        " where a.rule_name = 'names_over_limit' and a.fingerprint = 'queues'"
        " and e.source = 'limit'"
    )
    assert (details["at_most"], details["beyond"]) == (10, 10)
    sender.at("2026-01-15 13:00:00.1+00")
    assert sender.found("names_over_limit") == {}, "until no more have come for an hour"


def test_names_that_nobody_sends_make_room_and_are_known_again(sender: Sender) -> None:
    sender.send(1, 15)
    sender.roll_up()
    sender.at("2026-01-22 12:00:00.1+00")
    sender.send(1, 4, "m")
    sender.roll_up()
    today = "resolution = 'day' and bucket_at = '2026-01-22'"
    types = f"select task_type from monitoring.v_task_trends where {today} order by 1"
    assert [name for (name,) in sender.rows(types)] == ["m01", "m02", "m03", "m04"]
    assert sender.named("names, is_reached") == (4, False)
    sender.send(1, 3)
    sender.roll_up()
    assert len(sender.rows(types)) == 7
    sender.at("2026-03-01 12:00+00")
    sender.rows("select monitoring.cleanup_old_monitoring_data()")
    assert sender.rows("select * from monitoring.known_names") == [], "forgotten after 30 days"


def test_limits_can_change(sender: Sender) -> None:
    sender.send(1, 15)
    sender.roll_up()
    assert sender.named("names, is_reached, beyond") == (10, True, 5)
    sender.limit("tasks", 20)
    sender.at("2026-01-15 12:10+00")
    sender.send(11, 19)
    sender.roll_up()
    assert sender.named("names, is_reached") == (19, False), "a higher limit has room at once"
    sender.limit("tasks", 10)
    sender.at("2026-01-15 12:20+00")
    sender.send(18, 21)
    sender.roll_up()
    assert sender.named("names, is_reached, beyond") == (19, True, 2), "a lower one forgets nothing"


def test_names_of_all_lengths_and_one_that_is_called_so(sender: Sender) -> None:
    sender.limit("metrics", None)
    long = [chr(0x4E00 + n) * 255 for n in range(20)]
    rows = [{"metric_name": name, "value": 1, "unit": name, "component": name} for name in long]
    sender.connection.execute("select monitoring.record_metrics(%s)", [json.dumps(rows)])
    sender.connection.execute("select monitoring.record_queue_metrics('(other)', 7)")
    sender.send(1, 15)
    sender.roll_up()
    known = "select count(*) from monitoring.v_performance_trends where resolution = 'day'"
    assert sender.rows(known) == [(20 + 15,)]
    ((pending,),) = sender.rows(
        "select pending from monitoring.v_queue_performance where queue_name = '(other)'"
    )
    assert pending == sum(range(10, 16)) + 7


def test_a_flood_before_any_roll_up_tells_no_more_apart(sender: Sender) -> None:
    sender.connection.execute(
        "select monitoring.record_queue_metrics('q' || n, 1),"
        " monitoring.update_system_health('service', 'c' || n, 'healthy')"
        " from generate_series(1, 500) as n"
    )
    components = "select count(*) from monitoring.v_system_health_summary"
    queues = "select count(*), sum(pending) from monitoring.v_queue_performance"
    assert (sender.rows(components), sender.rows(queues)) == ([(10,)], [(11, 500)])
    sender.roll_up()
    assert (sender.rows(components), sender.rows(queues)) == ([(10,)], [(11, 500)])

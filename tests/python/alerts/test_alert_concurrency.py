"""Several sessions evaluate rules and decide about alerts at once."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.python.support.asking import rows, value

GATE = 4712
"""Advisory lock that a test holds to keep the rule ``gated`` looking."""

EVALUATE = "select monitoring.evaluate_alerts()"

RULES = f"""
create schema scratch;
grant usage on schema scratch to monitoring_admin;
create table scratch.things (name text primary key, load double precision);
insert into scratch.things select 'thing ' || n, 60 from generate_series(1, 20) as n;
grant select on scratch.things to monitoring_admin;

create function monitoring._find_things(p_rule monitoring.alert_rules, p_now timestamptz)
returns setof monitoring.finding language plpgsql as $$
begin
    if p_rule.parameters ? 'gated' then
        perform pg_advisory_xact_lock_shared({GATE});
    end if;
    return query select t.name, t.load, '{{}}'::jsonb, t.name, null::text, null::float8
    from scratch.things as t;
end $$;
grant execute on function monitoring._find_things to monitoring_admin;

update monitoring.alert_rules set decided = decided || '{{"is_enabled": false}}';
select monitoring.disable_job(job_name) from monitoring.jobs;
insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('load', 'self', '_find_things');
select monitoring.set_alert_thresholds('load', '{{"low": 10, "high": 50}}');
"""

OPEN = "select count(*) from monitoring.v_active_alerts"


class Sessions:
    """Sessions of a database with a rule about things, and threads to use them in."""

    def __init__(self, dsn: str, stack: ExitStack) -> None:
        """Prepare the database; the stack closes what is opened."""
        self._dsn = dsn
        self._stack = stack
        self._pool = stack.enter_context(ThreadPoolExecutor(8))
        self.main = self.open()
        self.main.execute(RULES.encode())

    def open(self) -> psycopg.Connection:
        """Open a session; every statement commits by itself."""
        return self._stack.enter_context(psycopg.connect(self._dsn, autocommit=True))

    def start(self, session: psycopg.Connection, statement: str) -> Future[Any]:
        """Execute a statement in a thread."""
        return self._pool.submit(lambda: value(session, statement))

    def wait_until_blocked(self, session: psycopg.Connection) -> None:
        """Wait until a session waits for a lock."""
        blocked = (
            "select wait_event_type = 'Lock' from pg_stat_activity"
            f" where pid = {session.info.backend_pid}"
        )
        deadline = time.monotonic() + 10
        while not value(self.main, blocked):
            assert time.monotonic() < deadline, "the session does not wait"
            time.sleep(0.01)

    def close_gate(self) -> psycopg.Connection:
        """Keep the rule looking until the returned session unlocks or ends."""
        keeper = self.open()
        keeper.execute(f"select pg_advisory_lock({GATE})".encode())
        self.main.execute(
            'update monitoring.alert_rules set decided = \'{"parameters": {"gated": 1}}\''
            " where rule_name = 'load'"
        )
        return keeper


@pytest.fixture
def sessions(dsn: str) -> Iterator[Sessions]:
    """The sessions of a fresh database."""
    with ExitStack() as stack:
        yield Sessions(dsn, stack)


def test_evaluations_at_once_make_one_alert_of_each_thing(sessions: Sessions) -> None:
    opened = [sessions.open() for _ in range(6)]
    started = [sessions.start(session, EVALUATE) for session in opened for _ in range(1)]
    results = [future.result(timeout=30) for future in started]
    assert sorted(result["opened"] for result in results) == [0] * 5 + [20]
    assert value(sessions.main, OPEN) == 20
    assert value(sessions.main, "select min(occurrences) from monitoring.v_active_alerts") == 6


def test_nobody_waits_for_a_rule_that_is_looking(sessions: Sessions) -> None:
    sessions.main.execute(EVALUATE)
    keeper, evaluator = sessions.close_gate(), sessions.open()
    evaluation = sessions.start(evaluator, EVALUATE)
    sessions.wait_until_blocked(evaluator)
    sessions.main.execute("set lock_timeout = '500ms'")
    number = value(sessions.main, "select min(alert_id) from monitoring.v_active_alerts")
    assert value(sessions.main, f"select monitoring.acknowledge_alert({number})")
    assert value(sessions.main, f"select monitoring.resolve_alert({number + 1})")
    assert value(sessions.main, 'select monitoring.silence_alerts(\'{"rule": "load"}\')')
    keeper.close()
    result = evaluation.result(timeout=10)
    assert result["opened"] == 1
    assert value(sessions.main, OPEN + " where acknowledged_by is not null") == 1


def test_a_decision_waits_for_one_that_is_not_committed(sessions: Sessions) -> None:
    sessions.main.execute(EVALUATE)
    number = value(sessions.main, "select min(alert_id) from monitoring.v_active_alerts")
    first, second = sessions.open(), sessions.open()
    with first.transaction():
        first.execute(f"select monitoring.resolve_alert({number}, 'first')".encode())
        late = sessions.start(second, f"select monitoring.acknowledge_alert({number})")
        sessions.wait_until_blocked(second)
    assert late.result(timeout=10) is False
    history = "select transition from monitoring.alert_history where alert_id = "
    assert rows(sessions.main, f"{history}{number} order by transition_id") == [
        {"transition": "firing"},
        {"transition": "resolved"},
    ]


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_an_evaluation_that_is_ended_leaves_nothing_behind(sessions: Sessions, end: str) -> None:
    sessions.main.execute(
        "insert into monitoring.alert_rules (rule_name, family, finder_name)"
        " values ('earlier', 'self', '_find_things')"
    )
    keeper, evaluator = sessions.close_gate(), sessions.open()
    evaluation = sessions.start(evaluator, EVALUATE)
    sessions.wait_until_blocked(evaluator)
    assert value(sessions.main, f"select {end}({evaluator.info.backend_pid})")
    # Somebody means the evaluation: it is not a failure of the rule, and no other goes on.
    with pytest.raises(psycopg.OperationalError):
        evaluation.result(timeout=10)
    assert value(sessions.main, "select count(*) from monitoring.alerts") == 0
    assert value(sessions.main, "select count(*) from monitoring.alert_rule_states") == 0
    keeper.close()
    sessions.main.execute(EVALUATE)
    assert value(sessions.main, OPEN) == 20


def test_rules_may_be_dropped_and_disabled_while_they_look(sessions: Sessions) -> None:
    keeper, evaluator = sessions.close_gate(), sessions.open()
    evaluation = sessions.start(evaluator, EVALUATE)
    sessions.wait_until_blocked(evaluator)
    sessions.main.execute("select monitoring.disable_alert_rule('load')")
    keeper.close()
    assert evaluation.result(timeout=10)["opened"] == 0
    assert value(sessions.main, OPEN) == 0

"""Whoever evaluates, decides and records at once: no deadlock, no alert twice, no notice twice."""

import random
import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from tests.python.support.alerting import Alarms
from tests.python.support.asking import one, rows

SESSIONS = 6
SECONDS = 5.0
RULES = ("a", "b", "c")
THINGS = ("x", "y", "z")
DECIDE = """
select monitoring.{function}(alert_id)
from (select alert_id from monitoring.v_active_alerts order by random() limit 1) as any_one
"""
NOTICES = """
select n.event, count(*) as told, count(distinct n.alert_id) as alerts
from monitoring.queued_notifications as q,
    jsonb_to_recordset(q.payload -> 'alerts') as n (alert_id bigint, event text)
group by n.event
"""
# What repeatable read and serializable are entitled to; and two that record the same at once.
EXPECTED = (psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)


@pytest.fixture
def alarms(connection: psycopg.Connection) -> Alarms:
    """Rules and a channel without a limit."""
    made = Alarms(connection)
    for rule in RULES:
        made.rule(rule)
    connection.execute(
        "select monitoring.define_notification_channel("
        " 'everything', array['somebody'], p_repeat => null, p_max_per_hour => null)"
    )
    return made


def test_all_at_once(dsn: str, connection: psycopg.Connection, alarms: Alarms) -> None:
    outcomes: Counter[str] = Counter()
    failures: list[BaseException] = []
    until = time.monotonic() + SECONDS
    threads = [
        threading.Thread(target=_work, args=(dsn, seed, until, outcomes, failures))
        for seed in range(SESSIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert outcomes["done"] > 50
    # Whatever was left untold for want of another evaluation.
    connection.execute("select monitoring.evaluate_alerts()")
    _assert_history_replays(connection)
    told = {row["event"]: row for row in rows(connection, NOTICES)}
    fired = one(
        connection,
        "select count(*) as n from monitoring.alert_history where transition = 'firing'",
    )["n"]
    assert fired > 10
    # Some resolve, or are acknowledged, in the transaction that let them fire or right after it.
    assert told["firing"]["told"] == told["firing"]["alerts"] <= fired
    assert told["resolved"]["told"] == told["resolved"]["alerts"] <= told["firing"]["alerts"]


def _work(
    dsn: str, seed: int, until: float, outcomes: Counter[str], failures: list[BaseException]
) -> None:
    chance = random.Random(seed)
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            alarms = Alarms.__new__(Alarms)
            alarms.connection = connection
            while time.monotonic() < until:
                try:
                    _act(chance, alarms)
                    outcomes["done"] += 1
                except EXPECTED:
                    outcomes["given up"] += 1
    except BaseException as error:
        failures.append(error)


def _act(chance: random.Random, alarms: Alarms) -> None:
    connection = alarms.connection
    level = chance.choice(["read committed", "read committed", "repeatable read", "serializable"])
    connection.execute(f"set default_transaction_isolation = '{level}'".encode())
    rule, thing = chance.choice(RULES), chance.choice(THINGS)
    what = chance.randrange(10)
    if what < 3:
        alarms.find(rule, thing, chance.choice(["low", "high", "critical"]))
    elif what < 5:
        alarms.lose(rule, thing)
    elif what < 7:
        connection.execute("select monitoring.evaluate_alerts()")
    elif what < 8:
        connection.execute("select monitoring.check_queue_backlog_alerts()")
    else:
        function = chance.choice(["acknowledge_alert", "unacknowledge_alert", "resolve_alert"])
        connection.execute(DECIDE.format(function=function).encode())


def _assert_history_replays(connection: psycopg.Connection[Any]) -> None:
    states: dict[int, tuple[str, str]] = {}
    for row in rows(connection, "select * from monitoring.alert_history order by transition_id"):
        status, _ = states.get(row["alert_id"], ("", ""))
        if row["transition"] in ("firing", "resolved"):
            assert row["transition"] != status, "fires once and resolves once"
            status = row["transition"]
        states[row["alert_id"]] = (status, row["severity"])
    alerts = rows(connection, "select alert_id, status, severity from monitoring.raised_alerts")
    assert {each["alert_id"]: (each["status"], each["severity"]) for each in alerts} == states


def test_an_evaluation_that_waited_for_another_goes_by_the_time_after_it(
    dsn: str, connection: psycopg.Connection, alarms: Alarms
) -> None:
    """Else it would find as of a moment ago, and open again, what the other has just resolved."""
    with psycopg.connect(dsn) as first, psycopg.connect(dsn, autocommit=True) as second:
        first.execute("select monitoring.evaluate_alerts()")
        waiting = threading.Thread(
            target=second.execute, args=("select monitoring.evaluate_alerts()",)
        )
        waiting.start()
        _wait_until_blocked(connection, second.info.backend_pid)
        # The server's own clock, which the engine goes by.
        before = one(connection, "select clock_timestamp() as at")["at"]
        first.commit()
        waiting.join()
    rule = one(connection, "select * from monitoring.v_alert_rules where rule_name = 'a'")
    assert rule["evaluated_at"] > before


def _wait_until_blocked(connection: psycopg.Connection[Any], pid: int) -> None:
    query = f"select wait_event_type = 'Lock' as so from pg_stat_activity where pid = {pid}"
    deadline = time.monotonic() + 20
    while not one(connection, query)["so"]:
        assert time.monotonic() < deadline, "it did not wait"
        time.sleep(0.01)

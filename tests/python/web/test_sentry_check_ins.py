"""Check-ins of SDKs, and of what has no SDK: runs, and when they are expected."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.python.support.asking import rows, value
from tests.python.support.envelopes import AUTH, KEY, envelope, item
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

_RUNS = """
    select task_type, status, round(duration_ms) as ms, attempt
    from monitoring.processing_metrics order by start_time, task_id
"""
_EXPECTED = """
    select task_type, schedule, time_zone, grace_seconds from monitoring.v_expected_runs
    order by task_type
"""
_TOLD = """
    select count(*) from monitoring.error_tracking
    where fingerprint = 'pgvigil.repaired:expected_runs'
"""
CRON = f"/api/1/cron/nightly/{KEY}/"


@pytest.fixture
def taking(dsn: str) -> Iterator[Web]:
    """A web service that takes what SDKs send."""
    with Web(dsn, ping_key=KEY) as web:
        yield web


def send(web: Web, **told: Any) -> None:
    body = envelope(item("check_in", {"monitor_slug": "nightly", "status": "ok", **told}))
    answer = web.client.post("/api/1/envelope/", content=body, headers=AUTH)
    assert answer.status_code == 200, answer.text


def found(connection: psycopg.Connection[Any], query: str = _RUNS) -> list[tuple[Any, ...]]:
    return [tuple(each.values()) for each in rows(connection, query)]


def test_a_heartbeat_says_how_long_it_took(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    send(taking, check_in_id=uuid4().hex, duration=12.5)
    ((*run, duration_ms),) = found(connection, _RUNS.replace("ms, attempt", "ms"))
    assert run == ["nightly", "completed"]
    assert duration_ms >= 12_500


def test_runs_are_told_apart_by_their_ids(taking: Web, connection: psycopg.Connection[Any]) -> None:
    first, second = uuid4().hex, str(uuid4())
    for run in (first, second):
        send(taking, check_in_id=run, status="in_progress")
    send(taking, check_in_id=first, status="in_progress")
    send(taking, check_in_id=second, status="error")
    states = {(task_type, status) for task_type, status, *_ in found(connection)}
    assert states == {("nightly", "running"), ("nightly", "failed")}
    # No id, or one of zeros, stands for whatever is running.
    send(taking, check_in_id="0" * 32)
    assert [status for _, status, *_ in found(connection)] == ["completed", "failed"]


def test_a_start_and_an_end_at_the_same_moment_are_one_run(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    def run(number: int) -> None:
        with ThreadPoolExecutor(2) as pool:
            name, check_in_id = f"job-{number}", uuid4().hex
            for status in ("in_progress", "ok"):
                pool.submit(send, taking, monitor_slug=name, check_in_id=check_in_id, status=status)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(run, range(10)))
    runs = found(connection)
    assert sorted(name for name, *_ in runs) == [f"job-{number}" for number in range(10)]
    assert {(status, attempt) for _, status, _, attempt in runs} == {("completed", 1)}


def test_environments_are_apart_but_for_production(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    config = {"schedule": {"type": "crontab", "value": "@daily"}}
    environments: tuple[Any, ...] = (None, "production", {}, "\n", "staging")
    for environment in environments:
        send(taking, environment=environment, monitor_config=config)
    names = [name for name, *_ in found(connection)]
    assert names == ["nightly"] * 4 + ["nightly@staging"]
    assert [name for name, *_ in found(connection, _EXPECTED)] == ["nightly", "nightly@staging"]


_SETTINGS: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (
        {"schedule": {"type": "crontab", "value": "5 4 * * mon"}, "timezone": "Asia/Tokyo"},
        ("5 4 * * mon", "Asia/Tokyo", 300),
    ),
    ({"schedule": {"type": "interval", "value": 1, "unit": "minute"}}, ("1 minute", "UTC", 300)),
    ({"schedule": {"type": "interval", "value": 2, "unit": "week"}}, ("2 week", "UTC", 300)),
    ({"schedule": {"type": "interval", "value": 2, "unit": "month"}}, ("62 day", "UTC", 300)),
    ({"schedule": {"type": "interval", "value": 1, "unit": "year"}}, ("366 day", "UTC", 300)),
    (
        {"schedule": {"type": "interval", "value": 1, "unit": "day"}, "checkin_margin": 90,
         "max_runtime": 10, "failure_issue_threshold": 2, "timezone": None},
        ("1 day", "UTC", 5400),
    ),
    (
        {"schedule": {"type": "crontab", "value": "@hourly"}, "checkin_margin": -1},
        ("@hourly", "UTC", 300),
    ),
    ({"schedule": "30 2 * * *", "checkin_margin": 1e300}, ("30 2 * * *", "UTC", 300)),
)  # fmt: skip
_BAD_SETTINGS: tuple[tuple[Any, int], ...] = (
    ({"schedule": {"type": "interval", "value": 2, "unit": "fortnight"}}, 1),
    ({"schedule": {"type": "interval", "value": "x\0", "unit": "month"}}, 1),
    ({"schedule": {"type": "interval", "value": 10**40, "unit": "year"}}, 1),
    ({"schedule": {"type": "crontab", "value": "61 * * * *"}}, 1),
    ({"schedule": {"type": "crontab", "value": "@daily"}, "timezone": "Mars/Olympus"}, 1),
    ({"schedule": {"type": "crontab"}}, 0), ({"schedule": []}, 0), ({}, 0), ("daily", 0), (None, 0),
)  # fmt: skip


def test_the_settings_of_a_monitor_are_runs_that_are_expected(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    for _ in range(2):
        for number, (config, _) in enumerate(_SETTINGS):
            send(taking, monitor_slug=f"job-{number}", monitor_config=config)
    wanted = [(f"job-{number}", *each) for number, (_, each) in enumerate(_SETTINGS)]
    assert found(connection, _EXPECTED) == wanted
    assert value(connection, _TOLD) == 0


def test_settings_that_cannot_be_cost_no_check_in(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    for config, told in _BAD_SETTINGS:
        send(taking, monitor_config=config)
        assert value(connection, _TOLD) == told, config
        connection.execute("delete from monitoring.errors")
    assert {status for _, status, *_ in found(connection)} == {"completed"}
    assert len(found(connection)) == len(_BAD_SETTINGS)
    assert found(connection, _EXPECTED) == []


def test_what_people_have_decided_stays(taking: Web, connection: psycopg.Connection[Any]) -> None:
    connection.execute("select monitoring.define_expected_runs('nightly', '03:00')")
    send(taking, monitor_config={"schedule": {"type": "crontab", "value": "@daily"}})
    assert found(connection, _EXPECTED) == [("nightly", "03:00", "UTC", 300)]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_is_a_check_in(
    taking: Web, connection: psycopg.Connection[Any], method: str
) -> None:
    run = str(uuid4())
    for status in ("in_progress", "ok"):
        asked = {"status": status, "check_in_id": run, "environment": "staging"}
        answer = taking.client.request(method, CRON, params=asked)
        assert (answer.status_code, answer.json()) == (202, {})
    answer = taking.client.request(method, CRON, params={"status": "error"})
    assert answer.status_code == 202
    assert [each[:2] for each in found(connection)] == [
        ("nightly@staging", "completed"), ("nightly", "failed")
    ]  # fmt: skip


def test_an_address_may_come_with_a_document(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    schedule = {"type": "interval", "value": 1, "unit": "hour"}
    told = {"status": "ok", "monitor_config": {"schedule": schedule}}
    assert taking.client.post(CRON, json=told).status_code == 202
    headers = {**AUTH, "Content-Type": "application/json"}
    again = taking.client.post("/api/1/cron/nightly", content=json.dumps(told), headers=headers)
    assert again.status_code == 202
    assert len(found(connection)) == 2
    assert found(connection, _EXPECTED) == [("nightly", "1 hour", "UTC", 300)]
    assert_problem(taking.client.post(CRON, content=b"[]"), 400)


def test_without_the_key_no_check_in_is_taken(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    assert_problem(taking.client.get(f"/api/1/cron/nightly/{TOKEN}/?status=ok"), 403)
    assert_problem(taking.client.get("/api/1/cron/nightly/?status=ok"), 401)
    assert found(connection) == []


_ODD: tuple[dict[str, Any], ...] = (
    {"status": "missed"}, {"status": None}, {"status": ["ok"]}, {"status": "\0"},
    {"monitor_slug": None}, {"monitor_slug": {"a": 1}}, {"monitor_slug": "x" * 9000},
    {"check_in_id": "x\0" * 900}, {"check_in_id": [1]}, {"duration": -1}, {"duration": "x"},
    {"duration": 1e300}, {"duration": 1e9}, {"duration": {}}, {"environment": "e" * 900},
)  # fmt: skip


def test_whatever_a_check_in_holds_it_is_a_run(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    for number, told in enumerate(_ODD, 1):
        send(taking, **told)
        assert len(found(connection)) == number, told
    states = [status for _, status, *_ in found(connection)]
    assert states.count("failed") == sum("status" in told for told in _ODD)


def test_check_ins_come_with_the_rights_of_a_writer_alone(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("create role checking login password 'for-a-test' in role monitoring_writer")
    try:
        login = psycopg.conninfo.make_conninfo(dsn, user="checking", password="for-a-test")
        with Web(login, ping_key=KEY) as web:
            send(web, monitor_config={"schedule": {"type": "crontab", "value": "@daily"}})
            assert web.client.get("/api/active-alerts").status_code == 503
    finally:
        connection.execute("drop role checking")
    assert found(connection, _EXPECTED) == [("nightly", "@daily", "UTC", 300)]

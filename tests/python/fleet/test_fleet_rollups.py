"""The roll-ups that a hub has of its members are theirs, whatever happens between two readings."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests.python.support.asking import value
from tests.python.support.fleets import Fleet, databases
from tests.python.support.rollup_sessions import NOW, ROLL_UP, make_days, stop_clock

_DAYS = 3


@pytest.fixture
def fleet(dsn: str, tmp_path: Path) -> Iterator[Fleet]:
    """A hub without members, whose clock stands still."""
    opened = Fleet(dsn, tmp_path)
    stop_clock(opened.hub)
    yield opened
    opened.close()


@pytest.fixture
def member(other_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A member whose clock stands still, with room for a few days."""
    with psycopg.connect(other_dsn, autocommit=True) as opened:
        stop_clock(opened)
        make_days(opened, _DAYS)
        yield opened


def _ended(chance: random.Random, number: int, oldest_hours: int = 24 * _DAYS) -> dict[str, Any]:
    at = NOW - timedelta(hours=chance.uniform(0, oldest_hours - 12))
    return {
        "task_id": f"t{number}",
        "task_type": chance.choice(["load", "count", "send"]),
        "status": chance.choice(["completed"] * 5 + ["failed"]),
        "end_time": at.isoformat(),
        "start_time": (at - timedelta(seconds=chance.lognormvariate(2, 2))).isoformat(),
    }


def _record(connection: psycopg.Connection[Any], tasks: list[dict[str, Any]]) -> None:
    connection.execute("select monitoring.record_finished_tasks(%s::jsonb)", [json.dumps(tasks)])


def test_sums_and_percentiles_are_those_of_one_database_that_got_all(
    server: PostgresServer, template: str, fleet: Fleet
) -> None:
    chance = random.Random(7)
    names = ("fleet_a", "fleet_b", "fleet_all")
    with databases(server, template, *names) as dsns:
        opened = [psycopg.connect(dsn, autocommit=True) for dsn in dsns]
        for name, dsn, connection in zip(names, dsns, opened, strict=True):
            stop_clock(connection)
            make_days(connection, _DAYS)
            if name != "fleet_all":
                fleet.add(name, dsn)
        for part in range(3):
            tasks = [_ended(chance, 1000 * part + number) for number in range(400)]
            _record(opened[0], tasks[:130])
            _record(opened[1], tasks[130:])
            _record(opened[2], tasks)
            for connection in opened:
                connection.execute(ROLL_UP)
            assert fleet.read(*names[:2]) == dict.fromkeys(names[:2])
        since = NOW - timedelta(days=2, hours=3)
        together = fleet.hub.execute(
            "select name, label, row_count, p50_value, p95_value, p99_value, min_value, max_value,"
            " members from monitoring.get_fleet_statistics('tasks', %s) order by 1, 2",
            [since],
        ).fetchall()
        alone = (
            opened[2]
            .execute(
                "select task_type, status, tasks, p50_duration_ms, p95_duration_ms,"
                " p99_duration_ms, min_duration_ms, max_duration_ms, 2"
                " from monitoring.get_task_statistics(%s) order by 1, 2",
                [since],
            )
            .fetchall()
        )
        for connection in opened:
            connection.close()
    assert len(alone) == 6
    assert together == alone


def test_only_what_changed_is_told_again(
    fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str
) -> None:
    chance = random.Random(11)
    _record(member, [_ended(chance, number) for number in range(300)])
    member.execute(ROLL_UP)
    fleet.add("north", other_dsn)
    assert fleet.read("north") == {"north": None}
    fleet.assert_same("north", member)
    cursor = value(fleet.hub, "select rollups_cursor from monitoring.fleet_member_states")
    _record(member, [_ended(chance, 1000)])
    member.execute(ROLL_UP)
    asked = {"rollups": {"cursor": cursor}}
    told = member.execute(
        "select monitoring.get_fleet_changes(%s::jsonb) -> 'rollups'", [json.dumps(asked)]
    ).fetchone()
    assert told is not None
    assert not told[0]["is_full"]
    assert {bucket["resolution"] for bucket in told[0]["buckets"]} == {"hour", "day"}
    assert len(told[0]["buckets"]) == 2
    # One row of each, though the day has many.
    answered = member.execute(
        "select monitoring.get_fleet_rollups(%s::jsonb)", [json.dumps(told[0]["buckets"])]
    ).fetchone()
    assert answered is not None
    assert [len(bucket["rows"]) for bucket in answered[0]] == [1, 1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_hub_has_what_the_member_has_whatever_happens(
    fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str, seed: int
) -> None:
    """Late rows, rows taken back, rebuilds, and roll-ups that are open while it is read."""
    chance = random.Random(seed)
    fleet.add("north", other_dsn)
    number = 0
    with psycopg.connect(other_dsn) as other:
        for _ in range(25):
            number += 1
            match chance.choice(["record", "late", "taken back", "rebuild", "open", "read"]):
                case "record":
                    _record(member, [_ended(chance, 100 * number + n, 14) for n in range(5)])
                case "late":
                    _record(member, [_ended(chance, 100 * number + n) for n in range(5)])
                case "taken back":
                    for _ in range(2):
                        member.execute("select monitoring.start_task_tracking('again', 'lost')")
                    member.execute(ROLL_UP)
                    member.execute(
                        "select monitoring.complete_task_tracking('again', 'failed',"
                        " p_attempt => (select max(attempt) - 1 from monitoring.processing_metrics"
                        " where task_id = 'again')::integer)"
                    )
                case "rebuild":
                    day = NOW - timedelta(days=chance.randint(0, _DAYS - 1))
                    _rebuild(member, day)
                case "open":
                    # In a part of a transaction, whose rows have numbers of their own.
                    with other.transaction():
                        _record(member, [_ended(chance, 100 * number)])
                        with other.transaction():
                            other.execute(ROLL_UP)
                        fleet.read("north")
                case "read":
                    fleet.read("north")
            member.execute(ROLL_UP)
    assert fleet.read("north") == {"north": None}
    fleet.assert_same("north", member)
    assert fleet.member("north")["wanted_buckets"] == 0


def _rebuild(member: psycopg.Connection[Any], day: datetime) -> None:
    """Make a day anew from its rows, of which those of one type are gone."""
    member.execute("delete from monitoring.finished_tasks where task_type = 'count'")
    member.execute("select monitoring.rebuild_rollups('tasks', %s, %s)", [day, day + timedelta(1)])


def test_a_member_that_is_another_database_now_is_read_anew(
    server: PostgresServer, template: str, fleet: Fleet, member: psycopg.Connection[Any],
    other_dsn: str,
) -> None:  # fmt: skip
    _record(member, [_ended(random.Random(5), number) for number in range(50)])
    member.execute(ROLL_UP)
    fleet.add("north", other_dsn)
    fleet.read("north")
    with databases(server, template, "fleet_next") as (dsn,), psycopg.connect(dsn) as following:
        following.autocommit = True
        stop_clock(following)
        make_days(following, _DAYS)
        _record(following, [_ended(random.Random(6), 1000 + number) for number in range(50)])
        following.execute(ROLL_UP)
        fleet.add("north", dsn)
        fleet.read("north")
        oldest = value(following, "select min(bucket_at) from monitoring.rollups")
        fleet.hub.execute("delete from monitoring.fleet_rollups where bucket_at < %s", [oldest])
        fleet.assert_same("north", following)

"""Rows that take the place of others are in the roll-ups once, whenever those were rolled up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.python.support.asking import value
from tests.python.support.rollup_sessions import (
    ROLL_UP,
    assert_all_in,
    record,
    tasks_in,
    three_sessions,
    wait_until_blocked,
)

START = "select monitoring.start_task_tracking('nightly', 'load')"
END_FIRST = "select monitoring.complete_task_tracking('nightly', 'failed', p_attempt => 1)"
END = "select monitoring.complete_task_tracking('nightly')"
START_TOLD_LATE = """
    select monitoring.start_task_tracking(
        'nightly', 'load', p_started_at => monitoring.clock() - interval '1 minute'
    )
"""
NOTES = "select count(*) from monitoring.recounts"


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection[Any]]]:
    """Three sessions of one database whose clock stands still, with a few rows rolled up."""
    with three_sessions(dsn) as opened:
        record(opened[0], 7, times=40)
        opened[0].execute(ROLL_UP)
        yield opened


def test_an_attempt_that_was_taken_for_lost_is_counted_as_what_it_was(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, *_ = sessions
    before = tasks_in(first)
    for statement in (START, START, ROLL_UP, END_FIRST, ROLL_UP, END, ROLL_UP):
        first.execute(statement.encode())
    assert_all_in(first)
    assert tasks_in(first) == before + 2
    assert value(first, NOTES) == 0


def test_an_end_that_met_its_start_later_is_counted_once(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, *_ = sessions
    before = tasks_in(first)
    for statement in (END, ROLL_UP, START_TOLD_LATE, ROLL_UP):
        first.execute(statement.encode())
    assert_all_in(first)
    assert tasks_in(first) == before + 1


def test_a_correction_that_is_not_committed_is_counted_when_it_is(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    before = tasks_in(first)
    for statement in (START, START, ROLL_UP):
        first.execute(statement.encode())
    with second.transaction():
        second.execute(END_FIRST)
        first.execute(ROLL_UP)
        assert_all_in(first)
    first.execute(ROLL_UP)
    assert_all_in(first)
    assert tasks_in(first) == before + 1


def test_a_correction_that_is_taken_back_changes_nothing(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    for statement in (START, START, ROLL_UP):
        first.execute(statement.encode())
    with second.transaction(force_rollback=True):
        second.execute(END_FIRST)
    first.execute(ROLL_UP)
    assert_all_in(first)


def test_who_corrects_waits_for_no_roll_up(sessions: list[psycopg.Connection[Any]]) -> None:
    first, second, third = sessions
    for statement in (START, START, ROLL_UP):
        first.execute(statement.encode())
    with second.transaction():
        second.execute(ROLL_UP)
        first.execute("set statement_timeout = '5s'")
        first.execute(END_FIRST)
        with ThreadPoolExecutor(1) as pool:
            rebuilt = pool.submit(
                third.execute,
                "select monitoring.rebuild_rollups('tasks', monitoring.clock(),"
                " monitoring.clock() + interval '1 hour')",
            )
            wait_until_blocked(first, third.info.backend_pid)
            second.execute("commit")
            second.execute("begin")
            rebuilt.result()
    first.execute(ROLL_UP)
    assert_all_in(first)

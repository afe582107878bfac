"""Sessions that find and resolve the same records wait for each other, and end up right."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

KEYS = [f"k{number:04}" for number in range(500)]
LOG = "select monitoring.log_invalid_records('apr', %s, 'V')"
SYNC = "select monitoring.sync_invalid_records('apr', 'V', %s, %s)"
ACCEPT = "select monitoring.resolve_invalid_records('apr', %s, 'manual')"
PRODUCTS = "select monitoring.track_record_products('apr', %s)"

Answer = dict[str, Any]


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection]]:
    """Three sessions of one database."""
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(3)]


def test_two_sessions_that_log_the_same_keys_count_each_once_as_new(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    with first.transaction():
        opened = _call(first, LOG, Jsonb(KEYS))
        waiting = _in_the_background(lambda: _call(second, LOG, Jsonb([*KEYS[::-1], "new"])))
        _wait_until_blocked(watcher, second)
    touched = waiting.result(timeout=10)
    assert (opened["opened"], opened["touched"]) == (500, 0)
    assert (touched["opened"], touched["touched"]) == (1, 500)
    rows = watcher.execute(
        "select times_detected, times_reopened, count(*) from monitoring.invalid_records"
        " group by 1, 2 order by 1"
    )
    assert rows.fetchall() == [(1, 0, 1), (2, 0, 500)]


def test_a_record_that_is_found_again_while_a_check_resolves_it_stays_open(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    _call(first, LOG, Jsonb(KEYS))
    before = watcher.execute("select clock_timestamp()").fetchone()
    assert before is not None
    with first.transaction():
        _call(first, LOG, Jsonb(KEYS[:100]))
        waiting = _in_the_background(
            lambda: _call(
                second,
                "select monitoring.sync_invalid_records('apr', 'V', %s, '[]', p_at => %s)",
                Jsonb({"all": True}),
                before[0],
            )
        )
        _wait_until_blocked(watcher, second)
    assert waiting.result(timeout=10)["resolved"] == 400
    assert _count(watcher, "invalid_records where status = 'open'") == 100
    assert _count(watcher, "invalid_record_spells") == 400
    assert _count(watcher, "status_changes") == 400


def test_two_checks_that_resolve_the_same_records_write_one_spell_for_each(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    _call(first, LOG, Jsonb(KEYS))
    with first.transaction():
        resolved = _call(first, SYNC, Jsonb({"all": True}), Jsonb(KEYS[:10]))
        waiting = _in_the_background(
            lambda: _call(second, SYNC, Jsonb({"keys": KEYS[10:]}), Jsonb([]))
        )
        _wait_until_blocked(watcher, second)
    assert (resolved["resolved"], waiting.result(timeout=10)["resolved"]) == (490, 0)
    assert _count(watcher, "invalid_record_spells") == 490


def test_what_people_accept_while_a_check_finds_it_valid_is_resolved_once(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    _call(first, LOG, Jsonb(KEYS))
    with first.transaction():
        _call(first, ACCEPT, KEYS[:100])
        waiting = _in_the_background(lambda: _call(second, SYNC, Jsonb({"all": True}), Jsonb([])))
        _wait_until_blocked(watcher, second)
    assert waiting.result(timeout=10)["resolved"] == 400
    assert _count(watcher, "invalid_records where resolution = 'manual'") == 100
    assert _count(watcher, "invalid_record_spells") == _count(watcher, "status_changes") == 500


def test_what_is_opened_again_while_a_check_finds_it_accepted_and_valid_stays_open(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    _call(first, LOG, Jsonb(KEYS))
    _call(first, ACCEPT, KEYS)
    with first.transaction():
        found = _call(first, LOG, Jsonb([{"record_key": KEYS[0], "value": "another"}]))
        waiting = _in_the_background(lambda: _call(second, SYNC, Jsonb({"all": True}), Jsonb([])))
        _wait_until_blocked(watcher, second)
    assert (found["reopened"], waiting.result(timeout=10)["resolved"]) == (1, 0)
    assert _count(watcher, "invalid_records where status = 'open'") == 1
    assert _count(watcher, "invalid_records where resolution = 'auto'") == 499
    assert _count(watcher, "invalid_record_spells") == 500
    assert _count(watcher, "status_changes") == 999


def test_many_who_log_and_resolve_the_same_keys_in_any_order_never_deadlock(dsn: str) -> None:
    def work(number: int) -> None:
        keys = KEYS[:: -1 if number % 2 else 1]
        with psycopg.connect(dsn, autocommit=True) as connection:
            for turn in range(5):
                _call(connection, LOG, Jsonb(keys))
                _call(connection, SYNC, Jsonb({"keys": keys}), Jsonb(keys[turn::7]))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with psycopg.connect(dsn, autocommit=True) as connection:
        assert _count(connection, "invalid_records") == 500
        spells = _count(connection, "invalid_record_spells")
        assert spells == _count(connection, "status_changes") > 0
        # Every spell but the last of each record was followed by a re-opening.
        reopened = connection.execute(
            "select sum(times_reopened + (status = 'resolved')::integer)"
            " from monitoring.invalid_records"
        ).fetchone()
        assert reopened == (spells,)


def test_two_sets_of_products_for_the_same_record_do_not_become_both(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    with first.transaction():
        _call(first, PRODUCTS, Jsonb([{"record_key": "a", "products": ["X", "Y"]}]))
        waiting = _in_the_background(
            lambda: _call(second, PRODUCTS, Jsonb([{"record_key": "a", "products": ["Z"]}]))
        )
        _wait_until_blocked(watcher, second)
    assert waiting.result(timeout=10) == {"added": 1, "changed": 0, "removed": 2, "unchanged": 0}
    left = watcher.execute("select product from monitoring.record_products")
    assert left.fetchall() == [("Z",)]


def _call(connection: psycopg.Connection, query: str, *values: object) -> Answer:
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    answer: Answer = row[0]
    return answer


def _count(connection: psycopg.Connection, what: str) -> int:
    row = connection.execute(f"select count(*) from monitoring.{what}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def _in_the_background(work: Callable[[], Answer]) -> "Future[Answer]":
    pool = ThreadPoolExecutor(1)
    waiting = pool.submit(work)
    pool.shutdown(wait=False)
    return waiting


def _wait_until_blocked(watcher: psycopg.Connection, session: psycopg.Connection) -> None:
    blocked = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    deadline = time.monotonic() + 10
    while watcher.execute(blocked, [session.info.backend_pid]).fetchone() != (True,):
        assert time.monotonic() < deadline, "the second session did not wait for the first"
        time.sleep(0.01)

"""Sessions that record, roll up and interrupt each other, and a model of what is rolled up."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import psycopg
from psycopg import errors

from tests.python.support.asking import one
from tests.python.support.rollup_oracle import (
    TABLES,
    Key,
    Raw,
    assert_running_totals,
    assert_stored,
    read_raw,
)

NOW = datetime(2026, 2, 3, 12, 34, 56, tzinfo=UTC)
"""Where the clock of these tests stands: two days into a month, on the second day of a week."""
MINUTES_SINCE = NOW - timedelta(days=2)

ROLL_UP = "select monitoring.roll_up()"
RECENT_DAYS = 3
TASKS = (
    "select coalesce(sum(row_count), 0)::integer as n from monitoring.rollups"
    " where source = 'tasks' and resolution = 'day'"
)

Claims = dict[str, set[Key]]
IN_THE_WAY = (errors.LockNotAvailable, errors.SerializationFailure, errors.DeadlockDetected)


def stop_clock(connection: psycopg.Connection[Any], now: datetime = NOW) -> None:
    """Let every later session of this database go by a clock that stands still."""
    name = connection.info.dbname
    connection.execute(f"alter database {name} set monitoring.now = '{now}'".encode())
    connection.execute("select set_config('monitoring.now', %s, false)", [str(now)])


def make_days(connection: psycopg.Connection[Any], oldest_day: int) -> None:
    """Make the days that records may fall on, and keep their rows for ever."""
    for table in TABLES:
        connection.execute("select monitoring.set_retention(%s, null)", [table])
        connection.execute(
            "select monitoring.prepare_backfill(%s, %s, %s)",
            [table, (NOW - timedelta(days=oldest_day)).date(), NOW.date()],
        )


@contextmanager
def three_sessions(dsn: str) -> Iterator[list[psycopg.Connection[Any]]]:
    """Open three sessions of one database whose clock stands still; each statement commits."""
    with psycopg.connect(dsn, autocommit=True) as first:
        stop_clock(first)
        make_days(first, RECENT_DAYS)
        with (
            psycopg.connect(dsn, autocommit=True) as second,
            psycopg.connect(dsn, autocommit=True) as third,
        ):
            sessions = [first, second, third]
            for session in sessions:
                session.execute("set lock_timeout = '20s'")  # rather fail than hang
            yield sessions


def record(connection: psycopg.Connection[Any], seed: int, times: int = 20) -> None:
    """Record things of all kinds, on many days."""
    recorder = Recorder(seed, RECENT_DAYS)
    for _ in range(times):
        statement, arguments = recorder.statement()
        connection.execute(statement.encode(), arguments)


def end_task(connection: psycopg.Connection[Any], name: str) -> None:
    """Record the end of a task, now."""
    connection.execute("select monitoring.complete_task_tracking(%s)", [name])


def tasks_in(connection: psycopg.Connection[Any]) -> int:
    """Return how many tasks are in the stored roll-ups."""
    count: int = one(connection, TASKS)["n"]
    return count


def assert_all_in(connection: psycopg.Connection[Any]) -> None:
    """Compare what is stored with all rows."""
    assert_stored(connection, read_raw(connection), MINUTES_SINCE)


def wait_until_blocked(watcher: psycopg.Connection[Any], pid: int) -> None:
    """Return when a session waits for a lock."""
    blocked = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    deadline = time.monotonic() + 10
    while watcher.execute(blocked, [pid]).fetchone() != (True,):
        assert time.monotonic() < deadline, "it did not wait"
        time.sleep(0.01)


class Recorder:
    """Says what to record next, by a seed of its own."""

    def __init__(self, seed: int, oldest_day: int) -> None:
        """Begin; records lie so many days back at most."""
        self.oldest_day = oldest_day
        self.random = random.Random(seed)
        self._number = 0

    def statement(self) -> tuple[str, list[Any]]:
        """Return a recording call and its arguments."""
        kinds: list[Callable[[], tuple[str, list[Any]]]] = [
            self._task, self._error, self._metric, self._queue, self._check,
            self._tasks, self._errors, self._metrics_told_twice,
        ]  # fmt: skip
        return self.random.choice(kinds)()

    def at(self) -> datetime:
        """Return some time: just now, at a border of buckets, long ago, or the same again."""
        past = self.random.choice(
            [
                timedelta(seconds=self.random.randrange(7200)),
                timedelta(microseconds=self.random.randrange(3_600_000_000)),
                timedelta(
                    hours=self.random.randrange(24 * self.oldest_day), minutes=34, seconds=56
                ),
                timedelta(
                    days=self.random.randrange(self.oldest_day), hours=12, minutes=34, seconds=56
                ),
                timedelta(minutes=7),
                timedelta(seconds=self.random.randrange(self.oldest_day * 86400)),
            ]
        )
        return NOW - past

    def _name(self) -> str:
        self._number += 1
        return f"n{self.random.randrange(10**6)}-{self._number}"

    def _task(self) -> tuple[str, list[Any]]:
        return (
            "select monitoring.complete_task_tracking(%s, %s, p_finished_at => %s)",
            [self._name(), self.random.choice(["completed", "failed"]), self.at()],
        )

    def _tasks(self) -> tuple[str, list[Any]]:
        tasks = []
        for _ in range(self.random.randrange(1, 12)):
            end = self.at()
            start = end - timedelta(seconds=self.random.randrange(100))
            tasks.append(
                {
                    "task_id": self._name(), "task_type": self.random.choice(["load", "ocr"]),
                    "status": self.random.choice(["completed", "failed", "timeout"]),
                    "start_time": start, "end_time": end,
                    "items_done": self.random.choice([None, 0, 7, 10**12]),
                }
            )  # fmt: skip
        return "select monitoring.record_finished_tasks(%s)", [_json(tasks)]

    def _error(self) -> tuple[str, list[Any]]:
        return (
            "select monitoring.record_error(null, %s, %s, %s, %s, p_occurred_at => %s)",
            [
                self.random.choice(["Timeout", "ScanError"]),
                self.random.choice(["low", "critical"]),
                f"page {self.random.randrange(9)} is {self.random.choice(['blank', 'torn'])}",
                self.random.choice(["web", "ocr", None]),
                self.at(),
            ],
        )

    def _errors(self) -> tuple[str, list[Any]]:
        told = [
            {"error_type": "Timeout", "severity": "high", "message": f"no answer after {n} s",
             "occurred_at": self.at()}
            for n in range(self.random.randrange(1, 12))
        ]  # fmt: skip
        return "select monitoring.record_errors(%s)", [_json(told)]

    def _metric(self) -> tuple[str, list[Any]]:
        return (
            "select monitoring.record_performance_metric(%s, 'gauge', %s, %s, %s,"
            " p_recorded_at => %s)",
            [
                self.random.choice(["rows", "load"]),
                self.random.choice([0, -3, 17, 512, self.random.randrange(-50, 5000)]),
                self.random.choice([None, "rows/s"]),
                self.random.choice([None, "web"]),
                self.at(),
            ],
        )

    def _metrics_told_twice(self) -> tuple[str, list[Any]]:
        samples = [
            {"sample_id": -number, "metric_name": "told twice", "value": number,
             "recorded_at": NOW - timedelta(hours=number)}
            for number in self.random.sample(range(1, 60), 5)
        ]  # fmt: skip
        return "select monitoring.record_metrics(%s)", [_json(samples)]

    def _queue(self) -> tuple[str, list[Any]]:
        pending, age = self.random.randrange(40), self.random.choice([None, 0, 12.5])
        return (
            "select monitoring.record_queue_metrics(%s, %s, 2, 100, 3, %s, %s)",
            [self.random.choice(["mail", "scans"]), pending, age, self.at()],
        )

    def _check(self) -> tuple[str, list[Any]]:
        return (
            "select monitoring.update_system_health(%s, %s, %s, %s, p_checked_at => %s)",
            [
                self.random.choice(["service", "database"]),
                self.random.choice(["api", "store"]),
                self.random.choice(["healthy", "degraded", "unhealthy", "unknown"]),
                self.random.choice([None, 0, 25, 4000]),
                self.at(),
            ],
        )


class Model:
    """Which rows must be rolled up: those that were committed when a committed roll-up claimed."""

    def __init__(self, dsn: str) -> None:
        """Begin with a database in which nothing is rolled up."""
        self.dsn = dsn
        self.observer = psycopg.connect(dsn, autocommit=True)
        self.claimed: Claims = {table: set() for table in TABLES}
        self.prepared: dict[str, Claims] = {}

    def __enter__(self) -> Self:
        """Return the model itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no prepared transaction behind, which would keep the database in use."""
        for name in self.prepared:
            self.observer.execute(f"rollback prepared '{name}'".encode())
        self.observer.close()

    def committed(self) -> Claims:
        """Return the rows that are committed now."""
        raw = read_raw(self.observer)
        return {table: raw.keys(table) for table in TABLES}

    def add(self, claims: Claims) -> None:
        """Note that a transaction committed which had claimed these rows, and look."""
        if any(claims.values()):
            for table, keys in claims.items():
                self.claimed[table] |= keys
            self.check()

    def check(self) -> None:
        """Compare what is stored with the rows that must be in."""
        self.check_against(read_raw(self.observer).only(self.claimed))

    def check_against(self, raw: Raw) -> None:
        """Compare what is stored with given rows."""
        assert_stored(self.observer, raw, MINUTES_SINCE)
        assert_running_totals(self.observer, raw)


class Session:
    """A connection with a transaction or none, and what its roll-ups would add by committing."""

    def __init__(self, model: Model, recorder: Recorder) -> None:
        """Connect."""
        self.model = model
        self.recorder = recorder
        self._connect()

    def _connect(self) -> None:
        self.connection = psycopg.connect(self.model.dsn, autocommit=True)
        self.connection.execute("set lock_timeout = '20ms'")
        self._forget()

    def _forget(self) -> None:
        self.is_open = False
        self.pending: Claims = {}
        self.seen: Claims | None = None
        self.savepoints: list[Claims] = []

    def run(self, statement: str, arguments: list[Any] | None = None) -> Any:
        """Run a statement; whoever finds another in the way gives up its whole transaction."""
        try:
            cursor = self.connection.execute(statement.encode(), arguments)
        except IN_THE_WAY:
            if self.is_open:
                self.connection.execute("rollback")
            self._forget()
            return None
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def begin(self, isolation: str = "read committed") -> None:
        """Begin a transaction; at the higher levels it sees what is committed now."""
        self.run(f"begin isolation level {isolation}")
        self.is_open = True
        if isolation != "read committed":
            self.run("select 1")
            self.seen = self.model.committed()

    def record(self) -> None:
        """Record something, in the open transaction or alone."""
        self.run(*self.recorder.statement())

    def roll_up(self) -> None:
        """Roll up, in the open transaction or alone."""
        committed = self.seen or self.model.committed()
        written = self.run("select monitoring.roll_up()")
        for table in written or ():
            self.pending[table] = self.pending.get(table, set()) | committed[table]
        if not self.is_open:
            self._committed()

    def place(self) -> None:
        """Place late rows in their days, which changes nothing that is seen."""
        self.run("select monitoring.place_late_rows()")

    def rebuild(self) -> None:
        """Make the roll-ups of some days anew, which changes nothing."""
        source = self.recorder.random.choice(["tasks", "errors", "metrics", "queues", "health"])
        first = self.recorder.at()
        self.run(
            "select monitoring.rebuild_rollups(%s, %s, %s)",
            [source, first, first + timedelta(hours=self.recorder.random.randrange(1, 300))],
        )

    def savepoint(self) -> None:
        """Set a savepoint."""
        self.run(f"savepoint s{len(self.savepoints)}")
        self.savepoints.append({table: set(keys) for table, keys in self.pending.items()})

    def roll_back_to_savepoint(self) -> None:
        """Undo what came after the last savepoint."""
        self.run(f"rollback to s{len(self.savepoints) - 1}")
        self.pending = {table: set(keys) for table, keys in self.savepoints[-1].items()}

    def release(self) -> None:
        """Forget the last savepoint, keeping what came after it."""
        self.run(f"release s{len(self.savepoints) - 1}")
        if self.is_open:
            self.savepoints.pop()

    def commit(self) -> None:
        """Commit."""
        self.run("commit")
        if self.is_open:
            self._committed()

    def roll_back(self) -> None:
        """Roll back."""
        self.run("rollback")
        self._forget()

    def prepare(self, name: str) -> None:
        """Leave the transaction to whoever finishes it later."""
        self.run(f"prepare transaction '{name}'")
        if self.is_open:
            self.model.prepared[name] = self.pending
            self._forget()

    def finish_prepared(self, name: str, *, commits: bool) -> None:
        """Commit or roll back a prepared transaction."""
        self.run(f"{'commit' if commits else 'rollback'} prepared '{name}'")
        claims = self.model.prepared.pop(name)
        if commits:
            self.model.add(claims)

    def die(self) -> None:
        """Be terminated by another session, whatever is going on."""
        self.model.observer.execute(
            "select pg_terminate_backend(%s, 5000)", [self.connection.info.backend_pid]
        )
        self.connection.close()
        self._connect()

    def close(self) -> None:
        """End what is open by a commit, and the session."""
        if self.is_open:
            self.commit()
        self.connection.close()

    def _committed(self) -> None:
        claims = self.pending
        self._forget()
        self.model.add(claims)


def _json(value: object) -> str:
    return json.dumps(value, default=str)

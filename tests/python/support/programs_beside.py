"""Programs of several kinds that record while something else happens, and what became of it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

import psycopg
from psycopg.conninfo import make_conninfo

from tests.python.support.recording_load import LONGEST_WAIT

# What is recorded, and how many rows of it there are.
CALLS = {
    "start": "select monitoring.start_task_tracking(%s, 'load')",
    "end": "select monitoring.complete_task_tracking(%s)",
    "lone end": "select monitoring.complete_task_tracking('lone ' || %s, 'failed')",
    "error": "select monitoring.record_error(%s, 'Timeout', 'high', 'no answer', 'web')",
    "errors": """
        select monitoring.record_errors(jsonb_build_array(jsonb_build_object(
            'task_id', %s::text, 'error_type', 'E', 'severity', 'low', 'message', 'm'
        )))
    """,
    "metric": "select monitoring.record_performance_metric('rows', 'gauge', 12, p_task_id => %s)",
    "log": "select monitoring.record_log('web', 'INFO', 'hello', p_task_id => %s)",
    "probe": "select monitoring.update_system_health('service', %s, 'healthy')",
    "queue": "select monitoring.record_queue_metrics(%s, 5)",
    "status": """
        select monitoring.track_status_changes(
            'orders', jsonb_build_array(jsonb_build_object('record_key', %s::text, 'status', 'A'))
        )
    """,
    "invalid": """
        select monitoring.log_invalid_records(
            'orders', jsonb_build_array(jsonb_build_object('record_key', %s::text)), 'DUPLICATE'
        )
    """,
}
COUNTS = {
    "start": "_all_finished_tasks where task_id not like 'lone %'",
    "lone end": "_all_finished_tasks where task_id like 'lone %'",
    "error": "_all_errors where error_type = 'Timeout'",
    "errors": "_all_errors where error_type = 'E'",
    "metric": "_all_metric_samples",
    "log": "_all_log_lines",
    "probe": "_all_health_probes",
    "queue": "_all_queue_samples",
    "status": "_all_status_changes where validation_type = ''",
    "invalid": "invalid_record_states",
}


@dataclass
class Programs:
    """What they did, and what they met."""

    recorded: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    longest_wait: float = 0.0
    """Seconds that one of those who commit at once waited for a lock at most, by the server."""
    longest_call: float = 0.0
    """Seconds that one of their calls took at most, on this machine."""
    waited: float = 0.0
    """Seconds within which one of them waited, as far as somebody looked."""

    def lost(self, connection: psycopg.Connection) -> dict[str, int]:
        """Return by what was recorded how many rows there are too few, or too many if negative."""
        found = {
            kind: connection.execute(f"select count(*) from monitoring.{what}".encode()).fetchone()
            for kind, what in COUNTS.items()
        }
        lost = {kind: self.recorded[kind] - row[0] for kind, row in found.items() if row}
        return {kind: count for kind, count in lost.items() if count}


@contextmanager
def programs_beside(dsn: str, *, seconds_open: float = 0.0) -> Iterator[Programs]:
    """Let four programs record until the block ends: three commit at once, one now and then.

    Args:
        dsn: the database.
        seconds_open: for how long a fifth one keeps each transaction open in which it recorded;
            without it when 0.
    """
    programs = Programs()
    ended = threading.Event()
    as_writer = make_conninfo(dsn, options="-c role=monitoring_writer")
    sessions = [psycopg.connect(as_writer, autocommit=True) for _ in range(3 + 2)]
    watcher = psycopg.connect(dsn, autocommit=True)
    steps: list[Callable[[], None]] = [
        lambda: _one_by_one(programs, ended, sessions[0], "plain", prepare=False),
        lambda: _one_by_one(programs, ended, sessions[1], "prepared", prepare=True),
        lambda: _one_by_one(programs, ended, sessions[2], "another", prepare=True),
        lambda: _in_transactions(programs, ended, sessions[3], "together", pause=0.02),
        lambda: _watch(programs, ended, watcher, [s.info.backend_pid for s in sessions[:3]]),
    ]
    if seconds_open:
        steps.append(
            lambda: _in_transactions(programs, ended, sessions[4], "open", pause=seconds_open)
        )
    threads = [threading.Thread(target=_noting(programs, step)) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield programs
    finally:
        ended.set()
        for thread in threads:
            thread.join(timeout=60)
        for session in (*sessions, watcher):
            session.close()


def _noting(programs: Programs, step: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            step()
        except psycopg.Error as error:
            programs.failures.append(f"{error.sqlstate}: {error}")

    return run


def _one_by_one(
    programs: Programs,
    ended: threading.Event,
    session: psycopg.Connection,
    name: str,
    *,
    prepare: bool,
) -> None:
    number = 0
    while not ended.is_set():
        number += 1
        for kind, call in CALLS.items():
            began = time.monotonic()
            session.execute(call.encode(), [f"{name} {number}"], prepare=prepare)
            programs.longest_call = max(programs.longest_call, time.monotonic() - began)
            programs.recorded[kind] += 1


def _in_transactions(
    programs: Programs,
    ended: threading.Event,
    session: psycopg.Connection,
    name: str,
    *,
    pause: float,
) -> None:
    for number, kind in enumerate(cycle(["error", "metric", "log", "queue"])):
        if ended.is_set():
            return
        with session.transaction():
            session.execute(CALLS[kind].encode(), [f"{name} {number}"])
            ended.wait(pause)
            session.execute(CALLS["error"].encode(), [f"{name} {number} again"])
        programs.recorded[kind] += 1
        programs.recorded["error"] += 1


def _watch(
    programs: Programs, ended: threading.Event, watcher: psycopg.Connection, pids: list[int]
) -> None:
    before = time.monotonic()
    while not ended.is_set():
        row = watcher.execute(LONGEST_WAIT, [pids]).fetchone()
        assert row is not None
        now = time.monotonic()
        programs.longest_wait = max(programs.longest_wait, row[0])
        programs.waited += now - before if row[0] else 0
        before = now
        time.sleep(0.005)

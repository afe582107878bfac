"""Programs that record as fast as they can, and how long any of them waited for a lock."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

# What waits now, and for how long, as the server knows it: the machine may be busy with other
# things, and a call that is slow for want of a processor is no fault of ours.
LONGEST_WAIT = """
    select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::double precision
    from pg_locks where not granted and pid = any (%s)
"""


@dataclass
class Load:
    """What programs did: calls that returned, by statement, and seconds that one waited at most."""

    calls: dict[str, int] = field(default_factory=dict)
    failures: list[psycopg.Error] = field(default_factory=list)
    longest_wait: float = 0.0
    longest_call: float = 0.0


@contextmanager
def recording_load(dsn: str, statements: Sequence[str]) -> Iterator[Load]:
    """Repeat each statement in a session of its own until the block ends, every call by itself."""
    load = Load(dict.fromkeys(statements, 0))
    ended = threading.Event()
    sessions = [psycopg.connect(dsn, autocommit=True) for _ in statements]
    watcher = psycopg.connect(dsn, autocommit=True)
    threads = [
        threading.Thread(target=_record, args=(load, ended, *pair))
        for pair in zip(sessions, statements, strict=True)
    ]
    pids = [session.info.backend_pid for session in sessions]
    threads.append(threading.Thread(target=_watch, args=(load, ended, watcher, pids)))
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        ended.set()
        for thread in threads:
            thread.join(timeout=20)
        for session in (*sessions, watcher):
            session.close()


def _record(
    load: Load, ended: threading.Event, session: psycopg.Connection, statement: str
) -> None:
    while not ended.is_set():
        began = time.monotonic()
        try:
            session.execute(statement.encode())
        except psycopg.Error as error:
            load.failures.append(error)
            return
        load.longest_call = max(load.longest_call, time.monotonic() - began)
        load.calls[statement] += 1


def _watch(
    load: Load, ended: threading.Event, watcher: psycopg.Connection, pids: list[int]
) -> None:
    while not ended.is_set():
        row = watcher.execute(LONGEST_WAIT, [pids]).fetchone()
        assert row is not None
        load.longest_wait = max(load.longest_wait, row[0])
        time.sleep(0.005)

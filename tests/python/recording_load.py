"""Programs that record as fast as they can, and how long any of them waited for a lock."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psycopg

# What waits now, and for how long, as the server knows it: the machine may be busy with other
# things, and a call that is slow for want of a processor is no fault of ours.
LONGEST_WAIT = """
    select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)::double precision
    from pg_locks where not granted and pid = any (%s)
"""


class RecordingLoad:
    """Sessions that repeat one statement each until the block ends, every call on its own.

    Attributes:
        calls: how often each statement returned.
        failures: what any of them raised.
        longest_wait: seconds that one of them waited for a lock at most.
        longest_call: seconds that one call took at most.
    """

    def __init__(self, dsn: str, statements: Sequence[str]) -> None:
        self.calls = dict.fromkeys(statements, 0)
        self.failures: list[Exception] = []
        self.longest_wait = 0.0
        self.longest_call = 0.0
        self._dsn = dsn
        self._ended = threading.Event()
        self._sessions = [psycopg.connect(dsn, autocommit=True) for _ in statements]
        self._threads = [
            threading.Thread(target=self._record, args=pair)
            for pair in zip(self._sessions, statements, strict=True)
        ]
        self._threads.append(threading.Thread(target=self._watch))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=20)
        for session in self._sessions:
            session.close()

    def _record(self, session: psycopg.Connection, statement: str) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                session.execute(statement.encode())
            except psycopg.Error as error:
                self.failures.append(error)
                return
            self.longest_call = max(self.longest_call, time.monotonic() - began)
            self.calls[statement] += 1

    def _watch(self) -> None:
        pids = [session.info.backend_pid for session in self._sessions]
        with psycopg.connect(self._dsn, autocommit=True) as watcher:
            while not self._ended.is_set():
                row = watcher.execute(LONGEST_WAIT, [pids]).fetchone()
                assert row is not None
                self.longest_wait = max(self.longest_wait, row[0])
                time.sleep(0.005)

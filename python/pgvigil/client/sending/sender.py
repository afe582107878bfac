"""The thread that sends what a program records, and keeps it while the database is away."""

import atexit
import json
import logging
import os
import sys
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgvigil.client.sending.backlog import Backlog
from pgvigil.client.sending.queue import Queue, Record, Run
from pgvigil.client.sending.spool import Batch
from pgvigil.database.words import count_of

_MOST_RECORDS = 500  # of a batch
_MOST_BYTES = 1_000_000  # of a batch
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds after a failure; the last one again and again
_BETWEEN_ADOPTIONS = 60.0
_IDLE = 30.0  # seconds after which the thread ends, until there is something again
_LONGEST_AT_EXIT = 0.3  # seconds beyond its limit that the end of a program may take

logger = logging.getLogger("pgvigil")


class AwayError(Exception):
    """The database cannot take a batch at the moment."""


class RefusedError(Exception):
    """The database will never take this batch."""


class Sender:
    """Sends records in batches from a thread of its own; whoever records never waits for it."""

    _thread: threading.Thread | None
    _runs: "weakref.WeakValueDictionary[int, Run]"
    _last_run: int
    _last_number: int
    _rounds_wanted: int
    _rounds: int
    _resting_until: float
    _adopt_at: float
    _failures: int
    _stop_at: float
    # How many records, since when, until when: not told to the database yet.
    _losses: tuple[int, float, float] | None

    def __init__(
        self,
        send: Callable[[str], Mapping[str, Any]],
        *,
        dsn: str,
        interval: float,
        most_bytes: int,
        directory: Path | None,
        spool_bytes: int,
    ) -> None:
        """Describe it; nothing runs before the first record.

        Args:
            send: calls ``record_batch()`` with a text and returns its answer, in our thread;
                raises `AwayError` or `RefusedError`.
            dsn: which database that is, to tell spools apart.
            interval: seconds that a record waits for others.
            most_bytes: so much may wait in memory.
            directory: where spools are; None for none.
            spool_bytes: so much may wait on disk.
        """
        self._send = send
        self.dsn = dsn
        """Which database that is."""
        self._interval = interval
        self._most_bytes = most_bytes
        self._directory = directory
        self._spool_bytes = spool_bytes
        self.lost = 0
        """Records lost so far, by this process."""
        self._begin_anew()
        _all.add(self)

    def put(self, record: Record) -> bool:
        """Add a record; return False when it is lost for lack of room."""
        has_room = self.queue.put(record)
        self._see_to_thread()
        return has_room

    def begin(self, task_id: str, function: str, told: dict[str, str]) -> Run:
        """Add a run that has begun, and return what later calls about it need.

        Args:
            task_id: its name.
            function: what begins it.
            told: what is said of it, as JSON by the name of the parameter.
        """
        with self._lock:
            self._last_run += 1
            run = Run(task_id, self._last_run, told, function)
            self._runs[run.number] = run
        self.queue.begin(run)
        self._see_to_thread()
        return run

    def update(self, run: Run, told: dict[str, str]) -> bool:
        """Add how far a run is."""
        has_room = self.queue.update(run, told)
        self._see_to_thread()
        return has_room

    def finish(self, run: Run, function: str, told: dict[str, str]) -> bool:
        """Add how a run has ended, for the function that ends it."""
        has_room = self.queue.finish(run, function, told)
        self._see_to_thread()
        return has_room

    def flush(self, timeout: float) -> bool:
        """Wait until all that was told before is in the database.

        Returns:
            Whether it is; what is not goes on its way later.
        """
        if self._thread is None and self._is_empty():
            return True
        deadline = time.monotonic() + timeout
        with self._change:
            self._rounds_wanted += 1
            wanted = self._rounds_wanted
            self.queue.has_some.set()
            self.queue.is_full.set()
            self._see_to_thread()
            while self._rounds < wanted and time.monotonic() < deadline:
                self._change.wait(deadline - time.monotonic())
        return self._rounds >= wanted and self._is_empty()

    def close(self, timeout: float) -> None:
        """Send what waits for at most so many seconds; the rest stays in the spool."""
        thread = self._thread
        if thread is not None and os.getpid() == self._pid:
            self._stop_at = time.monotonic() + timeout
            self.queue.has_some.set()
            self.queue.is_full.set()
            if thread is not threading.current_thread():
                thread.join(timeout + _LONGEST_AT_EXIT)
        self._keep_all()
        self._thread = None
        self._stop_at = float("inf")

    # The thread

    def _see_to_thread(self) -> None:
        thread = self._thread
        if thread is not None and thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="pgvigil-sender", daemon=True
                )
                self._thread.start()
                _drain_in_children_of_multiprocessing(self)

    def _work(self) -> None:
        while self._stop_at == float("inf"):
            if not self.queue.has_some.wait(self._seconds_to_wait()) and self._end_when_idle():
                return
            if self._rounds_wanted == self._rounds:
                self.queue.is_full.wait(self._interval)
            wanted = self._rounds_wanted
            self._take_and_send(is_asked=wanted > self._rounds)
            with self._change:
                self._rounds = wanted
                self._change.notify_all()
        while not self._is_empty() and time.monotonic() < self._stop_at:
            self._take_and_send(is_asked=True)
            time.sleep(0.01)

    def _take_and_send(self, is_asked: bool) -> None:
        """Empty the queue, and send what waits, after a failure only when asked."""
        try:
            self._take()
            if is_asked or not self._is_resting():
                self._send_all()
        except Exception as error:  # such as of a file that somebody has damaged
            self._rest(error)

    def _seconds_to_wait(self) -> float:
        if self._rounds_wanted > self._rounds:
            return 0.0
        if self._backlog.is_empty():
            return _IDLE
        return max(self._resting_until - time.monotonic(), 0.0)

    def _end_when_idle(self) -> bool:
        """End the thread unless something has come or is left; the next record begins another."""
        with self._lock:
            if not self._is_empty() or self._rounds_wanted > self._rounds:
                return False
            self._thread = None
            return True

    def _take(self) -> None:
        taken, lost, since = self.queue.take()
        if lost:
            self._count_lost(lost, since)
        for batch in self._cut(taken):
            self._count_lost(self._backlog.add(batch, self._is_resting()))

    def _cut(self, taken: Iterable[Record | Run]) -> Iterator[Batch]:
        arrays: dict[str, list[str]] = {}
        records = size = 0
        for record in taken:
            for kind, text in record.members():
                arrays.setdefault(kind, []).append(text)
                size += len(text)
            records += 1
            if records >= _MOST_RECORDS or size >= _MOST_BYTES:
                yield self._batch(arrays, records)
                arrays, records, size = {}, 0, 0
        if records:
            yield self._batch(arrays, records)

    def _batch(self, arrays: dict[str, list[str]], records: int) -> Batch:
        self._last_number += 1
        body = ", ".join(f'"{kind}": [{", ".join(texts)}]' for kind, texts in arrays.items())
        return Batch(self._name, self._last_number, records, body)

    def _send_all(self) -> None:
        """Send what waits, the oldest first, until all is sent or the database is away."""
        try:
            while (batch := self._backlog.first()) is not None:
                self._send_one(batch)
                self._backlog.remove(batch)
                if time.monotonic() >= self._stop_at:
                    return
                if self.queue.is_full.is_set():
                    self._take()
            self._adopt()
        except AwayError as error:
            self._rest(error)
        else:
            if self._failures > 1:
                logger.warning("pgvigil records again; records lost so far: %d", self.lost)
            self._failures = 0
            self._resting_until = 0.0

    def _send_one(self, batch: Batch) -> None:
        losses = self._losses
        sent_at = datetime.now(UTC).isoformat()
        text = (
            f'{{"sender": "{batch.sender}", "number": {batch.number}, "sent_at": "{sent_at}",'
            f" {batch.body}}}"
        )
        try:
            answer = self._send(text)
            if losses:
                self._send(json.dumps({"errors": [_told(losses)]}))
                self._losses = None
        except RefusedError as error:
            refused = count_of(batch.records, "record")
            logger.warning("pgvigil lost %s, which the database refused: %s", refused, error)
            self._count_lost(batch.records)
            return
        if batch.sender == self._name:
            self._note(answer)

    def _note(self, answer: Mapping[str, Any]) -> None:
        """Note what the database says of runs."""
        for number, attempt in answer.get("attempts", {}).items():
            run = self._runs.get(int(number))
            if run is not None:
                run.attempt = attempt
        for number in answer.get("not_running", []):
            run = self._runs.get(int(number))
            if run is not None:
                run.is_running = False

    def _adopt(self) -> None:
        """Send what processes have left behind that are no more."""
        if time.monotonic() < self._adopt_at:
            return
        self._adopt_at = time.monotonic() + _BETWEEN_ADOPTIONS
        for spool in self._backlog.left_behind():
            try:
                while (batch := spool.first()) is not None and time.monotonic() < self._stop_at:
                    self._send_one(batch)
                    spool.remove(batch)
            finally:
                spool.close()

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        if self._failures == 1:
            logger.warning("pgvigil cannot reach its database, so records wait: %s", error)
        if self._failures:
            self._count_lost(self._backlog.move_to_disk())
        self._failures += 1

    def _is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def _is_empty(self) -> bool:
        return self._backlog.is_empty() and not len(self.queue)

    def _keep_all(self) -> None:
        """Put on disk what is not sent."""
        with self._lock:
            self._take()
            self._count_lost(self._backlog.move_to_disk())
            self._backlog.close()

    def _count_lost(self, records: int, since: float | None = None) -> None:
        if records:
            now = time.time()
            self.lost += records
            before = self._losses or (0, now if since is None else since, now)
            self._losses = (before[0] + records, before[1], now)

    # Forks

    def _begin_anew(self) -> None:
        """Be as if nothing had been recorded yet."""
        self._pid = os.getpid()
        self._name = str(uuid.uuid4())
        self.queue = Queue(self._most_bytes, _MOST_RECORDS)
        self._backlog = Backlog(self.dsn, self._most_bytes, self._directory, self._spool_bytes)
        self._lock = threading.RLock()
        self._change = threading.Condition()
        self._thread = None
        self._runs = weakref.WeakValueDictionary()
        self._last_run = self._last_number = 0
        self._rounds_wanted = self._rounds = 0
        self._resting_until = self._adopt_at = 0.0
        self._failures = 0
        self._stop_at = float("inf")
        self._losses = None

    def _leave_to_parent(self) -> None:
        """Forget, in a child, what the parent will send."""
        self._backlog.forget()
        self._begin_anew()


def _told(losses: tuple[int, float, float]) -> dict[str, Any]:
    """Return losses as an error: how many records, from when on and until when."""
    records, *moments = losses
    since, until = (
        datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds") for moment in moments
    )
    return {
        "error_type": "RecordsLost",
        "severity": "high",
        "component": "pgvigil.client",
        "message": f"lost from {since} until {until}: {count_of(records, 'record')}",
        "details": {"records": records, "from": since, "until": until},
    }


_all: "weakref.WeakSet[Sender]" = weakref.WeakSet()


def flush_all(dsn: str, timeout: float) -> bool:
    """Wait until all that this process has told a database, through any client, is there.

    Returns:
        Whether it is; what is not goes on its way later.
    """
    deadline = time.monotonic() + timeout
    senders = [sender for sender in list(_all) if sender.dsn == dsn]
    return all(sender.flush(deadline - time.monotonic()) for sender in senders)


def _close_all() -> None:
    for sender in list(_all):
        sender.close(2.0)


def _leave_all_to_parent() -> None:
    for sender in list(_all):
        sender._leave_to_parent()


def _drain_in_children_of_multiprocessing(sender: Sender) -> None:
    """Have a child of `multiprocessing`, which knows no atexit, drain as well."""
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(sender, sender.close, args=(2.0,), exitpriority=0)


atexit.register(_close_all)
os.register_at_fork(after_in_child=_leave_all_to_parent)

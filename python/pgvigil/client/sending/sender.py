"""The thread that sends what a program records, and keeps it while the database is away."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pgvigil.client.sending.adoption import Adoption
from pgvigil.client.sending.all_senders import (
    drain_in_children_of_multiprocessing,
    have_ended,
    register,
    warn_of_loss,
)
from pgvigil.client.sending.backlog import Backlog
from pgvigil.client.sending.batch import Batch
from pgvigil.client.sending.clock import Clock
from pgvigil.client.sending.errand import Errand
from pgvigil.client.sending.own_work import own_work
from pgvigil.client.sending.packing import MOST_RECORDS, Losses, Packer
from pgvigil.client.sending.queue import Queue, Record, Run
from pgvigil.client.sending.runs import Runs
from pgvigil.database.words import count_of

_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds after a failure; the last one again and again
_BETWEEN_LOSSES = 60.0  # seconds, for as long as there is something else to send
_IDLE = 30.0  # seconds after which the thread ends, until there is something again
_BETWEEN_ATTEMPTS = 0.1  # seconds, while somebody waits
_LONGEST_LOOK = 0.25  # seconds between looks at what has come while the database is silent
_LONGEST_AT_EXIT = 0.5  # seconds beyond its limit that the end of a program may take

logger = logging.getLogger("pgvigil")


class AwayError(Exception):
    """The database cannot take a batch at the moment."""


class RefusedError(Exception):
    """The database will never take this batch."""


class Sender:
    """Sends records in batches from a thread of its own; whoever records never waits for it."""

    _thread: threading.Thread | None
    _rounds_wanted: int
    _rounds: int
    _resting_until: float
    _kept_at: float
    _tell_losses_at: float
    _failures: int
    _stop_at: float

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
        self._lost = 0
        self._begin_anew()
        register(self)

    @property
    def lost(self) -> int:
        """Records lost so far, by this process."""
        return self._lost + self.queue.lost

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
        run = self._runs.begin(task_id, function, told)
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
        deadline = time.monotonic() + timeout
        while self._thread is not None or not self._is_empty():
            if self._has_gone_round(deadline) and self._is_empty():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(max(min(_BETWEEN_ATTEMPTS, deadline - time.monotonic()), 0))
        return True

    def _has_gone_round(self, deadline: float) -> bool:
        """Have the thread try to send all; return whether it has."""
        with self._change:
            self._rounds_wanted += 1
            wanted = self._rounds_wanted
            self._wake()
            self._see_to_thread()
            while self._rounds < wanted and time.monotonic() < deadline:
                self._change.wait(deadline - time.monotonic())
            return self._rounds >= wanted

    def close(self, timeout: float) -> None:
        """Send what waits for at most so many seconds; the rest stays in the spool."""
        thread = self._thread
        if thread is not None and os.getpid() == self._pid:
            self._stop_at = time.monotonic() + timeout
            self._wake()
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
            if have_ended():
                self._keep_all()
                warn_of_loss(self)
            elif self._thread is None or not self._thread.is_alive():
                self._begin_thread()

    def _begin_thread(self) -> None:
        thread = threading.Thread(target=own_work()(self._work), name="pgvigil-sender", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there can be no more threads; the next record tries again
            return
        self._thread = thread
        drain_in_children_of_multiprocessing(self)

    def _work(self) -> None:
        while self._wait_for_work():
            self._asked.clear()
            self.queue.signal()
            wanted = self._rounds_wanted
            self._go_round(is_asked=wanted > self._rounds)
            with self._change:
                self._rounds = wanted
                self._change.notify_all()
        while not self._is_empty() and time.monotonic() < self._stop_at:
            self._go_round(is_asked=True)
            if not self._is_empty():
                time.sleep(_BETWEEN_ATTEMPTS)

    def _wait_for_work(self) -> bool:
        """Wait until there is something to do; return False when the thread is to end."""
        while self._stop_at == float("inf"):
            rest = self._resting_until - time.monotonic()
            if self._rounds_wanted > self._rounds:
                return True
            if self._is_empty():
                if not self._adoption.is_unfinished:
                    if not self.queue.has_some.wait(_IDLE) and self._end_when_idle():
                        return False
                elif rest <= 0:
                    return True
                else:
                    self.queue.has_some.wait(rest)
            elif len(self.queue) and (rest <= 0 or self._backlog.takes_to_disk):
                self.queue.is_full.wait(self._interval)
                return True
            elif rest <= 0:
                return True
            elif self._backlog.takes_to_disk:
                self.queue.has_some.wait(rest)
            else:
                self._asked.wait(rest)
        return False

    def _wake(self) -> None:
        self._asked.set()
        self.queue.has_some.set()
        self.queue.is_full.set()

    def _go_round(self, is_asked: bool) -> None:
        """Send what waits, or keep it on disk after a failure unless asked to try again."""
        try:
            if is_asked or not self._is_resting():
                self._send_all()
            else:
                self._keep()
        except Exception as error:  # such as of a file that somebody has damaged
            self._rest(error)

    def _end_when_idle(self) -> bool:
        """End the thread unless something has come or is left; the next record begins another."""
        with self._lock:
            # First, for whoever adds a record later than we look begins another.
            thread, self._thread = self._thread, None
            if self._is_empty() and self._rounds_wanted == self._rounds:
                return True
            self._thread = thread
            return False

    def _keep(self) -> None:
        """Put on disk what waits in memory, as far as there is a disk that takes it."""
        self._kept_at = time.monotonic()
        waiting = len(self.queue)
        while self._backlog.settle() and waiting > 0:
            self._take(is_apart=True)
            waiting -= MOST_RECORDS
        self._count_losses()

    def _take(self, is_apart: bool) -> bool:
        """Make batches of what waits in the queue; return whether there was something."""
        taken = self.queue.take(MOST_RECORDS)
        for batch in self._packer.pack(taken, is_apart):
            self._backlog.add(batch)
        return bool(taken)

    def _send_all(self) -> None:
        """Send what waits, the oldest first, until all is sent or the database is away."""
        waiting = len(self.queue)
        try:
            while True:
                batch = self._backlog.first()
                if batch is None:
                    if waiting <= 0 and not self.queue.is_full.is_set():
                        break
                    if not self._take(is_apart=False):
                        break
                    waiting -= MOST_RECORDS
                    continue
                is_recorded = self._send_one(batch)
                self._backlog.remove(batch)
                if is_recorded:
                    self._tell_losses()
                if time.monotonic() >= self._stop_at:
                    return
                if self._backlog.is_on_disk and time.monotonic() >= self._kept_at + self._interval:
                    self._keep()
            self._adoption.go_on(min(time.monotonic() + self._interval, self._stop_at))
        except AwayError as error:
            self._rest(error)

    def _send_one(self, batch: Batch) -> bool:
        """Send a batch; return whether it is recorded, for the database may refuse it."""
        answer = None
        try:
            answer = self._answer_to(batch)
        except RefusedError as error:
            refused = count_of(batch.records, "record")
            logger.warning("pgvigil lost %s, which the database refused: %s", refused, error)
            self._count_lost(batch.records)
        if self._failures > 1:
            logger.warning("pgvigil records again; records lost so far: %d", self.lost)
        self._failures = 0
        self._resting_until = 0.0
        if answer is not None and batch.sender == self._packer.name:
            self._runs.note(answer)
        return answer is not None

    def _answer_to(self, batch: Batch) -> Mapping[str, Any]:
        """Send a batch; meanwhile keep on disk what comes, as whoever is killed keeps that."""
        text = (
            f'{{"sender": "{batch.sender}", "number": {batch.number},'
            f" {self._clock.told()}{batch.body}}}"
        )
        sent_at = time.time()
        errand = Errand(lambda: self._send(text))
        while not errand.is_done(min(self._interval, _LONGEST_LOOK)):
            if time.monotonic() >= self._stop_at:
                raise AwayError("there was no answer when the program ended")
            self._keep()
        answer = errand.answer()
        self._clock.compare(answer.get("recorded_at"), sent_at)
        return answer

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        if self._failures == 1:
            logger.warning("pgvigil cannot reach its database, so records wait: %s", error)
        if self._failures:
            self._keep()
        self._failures += 1

    def _is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def _is_empty(self) -> bool:
        return not len(self.queue) and self._backlog.is_empty()

    def _keep_all(self) -> None:
        """Put on disk what is not sent; what comes later then bears another name."""
        with self._lock:
            self._count_losses()
            if self._losses:
                self._backlog.add(self._losses.as_batch())
            self._keep()
            if self._backlog.close():
                self._packer.begin_anew()

    def waiting(self) -> int:
        """Return how many records are nowhere but in memory."""
        return len(self.queue) + self._backlog.in_memory()

    # Losses

    def _tell_losses(self) -> None:
        """Have the database told of losses, at first at once and later now and then."""
        self._count_losses()
        now = time.monotonic()
        if self._losses and (now >= self._tell_losses_at or self._is_empty()):
            self._tell_losses_at = now + _BETWEEN_LOSSES
            self._backlog.add(self._losses.as_batch())

    def _count_losses(self) -> None:
        self._count_lost(*self.queue.take_losses())
        self._count_lost(self._backlog.take_losses())

    def _count_lost(self, records: int, since: float | None = None) -> None:
        if records:
            self._lost += records
            self._losses.add(records, since)

    # Forks

    def _begin_anew(self) -> None:
        """Be as if nothing had been recorded yet."""
        self._pid = os.getpid()
        self.queue = Queue(self._most_bytes, MOST_RECORDS)
        self._packer = Packer()
        self._losses = Losses()
        self._clock = Clock()
        self._backlog = Backlog(self.dsn, self._directory, self._spool_bytes)
        self._adoption = Adoption(self._backlog, self._send_one)
        self._lock = threading.RLock()
        self._change = threading.Condition()
        self._asked = threading.Event()
        self._thread = None
        self._runs = Runs()
        self._rounds_wanted = self._rounds = 0
        self._resting_until = self._kept_at = self._tell_losses_at = 0.0
        self._failures = 0
        self._stop_at = float("inf")

    def leave_to_parent(self) -> None:
        """Forget, in a child, what the parent will send."""
        self._backlog.forget()
        self._runs.leave_to_parent()
        self._begin_anew()

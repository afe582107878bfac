"""What a program has told and nobody has sent yet. Calls put things in and return at once."""

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# What is worth least when there is no room for all.
WORTH_LESS = frozenset({"metrics", "logs"})
_ROOM_FOR_THEM = 0.75
# Parameters of calls that are no columns of a task that has ended.
_OF_CALLS = frozenset({"started_at", "finished_at", "at", "attempt"})
_OVERHEAD = 150  # bytes of the objects around a text
_OVERHEAD_OF_RUN = 700  # bytes of those that find a run again


@dataclass(slots=True)
class Record:
    """One thing told, as JSON already: its values may change while it waits."""

    kind: str
    """Which array of a batch it belongs to, as `record_batch()` names them."""
    text: str
    size: int = 0
    """Bytes that it takes while it waits."""

    def members(self) -> Iterator[tuple[str, str]]:
        """Yield the array of a batch, and the element that it is there."""
        yield self.kind, self.text


@dataclass(slots=True, weakref_slot=True)
class Run:
    """A task from its start on. One that ends before its start is sent is sent as one record."""

    task_id: str
    number: int | None
    """What the process's batches call it; None in a child of the process that began it."""
    begun: dict[str, str]
    """What was told at its start, as JSON by the name of the parameter."""
    start: str
    """The function that begins it."""
    progress: dict[str, str] = field(default_factory=dict)
    end: str = ""
    """The function that ends it."""
    ended: dict[str, str] | None = None
    attempt: int | None = None
    """Number of the attempt, once the database has told it."""
    is_running: bool = True
    """False once the database has said that it does not run."""
    turn: int = 0
    """Turn of the queue in which its start was told."""
    is_alone: bool = True
    """Whether it waits with no other run of its name, so that their order does not matter."""
    size: int = 0
    """Bytes that it takes while it waits."""

    def members(self) -> Iterator[tuple[str, str]]:
        """Yield the arrays of a batch, and the elements that it is there."""
        functions = (self.start, self.end)
        if self.is_alone and functions == ("start_task_tracking", "complete_task_tracking"):
            assert self.ended is not None
            metadata = _merged(self.begun.get("metadata"), self.ended.get("metadata"))
            told = {**self.begun, **self.progress, **self.ended, **metadata}
            told |= {"start_time": told["started_at"], "end_time": told["finished_at"]}
            yield "runs", as_object({name: told[name] for name in told.keys() - _OF_CALLS})
            return
        yield "calls", self.call(self.start, self.begun)
        if self.progress:
            yield "calls", self.call("update_task_progress", self.progress)
        if self.ended is not None:
            yield "calls", self.call(self.end, self.ended)

    def call(self, function: str, arguments: Mapping[str, str]) -> str:
        """Return a call about it, as an element of a batch's calls."""
        if self.attempt is not None and "attempt" not in arguments:
            arguments = {**arguments, "attempt": str(self.attempt)}
        run = "" if self.number is None else f' "run": {self.number},'
        return f'{{"function": "{function}",{run} "arguments": {as_object(arguments)}}}'


class Queue:
    """Records in the order in which they were told, in bounded memory, from any thread."""

    def __init__(self, most_bytes: int, most_records: int) -> None:
        """Make an empty one.

        Args:
            most_bytes: so much may wait; what comes then is lost, and counted.
            most_records: with so many waiting it asks to be emptied at once.
        """
        self.has_some = threading.Event()
        """Set while something waits."""
        self.is_full = threading.Event()
        """Set when it should be emptied at once."""
        # A signal handler, or a finalizer, may interrupt a thread in here and record something.
        self._lock = threading.RLock()
        self._most_bytes = most_bytes
        self._most_records = most_records
        self._waiting: deque[Record | Run] = deque()
        self._runs: dict[str, Run] = {}
        # What is taken out goes by turns: whoever records waits for the lock no longer than it
        # takes to put two empty things in place of full ones, even on a machine so busy that a
        # thread which holds a lock is held up itself.
        self._turn = 1
        self._in_hand: deque[Record | Run] = deque()
        self._bytes = 0
        self.lost = 0
        """Records that found no room since `take_losses` was called."""
        self._lost_since = 0.0

    def __len__(self) -> int:
        """Return how many records wait."""
        return len(self._in_hand) + len(self._waiting)

    def put(self, record: Record) -> bool:
        """Add a record; return False when there is no room for it."""
        with self._lock:
            return self._add(record, sys.getsizeof(record.text), record.kind in WORTH_LESS)

    def begin(self, run: Run) -> bool:
        """Add a run that has begun."""
        with self._lock:
            before = self._runs.get(run.task_id)
            if before is not None:
                before.is_alone = run.is_alone = False
            if not self._add(run, _size(run.begun) + _OVERHEAD_OF_RUN):
                return False
            run.turn = self._turn
            self._runs[run.task_id] = run
            return True

    def update(self, run: Run, told: dict[str, str]) -> bool:
        """Add how far a run is."""
        with self._lock:
            if run.turn == self._turn:
                size = _size(run.progress)
                counters = _merged(run.progress.get("counters"), told.get("counters"), "counters")
                run.progress |= told | counters
                self._grow(run, _size(run.progress) - size)
                return True
            record = Record("calls", run.call("update_task_progress", told))
            return self._add(record, sys.getsizeof(record.text), is_worth_less=True)

    def finish(self, run: Run, function: str, told: dict[str, str]) -> bool:
        """Add how a run has ended, for the function that ends it."""
        with self._lock:
            if run.turn == self._turn and run.ended is None:
                counters = _merged(run.progress.get("counters"), told.get("counters"), "counters")
                run.end, run.ended = function, told | counters
                self._grow(run, _size(run.ended))
                return True
            record = Record("calls", run.call(function, told))
            return self._add(record, sys.getsizeof(record.text))

    def take(self, most: int) -> list[Record | Run]:
        """Take out what has waited longest, so many records at most; for one thread."""
        if not self._in_hand:
            with self._lock:
                self._in_hand, self._waiting = self._waiting, deque()
                runs, self._runs = self._runs, {}
                self._turn += 1
            del runs  # outside of the lock, for it may be large
        taken = [self._in_hand.popleft() for _ in range(min(most, len(self._in_hand)))]
        size = sum(record.size for record in taken)
        with self._lock:
            self._bytes -= size
            self.signal()
        return taken

    def signal(self) -> None:
        """Take back what was set although there is no reason for it any more."""
        with self._lock:
            if not len(self):
                self.has_some.clear()
            if len(self) < self._most_records:
                self.is_full.clear()

    def take_losses(self) -> tuple[int, float]:
        """Return how many records found no room since the last time, and from when on."""
        with self._lock:
            lost, self.lost = self.lost, 0
            return lost, self._lost_since

    def _add(self, record: Record | Run, size: int, is_worth_less: bool = False) -> bool:
        room = self._most_bytes * (_ROOM_FOR_THEM if is_worth_less else 1)
        if self._bytes + size > room:
            if not self.lost:
                self._lost_since = time.time()
            self.lost += 1
            self.is_full.set()
            return False
        self._waiting.append(record)
        self._grow(record, size + _OVERHEAD)
        if len(self._waiting) == 1:
            self.has_some.set()
        elif len(self._waiting) == self._most_records:
            self.is_full.set()
        return True

    def _grow(self, record: Record | Run, by: int) -> None:
        record.size += by
        self._bytes += by


def as_object(members: Mapping[str, str]) -> str:
    """Return a JSON object of texts that are JSON."""
    return "{" + ", ".join([f'"{name}": {text}' for name, text in members.items()]) + "}"


def _size(told: Mapping[str, str]) -> int:
    return sys.getsizeof(told) + sum(map(sys.getsizeof, told.values()))


def _merged(first: str | None, second: str | None, name: str = "metadata") -> dict[str, str]:
    """Return two objects in one under that name, as the database merges them."""
    if first is None or second is None:
        return {}
    return {name: json.dumps(json.loads(first) | json.loads(second), ensure_ascii=False)}

"""What is recorded of a run, by the client."""

import logging
import socket
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from pgvigil.client import MonitoringClient
from pgvigil.database.words import count_of, length_of_time
from pgvigil.wrapping.expected import expect_runs
from pgvigil.wrapping.job import Ending, Job, signal_name
from pgvigil.wrapping.outputs import KEPT_BYTES, Tail
from pgvigil.wrapping.voice import Say

_SECONDS_TO_FLUSH = 0.5
_MOST_FLUSHES = 10
_LONGEST_LINE = 200


class Recording:
    """One run, in the records."""

    def __init__(self, job: Job, say: Say) -> None:
        """Make a client, whose warnings are said."""
        logger = logging.getLogger("pgvigil")
        self._troubles = _Spoken(say)
        logger.addHandler(self._troubles)
        logger.propagate = False
        self._job = job
        self._say = say
        self._client = MonitoringClient(job.dsn, component=job.task_type)
        self._task = job.task_id

    def begin(self, began_at: float) -> None:
        """Record that it has begun, and when its kind is expected."""
        job = self._job
        self._task = self._client.start_task(
            job.task_type,
            task_id=job.task_id,
            parent_task_id=job.parent_task_id,
            metadata={
                "work": job.task_type,
                "command": PurePath(job.command[0]).name,
                "host": socket.gethostname(),
            },
            started_at=_moment(began_at),
        )
        if job.schedule is not None:
            expect_runs(job, self._say)

    def beat(self, output_bytes: int, cpu_seconds: float | None) -> None:
        """Record that it is alive; output, and another second of the processor, are progress."""
        counters: dict[str, float] = {"output_bytes": output_bytes}
        if cpu_seconds is not None:
            counters["cpu_seconds"] = int(cpu_seconds)
        self._client.update_task(self._task, counters=counters)

    def end(self, ending: Ending, tail: Tail) -> None:
        """Record how it ended, and send all; what cannot be sent stays on disk."""
        at = _moment(ending.ended_at)
        if ending.status in ("failed", "timeout"):
            self._client.record_error(
                self._task,
                _kind(ending),
                "high",
                _message(self._job, ending, tail.text()),
                details=_outcome(ending) | {"output_bytes": tail.total, "kept_bytes": KEPT_BYTES},
                stack=tail.text() or None,
                occurred_at=at,
            )
        self._client.complete_task(
            self._task,
            ending.status,
            counters={"output_bytes": tail.total, **ending.used},
            metadata=_outcome(ending),
            finished_at=at,
        )
        self._send()

    def _send(self) -> None:
        """Send all, or say that it cannot be sent now."""
        for _ in range(_MOST_FLUSHES):
            if self._client.flush(_SECONDS_TO_FLUSH) or self._troubles.has_spoken:
                break
        else:
            self._say("has not reached its database yet, so records wait")
        self._client.close(0)
        lost = self._client.waiting
        if lost:
            self._say(
                f"lost {count_of(lost, 'record')}, which could be neither sent nor kept on disk"
            )


class _Spoken(logging.Handler):
    """Says what the client logs."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say
        self.has_spoken = False

    def emit(self, record: logging.LogRecord) -> None:
        self.has_spoken = True
        self._say(record.getMessage().removeprefix("pgvigil "))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _kind(ending: Ending) -> str:
    if ending.is_timeout:
        return "Timeout"
    return "ExitStatus" if ending.signal_number is None else signal_name(ending.signal_number)


def _outcome(ending: Ending) -> dict[str, Any]:
    if ending.signal_number is not None:
        return {"signal": signal_name(ending.signal_number)}
    return {"exit_status": ending.exit_code}


def _message(job: Job, ending: Ending, output: str) -> str:
    """Return what happened in one sentence, with the last line of output, which mostly says why."""
    if ending.problem is not None:
        return ending.problem
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    why = f": {lines[-1][:_LONGEST_LINE]}" if lines else ""
    if ending.is_timeout:
        what = f"did not end within {length_of_time(job.timeout or 0)}"
    elif ending.signal_number is None:
        what = f"ended with exit status {ending.exit_code}"
    else:
        what = f"was ended by {signal_name(ending.signal_number)}"
    return f"{PurePath(job.command[0]).name} {what}{why}"

"""Turn a job log in the Standard Workload Format into lines for ``pgvigil backfill``.

    python convert_swf.py IN.swf[.gz] OUT.jsonl[.gz]

Needs nothing but Python. Every job becomes one finished task; jobs that cannot become one are
counted and named on standard error. `README.md` beside this file says which field goes where.
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

FIELDS = (
    "job",
    "submit",
    "wait",
    "run",
    "processors",
    "cpu_seconds",
    "memory_kb",
    "requested_processors",
    "requested_seconds",
    "requested_memory_kb",
    "status",
    "user",
    "group",
    "application",
    "queue",
    "partition",
    "preceding_job",
    "think_seconds",
)
STATUSES = {0: "failed", 1: "completed", 5: "cancelled", -1: "completed"}
KEPT = ("processors", "user", "group", "application", "queue", "partition", "wait")


class SkippedJobError(Exception):
    """A line that cannot become a finished task; the message says why."""


def main(arguments: list[str]) -> int:
    """Convert a file; return 0, or 1 when it is no Standard Workload Format."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    skipped: Counter[str] = Counter()
    with open_text(source, "rt") as lines, open_text(target, "wt") as out:
        written = 0
        for task in convert(lines, log_name(source), skipped):
            out.write(json.dumps(task) + "\n")
            written += 1
    print(f"{written:,} jobs written to {target}, {skipped.total():,} skipped", file=sys.stderr)
    for reason, count in skipped.most_common():
        print(f"  {count:,} skipped: {reason}", file=sys.stderr)
    return 0


def convert(lines: Iterable[str], log: str, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield a finished task for each job; count the reasons of those that cannot be one.

    Args:
        lines: the file.
        log: its name, which makes the job numbers of several logs different task names.
        skipped: where to count.
    """
    header = Header()
    for line in lines:
        if line.startswith(";"):
            header.read(line)
        elif line.strip():
            try:
                yield task_of(dict(zip(FIELDS, numbers_in(line), strict=True)), header, log)
            except SkippedJobError as reason:
                skipped[str(reason)] += 1


class Header:
    """What the comment lines at the beginning say about the whole log."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.began_at: datetime | None = None
        self.queues: dict[int, str] = {}

    def read(self, line: str) -> None:
        """Take note of a comment line."""
        if found := re.match(r";\s*UnixStartTime:\s*(\d+)", line):
            self.began_at = datetime.fromtimestamp(int(found[1]), UTC)
        elif found := re.match(r";\s*Queue:\s*(\d+)\s+(\S+)", line):
            self.queues[int(found[1])] = found[2].lower()


def task_of(job: dict[str, float], header: Header, log: str) -> dict[str, Any]:
    """Return a job as a finished task.

    Raises:
        SkippedJobError: it has not run, or nobody knows for how long.
    """
    if header.began_at is None:
        raise SkippedJobError("the header has no UnixStartTime")
    if job["run"] < 0:
        raise SkippedJobError("no run time")
    if job["submit"] < 0:
        raise SkippedJobError("no submit time")
    status = STATUSES.get(int(job["status"]))
    if status is None:
        raise SkippedJobError(f"status {job['status']:g}: a part of a job, not a whole one")
    # Where the wait is unknown, the time of submission is the best known beginning.
    start = header.began_at + timedelta(seconds=job["submit"] + max(job["wait"], 0))
    metadata = {name: job[name] for name in KEPT if job[name] != -1}
    if job["status"] == -1:
        metadata["note"] = "the log does not say how the job ended"  # type: ignore[assignment]
    return {
        "kind": "tasks",
        "task_id": f"{log}/{job['job']:g}",
        "task_type": "hpc." + queue_name(int(job["queue"]), header),
        "status": status,
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(seconds=job["run"])).isoformat(),
        "metadata": metadata,
    }


def log_name(path: Path) -> str:
    """Return the file's name without its endings."""
    return path.name.removesuffix(".gz").removesuffix(".swf")


def queue_name(queue: int, header: Header) -> str:
    """Return the queue's name by the header, ``queue-<n>`` without one, ``job`` if unknown."""
    return "job" if queue == -1 else header.queues.get(queue, f"queue-{queue}")


def numbers_in(line: str) -> list[float]:
    """Return the 18 numbers of a job.

    Raises:
        SkippedJobError: there are not 18 numbers.
    """
    words = line.split()
    if len(words) != len(FIELDS):
        raise SkippedJobError(f"{len(words)} fields instead of {len(FIELDS)}")
    try:
        return [float(word) if "." in word else int(word) for word in words]
    except ValueError:
        raise SkippedJobError("a field is no number") from None


def open_text(path: Path, mode: str) -> IO[str]:
    """Open a text file, zipped if its name ends in ``.gz``."""
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, mode, encoding="utf-8"))
    return cast(IO[str], path.open(mode, encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

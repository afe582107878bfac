"""Comparing what programs told with what the database has."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.client.program import ENTRY

# Number, thread, time told and time recorded, in the order in which each kind was recorded.
_FOUND = (
    "select tags, recorded_at from monitoring.performance_monitoring"
    " where metric_name = 'chaos' order by sample_id",
    "select details, logged_at from monitoring.v_application_logs"
    " where message = 'chaos' order by log_id",
    "select details, occurred_at from monitoring.error_tracking"
    " where error_type = 'Chaos' order by error_id",
    "select metadata, start_time from monitoring.processing_metrics"
    " where task_type = 'chaos' order by start_time",
)
_ORDERED = _FOUND[:3]


@dataclass(frozen=True)
class Count:
    """What became of records."""

    told: int
    lost: list[int]
    """Numbers that were told and are not in the database."""
    doubled: list[int]
    """Numbers that are in the database more than once."""
    misplaced: int
    """Records that came before one that the same thread told earlier."""
    farthest: float
    """Seconds between the time of a record and when it was told, at most."""
    unfinished: int
    """Tasks that are not completed."""

    def is_right(self) -> bool:
        """Tell whether each record is there once, in order and with its own time."""
        return (
            not self.lost
            and not self.doubled
            and self.misplaced == 0
            and self.farthest < 1
            and self.unfinished == 0
        )


def told_in(journal: Path) -> dict[int, float]:
    """Return the numbers in a journal and when each was told."""
    data = journal.read_bytes()
    whole = len(data) - len(data) % ENTRY.size  # the last one may be cut
    return dict(ENTRY.iter_unpack(data[:whole]))


def count(dsn: str, told: dict[int, float]) -> Count:
    """Compare a database with what was told."""
    found: Counter[int] = Counter()
    misplaced = 0
    farthest = 0.0
    with psycopg.connect(dsn) as connection:
        for query in _FOUND:
            last: dict[int, int] = {}
            for about, recorded_at in connection.execute(query.encode()):
                if about["number"] < 0:
                    continue  # of a program that sent what another left behind
                found[about["number"]] += 1
                farthest = max(farthest, _between(about, recorded_at))
                if query in _ORDERED:
                    misplaced += last.get(about["thread"], -1) >= about["number"]
                    last[about["thread"]] = about["number"]
        row = connection.execute(
            "select count(*) from monitoring.processing_metrics"
            " where task_type = 'chaos' and status <> 'completed'"
        ).fetchone()
    return Count(
        told=len(told),
        lost=sorted(told.keys() - found.keys()),
        doubled=sorted(number for number, times in found.items() if times > 1),
        misplaced=misplaced,
        farthest=farthest,
        unfinished=0 if row is None else row[0],
    )


def _between(about: dict[str, Any], recorded_at: datetime) -> float:
    return abs((recorded_at - datetime.fromisoformat(about["at"])).total_seconds())

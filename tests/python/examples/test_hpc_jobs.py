"""The batch jobs of a real machine, converted and loaded, give the numbers that the log gives."""

import gzip
import json
import math
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.commands.cli import main
from tests import ROOT

CONVERTER = ROOT / "examples" / "hpc-jobs" / "convert_swf.py"
DATA = Path(os.environ.get("PGVIGIL_DATA") or ROOT.parent / "shared" / "data")
LOG = DATA / "hpc-jobs" / "NASA-iPSC-1993-3.1-cln.swf.gz"
HEADER = """\
; UnixStartTime: 749458803
; Queue:  0  interactive
; Queue:  1  batch
"""


def job(**fields: object) -> str:
    """Return a line of the Standard Workload Format; what is not named is unknown."""
    names = "job submit wait run processors cpu mem rp rt rm status user group app queue part a b"
    return " ".join(str(fields.get(name, -1)) for name in names.split())


def convert(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, CONVERTER, source, target], capture_output=True, text=True, check=True
    )


def converted(tmp_path: Path, *lines: str) -> tuple[list[dict[str, Any]], str]:
    """Return the tasks that lines become, and what the converter said."""
    source, target = tmp_path / "small.swf", tmp_path / "small.jsonl"
    source.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    told = convert(source, target).stderr
    return [json.loads(line) for line in target.read_text().splitlines()], told


def test_a_job_starts_after_its_wait_and_ends_after_its_run(tmp_path: Path) -> None:
    (task,), _ = converted(tmp_path, job(job=7, submit=10, wait=5, run=60, status=1, queue=1))
    assert task == {
        "kind": "tasks",
        "task_id": "small/7",
        "task_type": "hpc.batch",
        "status": "completed",
        "start_time": "1993-10-01T07:00:18+00:00",
        "end_time": "1993-10-01T07:01:18+00:00",
        "metadata": {"queue": 1, "wait": 5},
    }


@pytest.mark.parametrize(
    ("status", "wanted"), [(0, "failed"), (1, "completed"), (5, "cancelled"), (-1, "completed")]
)
def test_statuses_are_translated(status: int, wanted: str, tmp_path: Path) -> None:
    (task,), _ = converted(tmp_path, job(job=1, submit=0, run=1, status=status))
    assert task["status"] == wanted
    assert ("note" in task["metadata"]) == (status == -1)


def test_the_queue_decides_the_task_type(tmp_path: Path) -> None:
    tasks, _ = converted(
        tmp_path,
        *(job(job=n, submit=0, run=1, queue=queue) for n, queue in enumerate([0, 1, 2, -1])),
    )
    types = [task["task_type"] for task in tasks]
    assert types == ["hpc.interactive", "hpc.batch", "hpc.queue-2", "hpc.job"]


def test_what_cannot_be_a_task_is_counted_and_named(tmp_path: Path) -> None:
    tasks, told = converted(
        tmp_path,
        job(job=1, submit=0, run=-1),
        job(job=2, submit=0, run=1, status=3),
        "1 2 3",
        job(job=4, submit=0, run=0),
    )
    assert [task["task_id"] for task in tasks] == ["small/4"]
    assert "1 jobs written" in told
    assert "3 skipped" in told
    for reason in ("no run time", "status 3: a part of a job", "3 fields instead of 18"):
        assert f"1 skipped: {reason}" in told


# The real log


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so much of all values do not exceed (percentile_disc)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def run_seconds_by(column: int) -> dict[str, list[int]]:
    """Return the run times of the log, straight from the file, by a column counted from 1."""
    groups: dict[str, list[int]] = defaultdict(list)
    with gzip.open(LOG, "rt") as lines:
        for line in lines:
            if not line.startswith(";"):
                words = line.split()
                groups[words[column - 1]].append(int(words[3]))
    return groups


QUERY = """
select {group}, count(*), avg(duration_ms),
    percentile_disc(0.5) within group (order by duration_ms),
    percentile_disc(0.95) within group (order by duration_ms)
from monitoring.processing_metrics
group by 1
"""


@pytest.mark.skipif(not LOG.exists(), reason=f"the job log is not here: {LOG}")
def test_the_views_give_the_numbers_of_the_log(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    target = tmp_path / "jobs.jsonl.gz"
    assert "18,239 jobs written" in convert(LOG, target).stderr
    command = ["backfill", str(target), "--dsn", dsn]
    first = CliRunner().invoke(main, command)
    assert (first.exit_code, first.stdout) == (
        0,
        "18,239 lines read: 18,239 new, 0 already there, 0 rejected.\n",
    )
    again = CliRunner().invoke(main, command)
    assert again.stdout == "18,239 lines read: 0 new, 18,239 already there, 0 rejected.\n"

    check_groups(connection, "metadata ->> 'group'", run_seconds_by(13))
    # This log does not tell the queue of any job.
    queues = {"hpc.job" if queue == "-1" else queue: v for queue, v in run_seconds_by(15).items()}
    check_groups(connection, "task_type", queues)
    check_one_day(connection)


def check_groups(
    connection: psycopg.Connection, group: str, expected: dict[str, list[int]]
) -> None:
    found = connection.execute(QUERY.format(group=group).encode()).fetchall()
    assert {row[0] for row in found} == set(expected)
    for name, count, mean, median, p95 in found:
        milliseconds = [seconds * 1000 for seconds in expected[name]]
        assert count == len(milliseconds)
        assert mean == pytest.approx(statistics.mean(milliseconds), rel=1e-9)
        assert median == percentile(milliseconds, 0.5)
        assert p95 == percentile(milliseconds, 0.95)


def check_one_day(connection: psycopg.Connection) -> None:
    """Compare an hour in the middle of the log, and the 23 before it."""
    now = 749458803 + 50 * 86400
    with gzip.open(LOG, "rt") as lines:
        jobs = [line.split() for line in lines if not line.startswith(";")]
    ends = [(749458803 + int(job[1]) + int(job[3]), int(job[3]) * 1000) for job in jobs]
    hour = now // 3600 * 3600
    durations = [taken for end, taken in ends if hour - 23 * 3600 <= end < hour + 3600]
    connection.execute("select set_config('monitoring.now', to_timestamp(%s)::text, false)", [now])
    row = connection.execute(
        "select tasks, completed, p50_duration_ms, p95_duration_ms "
        "from monitoring.v_task_statistics"
    ).fetchone()
    assert len(durations) > 50
    assert row == (
        len(durations),
        len(durations),
        pytest.approx(percentile(durations, 0.5), rel=0.025),
        pytest.approx(percentile(durations, 0.95), rel=0.025),
    )

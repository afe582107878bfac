"""Percentiles from roll-ups of the batch jobs of a real machine, against percentile_disc."""

import gzip
import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.commands.cli import main
from tests.python.examples.test_hpc_jobs import LOG, convert
from tests.python.support.asking import one

# Errors of p50, p95 and p99 for a set of values, as shares of the exact figure.
ERRORS = """
select
    count(*)::integer as compared,
    max(abs(c.approximate - c.exact) / nullif(c.exact, 0)) as worst,
    count(*) filter (where c.exact = 0 and c.approximate <> 0)::integer as wrong_zeros
from ({compared}) as c (exact, approximate)
"""

# Each user's jobs in each bucket, as the view shows them.
BUCKETS = """
select p.exact, p.approximate
from (
    select
        t.task_type,
        date_trunc('{resolution}', t.finished_at, 'UTC') as bucket_at,
        percentile_disc(0.5) within group (order by t.duration_ms) as p50,
        percentile_disc(0.95) within group (order by t.duration_ms) as p95,
        percentile_disc(0.99) within group (order by t.duration_ms) as p99
    from monitoring._all_finished_tasks as t
    group by 1, 2
) as r
inner join monitoring.v_task_trends as v
    on v.resolution = '{resolution}' and v.task_type = r.task_type and v.bucket_at = r.bucket_at
cross join lateral (
    values
    (r.p50, v.p50_duration_ms), (r.p95, v.p95_duration_ms), (r.p99, v.p99_duration_ms)
) as p (exact, approximate)
"""

# All jobs of each group and user, merged from their hours or days and, for groups, from users.
MERGED = """
select
    (
        select percentile_disc(q) within group (order by t.duration_ms)
        from monitoring._all_finished_tasks as t
        where t.task_type like g.pattern
    ),
    (
        select monitoring.approx_percentile(monitoring.merge_histograms(r.histogram), q)
        from monitoring.rollups as r
        where r.source = 'tasks' and r.resolution = '{resolution}' and r.name like g.pattern
    )
from (
    select distinct t.task_type from monitoring._all_finished_tasks as t
    union all
    values ('group 1, %'), ('group 2, %'), ('%')
) as g (pattern)
cross join unnest(array[0.01, 0.5, 0.95, 0.99, 0.999]) as q
"""


@pytest.mark.skipif(not LOG.exists(), reason=f"the job log is not here: {LOG}")
def test_percentiles_of_real_jobs_are_within_the_bound(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    load_jobs_by_group_and_user(dsn, tmp_path)
    connection.execute("select monitoring.roll_up()")
    rolled_up = one(
        connection,
        "select sum(row_count)::integer as n from monitoring.rollups where resolution = 'day'",
    )
    assert rolled_up["n"] == 18239

    for resolution, compared in (("hour", 10_000), ("day", 3_000), ("week", 900), ("month", 400)):
        assert_bound(connection, BUCKETS.format(resolution=resolution), compared)
    for resolution in ("hour", "day"):
        assert_bound(connection, MERGED.format(resolution=resolution), 300)


def load_jobs_by_group_and_user(dsn: str, directory: Path) -> None:
    """Load the log with a task type for each group and user, of which there are dozens."""
    converted, typed = directory / "jobs.jsonl.gz", directory / "typed.jsonl"
    convert(LOG, converted)
    with gzip.open(converted, "rt") as lines, typed.open("w") as target:
        for line in lines:
            task = json.loads(line)
            told = task["metadata"]
            task["task_type"] = f"group {told['group']}, user {told['user']}"
            target.write(json.dumps(task) + "\n")
    done = CliRunner().invoke(main, ["backfill", str(typed), "--dsn", dsn])
    assert (done.exit_code, "18,239 new" in done.stdout) == (0, True), done.output


def assert_bound(connection: psycopg.Connection, compared: str, at_least: int) -> None:
    errors = one(connection, ERRORS.format(compared=compared))
    assert errors["compared"] >= at_least
    assert errors["wrong_zeros"] == 0
    assert 0.001 < errors["worst"] <= 0.0244, errors

"""How far the percentiles of roll-ups are from those of the rows."""

import psycopg

# Both sides by type and status; a group that either side lacks, or counts otherwise, is an error.
COMPARE = """
    select
        coalesce(bool_and(o.tasks = r.tasks), false) as is_complete,
        max(greatest(
            abs(o.p50_duration_ms / r.percentiles[1] - 1),
            abs(o.p95_duration_ms / r.percentiles[2] - 1),
            abs(o.p99_duration_ms / r.percentiles[3] - 1)
        )) as largest_error
    from ({ours}) o
    full join ({raw}) r on o.task_type = r.task_type and o.status = r.status
"""


def largest_error(connection: psycopg.Connection, ours: str, raw: str) -> float:
    """Return the largest relative error of any percentile of any type and status.

    Raises:
        RuntimeError: the two sides do not count the same rows.
    """
    row = connection.execute(COMPARE.format(ours=ours, raw=raw).encode()).fetchone()
    if row is None or not row[0]:
        raise RuntimeError("the roll-ups do not count the rows that are there")
    return float(row[1])

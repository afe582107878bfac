"""`pgvigil run` has alerts evaluated at once where something should not wait for the minute."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.python.support.running import RunningRunner, wait_until

RAISED = "select count(*) from monitoring.v_active_alerts where fingerprint like %s"


@pytest.fixture
def runner(dsn: str, connection: psycopg.Connection) -> Iterator[RunningRunner]:
    """A runner that has just evaluated alerts and is to do so again in an hour."""
    connection.execute("delete from monitoring.jobs where job_name <> 'evaluate_alerts'")
    with RunningRunner(dsn) as running:
        running.wait_for("job evaluate_alerts completed")
        connection.execute("update monitoring.jobs set next_run_at = now() + interval '1 hour'")
        yield running


@pytest.mark.usefixtures("runner")
def test_what_is_urgent_is_evaluated_within_seconds(connection: psycopg.Connection) -> None:
    connection.execute(
        "select monitoring.raise_alert('backup.sh', 'tape', 'critical', 'the tape is torn')"
    )
    wait_until(lambda: _count(connection, "%tape%") == 1)
    connection.execute(
        "select monitoring.define_expected_runs('etl', '2 seconds', p_grace => '1 second')"
    )
    wait_until(lambda: _count(connection, "etl") == 1)


def _count(connection: psycopg.Connection, fingerprint: str) -> int:
    row = connection.execute(RAISED, [fingerprint]).fetchone()
    assert row is not None
    return int(row[0])

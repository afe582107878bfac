"""What becomes of pg_cron's history: rows as it writes them, of times no test could wait for.

Nothing is scheduled here, so pg_cron itself stays still. The time is noon of 15 January 2026.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest

from tests.python.support.asking import rows
from tests.python.support.pg_cron_place import (
    SCHEDULER,
    Place,
    Session,
    act_as,
    pg_cron_server,
    value,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
RUNNER = "call monitoring.run_due_jobs()"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The server, with an entry of each of two roles, which never run."""
    with pg_cron_server() as server:
        place = Place(server)
        with place.connect() as session:
            session.execute("select cron.schedule('vacuum', '0 0 30 2 *', 'vacuum')")
        with place.connect(user=SCHEDULER) as session:
            session.execute("select cron.schedule('tidy', '0 0 30 2 *', 'select 3')")
        yield place


class History:
    """Rows of cron.job_run_details, in a transaction of which nothing stays."""

    def __init__(self, session: Session) -> None:
        """Begin with an empty history, at noon."""
        self.session = session
        self._numbers = count(1)
        session.execute("select set_config('monitoring.now', %s, true)", [str(NOON)])

    def add(
        self,
        ago: timedelta | None,
        status: str = "succeeded",
        *,
        command: str = "select 3",
        user: str = SCHEDULER,
        job: str = "tidy",
        ended: bool = True,
        message: str | None = "SELECT 1",
    ) -> str:
        """Write a run that began so long ago and took a second; return the name of its task.

        One without a time is what pg_cron leaves when it gets no connection.
        """
        run = next(self._numbers)
        start = None if ago is None else NOON - ago
        end = start + SECOND if start is not None and ended else None
        found = self.session.execute(
            "insert into cron.job_run_details (jobid, runid, database, username, command, status,"
            " return_message, start_time, end_time)"
            " values (coalesce((select jobid from cron.job where jobname = %s), 99),"
            " %s, 'shop', %s, %s, %s, %s, %s, %s)"
            " returning 'cron:' || jobid || ':' || runid",
            [job, run, user, command, status, message, start, end],
        ).fetchone()
        assert found is not None
        return str(found[0])

    def runs(self) -> list[int]:
        """Return the numbers of the runs that are left."""
        return [
            row["runid"] for row in rows(self.session, "select runid from cron.job_run_details")
        ]

    def tasks(self) -> dict[str, datetime]:
        """Return the tasks that were made of runs, with their ends."""
        found = rows(self.session, "select task_id, end_time from monitoring.processing_metrics")
        return {row["task_id"]: row["end_time"] for row in found}


@pytest.fixture
def history(place: Place) -> Iterator[History]:
    """An empty history, written by the superuser."""
    with place.trial() as session:
        yield History(session)


def test_a_run_is_imported_when_it_has_ended_and_once(history: History) -> None:
    done = history.add(HOUR)
    history.add(HOUR, "running", ended=False, message=None)
    history.add(None, "starting", message=None)
    assert value(history.session, "import_pg_cron_runs()") == 1
    assert value(history.session, "import_pg_cron_runs()") == 0
    assert history.tasks() == {done: NOON - HOUR + SECOND}
    history.session.execute(
        "update cron.job_run_details set status = 'failed', end_time = start_time"
        " where status = 'running'"
    )
    assert value(history.session, "import_pg_cron_runs()") == 1
    assert len(history.tasks()) == 2


def test_our_own_entries_are_not_imported(history: History) -> None:
    history.add(HOUR, command=RUNNER)
    history.add(HOUR, "failed", command="select monitoring.purge_pg_cron_history()")
    assert value(history.session, "import_pg_cron_runs()") == 0
    own = rows(history.session, "select is_own from monitoring.v_pg_cron_runs")
    assert own == [{"is_own": True}, {"is_own": True}]


def test_recent_days_are_looked_at_and_more_when_asked(history: History) -> None:
    old = history.add(300 * DAY)
    history.add(2 * DAY + 2 * SECOND)
    new = history.add(2 * DAY - SECOND)
    assert value(history.session, "import_pg_cron_runs()") == 1
    assert history.tasks().keys() == {new}
    assert value(history.session, "import_pg_cron_runs(p_within => '1 year')") == 2
    assert old in history.tasks()


def test_a_long_run_that_ended_recently_is_not_overlooked(history: History) -> None:
    slow = history.add(3 * DAY, "running", ended=False)
    for _ in range(50):
        history.add(HOUR)
    assert value(history.session, "import_pg_cron_runs()") == 50
    history.session.execute(
        "update cron.job_run_details set status = 'succeeded', end_time = %s"
        " where status = 'running'",
        [NOON],
    )
    assert value(history.session, "import_pg_cron_runs()") == 1
    assert history.tasks()[slow] == NOON


def test_thousands_of_runs_of_many_days_are_imported_at_once(history: History) -> None:
    for day in reversed(range(250)):
        for hour in range(8):
            history.add(day * DAY + hour * HOUR, "failed" if hour == 0 else "succeeded")
    assert value(history.session, "import_pg_cron_runs('251 days')") == 2000
    assert value(history.session, "import_pg_cron_runs('251 days')") == 0
    errors = rows(history.session, "select error_id from monitoring.error_tracking")
    assert len(errors) == 250


def test_a_run_without_a_connection_has_the_time_of_those_around_it(history: History) -> None:
    first = history.add(None, "failed", message="connection failed")
    history.add(5 * HOUR)
    middle = history.add(None, "failed", message="connection failed")
    history.add(HOUR)
    last = history.add(None, "failed", message="connection failed")
    assert value(history.session, "import_pg_cron_runs()") == 5
    ends = history.tasks()
    assert [ends[first], ends[middle], ends[last]] == [
        NOON - 5 * HOUR,
        NOON - 5 * HOUR,
        NOON - HOUR,
    ]
    # Whatever is estimated later, it is there.
    history.session.execute("delete from cron.job_run_details where start_time is not null")
    assert value(history.session, "import_pg_cron_runs()") == 0
    assert len(rows(history.session, "select 1 from monitoring.error_tracking")) == 3


def test_runs_without_a_connection_alone_ended_when_they_are_seen(history: History) -> None:
    task = history.add(None, "failed", message=None)
    assert value(history.session, "import_pg_cron_runs()") == 1
    assert history.tasks() == {task: NOON}
    assert value(history.session, "import_pg_cron_runs()") == 0


def test_a_run_of_an_entry_that_is_gone_goes_by_its_number(history: History) -> None:
    history.add(HOUR, job="dropped")
    history.add(HOUR)
    assert value(history.session, "import_pg_cron_runs()") == 2
    kinds = rows(history.session, "select task_type from monitoring.processing_metrics order by 1")
    assert kinds == [{"task_type": "cron.99"}, {"task_type": "cron.tidy"}]


def test_long_messages_are_cut_visibly(history: History) -> None:
    history.add(HOUR, "failed", message="x" * 100_000)
    assert value(history.session, "import_pg_cron_runs()") == 1
    (error,) = rows(history.session, "select message from monitoring.error_tracking")
    assert error["message"].endswith("... [cut: 100000 characters in all]")


def test_everybody_sees_own_runs_and_those_with_the_policy_all(history: History) -> None:
    history.add(HOUR, user="postgres", job="vacuum")
    own = history.add(HOUR)
    session = history.session
    session.execute("savepoint before_the_policies_go")
    session.execute("drop policy pgvigil_runs on cron.job_run_details")
    act_as(session, SCHEDULER)
    assert value(session, "import_pg_cron_runs()") == 1
    assert history.tasks().keys() == {own}
    session.execute("rollback to before_the_policies_go")
    act_as(session, SCHEDULER)
    assert value(session, "import_pg_cron_runs()") == 2


def test_the_import_sees_as_a_job_what_the_admins_may_see(history: History) -> None:
    history.add(HOUR, user="postgres", job="vacuum")
    history.session.execute("set local role monitoring_admin")
    assert value(history.session, "import_pg_cron_runs()") == 1
    kinds = rows(history.session, "select task_type from monitoring.processing_metrics")
    assert kinds == [{"task_type": "cron.vacuum"}]


def test_readers_see_live_runs_without_any_right_in_pg_cron(history: History) -> None:
    history.add(HOUR, "failed", message="ERROR: no")
    history.add(HOUR, "running", ended=False, message=None)
    history.session.execute("set local role monitoring_reader")
    live = rows(
        history.session,
        "select job_name, status, duration_ms, message, database_name, user_name"
        " from monitoring.v_pg_cron_runs",
    )
    assert [tuple(row.values()) for row in live] == [
        ("tidy", "running", None, None, "shop", SCHEDULER),
        ("tidy", "failed", 1000, "ERROR: no", "shop", SCHEDULER),
    ]


def test_own_runs_are_purged_after_a_week_and_no_others(history: History) -> None:
    history.add(8 * DAY)
    history.add(None, "failed", command=RUNNER)
    history.add(8 * DAY, "running", command=RUNNER, ended=False)
    history.add(8 * DAY, user="postgres", command=RUNNER)
    history.add(8 * DAY, command=RUNNER)
    history.add(7 * DAY + SECOND, command="select monitoring.purge_pg_cron_history()")
    history.add(7 * DAY, command=RUNNER)
    history.add(HOUR, command=RUNNER)
    history.add(None, "failed", command=RUNNER)
    act_as(history.session, SCHEDULER)
    assert value(history.session, "purge_pg_cron_history()") == 3
    assert history.runs() == [1, 3, 4, 7, 8, 9]
    assert value(history.session, "purge_pg_cron_history()") == 0
    assert value(history.session, "purge_pg_cron_history(p_keep => '2 hours')") == 1
    assert history.runs() == [1, 3, 4, 8, 9]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("import_pg_cron_runs('0')", "p_within is out of range: 00:00:00"),
        ("import_pg_cron_runs(null)", "p_within is out of range: null"),
        ("purge_pg_cron_history('-1 s')", "p_keep is out of range: -00:00:01"),
        ("purge_pg_cron_history(null)", "p_keep is out of range: null"),
    ],
)
def test_impossible_lengths_of_time_are_refused(history: History, call: str, message: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        value(history.session, call)
    assert (refused.value.sqlstate, refused.value.diag.message_primary) == ("PV004", message)


def test_two_imports_at_a_time_import_once(place: Place) -> None:
    with place.connect() as first, place.connect() as second:
        first.execute(
            "insert into cron.job_run_details (jobid, runid, command, status)"
            " values (98, 1000, 'select 5', 'failed')"
        )
        with first.transaction():
            assert value(first, "import_pg_cron_runs()") == 1
            second.execute("set lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                value(second, "import_pg_cron_runs()")
        assert value(second, "import_pg_cron_runs()") == 0
        first.execute("delete from cron.job_run_details")

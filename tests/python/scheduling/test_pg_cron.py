"""pg_cron runs the jobs: tried with a real pg_cron.

It runs things on the full minute, so one fixture schedules everything and waits for that.
"""

import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.python.support.asking import one, rows
from tests.python.support.pg_cron_place import (
    ELSEWHERE,
    HOME,
    SCHEDULER,
    Place,
    Session,
    act_as,
    pg_cron_server,
    value,
)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The server, after its pg_cron has run everything once."""
    with pg_cron_server() as server:
        place = Place(server)
        schedule_everything(place)
        wait_for_runs(place)
        yield place


def schedule_everything(place: Place) -> None:
    with place.connect(user=SCHEDULER) as scheduler:
        assert value(scheduler, "enable_pg_cron()") == 2
    with place.connect() as superuser:
        # Jobs of another database, in the words of the refusal there.
        statement = re.search(r"select cron\..*;", refusal_elsewhere(place)[2])
        assert statement is not None
        superuser.execute(statement[0].encode())
        superuser.execute("select cron.schedule('good', '* * * * *', 'select 1')")
        superuser.execute("select cron.schedule('bad', '* * * * *', 'select 1 / 0')")
        superuser.execute("select cron.schedule('* * * * *', 'select 2')")


def wait_for_runs(place: Place) -> None:
    """Wait until pg_cron has finished a run of each entry but the nightly one."""
    unfinished = """
        select j.jobid from cron.job j
        where j.schedule = '* * * * *' and not exists (
            select from cron.job_run_details d
            where d.jobid = j.jobid and d.status in ('succeeded', 'failed')
        )
    """
    deadline = time.monotonic() + 100
    with place.connect() as superuser:
        while waiting := rows(superuser, unfinished):
            assert time.monotonic() < deadline, (waiting, place.server.log_tail())
            time.sleep(0.5)


def refusal_elsewhere(place: Place) -> tuple[str | None, str, str]:
    """Return code, message and hint of scheduling where pg_cron is not."""
    with place.connect(ELSEWHERE) as session, pytest.raises(psycopg.Error) as refused:
        value(session, "enable_pg_cron(p_runners => 3)")
    diag = refused.value.diag
    return diag.sqlstate, diag.message_primary or "", diag.message_hint or ""


def own_entries(session: Session) -> list[str]:
    """Return the names of our entries of the role that acts."""
    found = rows(
        session,
        "select jobname from cron.job"
        " where jobname ~ '^pgvigil' and username = current_user order by length(jobname), jobname",
    )
    return [row["jobname"] for row in found]


def test_pg_cron_runs_the_jobs_as_the_role_that_scheduled_them(place: Place) -> None:
    with place.connect() as session:
        notes = rows(session, "select distinct by_role from errands.notes")
        assert notes == [{"by_role": SCHEDULER}]
        job = one(session, "select * from monitoring.v_jobs where job_name = 'work'")
        assert (job["last_status"], job["failures"]) == ("completed", 0)
        runs = rows(
            session,
            "select distinct status, return_message from cron.job_run_details"
            f" where username = '{SCHEDULER}' and status <> 'running'"
            # At 03:17 the nightly entry runs as well.
            " and command like 'call %'",
        )
        assert runs == [{"status": "succeeded", "return_message": "CALL"}]


def test_where_pg_cron_is_elsewhere_the_refusal_tells_both_ways(place: Place) -> None:
    code, message, hint = refusal_elsewhere(place)
    assert (code, message) == ("PV007", f'pg_cron is not in database "{ELSEWHERE}"')
    assert "create extension pg_cron;" in hint
    with place.connect(ELSEWHERE) as session:
        assert value(session, "enable_pg_cron(0)") == 0
        assert value(session, "disable_pg_cron()") == 0
        assert value(session, "import_pg_cron_runs()") == 0
        assert value(session, "purge_pg_cron_history()") == 0
        assert rows(session, "select * from monitoring.v_pg_cron_runs") == []


def test_the_statement_of_that_refusal_has_the_jobs_of_the_other_database_run(
    place: Place,
) -> None:
    with place.connect() as session:
        names = rows(session, f"select jobname from cron.job where database = '{ELSEWHERE}'")
        assert len(names) == 3
    with place.connect(ELSEWHERE) as session:
        assert rows(session, "select by_role from errands.notes") != []
        job = one(session, "select * from monitoring.v_jobs where job_name = 'work'")
        assert job["last_status"] == "completed"


def test_scheduling_again_changes_nothing(place: Place) -> None:
    with place.connect(user=SCHEDULER) as scheduler:
        before = rows(scheduler, "select * from cron.job order by jobid")
        assert value(scheduler, "enable_pg_cron(p_runners => 2)") == 2
        assert rows(scheduler, "select * from cron.job order by jobid") == before
        assert own_entries(scheduler) == [
            "pgvigil history",
            "pgvigil runner 1",
            "pgvigil runner 2",
        ]


def test_the_number_of_runners_grows_and_shrinks_and_ends(place: Place) -> None:
    others = "select * from cron.job where username <> current_user order by jobid"
    with place.trial(SCHEDULER) as scheduler:
        before = rows(scheduler, others)
        assert len(before) == 6
        for runners in (3, 12, 1):
            assert value(scheduler, f"enable_pg_cron({runners})") == runners
            numbered = [f"pgvigil runner {number + 1}" for number in range(runners)]
            assert own_entries(scheduler) == ["pgvigil history", *numbered]
        assert value(scheduler, "disable_pg_cron()") == 2
        assert value(scheduler, "disable_pg_cron()") == 0
        assert value(scheduler, "enable_pg_cron(1)") == 1
        assert value(scheduler, "enable_pg_cron(0)") == 0
        assert own_entries(scheduler) == []
        assert rows(scheduler, others) == before


@pytest.mark.parametrize("change", ["active = false", "schedule = '7 * * * *'", "command = 'x'"])
def test_an_entry_that_somebody_changed_is_put_right(place: Place, change: str) -> None:
    entries = (
        "select jobname, schedule, command, username, database, active from cron.job"
        " order by jobname, jobid"
    )
    with place.trial() as session:
        expected = rows(session, entries)
        session.execute(f"update cron.job set {change} where jobname = 'pgvigil runner 2'".encode())
        act_as(session, SCHEDULER)
        assert rows(session, entries) != expected
        assert value(session, "enable_pg_cron()") == 2
        assert rows(session, entries) == expected


@pytest.mark.parametrize("runners", ["-1", "33", "null"])
def test_an_impossible_number_of_runners_is_refused(place: Place, runners: str) -> None:
    with (
        place.connect(user=SCHEDULER) as scheduler,
        pytest.raises(psycopg.Error, match="p_runners is out of range") as refused,
    ):
        value(scheduler, f"enable_pg_cron({runners})")
    assert refused.value.sqlstate == "PV004"


def test_without_the_right_to_the_schema_scheduling_is_denied(place: Place) -> None:
    with place.trial() as session:
        session.execute("revoke usage on schema cron from monitoring_admin")
        act_as(session, SCHEDULER)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema cron"):
            value(session, "enable_pg_cron()")


def test_a_superuser_is_warned_when_runs_could_not_be_imported(place: Place) -> None:
    hints: list[str] = []
    with place.trial() as session:
        session.add_notice_handler(lambda notice: hints.append(notice.message_hint or ""))
        session.execute("revoke usage on schema cron from monitoring_admin")
        assert value(session, "enable_pg_cron()") == 2
        assert rows(session, "select * from monitoring.v_pg_cron_runs") == []
    (hint,) = hints
    assert "grant usage on schema cron to monitoring_admin" in hint


def test_the_import_is_a_job_that_has_run(place: Place) -> None:
    with place.connect() as session:
        job = one(session, "select * from monitoring.v_jobs where job_name like 'import%'")
        assert (job["job_name"], job["schedule"]) == ("import_pg_cron_runs", "5 minutes")
        assert (job["is_enabled"], job["last_status"]) == (True, "completed")


def test_real_runs_become_tasks_and_failed_ones_errors(place: Place) -> None:
    with place.trial() as session:
        session.execute("delete from monitoring.finished_tasks where task_id like 'cron:%'")
        session.execute("delete from monitoring.errors where component = 'pg_cron'")
        finished = rows(
            session,
            "select jobid, status from cron.job_run_details"
            " where status in ('succeeded', 'failed') and command like 'select %'"
            " and command not like '%monitoring.%'",
        )
        act_as(session, SCHEDULER)
        assert value(session, "import_pg_cron_runs()") == len(finished)
        tasks = rows(
            session,
            "select distinct t.task_type, t.status, t.metadata,"
            " t.start_time = d.start_time and t.end_time = d.end_time as has_times"
            " from monitoring.processing_metrics t join cron.job_run_details d"
            " on t.task_id = 'cron:' || d.jobid || ':' || d.runid order by 2, 1",
        )
        unnamed = one(session, "select jobid from cron.job where jobname is null")["jobid"]
        assert [
            (task["task_type"], task["status"], task["metadata"]["message"], task["has_times"])
            for task in tasks
        ] == [
            (f"cron.{unnamed}", "completed", "SELECT 1", True),
            ("cron.good", "completed", "SELECT 1", True),
            ("cron.bad", "failed", "ERROR: division by zero", True),
        ]
        errors = rows(
            session,
            "select error_type, severity, message, details from monitoring.error_tracking"
            " where component = 'pg_cron'",
        )
        assert len(errors) == [row["status"] for row in finished].count("failed") > 0
        assert errors[0] == {
            "error_type": "cron_job_failed",
            "severity": "high",
            "message": "ERROR: division by zero",
            "details": {"database": HOME, "user": "postgres"},
        }


def test_the_nightly_entry_purges_what_our_entries_left(place: Place) -> None:
    with place.trial(SCHEDULER) as scheduler:
        entry = one(scheduler, "select * from cron.job where jobname = 'pgvigil history'")
        assert (entry["schedule"], entry["active"]) == ("17 3 * * *", True)
        before = rows(scheduler, "select runid from cron.job_run_details order by 1")
        scheduler.execute(entry["command"].encode())
        # Nothing is a week old; test_pg_cron_history.py has what is.
        assert rows(scheduler, "select runid from cron.job_run_details order by 1") == before


def test_unscheduled_entries_are_gone_for_good(place: Place) -> None:
    with place.connect(user=SCHEDULER) as scheduler:
        assert value(scheduler, "disable_pg_cron()") == 3
        assert own_entries(scheduler) == []
        assert value(scheduler, "enable_pg_cron()") == 2

"""`pgvigil run` runs jobs when they are due, and ends in good order."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.runner import Runner, Settings
from tests.python.support.asking import rows
from tests.python.support.job_running import JobBench
from tests.python.support.running import RunningRunner, wait_until

LONG_POLL = ("--poll", "1h")


@pytest.fixture
def jobs(dsn: str) -> Iterator[JobBench]:
    """Jobs of a fresh database, none yet."""
    with ExitStack() as stack:
        yield JobBench(dsn, stack)


@pytest.fixture
def runner(dsn: str, jobs: JobBench) -> Iterator[RunningRunner]:
    """A runner that nothing but jobs and notices wakes."""
    with RunningRunner(dsn, *LONG_POLL) as running:
        running.wait_for("started")
        yield running


# Running jobs


def test_it_runs_what_is_due_and_logs_a_line_for_each_run(dsn: str, jobs: JobBench) -> None:
    jobs.add("good")
    jobs.add("bad", "raise exception 'no paper'")
    with RunningRunner(dsn) as running:
        running.wait_for("job good completed after")
        running.wait_for("job bad failed after")
        assert running.stop() == 0
    (bad,) = [line for line in running.lines if "job bad" in line]
    assert "error   job bad failed after" in bad
    assert ": no paper" in bad
    assert (jobs.done("good"), jobs.job("bad")["last_status"]) == (1, "failed")
    datetime.fromisoformat(bad.split()[0])


def test_the_log_as_json_says_the_same_in_fields(dsn: str, jobs: JobBench) -> None:
    jobs.add("good")
    jobs.add("bad", "raise warning 'low on paper'; raise exception E'no\\npaper'")
    with RunningRunner(dsn, "--log-format", "json") as running:
        running.wait_for('"bad"')
        running.wait_for('"good"')
        assert running.stop() == 0
    entries = [json.loads(line) for line in running.lines]
    assert all({"time", "level", "message"} <= entry.keys() for entry in entries)
    by_job = {entry["job"]: entry for entry in entries if "job" in entry}
    assert (by_job["good"]["level"], by_job["good"]["status"]) == ("info", "completed")
    assert (by_job["bad"]["level"], by_job["bad"]["status"]) == ("error", "failed")
    assert by_job["bad"]["error"].startswith("no\npaper\n")
    assert by_job["bad"]["message"].startswith("job bad failed after ")
    assert by_job["good"]["error"] is None
    assert by_job["good"]["duration_ms"] >= 0
    assert ("warning", "low on paper") in [(entry["level"], entry["message"]) for entry in entries]


def test_the_level_of_the_log_leaves_out_what_ranks_lower(dsn: str, jobs: JobBench) -> None:
    jobs.add("good")
    jobs.add("bad", "raise exception 'no paper'")
    with RunningRunner(dsn, "--log-level", "error") as running:
        running.wait_for("job bad failed")
        wait_until(lambda: jobs.done("good") == 1)
        assert running.stop() == 0
    assert len(running.lines) == 1


def test_a_requested_job_begins_within_a_second_however_long_the_poll(
    jobs: JobBench, runner: RunningRunner
) -> None:
    jobs.add("wanted")
    wait_until(lambda: jobs.done("wanted") == 1)
    for number in (2, 3):
        time.sleep(0.3)
        asked_at = time.monotonic()
        jobs.request("wanted")
        wait_until(lambda number=number: jobs.done("wanted") == number, 5)  # type: ignore[misc]
        assert time.monotonic() - asked_at < 1


def test_a_job_begins_when_it_is_due_however_long_the_poll(
    jobs: JobBench, runner: RunningRunner
) -> None:
    jobs.add("often", schedule="1 second")
    wait_until(lambda: jobs.done("often") >= 4)
    query = "select start_time from monitoring.processing_metrics order by start_time"
    starts = [row["start_time"] for row in rows(jobs.session, query)]
    late = [(start - starts[0]).total_seconds() - number for number, start in enumerate(starts)]
    assert max(map(abs, late)) < 0.9


def test_without_a_notice_it_finds_out_by_polling(dsn: str, jobs: JobBench) -> None:
    jobs.add("moved")
    with RunningRunner(dsn, "--poll", "500ms") as running:
        wait_until(lambda: jobs.done("moved") == 1)
        jobs.session.execute("update monitoring.jobs set next_run_at = now()")
        wait_until(lambda: jobs.done("moved") == 2, 5)
        assert running.stop() == 0


def test_a_slow_job_stops_no_other(jobs: JobBench, runner: RunningRunner) -> None:
    jobs.add("slow", "perform pg_sleep(60)")
    wait_until(lambda: jobs.job("slow")["is_running"])
    for name in ("one", "two"):
        jobs.add(name)
        wait_until(lambda name=name: jobs.done(name) == 1, 5)  # type: ignore[misc]
    assert jobs.job("slow")["is_running"]


def test_a_job_that_takes_too_long_is_cancelled(jobs: JobBench, runner: RunningRunner) -> None:
    jobs.add("endless", "perform pg_sleep(60)", timeout="1 second")
    runner.wait_for("job endless was cancelled at its timeout", 10)
    assert (jobs.done("endless"), jobs.job("endless")["last_status"]) == (0, "timeout")
    jobs.add("next")
    wait_until(lambda: jobs.done("next") == 1, 5)


def test_several_runners_run_each_job_once_and_never_twice_at_a_time(
    dsn: str, jobs: JobBench
) -> None:
    names = ["a", "b", "c"]
    options = ("--poll", "200ms", "--workers", "3")
    with (
        RunningRunner(dsn, *options) as first,
        RunningRunner(dsn, *options) as second,
        RunningRunner(dsn, *options) as third,
    ):
        for name in names:
            jobs.add(name, "perform pg_sleep(0.3)", schedule="1 second")
        wait_until(lambda: min(map(jobs.done, names)) >= 4)
        assert [each.stop() for each in (first, second, third)] == [0, 0, 0]
    logged = "".join(each.text for each in (first, second, third))
    for name in names:
        assert jobs.done(name) == jobs.job(name)["runs"] == logged.count(f"job {name} completed")
    overlaps = """
    select from monitoring.processing_metrics a join monitoring.processing_metrics b
        on a.task_id = b.task_id and a.attempt < b.attempt
        and a.end_time > b.start_time and b.end_time > a.start_time
    """
    assert rows(jobs.session, overlaps) == []


def test_it_shows_itself_by_name(jobs: JobBench, runner: RunningRunner) -> None:
    jobs.add("one")
    jobs.add("two")
    query = "select count(*) from pg_stat_activity where application_name = 'pgvigil runner'"
    # The supervisor, the sender, two workers, and those who read queries and members of a fleet.
    wait_until(lambda: rows(jobs.session, query) == [{"count": 6}])


def test_it_sets_aside_the_limits_of_its_role(dsn: str, jobs: JobBench) -> None:
    names = ("statement_timeout", "transaction_timeout", "idle_session_timeout")
    limited = make_conninfo(dsn, options=" ".join(f"-c {name}=1s" for name in names))
    jobs.add("slow", "perform pg_sleep(2)")
    with RunningRunner(limited, *LONG_POLL) as running:
        wait_until(lambda: jobs.done("slow") == 1)
        jobs.request("slow")
        wait_until(lambda: jobs.done("slow") == 2)
        assert running.stop() == 0
    assert "trying again" not in running.text


def test_connections_notice_a_dead_network(dsn: str) -> None:
    info = psycopg.conninfo.conninfo_to_dict(Runner(Settings(dsn))._dsn)
    assert (info["keepalives"], info["keepalives_idle"], info["tcp_user_timeout"]) == (
        "1", "30", "60000",
    )  # fmt: skip
    own = psycopg.conninfo.conninfo_to_dict(Runner(Settings(f"{dsn}?keepalives_idle=7"))._dsn)
    assert own["keepalives_idle"] == "7"


# Ending


def test_sigterm_lets_a_running_job_end_and_begins_no_other(dsn: str, jobs: JobBench) -> None:
    jobs.add("slow", "perform pg_sleep(2)")
    with RunningRunner(dsn, *LONG_POLL, "--workers", "1") as running:
        wait_until(lambda: jobs.job("slow")["is_running"])
        jobs.add("next")
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
    assert (jobs.done("slow"), jobs.job("slow")["last_status"]) == (1, "completed")
    assert "job slow completed after" in running.text
    assert (jobs.job("next")["runs"], jobs.done("next")) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_runner_ends_at_once(
    jobs: JobBench, runner: RunningRunner, number: signal.Signals
) -> None:
    jobs.add("good")
    runner.wait_for("job good completed")
    asked_at = time.monotonic()
    runner.signal(number)
    assert runner.wait() == 0
    assert time.monotonic() - asked_at < 3


def test_a_second_signal_cancels_what_runs(jobs: JobBench, runner: RunningRunner) -> None:
    jobs.add("slow", "perform pg_sleep(60)")
    wait_until(lambda: jobs.job("slow")["is_running"])
    runner.signal(signal.SIGTERM)
    runner.wait_for("stopping; workers that are busy: ")
    assert jobs.job("slow")["is_running"]
    runner.signal(signal.SIGINT)
    assert runner.wait(10) == 0
    assert "warning job slow was cancelled after" in runner.text
    assert (jobs.done("slow"), jobs.job("slow")["last_status"]) == (0, "cancelled")


def test_what_still_runs_after_the_time_to_drain_is_cancelled(dsn: str, jobs: JobBench) -> None:
    jobs.add("slow", "perform pg_sleep(60)")
    with RunningRunner(dsn, "--drain", "500ms") as running:
        wait_until(lambda: jobs.job("slow")["is_running"])
        running.signal()
        assert running.wait(10) == 0
    assert "job slow was cancelled" in running.text
    assert jobs.job("slow")["last_status"] == "cancelled"


def test_what_goes_on_all_the_same_is_ended_with_its_session(dsn: str, jobs: JobBench) -> None:
    jobs.add(
        "stubborn",
        "for i in 1..500 loop begin perform pg_sleep(30); exception when query_canceled then null;"
        " end; end loop",
    )
    with RunningRunner(dsn, "--drain", "500ms") as running:
        wait_until(lambda: jobs.job("stubborn")["is_running"])
        asked_at = time.monotonic()
        running.signal()
        assert running.wait(20) == 0
        assert time.monotonic() - asked_at < 10
    assert "ending the sessions of jobs that did not stop: 1" in running.text
    wait_until(lambda: not jobs.job("stubborn")["is_running"])
    jobs.connect().execute("call monitoring.run_due_jobs()")
    assert jobs.job("stubborn")["last_status"] == "lost"


def test_a_job_finds_the_session_as_the_one_before_it_did(dsn: str, jobs: JobBench) -> None:
    jobs.add(
        "a_first",
        "perform set_config('work_mem', '64kB', false), set_config('my.own', 'x', false);"
        " create temp table leftover ()",
    )
    jobs.add(
        "b_second",
        "if current_setting('work_mem') = '64kB' or to_regclass('pg_temp.leftover') is not null"
        " or nullif(current_setting('my.own', true), '') is not null"
        " then raise exception 'not as found'; end if",
    )
    with RunningRunner(dsn, *LONG_POLL, "--workers", "1"):
        wait_until(lambda: jobs.job("b_second")["last_status"] is not None)
    assert jobs.job("b_second")["last_status"] == "completed"


# Once


def test_once_runs_what_is_due_and_ends(dsn: str, jobs: JobBench) -> None:
    jobs.add("one")
    jobs.add("two", schedule="1 day")
    for done in ((1, 1), (1, 1)):
        with RunningRunner(dsn, "--once") as running:
            assert running.wait() == 0
        assert (jobs.done("one"), jobs.done("two")) == done


def test_once_exits_with_1_when_a_job_did_not_complete(dsn: str, jobs: JobBench) -> None:
    jobs.add("bad", "raise exception 'no paper'")
    jobs.add("good")
    with RunningRunner(dsn, "--once", "--workers", "1") as running:
        assert running.wait() == 1
    assert "job bad failed" in running.text
    assert jobs.done("good") == 1


def test_once_cancels_a_job_at_its_timeout(dsn: str, jobs: JobBench) -> None:
    jobs.add("endless", "perform pg_sleep(60)", timeout="1 second")
    with RunningRunner(dsn, "--once", "--workers", "1") as running:
        assert running.wait(20) == 1
    assert jobs.job("endless")["last_status"] == "timeout"

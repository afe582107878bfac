"""The outbox under several runners at once: each message is one's at a time, and none is lost."""

import select
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.python.support.asking import one, rows
from tests.python.support.job_running import JobBench

CLAIM = "select notification_id, attempt from monitoring.claim_notifications('{runner}', {at_most})"

# Claims what there is, says so and does nothing more until it is killed.
CLAIMER = """
import sys, time, psycopg
dsn, commits = sys.argv[1:]
with psycopg.connect(dsn, autocommit=commits == "committed") as session:
    claimed = session.execute("select * from monitoring.claim_notifications('doomed')").fetchall()
    print(len(claimed), session.info.backend_pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def bench(dsn: str) -> Iterator[JobBench]:
    with ExitStack() as stack:
        bench = JobBench(dsn, stack)
        bench.session.execute("select monitoring.define_notification_channel('ops', '{MAIL}')")
        yield bench


def queue(bench: JobBench, messages: int = 1) -> list[int]:
    """Queue some messages and return their numbers."""
    for _ in range(messages):
        bench.session.execute("select monitoring.send_test_notification('ops')")
    found = rows(bench.session, "select notification_id from monitoring.v_notifications order by 1")
    return [row["notification_id"] for row in found]


def claim(session: psycopg.Connection, runner: str = "runner", at_most: int = 10) -> Any:
    """Return number and attempt of each message that a claim gives."""
    return session.execute(CLAIM.format(runner=runner, at_most=at_most).encode()).fetchall()


def note_sent(session: psycopg.Connection, notification_id: int, attempt: int) -> Any:
    """Say that a message was sent, and return whether that counts."""
    row = session.execute(
        "select monitoring.note_notification_sent(%s, %s)", [notification_id, attempt]
    ).fetchone()
    return row and row[0]


def message(bench: JobBench) -> dict[str, Any]:
    """Return the only message there is."""
    return one(bench.session, "select * from monitoring.v_notifications")


def later(session: psycopg.Connection, seconds: int) -> None:
    """Let a session's clock stand still some seconds from now."""
    session.execute(
        "select set_config('monitoring.now', (clock_timestamp() + make_interval(secs => %s))::text,"
        " false)",
        [seconds],
    )


def test_several_runners_share_the_messages_and_none_is_sent_twice(bench: JobBench) -> None:
    queued = queue(bench, 300)
    sessions = [bench.connect() for _ in range(6)]

    def work(number: int) -> list[tuple[int, int]]:
        done: list[tuple[int, int]] = []
        while claimed := claim(sessions[number], f"runner {number}", 1 + number):
            assert all(note_sent(sessions[number], *each) for each in claimed)
            done += claimed
        return done

    with ThreadPoolExecutor(len(sessions)) as pool:
        shares = list(pool.map(work, range(len(sessions))))
    sent = [each for share in shares for each in share]
    assert sorted(sent) == [(number, 1) for number in queued]
    assert sum(bool(share) for share in shares) > 1
    statuses = rows(
        bench.session, "select distinct status, attempts from monitoring.v_notifications"
    )
    assert statuses == [{"status": "sent", "attempts": 1}]


def test_a_claim_passes_over_what_another_is_claiming(bench: JobBench) -> None:
    first, second = queue(bench, 2)
    slow, quick = bench.connect(), bench.connect()
    with slow.transaction():
        assert claim(slow, at_most=1) == [(first, 1)]
        assert claim(quick) == [(second, 1)]
    assert claim(quick) == []


def kill_claimer(bench: JobBench, commits: str) -> None:
    """Have a process of its own claim the only message, and kill it with no time for a word."""
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMER, bench.dsn, commits], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        claimed, pid = process.stdout.readline().split()
        process.kill()
    assert claimed == "1"
    bench.wait_for(f"select not exists (select from pg_stat_activity where pid = {pid})")


def test_what_a_killed_runner_was_claiming_is_there_at_once(bench: JobBench) -> None:
    (number,) = queue(bench)
    kill_claimer(bench, "uncommitted")
    assert message(bench)["status"] == "waiting"
    assert claim(bench.connect()) == [(number, 1)]


def test_what_a_killed_runner_had_claimed_is_there_when_its_lease_has_run_out(
    bench: JobBench,
) -> None:
    (number,) = queue(bench)
    before = message(bench)
    kill_claimer(bench, "committed")
    other = bench.connect()
    assert claim(other) == []
    later(other, 58)
    assert claim(other) == []
    later(other, 62)
    assert claim(other) == [(number, 2)]
    after = message(bench)
    assert after["notification_key"] == before["notification_key"]
    assert after["body"] == before["body"]
    assert after["last_error"] == "attempt 1 did not report back: the lease of doomed expired"
    assert note_sent(other, number, 2)


@pytest.mark.parametrize(
    ("says", "answer"),
    [("note_notification_sent({}, 1)", False), ("note_notification_failed({}, 1, 'no')", None)],
)
def test_a_late_runner_that_waits_for_its_successor_cannot_mark_the_message(
    bench: JobBench, says: str, answer: bool | None
) -> None:
    (number,) = queue(bench)
    late, successor = bench.connect(), bench.connect()
    assert claim(late) == [(number, 1)]
    later(successor, 120)
    with successor.transaction():
        assert claim(successor) == [(number, 2)]
        marking = bench.start_statement(late, f"select monitoring.{says.format(number)}")
        bench.wait_until_waiting(late)
    assert marking.result(10).fetchone() == (answer,)
    assert (message(bench)["status"], message(bench)["attempts"]) == ("sending", 2)
    assert note_sent(successor, number, 2)


def test_a_message_that_is_being_marked_is_not_claimed_again(bench: JobBench) -> None:
    (number,) = queue(bench)
    late, other = bench.connect(), bench.connect()
    assert claim(late) == [(number, 1)]
    later(other, 120)
    with late.transaction():
        assert note_sent(late, number, 1)
        assert claim(other) == []
    assert claim(other) == []
    assert message(bench)["status"] == "sent"


def fire(bench: JobBench, fingerprint: str) -> None:
    """Raise an alert as the engine leaves it."""
    bench.session.execute(
        "insert into monitoring.raised_alerts (rule_name, fingerprint, status, severity,"
        " worst_severity, summary, labels, started_at, fired_at, last_seen_at)"
        " values ('r', %s, 'firing', 'high', 'high', 's', '{}', now(), now(), now())",
        [fingerprint],
    )


PLAN = "select monitoring._plan_notifications(monitoring.clock())"


def test_two_that_plan_at_once_tell_an_alert_once(bench: JobBench) -> None:
    fire(bench, "a")
    first, second = bench.connect(), bench.connect()
    with first.transaction():
        assert first.execute(PLAN).fetchone() == (1,)
        planning = bench.start_statement(second, PLAN)
        bench.wait_until_waiting(second)
    assert planning.result(10).fetchone() == (0,)
    assert message(bench)["subject"] == "HIGH: s"


def test_what_was_planned_and_undone_is_planned_again(bench: JobBench) -> None:
    fire(bench, "a")
    first, second = bench.connect(), bench.connect()
    with first.transaction(force_rollback=True):
        assert first.execute(PLAN).fetchone() == (1,)
        planning = bench.start_statement(second, PLAN)
        bench.wait_until_waiting(second)
    assert planning.result(10).fetchone() == (1,)
    assert message(bench)["subject"] == "HIGH: s"


def test_setting_a_channel_and_evaluating_wait_for_each_other_in_one_order(
    bench: JobBench,
) -> None:
    """A configuration that sets channels and decides about alerts cannot meet a deadlock."""
    fire(bench, "a")
    configuring, evaluating = bench.connect(), bench.connect()
    with configuring.transaction():
        configuring.execute("select monitoring.define_notification_channel('ops', '{MAIL, CHAT}')")
        planning = bench.start_statement(evaluating, "select monitoring.evaluate_alerts()")
        bench.wait_until_waiting(evaluating)
        configuring.execute("select monitoring.define_notification_channel('new', '{SMS}')")
        assert configuring.execute(PLAN).fetchone() == (3,)
    planning.result(10)
    told = rows(bench.session, "select target from monitoring.v_notifications where body ~ '^HIGH'")
    assert sorted(row["target"] for row in told) == ["CHAT", "MAIL", "SMS"]


def wakes(listener: psycopg.Connection, seconds: float) -> int:
    """Return how many notices have come, waiting so long for the first."""
    select.select([listener.fileno()], [], [], seconds)
    return len(list(listener.notifies(timeout=0, stop_after=None)))


def test_runners_are_woken_when_a_message_is_there_to_be_claimed(bench: JobBench) -> None:
    listener, planner = bench.connect(), bench.connect()
    listener.execute("listen monitoring_notifications")
    fire(bench, "a")
    with planner.transaction():
        planner.execute(PLAN)
        assert wakes(listener, 0.2) == 0
    assert wakes(listener, 10) == 1
    assert len(claim(listener)) == 1
    planner.execute(PLAN)
    assert wakes(listener, 0.2) == 0

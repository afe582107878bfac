"""Nothing is lost when runner, receiver or database is killed in the middle.

What is repeated carries the same key.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from pgvigil.runner.notifying.orders import Order
from tests.python.support.asking import one
from tests.python.support.receivers import Webhook
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.sending import LONG_POLL, Outbox

# When the runner is killed


def test_a_runner_killed_between_claim_and_sending_and_between_sending_and_noting_loses_nothing(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    environment = {"HOOK": hook.url()}
    hook.plan = ["hold"]
    begun, waiting = outbox.put(), outbox.put()
    with RunningRunner(dsn, environment=environment) as running:
        wait_until(lambda: len(hook.received) == 1)
        assert sorted(each["status"] for each in outbox.unfinished()) == ["sending", "waiting"]
        (helper,) = running.children()
        running.signal(signal.SIGKILL)
        running.wait()
    hook.released.set()
    # What it was sending is out, and it does not stay behind.
    wait_until(lambda: not Path(f"/proc/{helper}").exists())
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
        running.wait_for("started")
        # The lease still holds, and keeps nothing else back.
        third = outbox.put()
        outbox.wait_for(third, "sent")
        # What the killed one had not begun has spent no attempt.
        assert outbox.wait_for(waiting, "sent")["attempts"] == 1
        assert len(outbox.unfinished()) == 1
        outbox.end_leases()
        assert outbox.wait_for(begun, "sent")["attempts"] == 2
        assert running.stop() == 0
    received = Counter(hook.keys())
    assert received == {outbox.key(begun): 2, outbox.key(waiting): 1, outbox.key(third): 1}


@pytest.mark.parametrize("seed", [1])
def test_killing_the_runner_at_any_moment_loses_nothing_and_bounds_what_is_repeated(
    dsn: str, outbox: Outbox, hook: Webhook, seed: int
) -> None:
    dice = random.Random(seed)
    names = ["HOOK_A", "HOOK_B", "HOOK_C"]
    environment = {name: hook.url(f"/{name}") for name in names}
    numbers = []
    for _ in range(6):
        numbers += [outbox.put(dice.choice(names)) for _ in range(3)]
        hook.plan = [dice.choice(["ok", "ok", "500", "close", "half"]) for _ in range(3)]
        outbox.hurry()
        outbox.end_leases()
        with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
            running.wait_for("started")
            # Somewhere between the claim and well after the last note.
            running.kill_after(dice.uniform(0, 0.7))
    hook.plan = []
    outbox.end_leases()
    with RunningRunner(dsn, "--poll", "100ms", environment=environment) as running:
        wait_until(lambda: {each["status"] for each in outbox.unfinished()} <= {"waiting"})
        outbox.hurry()
        wait_until(lambda: not outbox.unfinished())
        assert running.stop() == 0
    received = Counter(hook.keys())
    rows = [outbox.row(number) for number in numbers]
    assert {row["status"] for row in rows} == {"sent"}
    assert set(received) == {str(row["notification_key"]) for row in rows}
    for row in rows:
        assert received[str(row["notification_key"])] <= row["attempts"]
    accepted = Counter(each.key for each in hook.received if each.answer == "ok")
    assert set(accepted) == set(received)
    # A kill repeats at most one message a target: what else was claimed had not begun.
    assert sum(accepted.values()) - len(accepted) <= 6 * len(names)


def test_a_process_that_sends_and_is_killed_costs_one_attempt(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    hook.plan = ["hold"]
    number = outbox.put()
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        wait_until(lambda: len(hook.received) == 1)
        (helper,) = running.children()
        os.kill(helper, signal.SIGKILL)
        row = outbox.wait_for_failure(number)
        assert row["last_error"] == "the sending process ended with code -9"
        outbox.hurry()
        outbox.wait_for(number, "sent")
        assert running.stop() == 0


def test_a_process_that_sends_ends_itself_when_nobody_is_left_to_do_so(hook: Webhook) -> None:
    hook.plan = ["trickle"]
    order = Order("ping", hook.url(scheme="http"), seconds=0.5)
    process = subprocess.run(
        [sys.executable, "-m", "pgvigil.runner.notifying.sending_process"],
        input=json.dumps(asdict(order)).encode(),
        stdout=subprocess.DEVNULL,
        timeout=20,
    )
    assert process.returncode == -signal.SIGALRM
    assert len(hook.received) == 1


def test_several_runners_send_each_message_once(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    environment = {f"HOOK_{number}": hook.url(f"/{number}") for number in range(6)}
    with (
        RunningRunner(dsn, environment=environment) as first,
        RunningRunner(dsn, environment=environment) as second,
    ):
        numbers = [outbox.put(name) for _ in range(5) for name in environment]
        wait_until(lambda: not outbox.unfinished(), 30)
        assert [first.stop(), second.stop()] == [0, 0]
    assert Counter(hook.keys()) == {outbox.key(number): 1 for number in numbers}
    assert sum(runner.text.count(" sent after 1 attempt\n") for runner in (first, second)) == 30


# When the database is away


def test_what_was_sent_during_an_outage_is_noted_after_it_and_not_sent_again(
    dsn: str, outbox: Outbox, hook: Webhook, server: PostgresServer
) -> None:
    hook.plan = ["hold"]
    number = outbox.put()
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        wait_until(lambda: len(hook.received) == 1)
        with locked_out(server, outbox):
            running.wait_for("trying again")
            hook.released.set()
            # The next one needs the database.
            assert outbox.row(number)["status"] == "sending"
        outbox.wait_for(number, "sent")
        later = outbox.put()
        outbox.wait_for(later, "sent")
        running.wait_for("the database works again")
        assert running.stop() == 0
    assert hook.keys() == [outbox.key(number), outbox.key(later)]


@contextmanager
def locked_out(server: PostgresServer, outbox: Outbox) -> Iterator[None]:
    """Put all runners out of the database, and let nobody in for a while."""
    statement = sql.SQL("alter database {} with allow_connections {}")
    name = sql.Identifier(outbox.session.info.dbname)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(statement.format(name, sql.Literal(False)))
        try:
            outbox.session.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and application_name = 'pgvigil runner'"
            )
            yield
        finally:
            connection.execute(statement.format(name, sql.Literal(True)))


def test_the_lease_outlasts_two_attempts_that_take_their_full_time(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    hook.plan = ["hold"]
    outbox.put()
    options = ("--send-timeout", "40s", *LONG_POLL)
    with RunningRunner(dsn, *options, environment={"HOOK": hook.url()}) as running:
        wait_until(lambda: len(hook.received) == 1)
        query = """
        select next_attempt_at - now() > interval '90 seconds' as is_long
        from monitoring.queued_notifications
        """
        assert one(outbox.session, query) == {"is_long": True}
        hook.released.set()
        wait_until(lambda: not outbox.unfinished())
        assert running.stop() == 0


# When it is to stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_being_sent_is_finished_and_noted_before_the_end(
    dsn: str, outbox: Outbox, hook: Webhook, number: signal.Signals
) -> None:
    hook.plan = ["hold"]
    begun, other = outbox.put(), outbox.put()
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        wait_until(lambda: len(hook.received) == 1)
        running.signal(number)
        running.wait_for("stopping; workers that are busy: 0; messages being sent: 1")
        hook.released.set()
        assert running.wait() == 0
    assert outbox.row(begun)["status"] == "sent"
    # Not kept until a lease ends, and no attempt of it spent.
    row = outbox.row(other)
    assert (row["status"], row["attempts"], row["last_error"]) == ("waiting", 0, None)
    assert len(hook.received) == 1


@pytest.mark.parametrize("is_impatient", [False, True])
def test_what_is_still_being_sent_after_the_time_to_drain_is_left_to_another_runner(
    dsn: str, outbox: Outbox, hook: Webhook, is_impatient: bool
) -> None:
    hook.plan = ["hold"]
    number = outbox.put()
    drain = "1h" if is_impatient else "300ms"
    with RunningRunner(dsn, "--drain", drain, environment={"HOOK": hook.url()}) as running:
        wait_until(lambda: len(hook.received) == 1)
        running.signal()
        if is_impatient:
            running.wait_for("stopping")
            running.signal()
        assert running.wait(10) == 0
    assert "giving up messages being sent: 1" in running.text
    assert outbox.row(number)["status"] == "sending"
    hook.released.set()
    outbox.end_leases()
    with RunningRunner(dsn, "--once", environment={"HOOK": hook.url()}) as running:
        assert running.wait() == 0
    assert hook.keys() == [outbox.key(number)] * 2

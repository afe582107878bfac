"""`pgvigil run` sends what the outbox holds to real receivers, and notes how it went."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.support.receivers import Mailbox, Webhook
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.sending import LONG_POLL, Outbox


@pytest.fixture
def runner(dsn: str, outbox: Outbox, hook: Webhook) -> Iterator[RunningRunner]:
    """A runner that knows the webhook, and that nothing but notices and due times wake."""
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        running.wait_for("started")
        yield running


# What arrives


def test_a_webhook_gets_text_and_payload_and_the_key_in_all_of_them(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    number = outbox.put()
    row = outbox.wait_for(number, "sent")
    (received,) = hook.received
    key = str(row["notification_key"])
    assert received.key == key
    assert received.document["title"] == "1 alert"
    assert received.document["message"] == f"Three tasks failed.\nNotification {key}"
    assert received.document["notification"] == {"key": key, "alerts": [{"rule": "failed_tasks"}]}
    assert (row["attempts"], row["last_error"]) == (1, None)
    runner.wait_for(f"info    notification {number} to HOOK sent after 1 attempt\n")


def test_a_mail_arrives_with_subject_text_and_key(dsn: str, outbox: Outbox) -> None:
    with (
        Mailbox() as mailbox,
        RunningRunner(dsn, *LONG_POLL, environment={"OPS_MAIL": mailbox.url()}) as running,
    ):
        number = outbox.put("OPS_MAIL", subject="CRITICAL: 1 alert")
        outbox.wait_for(number, "sent")
        assert running.stop() == 0
    (mail,) = mailbox.mails
    key = outbox.key(number)
    assert (mail["subject"], mail["to"]) == ("CRITICAL: 1 alert", "ops@test.example")
    assert mail["idempotency-key"] == key
    body = mail.get_body(("plain", "html"))
    assert body is not None
    assert "Three tasks failed." in body.get_content()
    assert f"Notification {key}" in body.get_content()


def test_the_log_as_json_has_the_same_in_fields(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    good, bad = outbox.put(), outbox.put("NOWHERE")
    environment = {"HOOK": hook.url()}
    with RunningRunner(dsn, "--log-format", "json", environment=environment) as running:
        outbox.wait_for(good, "sent")
        outbox.wait_for_failure(bad)
        assert running.stop() == 0
    entries = {
        entry["notification"]: entry
        for entry in map(json.loads, running.lines)
        if "notification" in entry
    }
    assert entries[good] | {"status": "sent", "error": None, "attempt": 1} == entries[good]
    assert entries[good] | {"target": "HOOK", "channel": "ops", "kind": "test"} == entries[good]
    assert entries[good]["key"] == outbox.key(good)
    assert (entries[bad]["level"], entries[bad]["status"]) == ("warning", "waiting")
    assert entries[bad]["error"] == outbox.row(bad)["last_error"]
    assert entries[bad]["message"] == f"notification {bad} to NOWHERE failed at attempt 1"


# When it is sent


def test_a_notice_has_it_sent_at_once_however_long_the_poll(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    for _ in range(3):
        outbox.wait_for(outbox.put(), "sent", 10)
    assert len(hook.received) == 3


def test_without_a_notice_it_is_sent_when_due_however_long_the_poll(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    number = outbox.put(seconds=2, is_quiet=True)
    due_at = time.monotonic() + 2
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        outbox.wait_for(number, "sent", 15)
        assert time.monotonic() > due_at
        assert running.stop() == 0


def test_what_nobody_tells_of_is_found_by_polling(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    with RunningRunner(dsn, "--poll", "300ms", environment={"HOOK": hook.url()}) as running:
        outbox.wait_for(outbox.put(), "sent")
        outbox.wait_for(outbox.put(is_quiet=True), "sent")
        assert running.stop() == 0


def test_once_sends_what_is_due_and_ends(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    due = [outbox.put() for _ in range(25)]
    later = outbox.put(seconds=3600)
    with RunningRunner(dsn, "--once", environment={"HOOK": hook.url()}) as running:
        assert running.wait() == 0
    assert {outbox.row(number)["status"] for number in due} == {"sent"}
    assert sorted(hook.keys()) == sorted(map(outbox.key, due))
    assert outbox.row(later)["attempts"] == 0


def test_once_exits_with_1_when_something_could_not_be_sent(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    hook.plan = ["500"]
    number = outbox.put()
    with RunningRunner(dsn, "--once", environment={"HOOK": hook.url()}) as running:
        assert running.wait() == 1
    assert (outbox.row(number)["status"], outbox.row(number)["attempts"]) == ("waiting", 1)


# Several at once


def test_each_target_gets_one_at_a_time_and_several_targets_get_theirs_at_once(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    names = ["HOOK_A", "HOOK_B", "HOOK_C"]
    hook.plan = ["hold"] * 3
    numbers = [outbox.put(name) for name in names for _ in range(4)]
    environment = {name: hook.url(f"/{name}") for name in names}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
        wait_until(lambda: len(hook.received) == 3)
        hook.released.set()
        for number in numbers:
            outbox.wait_for(number, "sent")
        assert running.stop() == 0
    assert {each.path for each in hook.received[:3]} == {f"/{name}" for name in names}
    assert hook.most_at_once == {f"/{name}": 1 for name in names}
    for name in names:
        queued = [outbox.key(number) for number in numbers if outbox.row(number)["target"] == name]
        assert [each.key for each in hook.received if each.path == f"/{name}"] == queued


def test_a_target_that_hangs_holds_up_neither_other_targets_nor_jobs(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    environment = {"HOOK": hook.url(), "SLOW_HOOK": hook.url("/slow")}
    hook.plan = ["trickle"]
    options = ("--send-timeout", "8s", *LONG_POLL)
    with RunningRunner(dsn, *options, environment=environment) as running:
        slow = [outbox.put("SLOW_HOOK") for _ in range(30)]
        wait_until(lambda: len(hook.received) == 1)
        outbox.wait_for(outbox.put(), "sent")
        outbox.session.execute(
            "select monitoring.define_job(p_job_name => 'now', p_schedule => '1 hour',"
            " p_procedure_name => 'monitoring.roll_up')"
        )
        running.wait_for("job now completed")
        # All that happened while it hung.
        assert outbox.row(slow[0])["status"] == "sending"
        assert outbox.wait_for_failure(slow[0])["last_error"] == "no answer within 8 s"
        # The others did not wait as long, one after the other.
        wait_until(lambda: {each["status"] for each in outbox.unfinished()} <= {"waiting"}, 30)
        hook.released.set()
        assert running.stop() == 0
    assert "did not answer the previous message" in outbox.row(slow[1])["last_error"]


# What cannot be sent


def test_a_webhook_that_fails_gets_it_again_with_the_same_key(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    reasons = {
        "500": "error=500",
        "429": "error=429",
        "302": "error=302",
        "404": "error=404",
        "close": "Remote end closed connection",
        "half": "BadStatusLine",
    }
    hook.plan = list(reasons)
    # They are sent one after the other.
    numbers = [outbox.put() for _ in reasons]
    for number, reason in zip(numbers, reasons.values(), strict=True):
        assert reason in outbox.wait_for_failure(number)["last_error"]
        runner.wait_for(f"warning notification {number} to HOOK failed at attempt 1: ")
    outbox.hurry()
    for number in numbers:
        assert outbox.wait_for(number, "sent")["attempts"] == 2
        runner.wait_for(f"notification {number} to HOOK sent after 2 attempts")
    assert Counter(hook.keys()) == {outbox.key(number): 2 for number in numbers}


@pytest.mark.parametrize(("answer", "reason"), [("451", "451"), ("close", "closed")])
def test_a_mail_server_that_fails_gets_it_again(
    dsn: str, outbox: Outbox, answer: str, reason: str
) -> None:
    with (
        Mailbox() as mailbox,
        RunningRunner(dsn, *LONG_POLL, environment={"OPS_MAIL": mailbox.url()}) as running,
    ):
        mailbox.plan = [answer]
        number = outbox.put("OPS_MAIL")
        assert reason in outbox.wait_for_failure(number)["last_error"]
        outbox.hurry()
        outbox.wait_for(number, "sent")
        assert running.stop() == 0
    assert {mail["idempotency-key"] for mail in mailbox.mails} == {outbox.key(number)}
    assert len(mailbox.mails) == 2


def test_a_receiver_that_is_away_gets_it_when_it_is_back(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    hook.close()
    number = outbox.put()
    assert "Connection refused" in outbox.wait_for_failure(number)["last_error"]
    with Webhook(hook.port) as back:
        outbox.hurry()
        outbox.wait_for(number, "sent")
        assert back.keys() == [outbox.key(number)]


def test_a_receiver_that_is_killed_in_the_middle_gets_it_again(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    hook.plan = ["half"]
    number = outbox.put()
    wait_until(lambda: len(hook.received) == 1)
    hook.close()
    outbox.wait_for_failure(number)
    with Webhook(hook.port) as back:
        outbox.hurry()
        outbox.wait_for(number, "sent")
        assert back.keys() == hook.keys()


def test_after_the_last_attempt_it_is_given_up_visibly(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    hook.plan = ["500"]
    number = outbox.put(attempts=11)
    outbox.wait_for(number, "dead")
    runner.wait_for(f"error   notification {number} to HOOK given up after 12 attempts: ")


# Memory


def test_sending_leaves_nothing_in_memory(
    outbox: Outbox, hook: Webhook, runner: RunningRunner
) -> None:
    before = resident_mb(runner)
    for _ in range(3):
        outbox.wait_for(outbox.put(), "sent")
    wait_until(lambda: runner.children() == [])
    assert resident_mb(runner) < before + 5
    # What is left of 120 MB is for the web service.
    assert resident_mb(runner) < 60


def resident_mb(runner: RunningRunner) -> float:
    status = Path(f"/proc/{runner.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024

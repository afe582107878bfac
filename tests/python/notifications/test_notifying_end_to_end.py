"""From a rule's finding to what a receiver shows: evaluation, outbox, runner, receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.python.support.receivers import Webhook
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.sending import LONG_POLL, Outbox


@contextmanager
def told(outbox: Outbox, hook: Webhook) -> Iterator[list[list[Any]]]:
    """Let evaluate, and yield what the webhook is told then."""
    before = len(hook.received)
    heard: list[list[Any]] = []
    yield heard
    outbox.evaluate()
    wait_until(lambda: len(hook.received) > before)
    wait_until(lambda: not outbox.unfinished())
    for received in hook.received[before:]:
        heard += [
            [alert["event"], alert["fingerprint"], alert["severity"]]
            for alert in received.document["notification"]["alerts"]
        ]


def test_an_alert_is_told_of_when_it_fires_escalates_and_resolves(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    outbox.watch_depths()
    outbox.session.execute(
        "select monitoring.define_notification_channel("
        "p_channel_name => 'ops', p_targets => array['HOOK'])"
    )
    with RunningRunner(dsn, *LONG_POLL, environment={"HOOK": hook.url()}) as running:
        running.wait_for("started")
        with told(outbox, hook) as heard:
            outbox.session.execute("insert into depths values ('mail', 200), ('billing', 120)")
        assert sorted(heard) == [["firing", "billing", "high"], ["firing", "mail", "high"]]
        with told(outbox, hook) as heard:
            outbox.session.execute("update depths set depth = 900 where queue = 'mail'")
        assert heard == [["escalated", "mail", "critical"]]
        with told(outbox, hook) as heard:
            outbox.session.execute("delete from depths where queue = 'mail'")
        assert heard == [["resolved", "mail", "critical"]]
        assert running.stop() == 0
    assert "Notification " + hook.received[0].key in hook.received[0].document["message"]


def test_a_test_message_reaches_every_target(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    outbox.session.execute(
        "select monitoring.define_notification_channel("
        "p_channel_name => 'ops', p_targets => array['HOOK', 'OTHER_HOOK'])"
    )
    environment = {"HOOK": hook.url("/one"), "OTHER_HOOK": hook.url("/other")}
    outbox.session.execute("select monitoring.send_test_notification(p_channel_name => 'ops')")
    with RunningRunner(dsn, "--once", environment=environment) as running:
        assert running.wait() == 0
    assert {each.path for each in hook.received} == {"/one", "/other"}
    assert len({each.key for each in hook.received}) == 2


def test_a_target_that_was_away_gets_one_digest_with_reason_and_link(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    outbox.session.execute(
        "update monitoring.alert_rules"
        " set decided = jsonb_build_object('is_enabled', rule_name = 'task_failed')"
    )
    outbox.session.execute(
        "select monitoring.define_notification_channel("
        "p_channel_name => 'ops', p_targets => array['ops_hook'])"
    )
    # Written in lower case there and in upper case here, as in the documents.
    environment = {"OPS_HOOK": hook.url()}
    hook.plan = ["500"] * 5
    options = (*LONG_POLL, "--page-url", "https://monitor.example/pgvigil")
    with RunningRunner(dsn, *options, environment=environment) as running:
        running.wait_for("started")
        for number in range(5):
            outbox.session.execute(
                f"select monitoring.start_task_tracking('t{number}', 'kind {number}')"
            )
            outbox.session.execute(
                f"select monitoring.record_error('t{number}', 'OSError', 'high', 'disk {number}')"
            )
            outbox.session.execute(
                f"select monitoring.complete_task_tracking('t{number}', 'failed')"
            )
            outbox.evaluate()
            wait_until(lambda: len(hook.received) > number)  # noqa: B023
            wait_until(lambda: all(each["status"] == "waiting" for each in outbox.unfinished()))
        assert len(outbox.unfinished()) == 1
        outbox.session.execute("select monitoring.start_task_tracking('last', 'last')")
        outbox.session.execute("select monitoring.complete_task_tracking('last', 'failed')")
        outbox.evaluate()
        wait_until(lambda: len(hook.received) == 7)
        wait_until(lambda: not outbox.unfinished())
        assert running.stop() == 0
    digest = hook.received[-1].document
    assert digest["title"].startswith("5 messages late: CRITICAL: task type kind 0: 1 task failed")
    for number in range(5):
        assert f"why: OSError: disk {number}" in digest["message"]
    assert digest["message"].count("https://monitor.example/pgvigil/alerts/") == 5
    assert digest["notification"]["messages"] == 5

"""From a rule's finding to what a receiver shows: evaluation, outbox, runner, receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.python.receivers import Webhook
from tests.python.running import RunningRunner, wait_until
from tests.python.sending import LONG_POLL, Outbox


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
        "select monitoring.set_notification_channel("
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
        "select monitoring.set_notification_channel("
        "p_channel_name => 'ops', p_targets => array['HOOK', 'OTHER_HOOK'])"
    )
    environment = {"HOOK": hook.url("/one"), "OTHER_HOOK": hook.url("/other")}
    outbox.session.execute("select monitoring.send_test_notification(p_channel_name => 'ops')")
    with RunningRunner(dsn, "--once", environment=environment) as running:
        assert running.wait() == 0
    assert {each.path for each in hook.received} == {"/one", "/other"}
    assert len({each.key for each in hook.received}) == 2

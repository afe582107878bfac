"""The outside dead-man's switch is pinged while all is well, and only then."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgvigil.database.dsn import complete_dsn
from pgvigil.outside.secrets import Secrets
from pgvigil.runner import ping
from pgvigil.runner.ping import Pinger
from tests.python.support.receivers import Webhook
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.sending import Outbox

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def switch() -> Iterator[Webhook]:
    """The dead-man's switch."""
    with Webhook() as receiver:
        yield receiver


def url(switch: Webhook) -> str:
    return switch.url("/ping/s3cret", scheme="http")


def test_a_runner_pings_when_asked_to(dsn: str, outbox: Outbox, switch: Webhook) -> None:
    environment = {"PGVIGIL_PING_URL": url(switch)}
    with RunningRunner(dsn, environment=environment) as quiet:
        with RunningRunner(dsn, "--ping", environment=environment) as running:
            wait_until(lambda: len(switch.received) == 1)
            assert running.stop() == 0
        assert quiet.stop() == 0
    assert [(each.path, each.document) for each in switch.received] == [("/ping/s3cret", None)]


def test_once_pings_once_with_the_address_from_the_file(
    dsn: str, outbox: Outbox, switch: Webhook, tmp_path: Path
) -> None:
    file = tmp_path / "secrets.toml"
    file.touch(mode=0o600)
    file.write_text(f'[targets]\nping = "{url(switch)}"\n')
    with RunningRunner(dsn, "--once", "--ping", "--secrets", str(file)) as running:
        assert running.wait() == 0
    assert len(switch.received) == 1


def test_without_an_address_the_log_says_so(dsn: str, outbox: Outbox) -> None:
    with RunningRunner(dsn, "--once", "--ping") as running:
        assert running.wait() == 0
    assert "no ping: PGVIGIL_PING_URL is not set, and target ping is not in" in running.text


def pings(dsn: str, *rounds: str) -> None:
    """Ping as often as there are rounds."""

    async def run() -> None:
        pinger = Pinger(complete_dsn(dsn), Secrets())
        for _ in rounds:
            await pinger.ping()

    asyncio.run(run())


def test_no_ping_while_the_database_is_away(
    switch: Webhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    pings(NOWHERE, "away", "still away")
    assert switch.received == []
    assert caplog.messages == ["no ping"]


@pytest.mark.parametrize(("job", "is_vital"), [("evaluate_alerts", True), ("reports", False)])
def test_no_ping_while_alerts_are_not_evaluated(
    dsn: str, outbox: Outbox, switch: Webhook, monkeypatch: pytest.MonkeyPatch,
    job: str, is_vital: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    outbox.session.execute(
        "select monitoring.define_job(p_job_name => %s, p_schedule => '1 hour',"
        " p_procedure_name => 'monitoring.roll_up')",
        [job],
    )
    outbox.session.execute(
        "update monitoring.jobs set consecutive_failures = 1, last_status = 'failed',"
        " last_error = 'no paper', next_run_at = now() + interval '1 hour'"
    )
    outbox.session.execute("select monitoring.evaluate_alerts()")
    pings(dsn, "one")
    assert len(switch.received) == (0 if is_vital else 1)
    outbox.session.execute("update monitoring.jobs set consecutive_failures = 0")
    pings(dsn, "one")
    assert len(switch.received) == (1 if is_vital else 2)


def test_no_ping_while_no_scheduler_comes_by(
    dsn: str, outbox: Outbox, switch: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    outbox.session.execute(
        "select monitoring.define_job(p_job_name => 'late', p_schedule => '1 hour',"
        " p_procedure_name => 'monitoring.roll_up')"
    )
    outbox.session.execute("update monitoring.jobs set next_run_at = now() - interval '10 minutes'")
    pings(dsn, "one")
    assert switch.received == []


def test_no_ping_while_nothing_is_sent_but_while_something_was_given_up(
    dsn: str, outbox: Outbox, switch: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    number = outbox.put(seconds=-660)
    pings(dsn, "overdue")
    assert switch.received == []
    outbox.session.execute(
        "update monitoring.queued_notifications set status = 'dead', finished_at = now()"
        " where notification_id = %s",
        [number],
    )
    pings(dsn, "given up")
    assert len(switch.received) == 1


def test_a_ping_that_fails_is_told_of_once_and_without_the_address(
    dsn: str, outbox: Outbox, switch: Webhook,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    caplog.set_level("INFO", logger="pgvigil.runner")
    switch.plan = ["500", "500", "ok", "ok"]
    pings(dsn, "bad", "bad", "good", "good")
    assert caplog.messages == ["no ping", "pings again"]
    (reason, _) = [record.fields.get("error") for record in caplog.records]  # type: ignore[attr-defined]
    assert reason.startswith("HTTP 500")
    assert "s3cret" not in reason


def test_a_switch_that_hangs_is_given_up(
    dsn: str, outbox: Outbox, switch: Webhook,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("PGVIGIL_PING_URL", url(switch))
    monkeypatch.setattr(ping, "_SECONDS_TO_PING", 2.0)
    switch.plan = ["trickle"]
    pings(dsn, "one")
    (record,) = caplog.records
    assert record.fields == {"error": "no answer within 2 s"}  # type: ignore[attr-defined]

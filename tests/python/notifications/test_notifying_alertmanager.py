"""Alerts are handed over to Debian's Alertmanager, and to those that refuse them."""

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.harness.tools import program
from tests.python.support.receivers import Webhook
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.sending import LONG_POLL, Outbox


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an Alertmanager of our own, below a prefix."""
    home = tmp_path_factory.mktemp("alertmanager")
    configuration = home / "alertmanager.yml"
    configuration.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {
        "config.file": configuration,
        "storage.path": home / "data",
        "web.listen-address": address,
        "web.route-prefix": "/am",
        "cluster.listen-address": "",
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus-alertmanager"),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: is_ready(f"http://{address}/am/-/ready", process, home / "log"))
            yield f"http://{address}/am/"
        finally:
            process.kill()
            process.wait()


def is_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def alerts_in(alertmanager: str) -> dict[str, Any]:
    """Return what it shows by fingerprint: active alerts only, resolved ones are gone."""
    with urllib.request.urlopen(f"{alertmanager}api/v2/alerts", timeout=5) as answer:
        return {each["labels"]["fingerprint"]: each for each in json.load(answer)}


def alert(fingerprint: str, *, ends_in: timedelta, summary: str = "612 waiting") -> dict[str, Any]:
    """Return an alert as the outbox holds it."""
    now = datetime.now(UTC)
    return {
        "labels": {
            "alertname": "queue_backlog",
            "fingerprint": fingerprint,
            "severity": "high",
        },
        "annotations": {"summary": summary},
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now + ends_in).isoformat(),
    }


def test_an_alert_is_fired_refreshed_and_resolved(
    dsn: str, outbox: Outbox, alertmanager: str
) -> None:
    hour = timedelta(hours=1)
    environment = {"ALERTMANAGER": alertmanager}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:

        def send(*alerts: dict[str, Any]) -> dict[str, Any]:
            outbox.wait_for(outbox.put("ALERTMANAGER", payload=alerts), "sent")
            return alerts_in(alertmanager)

        first = send(alert("billing", ends_in=hour), alert("mail", ends_in=hour))
        assert set(first) == {"billing", "mail"}
        assert first["billing"]["labels"]["severity"] == "high"
        assert first["billing"]["status"]["state"] == "active"
        refreshed = send(alert("billing", ends_in=3 * hour, summary="900 waiting"))
        assert refreshed["billing"]["annotations"] == {"summary": "900 waiting"}
        assert refreshed["billing"]["endsAt"] > first["billing"]["endsAt"]
        assert set(refreshed) == {"billing", "mail"}
        assert set(send(alert("billing", ends_in=timedelta(seconds=-1)))) == {"mail"}
        assert running.stop() == 0


def test_what_the_engine_finds_is_shown_until_it_is_gone(
    dsn: str, outbox: Outbox, alertmanager: str
) -> None:
    outbox.watch_depths()
    outbox.session.execute(
        "select monitoring.define_notification_channel(p_channel_name => 'am',"
        " p_targets => array['ALERTMANAGER'], p_kind => 'alertmanager')"
    )
    environment = {"ALERTMANAGER": alertmanager}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:

        def shown_after(change: str) -> dict[str, Any]:
            outbox.session.execute(change.encode())
            outbox.evaluate()
            wait_until(lambda: not outbox.unfinished())
            shown = alerts_in(alertmanager)
            return {queue: shown[queue] for queue in ("orders", "parcels") if queue in shown}

        shown = shown_after("insert into depths values ('orders', 200), ('parcels', 120)")
        assert [each["labels"]["severity"] for each in shown.values()] == ["high", "high"]
        assert shown["orders"]["labels"]["alertname"] == "depths"
        assert shown["orders"]["annotations"]["summary"] == "orders is deep"
        shown = shown_after("update depths set depth = 900 where queue = 'orders'")
        severities = {
            each["labels"]["fingerprint"]: each["labels"]["severity"] for each in shown.values()
        }
        assert severities == {"orders": "critical", "parcels": "high"}
        assert set(shown_after("delete from depths where queue = 'orders'")) == {"parcels"}
        assert shown_after("delete from depths") == {}
        assert running.stop() == 0
    assert {row["status"] for row in outbox.all()} == {"sent"}


def test_what_an_alertmanager_cannot_read_is_given_up_at_once(
    dsn: str, outbox: Outbox, alertmanager: str
) -> None:
    environment = {"ALERTMANAGER": alertmanager}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
        number = outbox.put("ALERTMANAGER", payload=[{"labels": {}}])
        row = outbox.wait_for(number, "dead")
        running.wait_for(f"error   notification {number} to ALERTMANAGER given up after 1 attempt:")
        assert running.stop() == 0
    assert (row["attempts"], row["last_error"][:21]) == (1, "HTTP 400 Bad Request:")


def test_only_what_says_never_is_final(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    becomes = {
        "400": "dead",
        "422": "dead",
        "429": "waiting",
        "408": "waiting",
        "500": "waiting",
        "302": "waiting",
        "close": "waiting",
    }
    hook.plan = list(becomes)
    address = hook.url("/am", scheme="http", login="robot:secret@")
    # One that a later message tells of as well would be left out.
    numbers = [outbox.put("AM", payload=[{"labels": {"alertname": name}}]) for name in becomes]
    with RunningRunner(dsn, "--once", environment={"AM": address}) as running:
        assert running.wait() == 1
    assert {(each.path, str(each.document)) for each in hook.received} == {
        ("/am/api/v2/alerts", str([{"labels": {"alertname": name}}])) for name in becomes
    }
    rows = [outbox.row(number) for number in numbers]
    assert [row["status"] for row in rows] == list(becomes.values())
    assert {row["attempts"] for row in rows} == {1}
    assert "secret" not in str([row["last_error"] for row in rows]) + running.text


def test_without_an_alertmanager_it_waits_for_one(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    address = hook.url(scheme="http")
    hook.close()
    number = outbox.put("AM", payload=[{"labels": {"alertname": "x"}}])
    with RunningRunner(dsn, "--once", environment={"AM": address}) as running:
        assert running.wait() == 1
    row = outbox.row(number)
    assert row["status"] == "waiting"
    assert "Connection refused" in row["last_error"]

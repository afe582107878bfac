"""Alerts that other systems send to a webhook, a real Alertmanager among them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.harness.tools import program
from tests.python.support.asking import rows, value
from tests.python.support.running import wait_until
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

KEY = "a-key-for-tests-only"
_RAISED = "select source_name, fingerprint, severity, summary from monitoring.reported_alerts"
FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "severity": "warning", "instance": "db1"},
    "annotations": {"summary": "disk of db1 is full", "runbook_url": "https://wiki/disk"},
    "startsAt": "2026-03-01T12:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c4f1",
}


@pytest.fixture
def taking(dsn: str) -> Iterator[Web]:
    """A web service that takes alerts."""
    with Web(dsn, ping_key=KEY) as web:
        yield web


def send(web: Web, *alerts: dict[str, Any], path: str = "", key: str = KEY) -> httpx.Response:
    message = {"version": "4", "receiver": "pgvigil", "alerts": alerts, "externalURL": "http://am"}
    shown = {"Authorization": f"Bearer {key}"}
    return web.client.post(f"/in/alertmanager{path}", json=message, headers=shown)


def test_what_fires_is_raised_and_what_is_resolved_is_cleared(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    assert send(taking, FIRING).json() == {"raised": 1, "cleared": 0}
    (found,) = rows(connection, _RAISED)
    assert tuple(found.values()) == ("alertmanager", "c4f1", "medium", "disk of db1 is full")
    connection.execute("select monitoring.evaluate_alerts()")
    (alert,) = taking.rows("/api/active-alerts")
    assert alert["labels"] == {**FIRING["labels"], "source": "alertmanager"}
    behind = taking.get(f"/api/alerts/{alert['alert_id']}")["explanation"]
    (told,) = [row["details"] for row in behind if row["source"] == "reported alert"]
    assert told["details"]["annotations"] == FIRING["annotations"]
    resolved = {**FIRING, "status": "resolved"}
    assert send(taking, resolved).json() == {"raised": 0, "cleared": 1}
    assert send(taking, resolved).json() == {"raised": 0, "cleared": 0}
    connection.execute("select monitoring.evaluate_alerts()")
    assert taking.rows("/api/active-alerts") == []


def test_what_grafana_leaves_out_is_made_up(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    bare = {"status": "firing", "labels": {"alertname": "Slow", "grafana_folder": "web"}}
    more = {"valueString": "[ var='A' value=7 ]", "values": {"A": 7}, "silenceURL": "http://g"}
    assert send(taking, bare | more, path="?source=grafana").json()["raised"] == 1
    (found,) = rows(connection, _RAISED)
    assert tuple(found.values()) == (
        "grafana", "alertname=Slow, grafana_folder=web", "high", "Slow"
    )  # fmt: skip


def test_what_the_database_cannot_hold_costs_nothing_else(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    odd = {"status": "firing", "labels": {"a\0": "b\0"}, "startsAt": "\0", "fingerprint": "f\0"}
    assert send(taking, odd | {"annotations": {"summary": "s\0"}}).json()["raised"] == 1
    assert value(connection, "select summary from monitoring.reported_alerts") == "s\ufffd"


@pytest.mark.parametrize(
    "message",
    [
        b"", b"{", b"[]", b"{}", b'{"alerts": {}}', b'{"alerts": [7]}',
        b'{"alerts": [{"labels": {}}]}', b'{"alerts": [{"status": "pending"}]}',
        b'{"alerts": [{"status": "firing", "labels": {"a": 7}}]}',
        b'{"alerts": [' + b", ".join([b'{"status": "firing"}'] * 1001) + b"]}",
    ],
)  # fmt: skip
def test_what_is_no_such_message_is_refused(
    taking: Web, connection: psycopg.Connection[Any], message: bytes
) -> None:
    shown = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = taking.client.post("/in/alertmanager", content=message, headers=shown)
    assert_problem(answer, 422)
    assert rows(connection, _RAISED) == []


def test_without_the_key_nothing_is_taken(
    taking: Web, connection: psycopg.Connection[Any], dsn: str
) -> None:
    for wrong in (TOKEN, "x", f"{KEY}x"):
        assert_problem(send(taking, FIRING, key=wrong), 401)
    with Web(dsn) as web:
        assert_problem(send(web, FIRING), 403)
    assert rows(connection, _RAISED) == []


def test_a_real_alertmanager_sends_what_fires_and_what_is_resolved(
    taking: Web, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(f"""
route:
  receiver: pgvigil
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: pgvigil
    webhook_configs:
      - url: {taking.server.url}in/alertmanager
        http_config:
          authorization:
            credentials: {KEY}
""")
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [
            program("prometheus-alertmanager"),
            f"--config.file={config}",
            f"--storage.path={tmp_path}/data",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        ],
        stderr=log,
    )
    try:
        address = _address_of(tmp_path / "log")
        alert = {"labels": {"alertname": "DiskFull", "severity": "critical"}}
        url = f"http://{address}/api/v2/alerts"
        wait_until(lambda: _is_taken(url, [alert]))
        wait_until(lambda: len(rows(connection, _RAISED)) == 1)
        assert value(connection, "select severity from monitoring.reported_alerts") == "critical"
        assert httpx.post(url, json=[alert | {"endsAt": "2026-01-01T00:00:00Z"}]).is_success
        wait_until(lambda: rows(connection, _RAISED) == [])
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _is_taken(url: str, alerts: list[Any]) -> bool:
    try:
        return httpx.post(url, json=alerts).is_success
    except httpx.TransportError:
        return False


def _address_of(log: Path) -> str:
    """Return the address that it says in its log it listens on."""
    found: list[str] = []

    def is_said() -> bool:
        lines = [line for line in log.read_text().splitlines() if "Listening on" in line]
        found.extend(line.split("address=")[1].split()[0] for line in lines)
        return bool(found)

    wait_until(is_said)
    return found[0]

"""The example of rules for Grafana's own alerting: complete, inert until renamed, and right.

Its keys are those that Grafana documents for files of this kind; Grafana itself has not read it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from tests import ROOT

FILE = ROOT / "grafana/provisioning/alerting/pgvigil.yaml.example"
EXAMPLE: dict[str, Any] = yaml.safe_load(FILE.read_text())
RULES: dict[str, dict[str, Any]] = {
    rule["uid"]: rule for group in EXAMPLE["groups"] for rule in group["rules"]
}
OF_A_RULE = {
    "uid", "title", "condition", "for", "noDataState", "execErrState", "labels", "annotations",
    "notification_settings", "data",
}  # fmt: skip
READER = "grafana_alerting_reader"


@pytest.fixture
def reader(server: PostgresServer, connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A database in which nothing has been recorded, asked as a reader."""
    role = sql.Identifier(READER)
    connection.execute(sql.SQL("create role {} in role monitoring_reader").format(role))
    connection.execute(sql.SQL("set role {}").format(role))
    yield connection
    connection.execute("reset role")
    connection.execute(sql.SQL("drop role {}").format(role))


def found_by(connection: psycopg.Connection, uid: str) -> int:
    """Return the figure that a rule compares."""
    asked = RULES[uid]["data"][0]
    (row,) = connection.execute(asked["model"]["rawSql"].encode()).fetchall()
    (figure,) = row
    assert isinstance(figure, int)
    return figure


def test_grafana_does_not_load_it_by_itself() -> None:
    assert FILE.suffix not in {".yaml", ".yml", ".json"}
    assert [path.name for path in FILE.parent.iterdir()] == [FILE.name]


def test_it_has_what_grafana_asks_for() -> None:
    assert set(EXAMPLE) == {"apiVersion", "contactPoints", "groups"}
    assert EXAMPLE["apiVersion"] == 1
    (point,) = EXAMPLE["contactPoints"]
    (receiver,) = point["receivers"]
    assert receiver["settings"]["url"] == "$__env{PGVIGIL_ALERT_URL}"
    for group in EXAMPLE["groups"]:
        assert set(group) == {"orgId", "name", "folder", "interval", "rules"}
    for rule in RULES.values():
        assert set(rule) == OF_A_RULE
        assert rule["notification_settings"] == {"receiver": point["name"]}
        assert {rule["noDataState"], rule["execErrState"]} <= {"OK", "Alerting", "KeepLast"}


@pytest.mark.parametrize("uid", RULES)
def test_a_rule_compares_what_the_provisioned_source_answers(uid: str) -> None:
    asked, compared = RULES[uid]["data"]
    provisioned = yaml.safe_load(
        (ROOT / "grafana/provisioning/datasources/pgvigil.yaml").read_text()
    )
    assert asked["datasourceUid"] == provisioned["datasources"][0]["uid"]
    assert asked["model"]["format"] == "table"
    assert compared["datasourceUid"] == "__expr__"
    assert compared["model"]["expression"] == asked["refId"]
    assert compared["refId"] == RULES[uid]["condition"]
    # Provisioning puts environment variables where a dollar sign is.
    assert "$" not in str(RULES[uid])


def test_only_the_silence_of_pgvigil_alerts_where_there_is_no_answer() -> None:
    alerting = {uid for uid, rule in RULES.items() if rule["execErrState"] == "Alerting"}
    assert alerting == {"pgvigil-silent"}
    assert RULES["pgvigil-silent"]["noDataState"] == "Alerting"


def test_rules_find_what_fires_and_that_nobody_looks(reader: psycopg.Connection) -> None:
    assert found_by(reader, "pgvigil-critical") == 0
    assert found_by(reader, "pgvigil-unattended") == 0
    assert found_by(reader, "pgvigil-silent") > 0, "no rule has ever run"
    reader.execute("reset role")
    reader.execute("select monitoring.raise_alert('script', 'disk', 'critical', 'disk is full')")
    reader.execute("select monitoring.evaluate_alerts()")
    reader.execute(f"set role {READER}".encode())
    assert found_by(reader, "pgvigil-critical") == 1
    assert found_by(reader, "pgvigil-unattended") == 1
    assert found_by(reader, "pgvigil-silent") == 1, "no job has ever run, but rules have"
    reader.execute("reset role")
    reader.execute(
        "select monitoring.acknowledge_alert(alert_id, 'on it', 'ann')"
        " from monitoring.v_active_alerts where rule_name = 'reported_alert'"
    )
    assert found_by(reader, "pgvigil-critical") == 1
    assert found_by(reader, "pgvigil-unattended") == 0


def test_rules_are_looked_at_more_often_than_they_wait() -> None:
    def seconds(text: str) -> timedelta:
        return timedelta(**{{"s": "seconds", "m": "minutes"}[text[-1]]: int(text[:-1])})

    for group in EXAMPLE["groups"]:
        waits = [seconds(rule["for"]) for rule in group["rules"]]
        assert all(not wait or wait >= seconds(group["interval"]) for wait in waits)

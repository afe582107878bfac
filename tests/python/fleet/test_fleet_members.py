"""Reading members: one that hangs delays no other, an older one is read, decisions go back once."""

import gzip
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from pgvigil.commands.cli import main
from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import run_psql
from tests.harness.databases import create_database, drop_database
from tests.python.support.asking import one, rows, value
from tests.python.support.fleets import Fleet
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.web_running import TOKEN, Web

_RAISE = "select monitoring.raise_alert('script', 'disk', 'critical', 'the disk is full')"


@pytest.fixture
def fleet(dsn: str, tmp_path: Path) -> Iterator[Fleet]:
    """A hub without members."""
    opened = Fleet(dsn, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def member(other_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A member with an alert."""
    with psycopg.connect(other_dsn, autocommit=True) as opened:
        opened.execute(_RAISE)
        opened.execute("select monitoring.evaluate_alerts()")
        yield opened


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"postgresql://nobody:hidden@127.0.0.1:{listening.getsockname()[1]}/none"


def _login(server: psycopg.Connection[Any], dsn: str, role: str) -> Iterator[str]:
    server.execute(f"create role hub_login login password 'none' in role {role}".encode())
    try:
        yield make_conninfo(dsn, user="hub_login", password="none")
    finally:
        server.execute("drop role hub_login")


@pytest.fixture(params=["monitoring_reader", "monitoring_operator"])
def login(member: psycopg.Connection[Any], other_dsn: str, request: Any) -> Iterator[str]:
    """The DSN of a hub's login at the member."""
    yield from _login(member, other_dsn, request.param)


def test_a_member_that_hangs_takes_its_time_limit_and_delays_no_other(
    fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str, dsn: str
) -> None:
    with silent_server() as silent:
        fleet.add("north", other_dsn)
        fleet.add("stuck", silent, p_timeout="2 seconds")
        fleet.add("gone", "postgresql://nobody:hidden@127.0.0.1:1/none")
        began_at = time.monotonic()
        with RunningRunner(dsn, "--secrets", str(fleet.secrets_file)) as runner:
            wait_until(lambda: fleet.member("north")["heard_at"] is not None)
            assert fleet.member("stuck")["last_error"] is None
            wait_until(lambda: fleet.member("stuck")["last_error"] is not None)
            assert time.monotonic() - began_at < 15
            wait_until(lambda: fleet.member("gone")["last_error"] is not None)
            assert runner.stop() == 0
    said = "\n".join(runner.lines)
    assert "member stuck could not be read" in said
    shown = rows(fleet.hub, "select last_error from monitoring.v_fleet_members")
    assert "hidden" not in said + json.dumps(shown)


def test_a_frozen_server_is_left_in_time(
    fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str
) -> None:
    """A driver that cancels its question would wait for such a server for ever."""
    fleet.add("north", other_dsn, p_timeout="2 seconds")
    asking = "select pid from pg_stat_activity where application_name = 'pgvigil hub'"
    with ThreadPoolExecutor(1) as pool, member.transaction():
        member.execute("lock table monitoring.active_tasks in access exclusive mode")
        reading = pool.submit(fleet.read, "north")
        wait_until(lambda: rows(fleet.hub, asking) != [])
        pid = value(fleet.hub, asking)
        os.kill(pid, signal.SIGSTOP)
        try:
            outcome = reading.result(timeout=10)
        finally:
            os.kill(pid, signal.SIGCONT)
    assert outcome == {"north": "did not answer within 2 s"}
    assert fleet.read("north") == {"north": None}


def test_an_acknowledgement_made_at_the_hub_reaches_the_member_once(
    fleet: Fleet, member: psycopg.Connection[Any], login: str
) -> None:
    fleet.add("north", login)
    assert fleet.read("north") == {"north": None}
    alert = one(fleet.hub, "select * from monitoring.v_fleet_alerts where severity = 'critical'")
    acknowledge = "select monitoring.acknowledge_fleet_alert('north', %s, 'on it', 'ann')"
    assert fleet.hub.execute(acknowledge, [alert["alert_id"]]).fetchone() == (True,)
    assert fleet.read("north") == {"north": None}
    shown = one(fleet.hub, "select * from monitoring.v_fleet_alerts where severity = 'critical'")
    if value(member, "select pg_has_role('hub_login', 'monitoring_operator', 'usage')"):
        assert (shown["status"], shown["acknowledged_by"]) == ("acknowledged", "ann")
        assert shown["refusal"] is None
        # Nobody heard that it had arrived: it is brought again, and taken once.
        fleet.hub.execute(
            "update monitoring.fleet_decisions set settled_at = 'infinity', outcome = null"
        )
        assert fleet.read("north") == {"north": None}
        told = "select count(*) from monitoring.alert_history where transition = 'acknowledged'"
        assert value(member, told) == 1
        outcome = value(fleet.hub, "select outcome from monitoring.v_fleet_decisions")
        assert outcome == "acknowledged"
    else:
        assert shown["status"] == "firing"
        assert shown["refusal"].startswith("not allowed: permission denied")


def test_a_member_of_the_release_before_is_read_through_its_views(
    server: PostgresServer, fleet: Fleet
) -> None:
    create_database(server, "fleet_old")
    try:
        file = server.home / "old.sql"
        file.write_bytes(gzip.decompress((ROOT / "tests/upgrade/0.1.0.sql.gz").read_bytes()))
        run_psql(server, "fleet_old", "-q", "-1", "-f", file)
        with psycopg.connect(server.dsn("fleet_old"), autocommit=True) as old:
            old.execute("select monitoring.start_task_tracking('a', 'import')")
            old.execute("select monitoring.update_system_health('service', 'api', 'unhealthy')")
            old.execute(_RAISE)
            old.execute("select monitoring.evaluate_alerts()")
            fleet.add("old", server.dsn("fleet_old"))
            assert fleet.read("old") == {"old": None}
            open_there = value(old, "select count(*) from monitoring.v_active_alerts")
    finally:
        drop_database(server, "fleet_old")
    shown = fleet.member("old")
    assert (shown["version"], shown["open_alerts"], shown["running_tasks"]) == (
        "0.1.0", open_there, 1,
    )  # fmt: skip
    assert shown["rollups_asked_at"] is None
    assert one(fleet.hub, "select * from monitoring.v_fleet_tasks")["task_id"] == "a"
    health = one(fleet.hub, "select * from monitoring.v_fleet_health")
    assert (health["component_name"], health["status"]) == ("api", "unhealthy")
    alerts = rows(fleet.hub, "select * from monitoring.v_fleet_alerts where labels <> '{}'")
    assert len(alerts) == open_there


def test_a_database_without_pgvigil_is_told_of(fleet: Fleet, server: PostgresServer) -> None:
    fleet.add("bare", server.dsn("template1"))
    assert fleet.read("bare") == {"bare": "pgvigil is not in its database, or too old for this hub"}


def test_the_command_adds_lists_shows_and_removes(
    dsn: str, fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str
) -> None:
    def run(*words: str) -> str:
        outcome = CliRunner().invoke(
            main, ["fleet", *words, "--dsn", dsn], env={"NORTH_DSN": other_dsn}
        )
        assert outcome.exit_code in (0, 3), outcome.output
        return outcome.output

    assert "is read from now on" in run("add", "north", "NORTH_DSN", "--every", "2m")
    assert fleet.member("north")["every_seconds"] == 120
    assert run("read") == "north: read\n"
    assert "north" in run("list")
    assert json.loads(run("list", "--json"))[0]["critical_alerts"] > 0
    assert "the disk is full" in run("show", "north")
    alert_id = value(member, "select min(alert_id) from monitoring.v_active_alerts")
    assert "on its way there" in run("ack", "north", str(alert_id), "-m", "on it")
    assert run("read", "north") == "north: read\n"
    state = f"select status from monitoring.alerts where alert_id = {alert_id}"
    assert value(member, state) == "acknowledged"
    assert run("remove", "north") == "north: removed\n"
    assert rows(fleet.hub, "select * from monitoring.v_fleet_members") == []


def test_the_web_service_lists_members_and_takes_acknowledgements(
    web: Web, fleet: Fleet, member: psycopg.Connection[Any], other_dsn: str
) -> None:
    fleet.add("north", other_dsn)
    fleet.read("north")
    (listed,) = web.rows("/api/fleet-members")
    assert (listed["member_name"], listed["critical_alerts"] > 0) == ("north", True)
    number = web.rows("/api/fleet-alerts", member="north", severity="critical")[0]["alert_id"]
    acknowledged = [
        web.client.post(
            f"/api/fleet-members/{name}/acknowledge-alert/{number}",
            json={"by": "ann"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        ).status_code
        for name in ("north", "north", "south")
    ]
    assert acknowledged == [200, 409, 404]
    shown = web.rows("/api/fleet-alerts", member="north", severity="critical")
    assert "ann" in [each["acknowledging_by"] for each in shown]

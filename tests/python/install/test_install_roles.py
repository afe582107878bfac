"""Installing with more or fewer rights of one's own, with and without the roles.

Roles belong to the cluster, so each test has a server to itself.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries
from pgvigil.install import migrate, single_file
from pgvigil.install.doctor import examine
from pgvigil.install.grants import ROLES
from pgvigil.install.status import read_status
from tests import ROOT
from tests.harness.clients import dsn_of, may, rows, run, run_pgvigil, run_psql
from tests.harness.databases import OWNER, create_database, disposable_server

BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]
READER, WRITER, ADMIN = "monitoring_reader", "monitoring_writer", "monitoring_admin"


@pytest.fixture(params=BINARIES, ids=str)
def bare_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server without our roles; ``plain`` may log in and owns database ``app``, no more."""
    with disposable_server(request.param) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as connection:
            connection.execute("create role plain login")
            connection.execute("create database app owner plain")
        yield running


def owners(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select distinct proowner::regrole::text from pg_proc"
            " where pronamespace = 'monitoring'::regnamespace"
            " and proname not in ('_run_rule_query', '_rows_as_reader')"
        )
        return [row[0] for row in found]


def records_and_reads(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        connection.execute("select monitoring.start_task_tracking('works', 'type')")
        connection.execute("select monitoring.complete_task_tracking('works')")
        query = "select distinct status from monitoring.processing_metrics where task_id = 'works'"
        return connection.execute(query).fetchall() == [("completed",)]


def test_a_superuser_installs_and_hands_over_to_the_admin(bare_server: PostgresServer) -> None:
    lines: list[str] = []
    migrate(bare_server.dsn("app"), report=lines.append)
    assert not [line for line in lines if line.startswith(("warning", "notice"))]
    assert owners(bare_server.dsn("app")) == [ADMIN]


def test_a_role_that_may_create_roles_installs_and_hands_over_to_the_admin(
    bare_server: PostgresServer,
) -> None:
    with psycopg.connect(bare_server.dsn()) as connection:
        connection.execute("alter role plain createrole")
    lines: list[str] = []
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn, report=lines.append)
    assert not [line for line in lines if line.startswith(("warning", "notice"))]
    assert owners(dsn) == [ADMIN]
    assert records_and_reads(dsn)


def test_an_administrator_of_a_managed_server_sets_up_all_of_it(
    bare_server: PostgresServer,
) -> None:
    """As those of rds_superuser, cloudsqlsuperuser or azure_pg_admin: much, but no superuser."""
    run(
        bare_server.dsn(),
        "create role managed_superuser createrole createdb nologin",
        "grant pg_monitor, pg_signal_backend to managed_superuser",
        "create role administrator login createrole createdb in role managed_superuser",
    )
    run(dsn_of(bare_server, "postgres", "administrator"), "create database work")
    dsn = dsn_of(bare_server, "work", "administrator")
    lines: list[str] = []
    migrate(dsn, report=lines.append)
    assert not [line for line in lines if line.startswith(("warning", "notice"))]
    assert owners(dsn) == [ADMIN]
    run(
        dsn,
        "create role runner login in role monitoring_admin",
        "create role program login in role monitoring_writer",
        "create role person login in role monitoring_reader",
    )
    program = dsn_of(bare_server, "work", "program")
    run(program, "select monitoring.start_task_tracking('t', 'load')")
    assert run_pgvigil(dsn_of(bare_server, "work", "runner"), "run", "--once").returncode == 0
    query = "select task_id from monitoring.v_realtime_processing_status"
    assert rows(dsn_of(bare_server, "work", "person"), query) == [("t",)]
    checks = {check.name: check for check in examine(dsn)}
    assert [check for check in checks.values() if check.level != "ok"] == []
    assert "all four are there" in checks["roles"].finding


def test_without_the_right_to_create_roles_it_works_and_roles_may_come_later(
    bare_server: PostgresServer,
) -> None:
    lines: list[str] = []
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn, report=lines.append)
    warning = next(line for line in lines if line.startswith("warning"))
    assert "roles were not set up: permission denied to create role" in warning
    hint = lines[lines.index(warning) + 1]
    assert "create role monitoring_reader;" in hint
    assert "grant monitoring_admin to plain;" in hint
    assert owners(dsn) == ["plain"]
    assert records_and_reads(dsn)
    with psycopg.connect(dsn) as connection:
        assert read_status(connection).missing_roles == sorted(ROLES)

    with psycopg.connect(bare_server.dsn()) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        connection.execute("grant monitoring_admin to plain")
    with psycopg.connect(dsn) as connection:
        assert read_status(connection).grants_are_stale
    assert migrate(dsn).code_loaded  # sees by itself that grants are due
    assert owners(dsn) == [ADMIN]
    with psycopg.connect(bare_server.dsn("app"), autocommit=True) as connection:
        assert may(connection, WRITER, "select monitoring.record_queue_metrics('queue', 1)")
        assert may(connection, READER, "select * from monitoring.queue_monitoring")
        assert not read_status(connection).grants_are_stale
    assert records_and_reads(dsn)
    assert not migrate(dsn).code_loaded


def test_roles_that_are_there_already_are_used_and_named(bare_server: PostgresServer) -> None:
    with psycopg.connect(bare_server.dsn()) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    lines: list[str] = []
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn, report=lines.append)
    for role in ROLES:
        assert f"notice: role {role} is already there and is used as it is" in lines
    assert any(f"plain owns the installation instead of {ADMIN}" in line for line in lines)
    assert owners(dsn) == ["plain"]
    assert records_and_reads(dsn)
    with psycopg.connect(bare_server.dsn("app"), autocommit=True) as connection:
        assert may(connection, WRITER, "select monitoring.record_queue_metrics('queue', 1)")
        assert may(connection, READER, "select * from monitoring.queue_monitoring")
    assert not migrate(dsn).code_loaded


def test_the_single_file_gives_the_same_to_someone_who_may_not_create_roles(
    bare_server: PostgresServer, tmp_path: Path
) -> None:
    file = tmp_path / "pgvigil.sql"
    file.write_text(single_file(), encoding="utf-8")
    with psycopg.connect(bare_server.dsn()) as connection:
        connection.execute(f"alter database app owner to {OWNER}")
        connection.execute(f"alter role {OWNER} nocreaterole")
    said = run_psql(bare_server, "app", "-1", "-f", file)
    assert "WARNING:  the monitoring roles were not set up" in said
    assert f"grant monitoring_admin to {OWNER};" in said
    with psycopg.connect(bare_server.dsn()) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        connection.execute(f"grant monitoring_admin to {OWNER}")
    assert "is installed\n" in run_psql(bare_server, "app", "-1", "-f", file)
    assert owners(bare_server.dsn("app")) == [ADMIN]
    assert "is installed already\n" in run_psql(bare_server, "app", "-1", "-f", file)


def test_an_admin_role_made_by_somebody_else_does_not_keep_the_others_from_being_made(
    bare_server: PostgresServer,
) -> None:
    run(bare_server.dsn(), "create role monitoring_admin", "alter role plain createrole")
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn)
    query = "select count(*) from pg_roles where rolname like 'monitoring%'"
    assert rows(dsn, query) == [(4,)]
    assert records_and_reads(dsn)


def test_a_member_who_may_not_give_things_to_the_admin_keeps_them(
    bare_server: PostgresServer,
) -> None:
    with psycopg.connect(bare_server.dsn(), autocommit=True) as connection:
        connection.execute("create role monitoring_admin")
        limits = "" if connection.info.server_version < 160000 else " with set false"
        connection.execute(f"grant monitoring_admin to plain{limits}")
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn)
    assert owners(dsn) == (["plain"] if limits else [ADMIN])
    assert records_and_reads(dsn)
    assert not migrate(dsn).code_loaded


def test_two_databases_of_a_cluster_share_the_roles(bare_server: PostgresServer) -> None:
    for number in (1, 2):
        create_database(bare_server, f"shared_{number}")
        migrate(dsn_of(bare_server, f"shared_{number}", OWNER))
        assert owners(bare_server.dsn(f"shared_{number}")) == [ADMIN]


def test_the_documented_way_to_uninstall_leaves_nothing(bare_server: PostgresServer) -> None:
    document = ROOT / "docs" / "install.md"
    section = document.read_text(encoding="utf-8").split("## Uninstalling\n")[1]
    statements = section.split("```sql\n")[1].split("```")[0]
    dsn = bare_server.dsn("app")
    migrate(dsn)
    run(dsn, statements)
    for left in (
        "select from pg_namespace where nspname = 'monitoring'",
        "select from pg_roles where rolname like 'monitoring%'",
        "select from _yoyo_migration",
    ):
        assert rows(dsn, left) == []
    assert migrate(dsn).code_loaded


def test_roles_that_somebody_else_made_for_more_are_told(bare_server: PostgresServer) -> None:
    run(bare_server.dsn(), f"create role {READER} login", f"create role {WRITER}")
    lines: list[str] = []
    migrate(bare_server.dsn("app"), report=lines.append)
    warnings = [line for line in lines if line.startswith("warning")]
    assert warnings == [
        f"warning: role {READER} is not as pgvigil makes it: it may log in, or more"
    ]
    found = [check.finding for check in examine(bare_server.dsn("app")) if check.name == "roles"]
    assert found == ["all four are there", f"{READER} may log in, or is more than a plain role"]

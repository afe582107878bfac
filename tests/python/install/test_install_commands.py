"""The commands migrate, status, doctor and sql, as a person or a program meets them."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgvigil
from pgvigil.demo.server import PostgresServer
from pgvigil.install import migrate, roll_back
from pgvigil.install.doctor import Check, examine
from pgvigil.install.files import Code, read_migrations
from tests.harness.clients import rows, run, run_pgvigil

NAMES = [migration.migration_id for migration in read_migrations()]


def test_migrate_and_rollback_tell_what_they_did(empty_dsn: str) -> None:
    first = run_pgvigil(empty_dsn, "migrate")
    assert (first.returncode, first.stderr) == (0, "")
    assert f"applied {NAMES[-1]}\nloaded the functions" in first.stdout
    unasked = run_pgvigil(empty_dsn, "migrate", "--rollback")
    assert unasked.returncode == 2
    assert "add --yes" in unasked.stderr
    done = run_pgvigil(empty_dsn, "migrate", "--rollback", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"rolled back {NAMES[-1]}" in done.stdout


@pytest.mark.parametrize(("answer", "left"), [("n", NAMES), ("y", NAMES[:-1])])
def test_a_rollback_asks_on_a_terminal(empty_dsn: str, answer: str, left: list[str]) -> None:
    migrate(empty_dsn)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pgvigil", "migrate", "--rollback", "--dsn", empty_dsn]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True) as process:
        os.write(ours, f"{answer}\n".encode())
        said = process.communicate(timeout=60)[0]
    os.close(ours)
    os.close(theirs)
    assert f"Roll back {NAMES[-1]}? This drops its tables with all their rows" in said
    query = "select migration_id from monitoring.installed_migrations order by 1"
    assert [row[0] for row in rows(empty_dsn, query)] == left


def test_an_expected_failure_is_a_message_with_a_hint_and_no_traceback(empty_dsn: str) -> None:
    dsn = make_conninfo(empty_dsn, options="-c default_transaction_read_only=on")
    result = run_pgvigil(dsn, "migrate")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: the database is read-only\nHint: ")
    result = run_pgvigil("host=/nowhere", "migrate")
    assert result.returncode == 1
    assert "/nowhere" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_overview_imports_no_subcommand() -> None:
    code = (
        "import sys; from pgvigil.commands.cli import main;"
        "main(['--help'], standalone_mode=False);"
        "print([name for name in ('psycopg', 'yoyo', 'rich') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("[]\n")
    for name in ("migrate", "status", "doctor", "sql", "backfill", "dashboard", "demo", "run"):
        assert f"\n  {name} " in result.stdout


def test_every_subcommand_of_the_overview_is_there_and_explains_itself() -> None:
    from pgvigil.commands.cli import SUBCOMMANDS

    for name in SUBCOMMANDS:
        result = run_pgvigil("", name, "--help")
        assert result.returncode == 0, result.stderr
        assert f"Usage: pgvigil {name}" in result.stdout


def test_sql_prints_the_file_with_everything_in_order(empty_dsn: str) -> None:
    text = run_pgvigil(empty_dsn, "sql").stdout
    assert text.startswith(f"-- pgvigil {pgvigil.__version__}, all of it in one file")
    places = [text.index(f"migrations/{name}.sql") for name in NAMES]
    places += [text.index(f"---------- sql/{file.name}") for file in Code().files]
    assert places == sorted(places)
    assert Code().checksum in text
    assert "\\ir" not in text


# -- status


def test_status_of_a_database_without_pgvigil_says_so_and_exits_with_1(empty_dsn: str) -> None:
    result = run_pgvigil(empty_dsn, "status")
    assert (result.returncode, result.stderr) == (1, "")
    assert "pgvigil is not in this database; run pgvigil migrate" in result.stdout
    result = run_pgvigil(empty_dsn, "status", "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["installed"] is False
    assert json.loads(result.stdout)["pending"] == NAMES


def test_status_tells_versions_migrations_code_roles_and_partitions(empty_dsn: str) -> None:
    migrate(empty_dsn)
    result = run_pgvigil(empty_dsn, "status")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"pgvigil {pgvigil.__version__}" in result.stdout
    assert f"{len(NAMES)} applied, newest {NAMES[-1]}" in result.stdout
    assert "this version's" in result.stdout
    assert "8 partitions, 7 days ahead" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    status = json.loads(run_pgvigil(empty_dsn, "status", "--json").stdout)
    assert status["code"] == "current"
    assert (status["applied"], status["pending"], status["unknown"]) == (NAMES, [], [])
    assert (status["missing_roles"], status["grants_are_stale"]) == ([], False)
    assert {entry["days_ahead"] for entry in status["partitions"]} == {7}
    assert re.search(r"^alerts +NOT KNOWN: no alert rule has ever run *$", result.stdout, re.M)
    assert {(each["subject"], each["state"]) for each in status["freshness"]} == {
        ("alerts", "never"), ("scheduler", "never"), ("roll-ups", "never"),
    }  # fmt: skip
    run(empty_dsn, "select monitoring.evaluate_alerts()")
    known = json.loads(run_pgvigil(empty_dsn, "status", "--json").stdout)["freshness"][0]
    assert (known["is_known"], known["state"]) == (True, "current")
    assert datetime.fromisoformat(known["known_at"]).tzinfo


def test_status_tells_pending_migrations_and_other_code(empty_dsn: str) -> None:
    migrate(empty_dsn)
    run(empty_dsn, "update monitoring.installed_code set checksum = 'another'")
    assert "not this version's: run pgvigil migrate" in run_pgvigil(empty_dsn, "status").stdout
    run(empty_dsn, "update monitoring.installed_code set checksum = null")
    assert "loaded by plain psql" in run_pgvigil(empty_dsn, "status").stdout
    roll_back(empty_dsn)
    result = run_pgvigil(empty_dsn, "status")
    assert result.returncode == 0
    assert "tables only" in result.stdout
    assert NAMES[-1] in result.stdout


@pytest.fixture
def stranger(dsn: str) -> Iterator[str]:
    """A connection string of a role that belongs to none of ours."""
    run(dsn, "create role pgvigil_stranger")
    yield make_conninfo(dsn, options="-c role=pgvigil_stranger")
    run(dsn, "drop owned by pgvigil_stranger", "drop role pgvigil_stranger")


def test_status_tells_a_stranger_what_to_ask_for(dsn: str, stranger: str) -> None:
    result = run_pgvigil(stranger, "status")
    assert result.returncode == 1
    assert "pgvigil_stranger may not see what is installed" in result.stderr
    assert "grant monitoring_reader to pgvigil_stranger;" in result.stderr
    run(dsn, "grant monitoring_reader to pgvigil_stranger")
    assert run_pgvigil(stranger, "status").returncode == 0


# -- doctor


def checks(dsn: str) -> dict[str, Check]:
    return {check.name: check for check in examine(dsn)}


def test_doctor_finds_a_fresh_installation_well(empty_dsn: str) -> None:
    migrate(empty_dsn)
    result = run_pgvigil(empty_dsn, "doctor")
    assert (result.returncode, result.stderr) == (0, "")
    assert {line.split()[0] for line in result.stdout.splitlines() if line[0] != " "} == {"ok"}
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_doctor_fails_with_remedies_where_nothing_is_installed(empty_dsn: str) -> None:
    result = run_pgvigil(empty_dsn, "doctor")
    assert result.returncode == 1
    assert "fail  installed   pgvigil is not in this database" in result.stdout
    assert "-> pgvigil migrate" in result.stdout
    assert checks(empty_dsn)["rights"].level == "ok"


def test_doctor_tells_an_unreachable_server(server: PostgresServer) -> None:
    result = run_pgvigil("host=/nowhere", "doctor")
    assert result.returncode == 1
    assert result.stdout.startswith("fail  connection")
    assert list(checks("host=/nowhere")) == ["connection"]


def test_doctor_tells_what_is_out_of_date(empty_dsn: str) -> None:
    migrate(empty_dsn)
    run(empty_dsn, "update monitoring.installed_code set checksum = 'another'")
    assert checks(empty_dsn)["code"] == Check(
        "code", "fail", "not this version's", "pgvigil migrate"
    )
    run(empty_dsn, "update monitoring.installed_code set checksum = null")
    assert checks(empty_dsn)["code"].level == "warn"
    roll_back(empty_dsn)
    found = checks(empty_dsn)
    assert found["migrations"].finding == f"pending: {NAMES[-1]}"
    assert (found["migrations"].level, found["code"].level) == ("fail", "fail")


def test_doctor_warns_of_missing_partitions_and_a_stopped_clock(empty_dsn: str) -> None:
    migrate(empty_dsn)
    late = make_conninfo(empty_dsn, options="-c monitoring.now=2999-01-01")
    found = checks(late)
    assert found["clock"].level == "fail"
    assert "monitoring.now" in (found["clock"].remedy or "")
    assert found["partitions"].level == "warn"
    assert "ensure_partitions" in (found["partitions"].remedy or "")


def test_doctor_warns_of_roles_rights_membership_and_a_small_lock_table(
    dsn: str, stranger: str
) -> None:
    assert checks(stranger)["installed"].level == "fail"
    run(dsn, "grant monitoring_reader to pgvigil_stranger")
    assert checks(stranger)["membership"].finding == "you belong to monitoring_reader"
    run(dsn, "drop schema monitoring cascade")
    assert checks(stranger)["rights"].finding == "you may not create schemas here"


def test_doctor_names_readers_whose_queries_over_a_long_history_may_be_compiled(
    empty_dsn: str,
) -> None:
    migrate(empty_dsn)
    run(empty_dsn, "create role dash login in role monitoring_reader")
    run(empty_dsn, 'create role "Night Report" login in role monitoring_operator')
    try:
        assert checks(empty_dsn)["jit"].level == "ok"
        run(empty_dsn, "select monitoring.ensure_partitions(40)")
        found = checks(empty_dsn)["jit"]
        remedy = 'alter role "Night Report" set jit = off; alter role dash set jit = off;'
        assert (found.level, found.remedy) == ("warn", remedy)
        run(empty_dsn, "alter role dash set jit = off")
        assert checks(empty_dsn)["jit"].remedy == 'alter role "Night Report" set jit = off;'
        run(empty_dsn, *remedy.removesuffix(";").split("; "))
        assert checks(empty_dsn)["jit"].level == "ok"
    finally:
        run(empty_dsn, 'drop role dash, "Night Report"')


def test_doctor_tells_a_read_only_database(empty_dsn: str) -> None:
    dsn = make_conninfo(empty_dsn, options="-c default_transaction_read_only=on")
    assert checks(dsn)["writable"].level == "fail"


def test_doctor_warns_of_superusers_that_run_what_others_may_change(dsn: str) -> None:
    assert "superusers" not in checks(dsn)
    with psycopg.connect(make_conninfo(dsn, application_name="pgvigil runner")):
        found = checks(dsn)["superusers"]
    assert found.level == "warn"
    assert "superuser postgres, whom members of monitoring_admin could" in found.finding


def test_doctor_tells_whether_plain_names_work(dsn: str) -> None:
    assert "prefix monitoring." in checks(dsn)["search path"].finding
    path = make_conninfo(dsn, options="-c search_path=public,monitoring")
    assert checks(path)["search path"].finding == "plain names work"


def test_doctor_tells_whether_a_scheduler_runs_the_jobs(empty_dsn: str) -> None:
    migrate(empty_dsn)
    run(empty_dsn, "update monitoring.jobs set next_run_at = now() - interval '1 hour'")
    late = checks(empty_dsn)["scheduler"]
    assert (late.level, late.finding.split(":")[0]) == ("warn", "nothing runs the jobs")
    assert "pgvigil run, or pg_cron" in (late.remedy or "")
    run(
        empty_dsn,
        "update monitoring.jobs set next_run_at = now() + interval '1 hour'",
        "update monitoring.jobs set consecutive_failures = 1, last_status = 'failed'"
        " where job_name = 'make_partitions'",
    )
    troubled = checks(empty_dsn)["scheduler"]
    assert (troubled.level, troubled.finding) == ("warn", "job make_partitions: in trouble")
    run(empty_dsn, "update monitoring.jobs set consecutive_failures = 0")
    assert checks(empty_dsn)["scheduler"].level == "ok"

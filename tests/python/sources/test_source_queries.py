"""Queries in another database: a real MariaDB, read through SQLAlchemy and as a foreign table."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgvigil.outside.secrets import Secrets
from pgvigil.outside.sources import Load, load
from tests.harness.clients import clean_environment, run_pgvigil
from tests.python.support.asking import one, rows, value
from tests.python.support.mariadb import DATABASE, USER, MariaDB
from tests.python.support.running import RunningRunner, wait_until

QUERY = "select id, branch, state, changed, amount from proposals"
# More than fits between two processes: the blanks do not count.
WIDE = QUERY.replace("branch", "concat(branch, repeat(' ', 2000))")
COLUMNS = "{id,branch,state,changed,amount}"
REGISTER = """
    select monitoring.register_record_source(
        '{query}', '{query}', 'query:{query}',
        '{{"record_key": ["branch", "id"], "status": "state", "effective_at": "changed",
            "group": "amount"}}',
        '{{"1": "OPEN", "2": "DONE", "": "DRAFT"}}', p_time_zone => 'America/Sao_Paulo',
        p_is_complete => true
    )
"""
STATUSES = """
    select status, count(*) as records from monitoring.v_record_status group by 1 order by 1
"""


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB with proposals of another team."""
    with MariaDB() as server:
        server.execute(
            "create table proposals (id bigint primary key, branch varchar(20), state char(4),"
            " changed datetime, amount decimal(12,2), note varchar(200))"
        )
        yield server


@pytest.fixture
def proposals(mariadb: MariaDB) -> MariaDB:
    """The same without rows in it."""
    mariadb.end_sessions()  # whose locks a truncation would wait for
    mariadb.execute("truncate table proposals")
    return mariadb


@pytest.fixture
def here(
    connection: psycopg.Connection, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> psycopg.Connection:
    """A connection to a database with a query that is read by a source of records."""
    connection.execute("select monitoring.disable_job(job_name) from monitoring.jobs")
    monkeypatch.setenv("ERP", mariadb.address)
    register(connection, "erp", resume="id")
    return connection


def register(
    connection: psycopg.Connection,
    name: str,
    query: str = QUERY,
    *,
    target: str = "ERP",
    resume: str | None = None,
    timeout: str = "5 minutes",
) -> None:
    connection.execute(
        "select monitoring.register_source_query(%s, %s, %s, %s, %s, p_timeout => %s::interval)",
        [name, target, query, COLUMNS, resume, timeout],
    )
    connection.execute(REGISTER.format(query=name).encode())


def fill(mariadb: MariaDB, count: int) -> None:
    """Put in proposals, of which a third each is open, done and a draft."""
    mariadb.execute(
        "insert into proposals select seq, concat('São Paulo ', seq % 7), elt(seq % 3 + 1, null,"
        " '1', ' 2'), date_add('2026-01-15 10:00', interval seq % 500 second), seq / 4,"
        f" repeat('x', 150) from seq_1_to_{count}"
    )


def loaded(connection: psycopg.Connection, name: str = "erp") -> Load:
    return load(connection, name, Secrets(table="connections"))


def told(connection: psycopg.Connection) -> list[str]:
    return [
        row["message"]
        for row in rows(
            connection,
            "select message from monitoring.v_source_troubles where ended_at is null",
        )
    ]


def test_a_query_is_read_as_if_it_were_a_table(
    here: psycopg.Connection, proposals: MariaDB
) -> None:
    fill(proposals, 12)
    found = loaded(here)
    assert (found.rows_read, found.error) == (12, None)
    assert rows(here, STATUSES) == [
        {"status": status, "records": 4} for status in ("DONE", "DRAFT", "OPEN")
    ]
    change = one(here, "select * from monitoring.status_history where record_key like '%|4'")
    assert change["record_key"] == "São Paulo 4|4"
    assert change["effective_at"].isoformat() == "2026-01-15T13:00:04+00:00"
    assert change["details"] == {"group": "1.00"}
    proposals.execute("update proposals set state = '2', changed = now() where id = 4")
    proposals.execute("delete from proposals where id = 5")
    (result,) = loaded(here).sources
    assert (result["changed"], result["gone"], result["unchanged"]) == (1, 1, 10)


def test_colons_percents_and_other_words_of_that_database_stay(
    here: psycopg.Connection, proposals: MariaDB
) -> None:
    query = (
        "select id, concat('a:b %d :x', `branch`), date_format('2026-01-15 12:30', '%H:%i'),"
        " changed, 1 from proposals where branch like 'São%';"
    )
    register(here, "words", query)
    fill(proposals, 3)
    assert loaded(here, "words").error is None
    found = rows(here, "select record_key, status from monitoring.v_record_status order by 1")
    assert found[0] == {"record_key": "a:b %d :xSão Paulo 1|1", "status": "12:30"}


def test_a_load_that_broke_off_changes_nothing_and_goes_on_where_it_was(
    here: psycopg.Connection, proposals: MariaDB
) -> None:
    register(here, "erp", WIDE, resume="id")
    fill(proposals, 90)
    assert loaded(here).error is None
    proposals.execute("truncate table proposals")
    fill(proposals, 20_000)
    pieces = []

    def kill(rows_read: int) -> None:
        pieces.append(rows_read)
        proposals.kill()

    found = load(here, "erp", Secrets(table="connections"), report=kill)
    proposals.start()
    assert found.status == "interrupted"
    assert found.error is not None
    assert "127.0.0.1" not in found.error
    assert 1000 <= found.rows_read < 20_000
    assert value(here, "select count(*) from monitoring.v_record_status") == 90
    assert [message.startswith("cannot be read: ") for message in told(here)] == [True]
    here.execute("select monitoring.evaluate_alerts()")
    alert = one(here, "select * from monitoring.v_active_alerts where rule_name = 'source_trouble'")
    assert (alert["severity"], alert["labels"]["source"]) == ("high", "query:erp")

    found = loaded(here)
    assert (found.rows_read, found.error) == (20_000, None)
    (result,) = found.sources
    assert (result["compared"], result["new"], result["unchanged"]) == (20_000, 19_910, 90)
    last = one(here, "select * from monitoring.v_source_loads order by load_id desc limit 1")
    assert (last["status"], last["attempts"], last["rows_read"]) == ("loaded", 2, 20_000)
    assert value(here, "select count(*) from monitoring.staged_rows") == 0
    assert told(here) == []


def test_a_query_that_cannot_go_on_begins_anew(
    here: psycopg.Connection, proposals: MariaDB
) -> None:
    register(here, "whole", WIDE)
    fill(proposals, 20_000)
    found = load(
        here, "whole", Secrets(table="connections"), report=lambda rows_read: proposals.kill()
    )
    proposals.start()
    assert (found.status, found.sources) == ("failed", [])
    assert value(here, "select count(*) from monitoring.staged_rows") == 0
    assert value(here, "select count(*) from monitoring.v_record_status") == 0
    assert loaded(here, "whole").rows_read == 20_000


def test_a_program_that_is_killed_leaves_a_load_to_go_on(
    here: psycopg.Connection, dsn: str, proposals: MariaDB
) -> None:
    fill(proposals, 120_000)
    pid = started(dsn, "sync", "erp")
    reads = "select coalesce(max(rows_read), 0) from monitoring.v_source_loads"
    wait_until(lambda: value(here, reads) > 0, 60)
    assert loaded(here).skipped == "another session loads it"
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    before = value(here, reads)
    assert 0 < before < 120_000
    wait_until(
        lambda: value(
            here, "select count(*) = 1 from pg_stat_activity where datname = current_database()"
        ),
        20,
    )
    found = loaded(here)
    assert (found.rows_read, found.error) == (120_000, None)
    assert found.sources[0]["new"] == 120_000
    assert value(here, "select max(attempts) from monitoring.v_source_loads") == 2


def started(dsn: str, *arguments: str) -> int:
    """Start `pgvigil` and return its process id."""
    program = str(Path(sys.executable).parent / "pgvigil")
    environment = clean_environment() | {"PGVIGIL_DSN": dsn, "ERP": os.environ["ERP"]}
    return os.posix_spawn(program, [program, *arguments], environment)


def test_a_million_rows_take_little_memory(
    here: psycopg.Connection, dsn: str, proposals: MariaDB
) -> None:
    # What is done with the rows is the database's matter.
    here.execute("select monitoring.remove_source('erp')")
    usage = {}
    for count in (20_000, 1_000_000):
        proposals.execute("truncate table proposals")
        fill(proposals, count)
        pid = started(dsn, "sync", "erp")
        # Of its own and of the process that reads, whichever is the larger.
        _, status, used = os.wait4(pid, 0)
        assert status == 0
        usage[count] = used.ru_maxrss / 1024
    reads = "select max(rows_read) from monitoring.v_source_loads where status = 'loaded'"
    assert value(here, reads) == 1_000_000
    # The pieces of a load, however many they are; all the rows would be some 300 MB.
    assert usage[1_000_000] - usage[20_000] < 40, usage


def test_what_takes_too_long_is_ended(here: psycopg.Connection, proposals: MariaDB) -> None:
    fill(proposals, 3)
    slow = QUERY.replace("amount", "sleep(20)")
    register(here, "slow", slow, timeout="1 second")
    began = time.monotonic()
    assert loaded(here, "slow").error == "took longer than 1 s"
    assert time.monotonic() - began < 15
    assert loaded(here).error is None


@pytest.mark.parametrize(
    ("query", "resume", "error"),
    [
        ("select id from proposals", None, "the query returns 1 columns, registered are 5"),
        (QUERY, "state", "column state does not name each row"),
        (QUERY.replace("proposals", "gone"), None, "Table '***.gone' doesn't exist"),
        ("selekt", None, "You have an error in your SQL syntax"),
    ],
)
def test_a_query_that_cannot_be_read_says_why(
    here: psycopg.Connection, proposals: MariaDB, query: str, resume: str | None, error: str
) -> None:
    fill(proposals, 9)
    register(here, "bad", query, resume=resume)
    found = loaded(here, "bad")
    assert found.error is not None
    assert error in found.error
    assert rows(here, "select * from monitoring.v_record_status") == []
    assert told(here) == [f"cannot be read: {found.error}"]


def test_a_dry_run_shows_what_would_change_and_keeps_nothing(
    here: psycopg.Connection, dsn: str, proposals: MariaDB
) -> None:
    fill(proposals, 3)
    shown = run_pgvigil(dsn, "sync", "--dry-run")
    assert (shown.stderr, shown.returncode) == ("", 0)
    assert shown.stdout.splitlines() == [
        "query erp: 3 rows",
        "  source erp: 3 compared, 3 new",
        "    São Paulo 1|1: - -> OPEN",
        "    São Paulo 2|2: - -> DONE",
        "    São Paulo 3|3: - -> DRAFT",
        "  nothing was written",
    ]
    for view in ("v_record_status", "v_source_loads", "staged_rows"):
        assert rows(here, f"select * from monitoring.{view}") == []
    shown = run_pgvigil(dsn, "sync", "erp")
    assert shown.stdout.splitlines() == ["query erp: 3 rows", "  source erp: 3 compared, 3 new"]
    shown = run_pgvigil(dsn, "sync", "nothing")
    assert shown.returncode == 1
    assert 'there is no query or source "nothing"' in shown.stderr


def test_the_runner_loads_what_is_due(
    here: psycopg.Connection, dsn: str, proposals: MariaDB
) -> None:
    fill(proposals, 30)
    # One that hangs and one whose address nobody knows hold up neither that nor the runner.
    register(here, "slow", QUERY.replace("amount", "sleep(30)"), timeout="2 seconds")
    register(here, "lost", target="NOWHERE")
    environment = {"ERP": proposals.address}
    with RunningRunner(dsn, "--poll", "200ms", environment=environment) as runner:
        runner.wait_for("query erp: 30 rows", 30)
        runner.wait_for("connection NOWHERE is not in the environment", 30)
        runner.wait_for("took longer than 2 s", 40)
        assert runner.stop() == 0
    assert value(here, "select count(*) from monitoring.v_record_status") == 30
    assert proposals.password not in runner.text
    due = rows(here, "select query_name from monitoring.v_source_queries where is_due")
    assert due == []


def test_no_address_is_to_be_seen_anywhere(
    here: psycopg.Connection, dsn: str, proposals: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {
        "WRONG": proposals.address.replace("rd-7Q", "wrong-7Q"),
        "AWAY": proposals.address.replace(str(proposals.port), "9"),
        "NO_URL": "legacy-host:3306 reader/p-7Q",
        "ODD": proposals.address.replace("mysql:", "mysql+nodriver:"),
        "ORACLE": f"oracle://{USER}:p-7Q@127.0.0.1:9/?service_name={DATABASE}",
        "SQLSERVER": f"mssql://{USER}:p-7Q@127.0.0.1:9/{DATABASE}",
    }
    text = ""
    for name, address in addresses.items():
        monkeypatch.setenv(name, address)
        register(here, name.lower(), target=name)
        shown = run_pgvigil(dsn, "sync", name.lower())
        assert shown.returncode == 1
        text += shown.stdout + shown.stderr
    assert text.count("cannot be read: ") == len(addresses)
    assert "Access denied" in text
    assert "Connection refused" in text
    assert "the address is not a URL" in text
    tables = [
        row["name"]
        for row in rows(
            here,
            "select relname as name from pg_class where relkind in ('r', 'p')"
            " and relnamespace = 'monitoring'::regnamespace",
        )
    ]
    for table in tables:
        text += str(rows(here, f"select t::text as line from monitoring.{table} as t"))
    for secret in ("7Q", "legacy-host", f"{USER}'", DATABASE, "3306"):
        assert secret not in text


def test_a_driver_that_is_missing_is_named_with_its_extra(
    here: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "raise ModuleNotFoundError(name='pymysql')"
    (tmp_path / "pymysql.py").write_text(missing)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert loaded(here).error == (
        "the module pymysql is not installed: pip install 'pgvigil[mariadb]'"
    )


def test_addresses_may_stand_in_the_file_of_the_runner(
    here: psycopg.Connection,
    dsn: str,
    proposals: MariaDB,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(proposals, 3)
    monkeypatch.delenv("ERP")
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[connections]\nERP = "{proposals.address}"\n')
    secrets.chmod(0o600)
    shown = run_pgvigil(dsn, "sync", "--secrets", str(secrets))
    assert shown.stdout.splitlines()[0] == "query erp: 3 rows"
    shown = run_pgvigil(dsn, "sync")
    assert "connection ERP is not in the environment of the runner" in shown.stdout
    shown = run_pgvigil(dsn, "doctor")
    assert "query:erp cannot be read: connection ERP is not in" in " ".join(shown.stdout.split())

"""One table of a MariaDB, read as a foreign table and through SQLAlchemy: the same comes of it."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.demo.server_binaries import installed_binaries
from pgvigil.outside.secrets import Secrets
from pgvigil.outside.sources import load
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.python.support.asking import rows, value
from tests.python.support.mariadb import DATABASE, USER, MariaDB

TABLE = (
    "create table proposals (id bigint primary key, branch varchar(20), state char(4),"
    " changed datetime, amount decimal(12,2), day date, done boolean)"
)
ROWS = (
    "insert into proposals select seq, if(seq % 100 = 0, null, concat('São Paulo ', seq % 7)),"
    " elt(seq % 4 + 1, null, '1', ' 2', 'X'), date_add('2026-01-15 10:00', interval seq second),"
    " seq / 8, date_add('2026-01-01', interval seq % 20 day), seq % 2 from seq_1_to_5000"
)
REGISTER = """
    select monitoring.register_record_source(
        %(name)s, %(name)s, %(relation)s,
        '{"record_key": ["branch", "id", "amount", "day"], "status": "state",
            "effective_at": "changed", "actor": "done", "group": "amount", "target_date": "day"}',
        '{"1": "OPEN", "2": "DONE", "": "DRAFT"}', p_time_zone => 'America/Sao_Paulo',
        p_is_complete => true
    )
"""
HISTORY = """
    select record_key, from_status, to_status, effective_at, change_source, actor, details
    from monitoring.status_history where dataset = %s order by record_key, change_id
"""


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB with proposals of another team."""
    with MariaDB() as server:
        server.execute(TABLE)
        server.execute(ROWS)
        yield server


@pytest.fixture(scope="module")
def here(mariadb: MariaDB) -> Iterator[psycopg.Connection]:
    """A server that sees them as a foreign table, too."""
    binaries = next(path for path in installed_binaries() if "/15/" in str(path))
    with disposable_server(binaries) as server:
        create_database(server, "here")
        install_pgvigil(server, "here")
        with psycopg.connect(server.dsn("here"), autocommit=True) as connection:
            connection.execute("create extension mysql_fdw")
            connection.execute(
                "create server erp foreign data wrapper mysql_fdw"
                f" options (host '127.0.0.1', port '{mariadb.port}')"
            )
            for user in ("current_user", "monitoring_admin"):
                connection.execute(
                    f"create user mapping for {user} server erp"
                    f" options (username '{USER}', password '{mariadb.password}')"
                )
            connection.execute("create schema erp")
            connection.execute(
                f"import foreign schema {DATABASE} limit to (proposals) from server erp into erp"
            )
            connection.execute("grant usage on schema erp to monitoring_admin")
            connection.execute("grant select on erp.proposals to monitoring_admin")
            connection.execute(
                "select monitoring.register_source_query('proposals', 'ERP',"
                " 'select id, branch, state, changed, amount, day, done from proposals',"
                " '{id,branch,state,changed,amount,day,done}', 'id')"
            )
            for name, relation in (("fdw", "erp.proposals"), ("sql", "query:proposals")):
                connection.execute(REGISTER, {"name": name, "relation": relation})
            yield connection


def read(here: psycopg.Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Read the table both ways; return what each found."""
    as_table = value(here, "select monitoring.sync_source('fdw')")
    (as_query,) = load(here, "proposals", Secrets(table="connections")).sources
    for found in (as_table, as_query):
        del found["source"], found["sample"]
    return as_table, as_query


def test_both_ways_come_to_the_same(
    here: psycopg.Connection, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP", mariadb.address)
    as_table, as_query = read(here)
    assert as_table == as_query
    assert (as_table["new"], as_table["bad"]) == (5000, 0)
    as_table, as_query = read(here)
    assert as_table == as_query
    assert as_table["unchanged"] == 5000

    mariadb.execute("update proposals set state = '2', changed = now() where id % 9 = 0")
    mariadb.execute("delete from proposals where id % 11 = 0")
    as_table, as_query = read(here)
    assert as_table == as_query
    assert as_table["changed"] > 300
    assert as_table["gone"] == 454

    history = {name: here.execute(HISTORY, [name]).fetchall() for name in ("fdw", "sql")}
    # A record that is gone is so since it was missed, which is later for the one than the other.
    gone = [[row for row in found if row[2] is None] for found in history.values()]
    assert [row[:2] for row in gone[0]] == [row[:2] for row in gone[1]]
    kept = [[row for row in found if row[2] is not None] for found in history.values()]
    assert kept[0] == kept[1]


def test_a_day_is_asked_for_in_the_other_database(here: psycopg.Connection) -> None:
    query = value(
        here,
        "select monitoring._query_of_records(s, '2026-01-07', now())"
        " from monitoring.sources as s where s.source_name = 'fdw'",
    )
    plan = here.execute(f"explain (verbose, costs off) {query}".encode()).fetchall()
    (remote,) = [line for (line,) in plan if "Remote query" in line]
    assert "`day` = '2026-01-07'" in remote
    found = rows(
        here,
        "select monitoring.track_all_status_changes_from_source('fdw', '2026-01-07',"
        " p_is_dry_run => true) as found",
    )
    assert 200 < found[0]["found"]["compared"] < 260


def test_a_record_that_has_become_valid_is_asked_for_in_the_other_database(
    here: psycopg.Connection, mariadb: MariaDB
) -> None:
    here.execute(
        "select monitoring.register_record_source('by id', 'ids', 'erp.proposals',"
        """ '{"record_key": "id", "status": "state"}')"""
    )
    query = value(
        here,
        "select monitoring._query_of_records(s, null, now(), '{7,none}')"
        " from monitoring.sources as s where s.source_name = 'by id'",
    )
    plan = here.execute(f"explain (verbose, costs off) {query}".encode()).fetchall()
    (remote,) = [line for (line,) in plan if "Remote query" in line]
    assert re.search(r"where.*`id`.*7", remote, re.IGNORECASE)
    value(here, "select monitoring.sync_source('by id')")
    value(here, "select monitoring.log_invalid_records('ids', '[7, 8]', 'V')")
    mariadb.execute("update proposals set state = 'late' where id in (7, 8)")
    keys = '{"keys": [7, 8]}'
    value(here, f"select monitoring.sync_invalid_records('ids', 'V', '{keys}', '[8]')")
    changed = rows(
        here,
        "select record_key, to_status from monitoring.status_history"
        " where dataset = 'ids' and change_source = 'AUTO_RESOLVE' and validation_type = ''",
    )
    assert changed == [{"record_key": "7", "to_status": "late"}]
    assert value(here, "select count(*) from monitoring.records_to_read") == 0

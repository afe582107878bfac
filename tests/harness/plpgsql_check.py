"""Looks inside every PL/pgSQL body, where neither sqlfluff nor PostgreSQL itself looks."""

from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from pgvigil.demo.server import PostgresServer
from tests.harness.errors import missing_tools

_QUERY = Path(__file__).with_name("plpgsql_check.sql")
# Trigger functions are checked against a table that uses them.
_WATCHED = """
    create schema watched;
    create table watched.records (id integer, state text);
    grant usage on schema watched to monitoring_admin;
    grant select on watched.records to monitoring_admin;
    select monitoring.attach_status_trigger('watched.records', '{id}', 'state');
"""
# What a migration of the next release may do while programs go on calling the code of this one.
MORE_COLUMNS = """
    do $$
    declare
        v_table regclass;
    begin
        for v_table in
            select c.oid::regclass from pg_class c
            where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p')
                and not c.relispartition
        loop
            execute format('alter table %s add column of_next_release text', v_table);
        end loop;
    end
    $$
"""


def find_findings(server: PostgresServer, database: str) -> tuple[int, list[str]]:
    """Return how many routines there are and what plpgsql_check says about them.

    Each is looked at twice, the second time when every table has one column more: code must go on
    between a migration that adds columns and the code that knows them.

    Raises:
        HarnessError: the server does not have plpgsql_check.
    """
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        try:
            connection.execute("create extension plpgsql_check schema tap")
        except psycopg.errors.FeatureNotSupported as error:
            raise missing_tools("plpgsql_check for this PostgreSQL") from error
        connection.execute(_WATCHED)
        row = connection.execute(
            "select count(*) from pg_proc join pg_language on pg_language.oid = prolang"
            " where pronamespace = 'monitoring'::regnamespace and lanname = 'plpgsql'"
        ).fetchone()
        assert row is not None
        findings = [_describe(found) for found in connection.execute(_QUERY.read_bytes())]
        connection.execute(MORE_COLUMNS)
        later = [_describe(found) for found in connection.execute(_QUERY.read_bytes())]
        return row[0], findings + [
            f"once tables have a column more: {found}" for found in later if found not in findings
        ]


def _describe(row: TupleRow) -> str:
    routine, line, level, finding = row
    place = routine if line is None else f"{routine} line {line}"
    return f"{place}: {level}: {finding}"

"""Code of others never runs with our rights: types, casts, views and indexes of an attacker."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.python.support.asking import rows, value

# Tells with whose rights it runs, tries to rise and to write, and is silent about failing.
EVIL = """
create function hole.evil(p_value {type}) returns {returns} language plpgsql {volatility} as $$
begin
    raise warning 'evil ran as %', current_user;
    begin execute 'alter role attacker superuser';
    exception when others then null; end;
    begin execute 'grant monitoring_admin to attacker';
    exception when others then null; end;
    begin execute 'insert into monitoring.change_sources values (''EVIL'', ''evil'')';
    exception when others then null; end;
    begin execute 'create table hole.loot as select * from monitoring.alert_rules';
    exception when others then null; end;
    return {value};
end $$
"""
OURS = "select monitoring.attach_status_trigger('hole.t', '{id}', 'state')"
RUNS = """select monitoring.register_run_source('runs', 'hole.v',
    '{"run_id": "id", "status": "state", "started_at": "at", "finished_at": "at"}',
    '{"OPEN": "completed", "A": "completed", "(OPEN)": "completed"}', 'night')"""
RECORDS = """select monitoring.register_record_source('records', 'd', 'hole.v',
    '{"record_key": "id", "status": "state"}')"""
QUEUES = """select monitoring.register_queue_source('queues', 'hole.v',
    '{"queue": "id", "status": "state"}', '{"OPEN": "pending"}')"""
SOURCES = {"runs": RUNS, "records": RECORDS, "queues": QUEUES}


def evil(type_name: str, returns: str, result: str, volatility: str = "volatile") -> str:
    """Return the statement that makes the attacker's function."""
    return EVIL.format(type=type_name, returns=returns, value=result, volatility=volatility)


@pytest.fixture
def attacker(dsn: str, connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A session of a role without any right here, with a schema of its own that all may use."""
    connection.execute("create role attacker login password 'x'")
    connection.execute("create schema hole authorization attacker")
    with psycopg.connect(
        make_conninfo(dsn, user="attacker", password="x"), autocommit=True
    ) as session:
        session.execute("grant usage on schema hole to public")
        yield session
    connection.execute("drop owned by attacker cascade")
    connection.execute("drop role attacker")


class Ears:
    """Who the attacker's code ran as, by what the sessions were told."""

    def __init__(self, *connections: psycopg.Connection) -> None:
        """Listen to connections."""
        self.heard: set[str] = set()
        for connection in connections:
            connection.add_notice_handler(self._hear)

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        message = notice.message_primary or ""
        if message.startswith("evil ran as "):
            self.heard.add(message.removeprefix("evil ran as "))


def harmless(connection: psycopg.Connection) -> bool:
    """Return whether the attacker has won nothing."""
    return (
        rows(
            connection,
            "select from pg_roles where rolname = 'attacker' and rolsuper"
            " union all select from pg_auth_members where member = 'attacker'::regrole"
            " union all select from monitoring.change_sources where change_source = 'EVIL'"
            " union all select from pg_class where relname = 'loot'",
        )
        == []
    )


def told(connection: psycopg.Connection) -> list[str]:
    """Return what was told about changes that were not recorded."""
    return [
        row[0]
        for row in connection.execute(
            "select message from monitoring.error_tracking where error_type = 'StatusTriggerFailed'"
        )
    ]


TYPES = {
    "enum with a cast": (
        "create type hole.ty as enum ('OPEN', 'DONE')",
        evil("hole.ty", "text", "'EVIL'"),
        "create cast (hole.ty as text) with function hole.evil(hole.ty) as implicit",
    ),
    "enum with an immutable cast": (
        "create type hole.ty as enum ('OPEN', 'DONE')",
        evil("integer", "text", "'EVIL'", "immutable"),
        "create function hole.cast(hole.ty) returns text language sql immutable"
        " as 'select hole.evil(1)'",
        "create cast (hole.ty as text) with function hole.cast(hole.ty) as implicit",
    ),
    "domain with a check": (
        evil("text", "boolean", "true"),
        "create domain hole.ty as text check (hole.evil(value))",
    ),
    "composite with a cast": (
        "create type hole.ty as (a text)",
        evil("hole.ty", "text", "'EVIL'"),
        "create cast (hole.ty as text) with function hole.evil(hole.ty) as implicit",
    ),
    "array of composites": (
        "create type hole.part as (a text)",
        evil("hole.part[]", "text", "'EVIL'"),
        "create cast (hole.part[] as text) with function hole.evil(hole.part[]) as implicit",
        "create domain hole.ty as hole.part[]",
    ),
    "range of its own": (
        "create type hole.ty as range (subtype = text)",
        evil("hole.ty", "text", "'EVIL'"),
        "create cast (hole.ty as text) with function hole.evil(hole.ty) as implicit",
    ),
}
VALUES = {
    "composite with a cast": ("('(OPEN)')", "('(DONE)')"),
    "array of composites": ("'{(OPEN)}'", "'{(DONE)}'"),
    "range of its own": ("'[OPEN,OPEN]'", "'[DONE,DONE]'"),
}


@pytest.mark.parametrize("column", ["id", "state"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_status_trigger_runs_no_code_of_a_type(
    kind: str, column: str, connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    for statement in TYPES[kind]:
        attacker.execute(statement.encode())
    before, after = VALUES.get(kind, ("'OPEN'", "'DONE'"))
    other = {"id": "state", "state": "id"}[column]
    attacker.execute(f"create table hole.t ({column} hole.ty, {other} text)".encode())
    attacker.execute("grant select on hole.t to monitoring_admin")
    attacker.execute(f"insert into hole.t ({column}, {other}) values ({before}, 'k')".encode())
    ears = Ears(connection, attacker)
    is_read = kind.startswith(("enum", "domain"))
    if is_read:
        connection.execute(OURS.encode())
        assert ears.heard <= {"attacker"}
    else:
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(OURS.encode())
        assert refused.value.sqlstate == "PV007"
        assert refused.value.diag.message_hint
    for statement in (
        f"update hole.t set {column} = {after}",
        f"insert into hole.t ({column}, {other}) values ({before}, 'l')",
        f"delete from hole.t where {other} = 'l'",
        "truncate hole.t",
    ):
        attacker.execute(statement.encode())
    assert ears.heard <= {"attacker"}
    assert harmless(connection)
    if is_read:
        assert value(connection, "select count(*) from monitoring.status_history") >= 3
        assert told(connection) == []


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_that_comes_later_is_not_read_and_that_is_told(
    kind: str, connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    attacker.execute("create table hole.t (id integer, state text)")
    attacker.execute("grant select on hole.t to monitoring_admin")
    connection.execute(OURS.encode())
    attacker.execute("insert into hole.t values (1, 'OPEN')")
    for statement in TYPES[kind]:
        attacker.execute(statement.encode())
    before, after = VALUES.get(kind, ("'OPEN'", "'DONE'"))
    attacker.execute(
        f"alter table hole.t alter column state type hole.ty using {before}::hole.ty".encode()
    )
    ears = Ears(connection, attacker)
    attacker.execute(f"update hole.t set state = {after}".encode())
    assert ears.heard <= {"attacker"}
    assert harmless(connection)
    assert value(connection, "select count(*) from hole.t where state is not null") == 1
    assert [message.startswith("changes of status in hole.t") for message in told(connection)] == [
        True
    ]
    # The same when the code is loaded again, which makes the functions anew.
    connection.execute("select monitoring._remake_trigger_functions()")
    attacker.execute(f"update hole.t set state = {before}".encode())
    assert ears.heard <= {"attacker"}
    assert harmless(connection)


def test_an_index_of_others_is_not_looked_at_when_a_table_is_truncated(
    connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    attacker.execute("create table hole.t (id integer, state text)")
    attacker.execute("grant select on hole.t to monitoring_admin")
    attacker.execute("insert into hole.t values (1, 'OPEN')")
    connection.execute(OURS.encode())
    attacker.execute(evil("integer", "boolean", "true", "immutable").encode())
    attacker.execute("create index on hole.t (id) where hole.evil(1)")
    ears = Ears(connection, attacker)
    attacker.execute("truncate hole.t")
    assert ears.heard <= {"attacker"}
    assert harmless(connection)
    assert len(told(connection)) == 1


VIEWS = {
    "function": (
        evil("text", "text", "p_value"),
        "create view hole.v as select '1'::text as id, hole.evil('OPEN') as state, now() as at",
    ),
    "function below another view": (
        evil("text", "text", "p_value"),
        "create view hole.w as select hole.evil('OPEN') as state",
        "create view hole.v as select '1'::text as id, state, now() as at from hole.w",
    ),
    "operator": (
        evil("text", "text", "p_value"),
        "create operator hole.!! (function = hole.evil, rightarg = text)",
        "create view hole.v as select '1'::text as id,"
        " operator(hole.!!) 'OPEN'::text as state, now() as at",
    ),
    "domain": (
        evil("text", "boolean", "true"),
        "create domain hole.ty as text check (hole.evil(value))",
        "create view hole.v as select '1'::text as id, (lower('OPEN')::hole.ty)::text as state,"
        " now() as at",
    ),
    "cast of a type": (
        *TYPES["composite with a cast"],
        "create table hole.v as select '1'::text as id, '(OPEN)'::hole.ty as state, now() as at",
    ),
    "cast of an enum": (
        *TYPES["enum with a cast"],
        "create table hole.v as select '1'::text as id, 'OPEN'::hole.ty as state, now() as at",
    ),
    "condition of an index": (
        evil("integer", "boolean", "true", "immutable"),
        "create table hole.v as select '1'::text as id, 'OPEN'::text as state, now() as at",
        "create index on hole.v (id) where hole.evil(1)",
    ),
    "policy": (
        evil("text", "boolean", "true"),
        "create table hole.v as select '1'::text as id, 'OPEN'::text as state, now() as at",
        "alter table hole.v enable row level security",
        "create policy p on hole.v using (hole.evil(id))",
    ),
}


def found_by(found: dict[str, Any]) -> int:
    """Return how many rows a reading found, of whatever kind."""
    names = ("compared", "new", "unchanged", "bad", "pending")
    return next((found[name] for name in names if found.get(name)), 0)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", VIEWS)
def test_a_source_runs_no_code_of_others_with_our_rights(
    kind: str, source: str, connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    for statement in VIEWS[kind]:
        attacker.execute(statement.encode())
    ears = Ears(connection, attacker)
    attacker.execute("grant select on hole.v to monitoring_admin")
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(SOURCES[source].encode())
    assert refused.value.sqlstate == "PV007"
    assert "to monitoring_reader" in (refused.value.diag.message_hint or "")
    assert ears.heard == set()
    attacker.execute("grant select on hole.v to monitoring_reader")
    connection.execute(SOURCES[source].encode())
    found = value(connection, f"select monitoring.sync_source('{source}')")
    assert ears.heard <= {"monitoring_reader"}
    assert harmless(connection)
    # What a policy hides is not what is not there.
    assert ("row-level security" in found.get("error", "")) == (kind == "policy")
    assert found_by(found) == (kind != "policy")


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_becomes_one_of_others_is_read_without_our_rights(
    source: str, connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    attacker.execute(
        "create view hole.v as select '1'::text as id, 'OPEN'::text as state, now() as at"
    )
    attacker.execute("grant select on hole.v to monitoring_reader")
    connection.execute(SOURCES[source].encode())
    attacker.execute(evil("text", "text", "p_value").encode())
    attacker.execute(
        "create or replace view hole.v as"
        " select '1'::text as id, hole.evil('OPEN') as state, now() as at"
    )
    ears = Ears(connection, attacker)
    (found,) = value(connection, "select monitoring.sync_sources()")
    assert found_by(found) == 1
    assert ears.heard == {"monitoring_reader"}
    assert harmless(connection)


@pytest.fixture
def far(connection: psycopg.Connection, attacker: psycopg.Connection) -> None:
    """A server on which the attacker may make foreign tables; our owner is known there."""
    info = connection.info
    connection.execute("create table public.v (id text, state text, at timestamptz)")
    connection.execute("insert into public.v values ('1', 'OPEN', now())")
    connection.execute("create extension postgres_fdw")
    connection.execute(
        "create server far foreign data wrapper postgres_fdw options"
        f" (host '{info.host}', port '{info.port}', dbname '{info.dbname}')"
    )
    connection.execute(
        "create user mapping for monitoring_admin server far options"
        f" (user '{info.user}', password '{info.password}')"
    )
    connection.execute("grant usage on foreign server far to attacker")
    attacker.execute(
        "create foreign table hole.v (id text, state text, at timestamptz) server far"
        " options (schema_name 'public', table_name 'v')"
    )
    attacker.execute("grant select on hole.v to monitoring_admin")


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("source", SOURCES)
def test_a_foreign_table_is_read_as_our_owner_while_no_code_of_others_is_in_it(
    source: str, connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    connection.execute(SOURCES[source].encode())
    assert found_by(value(connection, f"select monitoring.sync_source('{source}')")) == 1
    for statement in TYPES["domain with a check"]:
        attacker.execute(statement.encode())
    attacker.execute("alter foreign table hole.v alter column state type hole.ty")
    ears = Ears(connection, attacker)
    found = value(connection, f"select monitoring.sync_source('{source}')")
    assert "code of others" in found["error"]
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(SOURCES[source].encode())
    assert refused.value.sqlstate == "PV007"
    assert ears.heard == set()
    assert harmless(connection)


def test_what_a_source_leaves_to_its_session_goes(
    connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    attacker.execute(
        "create function hole.hold() returns text language sql as"
        " 'select ''OPEN'' from (select pg_advisory_lock(4711) offset 0) l'"
    )
    attacker.execute(
        "create view hole.v as select '1'::text as id, hole.hold() as state, now() as at"
    )
    attacker.execute("grant select on hole.v to monitoring_reader")
    connection.execute(RECORDS.encode())
    connection.execute("select monitoring.sync_source('records')")
    held = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711"
    assert value(connection, held) == 0


def test_a_job_calls_no_function_of_others(
    connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    attacker.execute(evil("integer default 1", "integer", "1").encode())
    schedule = "select monitoring.define_job('night', '1 hour', 'hole.evil')"
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(schedule)
    assert refused.value.sqlstate == "PV007"
    assert refused.value.diag.message_hint

    # One that was ours when it was scheduled.
    connection.execute("alter function hole.evil owner to monitoring_admin")
    connection.execute(schedule)
    connection.execute("alter function hole.evil owner to attacker")
    ears = Ears(connection, attacker)
    connection.execute("call monitoring.run_due_jobs()")
    error = value(connection, "select last_error from monitoring.v_jobs where job_name = 'night'")
    assert "belongs to attacker" in error
    assert ears.heard == set()
    assert harmless(connection)


def test_readers_who_alter_what_reads_for_us_do_not_rise(
    connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    """The functions belong to the readers, so each of them may alter them."""
    connection.execute("grant monitoring_reader to attacker")
    attacker.execute(evil("text", "text", "p_value").encode())
    attacker.execute(
        "create view hole.v as select '1'::text as id, hole.evil('OPEN') as state, now() as at"
    )
    attacker.execute("grant select on hole.v to monitoring_reader")
    connection.execute(RECORDS.encode())
    connection.execute(
        "select monitoring.create_alert_rule('evil',"
        " 'select hole.evil(state) as fingerprint, 1 as value from hole.v', '{\"low\": 0}')"
    )
    for kind in ("bool", "jsonb", "text"):
        attacker.execute(f"create domain hole.{kind} as text check (hole.evil(value) = value)")
    attacker.execute(
        "create function hole.differs(text, text) returns boolean language sql as"
        " 'select hole.evil($1) is null'"
    )
    attacker.execute(
        "create operator hole.<> (function = hole.differs, leftarg = text, rightarg = text)"
    )
    for function in (
        "monitoring._run_rule_query(pg_catalog.text, pg_catalog.text, integer, pg_catalog.text)",
        "monitoring._rows_as_reader(pg_catalog.text)",
    ):
        attacker.execute(f"alter function {function} security invoker".encode())
        attacker.execute(f"alter function {function} set search_path = hole, pg_catalog".encode())
    ears = Ears(connection, attacker)
    found = value(connection, "select monitoring.sync_source('records')")
    assert "error" in found
    connection.execute("select monitoring.evaluate_alerts()")
    state = "select last_error from monitoring.alert_rule_states where rule_name = 'evil'"
    assert "another role" in value(connection, state)
    assert ears.heard <= {"attacker", "monitoring_reader"}
    connection.execute("revoke monitoring_reader from attacker")
    assert harmless(connection)


def test_what_was_adopted_runs_as_monitoring_reader(
    connection: psycopg.Connection, attacker: psycopg.Connection
) -> None:
    """A view that looks like the table of a queue, with a function behind each of its columns."""
    attacker.execute(evil("text", "text", "p_value").encode())
    attacker.execute("create view hole.jobs as select hole.evil('mail') as queue")
    attacker.execute("grant select on hole.jobs to public")
    connection.execute(
        """select monitoring.define_adapter('fake', 'a trap', '{"jobs": ["queue"]}', $$
                select j.queue as run_id, j.queue, j.queue as task_type, 'done' as status,
                    null as started_at, now() as finished_at, null as attempt,
                    null as max_attempts, null as error_message
                from {schema}.jobs as j $$, '{"done": "completed"}', $$
                select j.queue, 1 as pending, 0 as processing, null as completed, null as failed,
                    null::timestamptz as oldest_ready_at
                from {schema}.jobs as j $$)"""
    )
    ears = Ears(connection)
    assert value(connection, "select monitoring.adopt('fake')")["is_adopted"] is True
    for source, found in (("fake", "new"), ("fake_queues", "pending")):
        assert value(connection, f"select monitoring.sync_source('{source}')")[found] == 1
    assert ears.heard == {"monitoring_reader"}
    assert harmless(connection)

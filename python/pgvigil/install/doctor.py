"""Checks of an installation and of what it stands on; each names its remedy."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from pgvigil.database.connections import connect, current_role
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.pooling import HINT, is_pooled, shares_sessions
from pgvigil.database.words import count_of, length_of_time
from pgvigil.exceptions import PgvigilError
from pgvigil.install.grants import ROLES
from pgvigil.install.session import OLDEST_SERVER
from pgvigil.install.status import Status, read_status
from pgvigil.install.yoyo_runner import find_schema

Level = Literal["ok", "warn", "fail"]
_LARGEST_SKEW_SECONDS = 2.0
_DAYS_AHEAD_WANTED = 2
_MANY_PARTITIONS = 150
# Logins that may read, but no superusers, and whether statements of theirs may be compiled here.
_COMPILING_READERS = """
select quote_ident(r.rolname)
from pg_roles as r
where r.rolcanlogin and not r.rolsuper
    and exists (
        select from pg_roles as m
        where m.rolname in ('monitoring_reader', 'monitoring_operator')
            and pg_has_role(r.oid, m.oid, 'member')
    )
    -- Those who install and keep pgvigil are no dashboards.
    and not exists (
        select from pg_roles as m
        where m.rolname = 'monitoring_admin' and pg_has_role(r.oid, m.oid, 'member')
    )
    and coalesce(
        (
            select split_part(c.setting, '=', 2)
            from pg_db_role_setting as s
            cross join unnest(s.setconfig) as c (setting)
            where c.setting like 'jit=%' and s.setrole in (0, r.oid)
                and s.setdatabase in (
                    0, (select d.oid from pg_database as d where d.datname = current_database())
                )
            order by s.setrole desc, s.setdatabase desc
            limit 1
        ),
        (
            select case when source in ('default', 'configuration file') then setting else 'on' end
            from pg_settings where name = 'jit'
        )
    )::boolean
order by r.rolname
"""
_SCHEDULE = "Keep a scheduler going: pgvigil run, or pg_cron (see docs/scheduler.md)."


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    name: str
    level: Level
    finding: str
    remedy: str | None = None
    """What to do; None when all is well."""


def examine(dsn: str) -> Iterator[Check]:
    """Run all checks that make sense, in order; those that need an installation come last.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
    """
    try:
        connection = connect(dsn)
    except (psycopg.OperationalError, PgvigilError) as error:
        remedy = getattr(error, "hint", None) or "Check --dsn, server and network."
        yield Check("connection", "fail", str(error).strip(), remedy)
        return
    with connection:
        info = connection.info
        yield Check("connection", "ok", f"{info.dbname} as {current_role(connection)}")
        if is_pooled(connection):
            yield _pooler(dsn)
        server = [check(connection) for check in _SERVER_CHECKS]
        yield from server
        if server[0].level == "ok":
            yield from _examine_installation(connection)


def _examine_installation(connection: psycopg.Connection) -> Iterator[Check]:
    try:
        status = read_status(connection)
    except PgvigilError as error:
        yield Check("installed", "fail", str(error), error.hint)
        return
    if not status.installed:
        yield Check("installed", "fail", "pgvigil is not in this database", "pgvigil migrate")
        yield _may_create(connection)
        return
    yield Check("installed", "ok", f"pgvigil {status.version or 'tables only'}")
    for check in _TABLE_CHECKS if status.code == "missing" else _STATUS_CHECKS:
        yield check(status)
    yield from _roles_of_others(connection)
    yield _membership(connection)
    yield _search_path(connection)
    yield _lock_table(connection)
    yield _compiling(connection)
    if status.code != "missing":
        yield _own_rules(connection)
        yield _scheduler(connection)
        yield from _superusers(connection)
        yield from _sources(connection)


def _pooler(dsn: str) -> Check:
    if shares_sessions(complete_dsn(dsn)):
        finding = "there is one in transaction mode; migrate, run and sync refuse it"
        return Check("pooler", "warn", finding, HINT)
    return Check("pooler", "ok", "there is one in session mode")


def _version(connection: psycopg.Connection) -> Check:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        return Check("server", "fail", f"PostgreSQL {version // 10000}", "Use 15 or newer.")
    return Check("server", "ok", f"PostgreSQL {version // 10000}.{version % 10000}")


def _writable(connection: psycopg.Connection) -> Check:
    if _one(connection, "select pg_is_in_recovery()"):
        return Check("writable", "fail", "this is a standby", "Connect to the primary.")
    if _one(connection, "select current_setting('transaction_read_only')::boolean"):
        return Check(
            "writable",
            "fail",
            "transactions are read-only here",
            "Unset default_transaction_read_only for this role and database.",
        )
    return Check("writable", "ok", "the database accepts changes")


def _encoding(connection: psycopg.Connection) -> Check:
    encoding = _one(connection, "select current_setting('server_encoding')")
    if encoding != "UTF8":
        remedy = "Use a database with encoding UTF8: others cannot hold every text sent to them."
        return Check("encoding", "warn", str(encoding), remedy)
    return Check("encoding", "ok", "UTF8")


def _clock(connection: psycopg.Connection) -> Check:
    before = time.time()
    server: datetime = _one(connection, "select clock_timestamp()")
    after = time.time()
    # The server looked at its clock at some moment between the two.
    skew = server.timestamp() - (before + after) / 2
    zone = _one(connection, "select current_setting('TimeZone')")
    if _one(connection, "select nullif(current_setting('monitoring.now', true), '')"):
        remedy = "Reset monitoring.now: it is for tests, and stops pgvigil's clock."
        return Check("clock", "fail", "monitoring.now is set", remedy)
    if abs(skew) > _LARGEST_SKEW_SECONDS + (after - before) / 2:
        here = datetime.now(UTC).isoformat(timespec="seconds")
        side = "ahead of" if skew > 0 else "behind"
        finding = f"{length_of_time(abs(skew))} {side} this machine's clock ({here})"
        return Check("clock", "warn", finding, "Synchronise both clocks with NTP.")
    return Check("clock", "ok", f"agrees with this machine; time zone {zone}, days are UTC days")


_SERVER_CHECKS: tuple[Callable[[psycopg.Connection], Check], ...] = (
    _version,
    _writable,
    _encoding,
    _clock,
)


def _may_create(connection: psycopg.Connection) -> Check:
    if not _one(connection, "select has_database_privilege(current_database(), 'create')"):
        remedy = f"grant create on database {connection.info.dbname} to {connection.info.user};"
        return Check("rights", "fail", "you may not create schemas here", remedy)
    try:
        schema = find_schema(connection)
    except PgvigilError as error:
        return Check("rights", "fail", str(error), error.hint)
    if not _one(
        connection, "select rolcreaterole or rolsuper from pg_roles where rolname = current_user"
    ):
        remedy = f"Install, or have an administrator create first: {', '.join(ROLES)}."
        return Check("rights", "warn", "you may install, but not create roles", remedy)
    return Check("rights", "ok", f"you may install; yoyo's tables go into schema {schema}")


def _migrations(status: Status) -> Check:
    if status.unknown:
        finding = f"the database is newer: {', '.join(status.unknown)}"
        return Check("migrations", "fail", finding, "Upgrade the pgvigil package.")
    if status.pending:
        finding = f"pending: {', '.join(status.pending)}"
        return Check("migrations", "fail", finding, "pgvigil migrate")
    return Check("migrations", "ok", f"all {len(status.applied)} applied")


def _code(status: Status) -> Check:
    if status.code == "current":
        return Check("code", "ok", f"functions and views of {status.version}")
    if status.code == "unknown":
        finding = "loaded by plain psql, so not compared with this package"
        return Check("code", "warn", finding, "pgvigil migrate")
    finding = "there is none" if status.code == "missing" else "not this version's"
    return Check("code", "fail", finding, "pgvigil migrate")


def _roles(status: Status) -> Check:
    if status.missing_roles:
        create = " ".join(f"create role {role};" for role in status.missing_roles)
        finding = f"missing: {', '.join(status.missing_roles)}"
        return Check(
            "roles", "warn", finding, f"As an administrator: {create} Then: pgvigil migrate"
        )
    return Check("roles", "ok", "all four are there")


def _grants(status: Status) -> Check:
    if status.grants_are_stale:
        finding = "a role was created, or you joined the admins, after the grants were made"
        return Check("grants", "warn", finding, "pgvigil migrate")
    return Check("grants", "ok", "made for every role")


def _partitions(status: Status) -> Check:
    if not status.partitions:
        return Check("partitions", "fail", "no table has any", "pgvigil migrate")
    ahead = min(-1 if entry.days_ahead is None else entry.days_ahead for entry in status.partitions)
    remedy = f"{_SCHEDULE} At once: select monitoring.ensure_partitions();"
    if ahead < 0:
        finding = "some table has none for today; the next record waits until it is created"
        return Check("partitions", "warn", finding, remedy)
    if ahead < _DAYS_AHEAD_WANTED:
        return Check("partitions", "warn", f"made only {count_of(ahead, 'day')} ahead", remedy)
    return Check("partitions", "ok", f"made {count_of(ahead, 'day')} ahead")


_TABLE_CHECKS: tuple[Callable[[Status], Check], ...] = (_migrations, _code)
_STATUS_CHECKS: tuple[Callable[[Status], Check], ...] = (
    *_TABLE_CHECKS,
    _roles,
    _grants,
    _partitions,
)


def _roles_of_others(connection: psycopg.Connection) -> Iterator[Check]:
    """Say which of the roles are not as an installer makes them."""
    for (role,) in connection.execute(
        "select rolname from pg_roles where rolname = any (%s) and (rolcanlogin or rolsuper"
        " or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls) order by rolname",
        [list(ROLES)],
    ):
        finding = f"{role} may log in, or is more than a plain role"
        remedy = (
            f"Unless it belongs to something else: alter role {role} nologin nosuperuser "
            "nocreaterole nocreatedb noreplication nobypassrls;"
        )
        yield Check("roles", "warn", finding, remedy)


def _membership(connection: psycopg.Connection) -> Check:
    rows = connection.execute(
        "select rolname from pg_roles"
        " where rolname = any (%s) and pg_has_role(oid, 'usage') order by rolname",
        [list(ROLES)],
    ).fetchall()
    if _one(connection, "select rolsuper from pg_roles where rolname = current_user"):
        return Check("membership", "ok", "you are a superuser")
    if not rows:
        remedy = f"grant monitoring_reader, monitoring_writer to {current_role(connection)};"
        return Check("membership", "warn", "you belong to none of the four roles", remedy)
    return Check("membership", "ok", f"you belong to {', '.join(row[0] for row in rows)}")


def _search_path(connection: psycopg.Connection) -> Check:
    if _one(connection, "select 'monitoring' = any (current_schemas(false))"):
        return Check("search path", "ok", "plain names work")
    remedy = (
        f"If you like: alter role {current_role(connection)} set search_path = "
        '"$user", public, monitoring;'
    )
    return Check("search path", "ok", "names need the prefix monitoring.", remedy)


def _lock_table(connection: psycopg.Connection) -> Check:
    """Compare the lock table with a statement that reads all of the history, index by index."""
    slots = int(
        _one(
            connection,
            "select current_setting('max_locks_per_transaction')::integer"
            " * (current_setting('max_connections')::integer"
            " + current_setting('max_prepared_transactions')::integer)",
        )
    )
    relations = int(
        _one(
            connection,
            "select count(*) from pg_class where relnamespace = 'monitoring'::regnamespace"
            " and relkind in ('r', 'p', 'i', 'I')",
        )
    )
    finding = f"room for {slots} locks; all of the tables and indexes are {relations}"
    if relations * 4 > slots:
        remedy = "Raise max_locks_per_transaction, or keep fewer days."
        return Check("lock table", "warn", finding, remedy)
    return Check("lock table", "ok", finding)


def _compiling(connection: psycopg.Connection) -> Check:
    """Name the logins whose queries over a long history may be compiled, which takes seconds."""
    partitions = int(
        _one(
            connection,
            "select count(*) from pg_class where relnamespace = 'monitoring'::regnamespace"
            " and relkind = 'r' and relispartition",
        )
    )
    readers = [name for (name,) in connection.execute(_COMPILING_READERS)]
    if partitions <= _MANY_PARTITIONS or not readers:
        return Check("jit", "ok", f"does not slow down reading {count_of(partitions, 'partition')}")
    finding = f"queries of {', '.join(readers)} over many days may be compiled, which takes seconds"
    remedy = " ".join(f"alter role {name} set jit = off;" for name in readers)
    return Check("jit", "warn", finding, remedy)


def _own_rules(connection: psycopg.Connection) -> Check:
    """Say with whose rights the queries of own rules run; they can only read in any case."""
    owner = _one(
        connection,
        "select max(proowner::regrole::text) from pg_proc"
        " where pronamespace = 'monitoring'::regnamespace and proname = '_run_rule_query'",
    )
    if owner is None:
        return Check("own rules", "fail", "this database has no alert rules yet", "pgvigil migrate")
    if owner != "monitoring_reader":
        finding = f"their queries only read, but with the rights of {owner}"
        remedy = "As an administrator: grant monitoring_reader to monitoring_admin; Then, as the "
        return Check("own rules", "warn", finding, f"{remedy}owner of the schema: pgvigil migrate")
    return Check("own rules", "ok", "their queries only read, with the rights of monitoring_reader")


def _superusers(connection: psycopg.Connection) -> Iterator[Check]:
    """Say when superusers run code that others may change."""
    owner = _one(
        connection,
        "select max(r.rolname) from pg_proc p join pg_roles r on r.oid = p.proowner"
        " where p.oid = to_regprocedure('monitoring.self_check()') and not r.rolsuper",
    )
    if owner is None:
        return
    found = [
        "select a.usename from pg_stat_activity a join pg_roles r on r.oid = a.usesysid"
        " where r.rolsuper and a.datname = current_database()"
        " and a.application_name = 'pgvigil runner'"
    ]
    if _one(connection, "select has_table_privilege(to_regclass('cron.job'), 'select')"):
        found.append(
            "select j.username from cron.job j join pg_roles r on r.rolname = j.username"
            " where r.rolsuper and j.database = current_database()"
            " and j.command like '%monitoring.run_due_jobs%'"
        )
    names = _one(connection, f"select string_agg(n, ', ') from ({' union '.join(found)}) f (n)")
    if names:
        finding = (
            f"jobs are run as superuser {names}, whom members of {owner} could make do anything"
        )
        remedy = f"Run them as a role in {owner} that is not a superuser."
        yield Check("superusers", "warn", finding, remedy)


def _scheduler(connection: psycopg.Connection) -> Check:
    """Say whether jobs are run and complete; what runs them may be on any machine."""
    if not _one(connection, "select to_regprocedure('monitoring.self_check()') is not null"):
        return Check("scheduler", "fail", "this database has no jobs yet", "pgvigil migrate")
    found = {
        name: (status, detail)
        for name, status, detail in connection.execute(
            "select check_name, status, detail from monitoring.self_check()"
        )
    }
    status, detail = found["scheduler"]
    if status != "ok":
        return Check("scheduler", "warn", f"nothing runs the jobs: {detail}", _SCHEDULE)
    troubled = [name for name, (status, _) in found.items() if status != "ok"]
    if troubled:
        finding = f"{', '.join(troubled)}: in trouble"
        return Check("scheduler", "warn", finding, "select * from monitoring.self_check();")
    return Check("scheduler", "ok", detail)


def _sources(connection: psycopg.Connection) -> Iterator[Check]:
    """Say which sources cannot be read; where there are none, or all can be, nothing."""
    view = "monitoring.v_source_troubles"
    if not _one(
        connection,
        f"select coalesce(has_table_privilege(to_regclass('{view}'), 'select'), false)",
    ):
        return
    for source, message in connection.execute(
        f"select source_name, message from {view}"
        " where trouble = 'unreadable' and ended_at is null order by source_name"
    ):
        remedy = f"Fix it, then run: pgvigil sync {source.removeprefix('query:')}"
        yield Check("sources", "warn", f"{source} {message}", remedy)


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, query
    return row[0]

"""The whole installation as one file for psql, which needs neither Python nor this package."""

from collections.abc import Iterator, Sequence

from pgvigil import __version__
from pgvigil.database.words import length_of_time
from pgvigil.install.files import Code, Migration, read_migrations
from pgvigil.install.grants import STALE
from pgvigil.install.loader import SEARCH_PATH
from pgvigil.install.ours import only_ours
from pgvigil.install.session import (
    BOOK,
    HOLDERS,
    LOCK_KEY,
    LOCK_MODE,
    OLDEST_SERVER,
    SECONDS_TO_WAIT,
)

_HEADER = """\
-- pgvigil {version}, all of it in one file: tables, functions, views and grants.
--
-- Run it in the database to be watched, as its owner or as anyone who may create schemas there:
--
--     psql -v ON_ERROR_STOP=1 -1 -f pgvigil.sql
--
-- It installs, and it upgrades an earlier version however that came in; what is there already is
-- passed over, so that running it again changes nothing. All or nothing: it is one transaction.
-- It needs PostgreSQL 15 or newer and psql 14 or newer, but no superuser and no extension.
-- Roles that came later get their grants when it runs again; to load the functions and views in
-- any case, add -v reload=1. Made by `pgvigil sql`; do not edit.
"""

# Without -1 the file makes its own transaction; in one, now() is older than the statement.
_BEGIN = """\
\\set ON_ERROR_STOP on
\\set pgvigil_quiet :QUIET
\\set QUIET on
\\encoding UTF8
select now() = statement_timestamp() as pgvigil_alone \\gset
\\if :pgvigil_alone
begin;
\\endif
select set_config('search_path', '{search_path}', true) as pgvigil_path \\gset
set local standard_conforming_strings = on;

"""

_CHECKS = """\
do $$
begin
    if current_setting('server_version_num')::integer < {oldest} then
        raise exception 'the server is PostgreSQL %', current_setting('server_version')
            using hint = 'pgvigil needs PostgreSQL 15 or newer.';
    end if;
end
$$;

-- The lock that keeps installers apart: of the book, which only they can lock, as soon as there is
-- one. No wait is longer than {seconds} s.
do $$
declare
    v_has_book constant text :=
        'select exists (select from pg_catalog.pg_tables '
        'where schemaname = ''monitoring'' and tablename = ''installed_migrations'')';
    v_limit text := current_setting('lock_timeout');
    v_is_there boolean;
    v_holders text;
begin
    perform set_config('lock_timeout', '{seconds}s', true);
    execute v_has_book into v_is_there;
    if not v_is_there then
        perform pg_advisory_xact_lock({lock_key});
        execute v_has_book into v_is_there;
    end if;
    if v_is_there then
        lock table {book} in {lock_mode} mode;
    end if;
    -- For what is made anew as well: readers queue up behind one who waits.
    perform set_config(
        'lock_timeout', case v_limit when '0' then '{seconds}s' else v_limit end, true
    );
exception
    when insufficient_privilege then
        -- Whoever may not lock it may not write into it either, and is told so below.
        null;
    when lock_not_available then
        select string_agg(format(
            'process %s of %s (%s, %s)', h.pid, h.usename,
            coalesce(nullif(h.application_name, ''), 'no application name'), h.state
        ), ', ')
        into v_holders
        from ({holders}) h;
        raise exception using
            errcode = 'lock_not_available',
            message = format(
                '%s has held the installation lock for {longest}',
                coalesce(v_holders, 'another session')
            ),
            hint = 'Wait for it to finish, or end it: select pg_terminate_backend(<process>);';
end
$$;

{only_ours}

do $$
declare
    v_unknown text;
    v_first text;
begin
    if to_regclass('monitoring.installed_migrations') is null then
        return;
    end if;
    select string_agg(migration_id, ', ' order by migration_id), min(migration_id)
    into v_unknown, v_first
    from monitoring.installed_migrations
    where migration_id not in (
        {known}
    );
    if v_first < '{newest}' then
        raise exception 'this database was installed from an unreleased state of pgvigil: it has %',
            v_first
            using hint = 'It cannot be upgraded. Drop schema monitoring, and run this again.';
    end if;
    if v_unknown is not null then
        raise exception 'this database is newer than this file: it has %', v_unknown
            using hint = 'Use the file of the newer version.';
    end if;
end
$$;
"""

_FIRST_MIGRATION = """\
select to_regclass('monitoring.installed_migrations') is null as pgvigil_pending \\gset
"""

_MIGRATION = """\
select not exists (
    select from monitoring.installed_migrations where migration_id = '{id}'
) as pgvigil_pending \\gset
"""

_CODE = """\
select
    :{{?reload}}
    or not exists (select from monitoring.installed_code where checksum = '{checksum}')
    or {stale}
    as pgvigil_load_code \\gset
\\if :pgvigil_load_code
"""

_EPILOGUE = """\
do $$
begin
    perform monitoring.note_code_checksum(p_checksum => '{checksum}');
end
$$;
\\echo 'pgvigil {version} is installed'
\\else
\\echo 'pgvigil {version} is installed already'
\\endif
\\if :pgvigil_alone
commit;
\\endif
\\set QUIET :pgvigil_quiet
"""


def single_file(migrations: Sequence[Migration] | None = None, code: Code | None = None) -> str:
    """Return the text of the file.

    Args:
        migrations: the migrations to put in, in order; those of the package when None.
        code: the functions, views and grants; those of the package when None.

    Raises:
        InstallError: the package's files are not what was released.
    """
    return "".join(_parts(migrations or read_migrations(), code or Code()))


def checks_of(migrations: Sequence[Migration]) -> str:
    """Return the statements that refuse what cannot be installed, and take the lock.

    Args:
        migrations: all that are known to what is to be installed.
    """
    return _CHECKS.format(
        oldest=OLDEST_SERVER,
        lock_key=LOCK_KEY,
        lock_mode=LOCK_MODE,
        book=BOOK,
        seconds=SECONDS_TO_WAIT,
        longest=length_of_time(SECONDS_TO_WAIT),
        holders=HOLDERS.strip().replace("\n", "\n            "),
        only_ours=only_ours(migrations),
        newest=migrations[-1].migration_id,
        known=",\n        ".join(f"'{migration.migration_id}'" for migration in migrations),
    )


def _parts(migrations: Sequence[Migration], code: Code) -> Iterator[str]:
    yield _HEADER.format(version=__version__)
    yield _BEGIN.format(search_path=SEARCH_PATH)
    yield checks_of(migrations)
    guard = _FIRST_MIGRATION
    for migration in migrations:
        yield _title(f"migrations/{migration.path.name}")
        yield guard.format(id=migration.migration_id)
        yield f"\\if :pgvigil_pending\n{_text(migration)}"
        yield f"\\echo 'applied {migration.migration_id}'\n\\endif\n"
        guard = _MIGRATION
    yield _title("code")
    yield _CODE.format(checksum=code.checksum, stale=STALE.replace("\n", "\n    "))
    for file in code.files:
        yield f"{_title(f'sql/{file.name}')}{file.text.rstrip()}\n"
    yield _title("the end")
    yield _EPILOGUE.format(version=__version__, checksum=code.checksum)


def _text(migration: Migration) -> str:
    return migration.path.read_text(encoding="utf-8").rstrip() + "\n"


def _title(name: str) -> str:
    return f"\n-- ---------- {name} ----------\n\n"

"""The installation as the script of an extension, which holds one function that installs.

What an extension creates belongs to it: pg_dump writes none of it, nor its rows, and only the
extension may change or drop it. Tables that people fill, and to which a scheduler adds partitions
every day, must not be lost like that. So the extension brings the installer alone, and what that
creates is what the single file creates, and belongs to nobody but its owner.
"""

from collections.abc import Iterator, Sequence

from pgvigil import __version__
from pgvigil.exceptions import InstallError
from pgvigil.install.bundle import checks_of
from pgvigil.install.files import Code, Migration, read_migrations
from pgvigil.install.grants import STALE
from pgvigil.install.loader import SEARCH_PATH
from pgvigil.install.session import SECONDS_TO_WAIT

_QUOTE = "$pgvigil_part$"
_BODY_QUOTE = "$pgvigil_install$"

_HEADER = """\
-- pgvigil {version}: the function pgvigil_install(), which installs pgvigil in the database and
-- upgrades an earlier version, however that came in:
--
--     create extension pgvigil;
--     select pgvigil_install();
--
-- It does with the rights of its caller what the caller could do without it, so everybody may call
-- it. What it installs does not belong to the extension, so that dumps have it with all its rows,
-- and drop extension pgvigil leaves it. Made by `pgvigil sql --extension`; do not edit.

create or replace function pgvigil_install(p_reload boolean default false)
returns text
language plpgsql
volatile
set search_path = {search_path}
set standard_conforming_strings = on
set lock_timeout = '{limit}'
as {body_quote}
begin
"""

_MIGRATION = """
if not exists (
    select from monitoring.installed_migrations where migration_id = '{id}'
) then
"""

_CODE = """
if not p_reload
    and exists (select from monitoring.installed_code where checksum = '{checksum}')
    and not ({stale})
then
    return 'pgvigil {version} is installed already';
end if;
"""

_FOOTER = """
perform monitoring.note_code_checksum(p_checksum => '{checksum}');
return 'pgvigil {version} is installed';
end
{body_quote};

comment on function pgvigil_install(boolean) is
'Installs pgvigil {version} in this database or upgrades an earlier version; run again it changes '
'nothing unless functions and views are to be loaded in any case.';
"""


def extension_script(
    migrations: Sequence[Migration] | None = None, code: Code | None = None
) -> str:
    """Return the text of the script, which is the same for new databases and for updates.

    Args:
        migrations: the migrations to put in, in order; those of the package when None.
        code: the functions, views and grants; those of the package when None.

    Raises:
        InstallError: the package's files are not what was released.
    """
    return "".join(_parts(migrations or read_migrations(), code or Code()))


def _parts(migrations: Sequence[Migration], code: Code) -> Iterator[str]:
    yield _HEADER.format(
        version=__version__,
        search_path=SEARCH_PATH,
        limit=f"{SECONDS_TO_WAIT}s",
        body_quote=_BODY_QUOTE,
    )
    yield _execute("what cannot be installed", checks_of(migrations))
    guard = "\nif to_regclass('monitoring.installed_migrations') is null then\n"
    for migration in migrations:
        yield guard.format(id=migration.migration_id)
        text = migration.path.read_text(encoding="utf-8")
        yield _execute(f"migrations/{migration.path.name}", text)
        yield f"raise notice 'applied {migration.migration_id}';\nend if;\n"
        guard = _MIGRATION
    yield _CODE.format(version=__version__, checksum=code.checksum, stale=STALE)
    for file in code.files:
        yield _execute(f"sql/{file.name}", file.text)
    yield _FOOTER.format(version=__version__, checksum=code.checksum, body_quote=_BODY_QUOTE)


def _execute(name: str, text: str) -> str:
    for quote in (_QUOTE, _BODY_QUOTE):
        if quote in text:
            raise InstallError(f"{name} contains {quote}, which quotes it here")
    # In the place of its name for create extension, which looks for it everywhere.
    if "@extschema" in text or "MODULE_PATHNAME" in text:
        raise InstallError(f"{name} contains a word that extensions replace")
    return f"\n-- {name}\nexecute {_QUOTE}\n{text.strip()}\n{_QUOTE};\n"

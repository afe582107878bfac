"""Writes docs/sql-api.md and lists of docs/security.md from the catalogue."""

import re
from collections.abc import Iterator

import psycopg

HEAD = """\
# SQL reference

Made from `COMMENT ON` by `make docs`; a test keeps it fresh. Everything is in schema `monitoring`.
A parameter shown with `default` may be left out. What is refused, and with which SQLSTATE:
[errors.md](errors.md).
"""

SECTIONS = {
    "For programs that record (role `monitoring_writer`)": "monitoring_writer",
    "For people who read (role `monitoring_reader`)": "monitoring_reader",
    "For people who decide (role `monitoring_operator`)": "monitoring_operator",
    "For upkeep (role `monitoring_admin`)": "monitoring_admin",
    "For runners and installers only (role `monitoring_admin`)": "monitoring_admin",
}
"""Heading of a section, and the role whose functions it lists unless an earlier one did."""

FOR_PROGRAMS = ("For runners", "For installers")
"""How the comment of a function begins that only they call."""

FUNCTIONS = """
    select p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
        obj_description(p.oid, 'pg_proc')
    from pg_proc p
    where p.pronamespace = 'monitoring'::regnamespace
        and p.proname not like '\\_%%'
        and has_function_privilege(%(role)s, p.oid, 'execute')
    order by p.proname, pg_get_function_arguments(p.oid)
"""

ROLES = {
    "monitoring_reader": (),
    "monitoring_writer": (),
    "monitoring_operator": ("monitoring_reader",),
    "monitoring_admin": ("monitoring_reader", "monitoring_writer", "monitoring_operator"),
}
"""A role whose functions are listed, and those whose functions are not listed again."""

GRANTED = """
    select distinct p.proname
    from pg_proc p
    where p.pronamespace = 'monitoring'::regnamespace
        and p.proname !~ '^_'
        and has_function_privilege(%(role)s, p.oid, 'execute')
"""

VIEWS = """
    select c.relname, obj_description(c.oid, 'pg_class')
    from pg_class c
    where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v'
    order by c.relname
"""

COLUMNS = """
    select a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)
    from pg_attribute a
    where a.attrelid = ('monitoring.' || %(view)s)::regclass and a.attnum > 0
    order by a.attnum
"""


def render(connection: psycopg.Connection) -> str:
    """Render the reference of the pgvigil that is installed in a database."""
    return "\n".join((HEAD, *_functions(connection), *_views(connection)))


def with_lists_of_roles(document: str, connection: psycopg.Connection) -> str:
    """Return a document with the list below the heading of each role written anew."""
    granted = {
        role: {name for (name,) in connection.execute(GRANTED, {"role": role})} for role in ROLES
    }
    for role, others in ROLES.items():
        own = granted[role].difference(*(granted[other] for other in others))
        names = ", ".join(f"`{name}`" for name in sorted(own))
        heading = rf"(?ms)(^### {role}\b[^\n]*\n\n).*?\.\n\n"
        document, found = re.subn(heading, rf"\g<1>{names}.\n\n", document)
        assert found == 1, role
    return document


def _functions(connection: psycopg.Connection) -> Iterator[str]:
    told: list[tuple[str, str]] = []
    for heading, role in SECTIONS.items():
        yield f"## {heading}\n"
        is_for_programs = heading == list(SECTIONS)[-1]
        for name, arguments, result, comment in connection.execute(FUNCTIONS, {"role": role}):
            is_here = is_for_programs == comment.startswith(FOR_PROGRAMS)
            if (name, arguments) in told or not is_here:
                continue
            # One that takes other arguments stands below the same heading.
            if not told or told[-1][0] != name:
                yield f"### {name}\n"
            told.append((name, arguments))
            yield f"```sql\n{_signature(name, arguments, result)}\n```\n\n{comment}\n"


def _signature(name: str, arguments: str, result: str | None) -> str:
    short = arguments.replace("timestamp with time zone", "timestamptz")
    short = short.replace(" DEFAULT ", " default ").replace("::text", "").replace("NULL", "null")
    short = short.replace("::interval", "")
    for cast in ("::jsonb", "::timestamptz", "::double precision", "::bigint"):
        short = short.replace(f"null{cast}", "null")
    lines = ",\n    ".join(part for part in short.split(", ") if part)
    body = f"(\n    {lines}\n)" if lines else "()"
    if result is None:
        return f"call {name}{body}"
    result = result.replace("timestamp with time zone", "timestamptz").replace("TABLE(", "table (")
    return f"{name}{body} returns {result}"


def _views(connection: psycopg.Connection) -> Iterator[str]:
    yield "## Views\n"
    for view, comment in connection.execute(VIEWS).fetchall():
        yield f"### {view}\n\n{comment}\n\n| column | type | |\n|---|---|---|"
        for column, kind, about in connection.execute(COLUMNS, {"view": view}):
            short = kind.replace("timestamp with time zone", "timestamptz")
            yield f"| `{column}` | {short} | {about} |"
        yield ""

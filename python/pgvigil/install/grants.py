"""Whether roles have come, or the installer joined the admins, since the grants were made."""

import psycopg

ROLES = ("monitoring_reader", "monitoring_writer", "monitoring_operator", "monitoring_admin")

STALE = """\
exists (
    select from pg_roles
    where rolname in ('monitoring_reader', 'monitoring_writer', 'monitoring_operator',
            'monitoring_admin')
        and not has_schema_privilege(oid, 'monitoring', 'usage')
)
or coalesce(pg_has_role(to_regrole('monitoring_admin'), 'usage'), false)
and case
    -- From PostgreSQL 16 on a member may have the rights but not the right to give things away.
    when current_setting('server_version_num')::integer < 160000 then true
    else pg_has_role(to_regrole('monitoring_admin'), 'set')
end
and exists (
    select from pg_proc
    where pronamespace = to_regnamespace('monitoring')
        and proowner <> to_regrole('monitoring_admin')
        and proname not in ('_run_rule_query', '_rows_as_reader')
    union all
    select from pg_proc
    where pronamespace = to_regnamespace('monitoring')
        and proname in ('_run_rule_query', '_rows_as_reader')
        and case
            when proowner = to_regrole('monitoring_reader') then false
            when proowner <> to_regrole('monitoring_admin') then true
            else pg_has_role('monitoring_admin', to_regrole('monitoring_reader'), 'usage')
                and pg_has_role(to_regrole('monitoring_reader'), case
                    when current_setting('server_version_num')::integer < 160000 then 'usage'
                    else 'set'
                end)
                and (
                    select pg_has_role(nspowner, 'usage') from pg_namespace
                    where nspname = 'monitoring'
                )
        end
)"""
"""SQL condition: loading the code again would grant or hand over what is not yet.

The catalogue is asked from here, because the code that could answer may not be loaded.
"""


def grants_are_stale(connection: psycopg.Connection) -> bool:
    """Return whether loading the code again would grant or hand over what is not yet."""
    row = connection.execute(f"select {STALE}".encode()).fetchone()
    return row is not None and bool(row[0])

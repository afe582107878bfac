"""Taking on the rights of a role for one transaction, however much more the login has itself."""

READER = "monitoring_reader"
OPERATOR = "monitoring_operator"
WRITER = "monitoring_writer"

# It says no, too, where there is no such role.
MAY_BECOME = """
select coalesce(bool_or(
    case
        when current_setting('server_version_num')::integer < 160000
            then pg_has_role(session_user, oid, 'member')
        else pg_has_role(session_user, oid, 'set')
    end and has_schema_privilege(oid, 'monitoring', 'usage')
), false)
from pg_catalog.pg_roles
where rolname = %(role)s
"""
"""Whether the login may take on a role that can be of use in this database."""

# Of the transaction alone, so that it works through a pooler.
BECOME = "select set_config('role', %(role)s, true)"
# To compile what reads many partitions takes far longer than to read the few rows in them.
LIMIT = """
select set_config('statement_timeout', %(limit)s, true), set_config('jit', 'off', true)
"""
"""Limits how long a statement of the transaction may take."""
LIMIT_AND_BECOME = """
select
    set_config('statement_timeout', %(limit)s, true), set_config('jit', 'off', true),
    set_config('role', %(role)s, true)
"""
"""Does both at once, which each of many short transactions begins with."""

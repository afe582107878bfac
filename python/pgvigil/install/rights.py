"""What the caller may do in a database that has pgvigil."""

import psycopg

_MAY_RUN_JOBS = """
select coalesce(bool_and(
    has_schema_privilege(pronamespace, 'usage') and has_function_privilege(oid, 'execute')
), false)
from pg_proc
where pronamespace = to_regnamespace('monitoring') and proname = 'run_due_jobs'
"""


def may_run_jobs(connection: psycopg.Connection) -> bool:
    """Tell whether the caller may run jobs, which takes the rights of the admin."""
    row = connection.execute(_MAY_RUN_JOBS).fetchone()
    return row is not None and bool(row[0])

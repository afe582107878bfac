"""docs/security.md says of each role what the catalogue says."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.harness.clients import may

DOCUMENT = (Path(__file__).parents[2] / "docs/security.md").read_text(encoding="utf-8")
ROLES = ("monitoring_reader", "monitoring_writer", "monitoring_operator", "monitoring_admin")
EXAMPLES = {
    "reads": "select * from monitoring.v_active_alerts",
    "records": "select monitoring.record_error(null, 'E', 'low', 'm')",
    "decides": "select monitoring.enable_job('roll_up')",
    "keeps": "select monitoring.ensure_partitions(1)",
    "tables": "select * from monitoring.jobs",
}


def listed(role: str) -> set[str]:
    """Return the functions below the heading of a role, up to the first full stop."""
    part = re.search(rf"^### {role}\b[^\n]*\n\n(.*?)\.\n\n", DOCUMENT, re.M | re.S)
    assert part is not None, role
    return set(re.findall(r"`(\w+)`", part[1]))


def granted(connection: psycopg.Connection, role: str) -> set[str]:
    return {
        name
        for (name,) in connection.execute(
            "select distinct proname from pg_proc p"
            " where pronamespace = 'monitoring'::regnamespace and proname !~ '^_'"
            " and has_function_privilege(%s, p.oid, 'execute')",
            [role],
        )
    }


def test_each_role_can_call_the_functions_that_are_listed_for_it(
    connection: psycopg.Connection,
) -> None:
    readers, writers, operators, admins = (granted(connection, role) for role in ROLES)
    assert listed("monitoring_reader") == readers
    assert listed("monitoring_writer") == writers
    assert listed("monitoring_operator") == operators - readers
    assert listed("monitoring_admin") == admins - readers - writers - operators
    # "Beyond" says that all the rest is theirs as well.
    assert readers <= operators <= admins
    assert writers <= admins


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_the_table_of_roles_says_what_each_can_do(
    role: str, connection: psycopg.Connection
) -> None:
    row = re.search(rf"^\| `?{role}`? \|[^|]*\| (.+) \|$", DOCUMENT, re.M)
    assert row is not None
    told = [cell.strip() for cell in row[1].split("|")]
    if role == "none":
        connection.execute("create role pgvigil_nobody")
    login = "pgvigil_nobody" if role == "none" else role
    can = ["yes" if may(connection, login, call) else "no" for call in EXAMPLES.values()]
    if role == "none":
        connection.execute("drop role pgvigil_nobody")
    assert told == can

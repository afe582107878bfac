"""docs/security.md says of each role what the catalogue says."""

import re

import psycopg
import pytest

from tests import ROOT
from tests.harness import sql_api
from tests.harness.clients import may

DOCUMENT = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROLES = ("monitoring_reader", "monitoring_writer", "monitoring_operator", "monitoring_admin")
EXAMPLES = {
    "reads": "select * from monitoring.v_active_alerts",
    "records": "select monitoring.record_error(null, 'E', 'low', 'm')",
    "decides": "select monitoring.enable_job('roll_up')",
    "keeps": "select monitoring.ensure_partitions(1)",
    "tables": "select * from monitoring.jobs",
}


def test_the_lists_of_what_each_role_can_call_are_fresh(connection: psycopg.Connection) -> None:
    assert sql_api.with_lists_of_roles(DOCUMENT, connection) == DOCUMENT, (
        "docs/security.md is stale: run make docs"
    )


def test_beyond_says_that_all_the_rest_is_theirs_as_well(connection: psycopg.Connection) -> None:
    readers, writers, operators, admins = (
        {name for (name,) in connection.execute(sql_api.GRANTED, {"role": role})} for role in ROLES
    )
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

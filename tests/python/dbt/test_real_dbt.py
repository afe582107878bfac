"""A real dbt, when there is one: its documents by `pgvigil dbt`, and the macro of examples/dbt."""

import json
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict

from pgvigil.commands.cli import main
from tests import ROOT
from tests.harness.clients import clean_environment
from tests.python.support.asking import rows, value

DBT = shutil.which("dbt")
MACRO = ROOT / "examples/dbt/macros/pgvigil.sql"
SCHEMA = {
    "models": [
        {
            "name": "orders",
            "columns": [
                {"name": "order_id", "data_tests": ["unique"]},
                {"name": "customer_id", "data_tests": ["not_null"]},
            ],
        }
    ]
}
MODEL = "{{ config(materialized='table', unique_key='order_id') }} "
BAD = "select 1 as order_id, 7 as customer_id union all select 2, null union all select 1, 7"
GOOD = "select 1 as order_id, 7 as customer_id union all select 2, 8"
POSITIVE = "select order_id, 'it''s 100%' as why from {{ ref('orders') }} where order_id = 2"
FOUND = "select validation_type, record_key from monitoring.invalid_records where status = '{}'"

needs_dbt = pytest.mark.skipif(DBT is None, reason="no dbt on PATH: pip install dbt-postgres")


class Project:
    """A project of dbt in the database of a test."""

    def __init__(self, path: Path, dsn: str, hook: str) -> None:
        """Write its files; each is JSON, which YAML takes."""
        self.path = path
        place = conninfo_to_dict(dsn)
        output = {
            "type": "postgres", "schema": "shop", "threads": 1, "dbname": place["dbname"],
            "host": place["host"], "port": int(str(place.get("port", 5432))),
            "user": place["user"], "password": place.get("password", "none"),
        }  # fmt: skip
        project = {
            "name": "shop", "version": "1.0", "profile": "shop", "on-run-end": [hook] * bool(hook),
            "data_tests": {"+store_failures": True},
        }  # fmt: skip
        self._write("profiles.yml", json.dumps({"shop": {"target": "t", "outputs": {"t": output}}}))
        self._write("dbt_project.yml", json.dumps(project))
        self._write("models/schema.yml", json.dumps(SCHEMA))
        self._write("macros/pgvigil.sql", MACRO.read_text())

    def build(self, orders: str, *, is_positive: bool) -> None:
        """Run dbt, whatever fails."""
        self._write("models/orders.sql", MODEL + orders)
        self._write("tests/positive.sql", f"{POSITIVE} and {not is_positive}".lower())
        environment = {**clean_environment(), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        done = subprocess.run(
            [str(DBT), "build", "--profiles-dir", "."],
            cwd=self.path, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert "Done." in done.stdout, done.stdout + done.stderr

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def found(connection: psycopg.Connection, status: str) -> set[tuple[str, str]]:
    return {
        (row["validation_type"], row["record_key"])
        for row in rows(connection, FOUND.format(status))
    }


FAILING = {
    ("unique_orders_order_id", "1"),
    ("not_null_orders_customer_id", "2"),
    ("positive", "2"),
}


@needs_dbt
@pytest.mark.parametrize("hook", ["", "{{ pgvigil_record(results) }}"], ids=["command", "macro"])
def test_what_fails_is_invalid_until_it_fails_no_more(
    hook: str, dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    project = Project(tmp_path, dsn, hook)

    def build(orders: str, is_positive: bool) -> None:
        project.build(orders, is_positive=is_positive)
        if not hook:
            done = CliRunner().invoke(main, ["dbt", str(tmp_path / "target"), "--dsn", dsn])
            assert done.exit_code == 0, done.output

    build(BAD, False)
    assert found(connection, "open") == FAILING
    statuses = "select count(*) from monitoring.processing_metrics where status = '{}'"
    assert value(connection, statuses.format("failed")) == 4  # three tests, and the run
    assert value(connection, "select count(*) from monitoring.error_tracking") == 3
    build(GOOD, True)
    assert (found(connection, "open"), found(connection, "resolved")) == (set(), FAILING)
    assert value(connection, statuses.format("completed")) == 6

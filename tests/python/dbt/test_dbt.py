"""`pgvigil dbt`: what a run of dbt leaves behind becomes tasks, errors and invalid records.

The documents in shop/ are as dbt 1.9 writes them, shortened.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgvigil.commands.cli import main
from pgvigil.integrations.dbt import ArtifactError, read_run
from pgvigil.integrations.dbt.failures import key_of_record
from tests.python.support.asking import one, rows, value

Document = dict[str, Any]
SHOP = Path(__file__).parent / "shop"
UNIQUE = "test.shop.unique_orders_order_id.1a"
NOT_NULL = "test.shop.not_null_orders_customer_id.2b"
RELATED = "test.shop.relationships_orders_customer_id.3c"
POSITIVE = "test.shop.amounts_are_positive"
TABLES = """
create schema audit;
create table audit.unique_orders_order_id as select 2 as unique_field, 2 as n_records;
create table audit.not_null_orders_customer_id as
    select n as order_id, null::integer as customer_id, 12345678901234567.89 as amount
    from generate_series(5, 6) as n;
create table audit.relationships_orders_customer_id (from_field integer);
create table audit.amounts_are_positive as select 'north' as shop_id, 7 as order_id, -5 as amount;
"""
OPEN = "select record_key from monitoring.invalid_records where status = 'open' order by 1"


class Target:
    """A directory that dbt has written to, whose documents may be changed."""

    def __init__(self, path: Path, dsn: str, connection: psycopg.Connection) -> None:
        """Make tables of failures and documents."""
        connection.execute(TABLES)
        self.path = path
        self._dsn = dsn
        self._database = connection.info.dbname
        for name in ("run_results", "manifest"):
            self.change(name, lambda document: None, SHOP)

    def change(
        self, name: str, change: Callable[[Document], None], source: Path | None = None
    ) -> None:
        """Change a document."""
        text = ((source or self.path) / f"{name}.json").read_text()
        document = json.loads(text.replace("@database@", self._database))
        change(document)
        (self.path / f"{name}.json").write_text(json.dumps(document))

    def node(self, name: str, **config: Any) -> None:
        """Change the configuration of a node."""
        self.change("manifest", lambda document: document["nodes"][name]["config"].update(config))

    def result(self, name: str, **changes: Any) -> None:
        """Change a result."""

        def change(document: Document) -> None:
            (found,) = [each for each in document["results"] if each["unique_id"] == name]
            found.update(changes)

        self.change("run_results", change)

    def later(self) -> None:
        """Make it another run, a day later."""
        text = (self.path / "run_results.json").read_text()
        changed = text.replace("2026-11-30T", "2026-12-01T").replace("0001", "0002")
        (self.path / "run_results.json").write_text(changed)

    def load(self, *options: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(main, ["dbt", str(self.path), "--dsn", self._dsn, *options])


@pytest.fixture
def target(tmp_path: Path, dsn: str, connection: psycopg.Connection) -> Target:
    """Return a run of dbt with failures."""
    connection.execute("set monitoring.now = '2026-12-01 12:00+00'")
    return Target(tmp_path, dsn, connection)


def test_every_node_is_a_task_with_its_times_and_the_run_is_their_parent(
    target: Target, connection: psycopg.Connection
) -> None:
    done = target.load()
    assert done.exit_code == 0, done.output
    tasks = {
        task["task_id"]: task
        for task in rows(connection, "select * from monitoring.processing_metrics")
    }
    run = "dbt build 5f0c7ab2-0000-4000-8000-000000000001"
    assert {name: task["status"] for name, task in tasks.items()} == {
        run: "failed",
        "model.shop.orders": "completed",
        UNIQUE: "failed",
        NOT_NULL: "completed",
        RELATED: "completed",
        POSITIVE: "failed",
        "model.shop.broken": "failed",
        "model.shop.after": "cancelled",
    }
    orders = tasks["model.shop.orders"]
    assert orders["task_type"] == "dbt.node.model"
    assert orders["start_time"].isoformat() == "2026-11-30T05:00:01+00:00"
    assert orders["end_time"].isoformat() == "2026-11-30T05:00:02.500000+00:00"
    assert orders["step_durations"] == {"compile": 125, "execute": 1375}
    assert orders["counters"] == {"rows_affected": 3}
    assert (orders["parent_task_id"], orders["attempt"]) == (run, 1)
    assert tasks[NOT_NULL]["metadata"]["dbt_status"] == "warn"
    assert (tasks[run]["task_type"], tasks[run]["duration_ms"]) == ("dbt.build", 8500)
    assert tasks[run]["metadata"]["error_message"] == "3 of 7 nodes failed"


def test_messages_are_errors_grouped_by_node(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    errors = {
        error["task_id"]: error
        for error in rows(connection, "select * from monitoring.error_tracking")
    }
    assert {name: (error["error_type"], error["severity"]) for name, error in errors.items()} == {
        UNIQUE: ("dbt.fail", "high"),
        NOT_NULL: ("dbt.warn", "medium"),
        POSITIVE: ("dbt.fail", "high"),
        "model.shop.broken": ("dbt.error", "high"),
    }
    assert "division by zero" in errors["model.shop.broken"]["message"]
    assert len({error["fingerprint"] for error in errors.values()}) == 4


def test_failing_rows_are_invalid_records_of_the_model(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    found = rows(
        connection,
        "select dataset, validation_type, record_key from monitoring.invalid_records order by 2, 3",
    )
    assert [tuple(row.values()) for row in found] == [
        ("orders", "amounts_are_positive", "north|7"),
        ("orders", "not_null_orders_customer_id", "5"),
        ("orders", "not_null_orders_customer_id", "6"),
        ("orders", "unique_orders_order_id", "2"),
    ]
    exact = value(
        connection,
        "select details ->> 'amount' from monitoring.invalid_records where record_key = '5'",
    )
    assert exact == "12345678901234567.89"


def test_loading_a_run_again_adds_nothing(target: Target, connection: psycopg.Connection) -> None:
    assert "8 new tasks, 4 new errors, invalid records: 4 opened." in target.load().output
    states = "select * from monitoring.invalid_records order by validation_type, record_key"
    before = rows(connection, states)
    again = target.load()
    assert again.output == "0 new tasks, 0 new errors, invalid records: 4 touched.\n"
    assert rows(connection, states) == before


def test_a_dry_run_says_the_same_and_writes_nothing(
    target: Target, connection: psycopg.Connection
) -> None:
    done = target.load("--dry-run")
    expected = "8 new tasks, 4 new errors, invalid records: 4 opened. Nothing was written.\n"
    assert (done.exit_code, done.output) == (0, expected)
    for view in ("processing_metrics", "error_tracking", "invalid_records"):
        assert value(connection, f"select count(*) from monitoring.{view}") == 0


def test_rows_that_no_longer_fail_are_resolved_and_only_these(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    connection.execute("delete from audit.not_null_orders_customer_id where order_id = 5")
    target.later()
    target.result(NOT_NULL, failures=1)
    target.result(POSITIVE, status="pass", failures=0, message=None)
    target.result(UNIQUE, status="error", failures=None)  # it has not looked
    done = target.load()
    assert "1 touched, 2 resolved" in done.output
    assert [row["record_key"] for row in rows(connection, OPEN)] == ["2", "6"]


def test_more_rows_than_are_read_resolve_nothing(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    connection.execute(
        "insert into audit.not_null_orders_customer_id"
        " select n, null, 1 from generate_series(7, 9) as n"
    )
    connection.execute("delete from audit.not_null_orders_customer_id where order_id = 5")
    target.later()
    target.result(NOT_NULL, failures=4)
    done = target.load("--max-rows", "3")
    assert "not_null_orders_customer_id: more may fail than the 3 rows read" in done.output
    assert "5" in [row["record_key"] for row in rows(connection, OPEN)]


def test_a_test_with_a_limit_resolves_nothing(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    connection.execute("delete from audit.not_null_orders_customer_id where order_id = 5")
    target.later()
    target.result(NOT_NULL, failures=1)
    target.node(NOT_NULL, limit=1)
    assert "more may fail than the 1 row read, so that none is resolved" in target.load().output
    assert "5" in [row["record_key"] for row in rows(connection, OPEN)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("drop table audit.unique_orders_order_id", 'relation "audit.unique_orders_order_id"'),
        ("insert into audit.unique_orders_order_id values (3, 2)", "it is of another run"),
        ("alter schema audit rename to other", "does not exist"),
    ],
)
def test_failures_that_are_not_known_are_told_and_leave_records_alone(
    change: str, why: str, target: Target, connection: psycopg.Connection
) -> None:
    target.load()
    connection.execute(change.encode())
    target.later()
    done = target.load()
    assert done.exit_code == 3
    assert "unique_orders_order_id: failing rows are not known: " in done.output
    assert why in done.output
    assert "2" in [row["record_key"] for row in rows(connection, OPEN)]
    assert "8 new tasks" in done.output


def test_a_table_of_that_name_in_another_database_is_not_read(
    target: Target, other_dsn: str, connection: psycopg.Connection
) -> None:
    done = target.load("--tables-dsn", other_dsn)
    assert done.exit_code == 3
    assert "name it by --tables-dsn" in done.output
    assert rows(connection, OPEN) == []


def test_tables_may_be_in_another_database(target: Target, dsn: str, other_dsn: str) -> None:
    arguments = ["dbt", str(target.path), "--dsn", other_dsn, "--tables-dsn", dsn]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, "4 opened" in done.output) == (0, True), done.output


def test_a_key_that_is_not_among_the_columns_is_told(target: Target) -> None:
    target.node(POSITIVE, meta={"pgvigil_key": "id"})
    done = target.load()
    assert done.exit_code == 3
    assert 'names the column "id", which its failures do not have: amount, order_id' in done.output


def test_rows_that_nothing_names_are_named_by_their_content(
    target: Target, connection: psycopg.Connection
) -> None:
    target.change("manifest", lambda document: document["nodes"].pop("model.shop.orders"))
    done = target.load()
    assert "not_null_orders_customer_id: no column names a row" in done.output
    keys = rows(
        connection, "select record_key from monitoring.invalid_records where record_key ~ 'row'"
    )
    assert len(keys) == 2
    assert "0 new tasks, 0 new errors, invalid records: 4 touched." in target.load().output


def test_without_a_manifest_tasks_are_recorded_and_the_rest_is_told(
    target: Target, connection: psycopg.Connection
) -> None:
    (target.path / "manifest.json").unlink()
    done = target.load()
    assert done.exit_code == 3
    assert "manifest.json is missing" in done.output
    assert "8 new tasks, 4 new errors, invalid records: none" in done.output


def test_older_versions_have_neither_attached_nodes_nor_commands(
    target: Target, connection: psycopg.Connection
) -> None:
    def older(document: Document) -> None:
        for node in document["nodes"].values():
            for key in ("attached_node", "primary_key"):
                node.pop(key, None)

    target.change("manifest", older)
    target.change("run_results", lambda document: document.update(args={}, unheard_of=[1]))
    target.result(RELATED, status="fail", failures=1)
    connection.execute("insert into audit.relationships_orders_customer_id values (77)")
    done = target.load()
    assert done.exit_code == 0, done.output
    found = one(connection, "select * from monitoring.invalid_records where record_key = '77'")
    assert found["dataset"] == "orders"
    assert one(
        connection, "select * from monitoring.processing_metrics where task_type = 'dbt.run'"
    )


def test_without_store_failures_it_is_told_and_passing_tests_still_resolve(
    target: Target, connection: psycopg.Connection
) -> None:
    target.load()

    def unstored(document: Document) -> None:
        for node in document["nodes"].values():
            node["relation_name"] = None

    target.change("manifest", unstored)
    target.later()
    target.result(POSITIVE, status="pass", failures=0)
    done = target.load()
    assert "2 failing tests without store_failures: their rows are not taken" in done.output
    assert [row["record_key"] for row in rows(connection, OPEN)] == ["2", "5", "6"]


def test_a_retry_is_a_second_attempt(target: Target, connection: psycopg.Connection) -> None:
    retry = {"which": "run", "invocation_command": "dbt retry"}
    target.change("run_results", lambda document: document.update(args=retry))
    target.load()
    attempts = rows(
        connection,
        "select distinct attempt from monitoring.processing_metrics where task_type ~ 'node'",
    )
    assert [row["attempt"] for row in attempts] == [2]


def test_a_writer_who_may_read_the_tables_needs_no_more(
    target: Target, dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("grant usage on schema audit to monitoring_writer")
    connection.execute("grant select on all tables in schema audit to monitoring_writer")
    separator = "&" if "?" in dsn else "?"
    as_writer = f"{dsn}{separator}options=-crole%3Dmonitoring_writer"
    done = CliRunner().invoke(main, ["dbt", str(target.path), "--dsn", as_writer])
    assert (done.exit_code, "4 opened" in done.output) == (0, True), done.output


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read"),
        ("[]", "it has no results"),
        ('{"results": {}}', "it has no results"),
        ('{"results": []}', "metadata.generated_at"),
        ('{"metadata": {"generated_at": "today"}, "results": []}', "metadata.generated_at"),
        ('{"metadata": {"generated_at": "2026-11-30T05:00:00Z"}, "results": [1]}', "no unique_id"),
    ],
)
def test_what_dbt_does_not_write_is_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_text(text)
    with pytest.raises(ArtifactError, match=why):
        read_run(tmp_path)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        read_run(tmp_path)


def test_what_no_database_can_hold_is_left_out_of_texts(
    target: Target, connection: psycopg.Connection
) -> None:
    target.result(UNIQUE, message="found\0 \ud800")
    assert target.load().exit_code == 0
    message = "select message from monitoring.{} where task_id = '" + UNIQUE + "'"
    for view in ("error_tracking", "invalid_records"):
        assert value(connection, message.format(view)) == "found ?"


@pytest.mark.parametrize("odd", [None, 7, "text", [1], {}])
def test_what_has_another_shape_in_a_manifest_is_passed_over(odd: Any, target: Target) -> None:
    def change(document: Document) -> None:
        for node in document["nodes"].values():
            for key in ("depends_on", "attached_node", "meta", "file_key_name", "primary_key"):
                node[key] = odd
        document["nodes"]["model.shop.orders"]["config"] = odd

    target.change("manifest", change)
    target.result("model.shop.orders", timing=odd, adapter_response=odd, failures=odd)
    assert "8 new tasks" in target.load().output


@pytest.mark.parametrize(
    "parts", [["a"], ["a|b"], ["a", "b"], ["a|b", "c\\"], ["", "x", None], ["\\|", "|", "é"]]
)
def test_keys_of_several_columns_are_those_of_the_database(
    parts: list[str | None], connection: psycopg.Connection
) -> None:
    call = "select monitoring.key_of_record(variadic %s::text[])"
    row = connection.execute(call, [parts]).fetchone()
    assert row == (key_of_record(parts),)

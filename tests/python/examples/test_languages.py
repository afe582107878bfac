"""The example of each language records what it does, and nothing of it has to be repaired."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.databases import OWNER, create_database, drop_database
from tests.python.support.asking import one, rows
from tests.python.support.languages import EXAMPLES, PROGRAMS, Programs, begin
from tests.python.support.pooler import needs_pgbouncer, pooler

LOGIN, PASSWORD = "orders_import", "secret"
# More than the five calls after which some drivers begin to prepare them.
ORDERS = [
    ("Ann O'Neill", "12.50"),
    ('Björk "B" \\ 🙂', "-3"),
    ("$(touch owned) `id` %s {} $1 :x ? &", "99"),
    ("\\n \\x41 --", "0.01"),
    ("Ольга, 東京", "1e2"),
    ("'; drop table orders; --", "7"),
    ("null", "8"),
    ("NaN", "-0.5"),
]


ROLES = {"the owner of the database": OWNER, "": "monitoring_reader"}
BAD_NUMBER = '12,5 "x"'
REFUSAL = """2000 isn't "allowed" 🙂"""
# At the commit, when everything has been inserted and recorded.
REFUSE_LARGE_ORDERS = """
    create function refuse_large_order() returns trigger language plpgsql as $$
    begin
        raise exception '% isn''t "allowed" 🙂', new.amount;
    end
    $$;
    create constraint trigger large_orders_are_refused after insert on orders
    deferrable initially deferred
    for each row when (new.amount > 1000) execute function refuse_large_order();
"""


@dataclass
class Shop:
    """A database with a table of orders, and the login that writes into it."""

    connection: psycopg.Connection[Any]
    environment: dict[str, str]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs of all languages."""
    return Programs(tmp_path_factory.mktemp("languages"))


@pytest.fixture
def shop(database: Shop) -> Shop:
    """The same database, without orders."""
    database.connection.execute("truncate orders")
    return database


@pytest.fixture(scope="module")
def database(server: PostgresServer, template: str) -> Iterator[Shop]:
    """What schema.sql makes; its login is strict, so that nothing is repaired without notice."""
    name = "languages"
    create_database(server, name, template)
    dsn = server.dsn(name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((EXAMPLES / "schema.sql").read_bytes())
        connection.execute(REFUSE_LARGE_ORDERS.encode())
        connection.execute(f"alter role {LOGIN} password '{PASSWORD}'".encode())
        connection.execute(f"alter role {LOGIN} set monitoring.strict = on".encode())
        place = conninfo_to_dict(dsn)
        environment = {
            "PGHOST": str(place["host"]),
            "PGPORT": str(place["port"]),
            "PGDATABASE": name,
            "PGUSER": LOGIN,
            "PGPASSWORD": PASSWORD,
        }
        yield Shop(connection, environment)
    drop_database(server, name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"drop role {LOGIN}".encode())


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_imported_is_recorded(
    programs: Programs, shop: Shop, tmp_path: Path, name: str
) -> None:
    file = written(tmp_path, f'it\'s "{name}" \\ ü🙂.tsv', ORDERS)
    assert ended(begin(programs.command(name), file, shop.environment)) == (0, "")

    good = [(customer, float(amount)) for customer, amount in ORDERS if float(amount) > 0]
    refused = [
        (number, f"{customer} orders for {amount}")
        for number, (customer, amount) in enumerate(ORDERS, start=1)
        if float(amount) < 0
    ]
    assert imported(shop) == good
    task = the_task(shop, file)
    length, steps = task.pop("duration_ms"), task.pop("step_durations")
    assert task == {
        "attempt": 1,
        "task_type": "orders.import",
        "status": "completed",
        "output_size": len(good),
        "items_done": len(ORDERS),
        "items_total": len(ORDERS),
        "counters": {"refused": len(refused)},
        "metadata": {
            "file": str(file),
            "source": {"bytes": file.stat().st_size, "is_new": True},
        },
    }
    # Milliseconds, and neither the seconds nor the nanoseconds of the language.
    assert list(steps) == ["load"]
    assert length / 20 < steps["load"] < length * 1.5
    assert [(error["details"]["line"], error["message"]) for error in errors(shop, file)] == refused
    assert metrics(shop, file) == [amount for _, amount in good]


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("amount", "said"), [(BAD_NUMBER, BAD_NUMBER), ("2000", REFUSAL)])
def test_what_fails_is_undone_and_recorded(
    programs: Programs, shop: Shop, tmp_path: Path, name: str, amount: str, said: str
) -> None:
    file = written(tmp_path, f"{amount[:4]} {name}.tsv", [("Al", "1"), ("Bo", amount), ("Cy", "3")])
    code, complaint = ended(begin(programs.command(name), file, shop.environment))
    assert code != 0
    assert said[:4] in complaint

    # The order, and the metric that was recorded with it, are gone with the commit.
    assert imported(shop) == [("Al", 1.0)]
    assert metrics(shop, file) == [1.0]
    task = the_task(shop, file)
    assert (task["status"], task["items_done"], task["items_total"]) == ("failed", 1, 3)
    (error,) = errors(shop, file)
    assert error["severity"] == "high"
    assert said in error["message"].replace("\\", "")  # some languages quote what is no number
    assert len(error["stack"].splitlines()) > 1
    if amount == BAD_NUMBER:  # postgres.js does not say who it committed for
        assert re.search(r"\bload|main\.run", error["stack"])


@needs_pgbouncer
def test_all_at_once_behind_a_pooler_record_the_same(
    programs: Programs, shop: Shop, server: PostgresServer, tmp_path: Path
) -> None:
    """With two sessions for all of them: what one prepared would be found, or missed, by others."""
    commands = {}
    for name in PROGRAMS:
        with suppress(pytest.skip.Exception):  # what cannot be had is skipped above
            commands[name] = programs.command(name)
    files = {name: written(tmp_path, f"pooled {name}.tsv", ORDERS * 3) for name in commands}
    with pooler(server, size=2, logins={LOGIN: PASSWORD}) as port:
        pooled = {**shop.environment, "PGPORT": str(port)}
        running = {name: begin(command, files[name], pooled) for name, command in commands.items()}
        results = {name: ended(process) for name, process in running.items()}
    assert results == dict.fromkeys(commands, (0, ""))
    for file in files.values():
        task = the_task(shop, file)
        assert (task["status"], task["items_done"]) == ("completed", 24)
        assert (task["output_size"], task["counters"]) == (18, {"refused": 6})
        assert len(metrics(shop, file)) == 18
        assert len(errors(shop, file)) == 6
    assert len(imported(shop)) == 18 * len(commands)


def test_the_statements_of_the_page_run_as_whom_they_are_for(shop: Shop) -> None:
    page = (ROOT / "docs/languages.md").read_text()
    shop.connection.execute("set monitoring.strict = on")
    blocks = re.findall(r"```sql\n(?:-- as (.*?)\n)?(.*?)```", page, re.DOTALL)
    assert len(blocks) > 6
    for whose, statements in blocks:
        role = ROLES.get(whose, "monitoring_writer")
        shop.connection.execute(f"set role {role}".encode())
        shop.connection.execute(statements.encode())
        shop.connection.execute("reset role")
    shop.connection.execute("reset monitoring.strict")
    shop.connection.execute("drop role my_program")
    query = "select task_id, status, items_total, output_size from monitoring.processing_metrics"
    assert rows(shop.connection, f"{query} where task_id ~ '^orders-1[78]$' order by task_id") == [
        {"task_id": "orders-17", "status": "completed", "items_total": 3, "output_size": 2},
        {"task_id": "orders-18", "status": "completed", "items_total": None, "output_size": None},
    ]
    query = "select count(*), sum(value) from monitoring.performance_monitoring"
    assert one(
        shop.connection, f"{query} where metric_name = 'orders.amount' and task_id is null"
    ) == {
        "count": 1,
        "sum": 7,
    }


def test_every_program_is_in_the_table_of_the_folder() -> None:
    text = (EXAMPLES / "README.md").read_text()
    files = [
        path.relative_to(EXAMPLES).as_posix()
        for path in EXAMPLES.glob("*/*rders*")
        if path.is_file()
    ]
    assert len(files) == len(PROGRAMS)
    assert [file for file in files if f"]({file})" not in text] == []


def written(directory: Path, name: str, orders: list[tuple[str, str]]) -> Path:
    """Write orders into a file, a line each."""
    file = directory / name
    file.write_text("".join(f"{customer}\t{amount}\n" for customer, amount in orders), "utf-8")
    return file


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait until a program has ended; return its exit code and what it complained of."""
    try:
        output, complaint = process.communicate(timeout=120)
    finally:
        process.kill()
    assert output == ""
    return process.returncode, complaint


def the_task(shop: Shop, file: Path) -> dict[str, Any]:
    """Return what is known of the task that imported a file."""
    return one(
        shop.connection,
        "select attempt, task_type, status, output_size, items_done, items_total, counters,"
        " metadata, step_durations, duration_ms"
        f" from monitoring.processing_metrics where task_id = {quoted(file)}",
    )


def errors(shop: Shop, file: Path) -> list[dict[str, Any]]:
    """Return the errors of a task, and of pgvigil itself, in order."""
    return rows(
        shop.connection,
        "select severity, message, details, stack from monitoring.error_tracking"
        f" where task_id = {quoted(file)} or component = 'pgvigil' order by occurred_at, error_id",
    )


def metrics(shop: Shop, file: Path) -> list[float]:
    """Return the values of the metric of a task, in order."""
    values = rows(
        shop.connection,
        "select value from monitoring.performance_monitoring"
        " where metric_name = 'orders.amount' and unit = 'EUR' and component = 'orders.import'"
        f" and task_id = {quoted(file)} order by recorded_at, sample_id",
    )
    return [row["value"] for row in values]


def imported(shop: Shop) -> list[tuple[str, float]]:
    """Take the orders that were imported since this was last called, in order."""
    query = "delete from orders returning order_id, customer, amount"
    return [
        (row["customer"], float(row["amount"]))
        for row in sorted(rows(shop.connection, query), key=lambda row: row["order_id"])
    ]


def quoted(file: Path) -> str:
    """Return the name of a task that imports a file, as a literal."""
    return "'{}'".format(f"orders {file.name}".replace("'", "''"))

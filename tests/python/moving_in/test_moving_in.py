"""The five systems' tables move in by their documents, from PostgreSQL and from MariaDB alike."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgvigil.commands.cli import main
from pgvigil.database.json_files import read_document
from tests import ROOT
from tests.python.moving_in.systems import SYSTEMS, System
from tests.python.support.mariadb import DATABASE, MariaDB

EXAMPLES = ROOT / "examples" / "moving-in"
Ask = Callable[[str], list[Any]]


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB for all of these tests."""
    with MariaDB() as running:
        yield running


@pytest.fixture
def ready(dsn: str) -> str:
    """A database that keeps what it is given, with the workflow of the batches."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "select monitoring.set_retention(r.table_name, null, r.category)"
            " from monitoring.v_retention r where r.table_name !~ 'rollups'"
        )
        workflow = (ROOT / "examples" / "batch" / "billing.json").read_text()
        connection.execute("select monitoring.apply_workflow(%s::jsonb)", [workflow])
    return dsn


def fill(execute: Callable[..., Any], system: System, words: dict[str, str]) -> None:
    """Make the tables of a system and fill them."""
    for table, columns in system.tables.items():
        for word, meaning in words.items():
            columns = columns.replace(word, meaning)
        execute(f"drop table if exists {table}")
        execute(f"create table {table} ({columns})")
        for row in system.rows[table]():
            places = ", ".join(["%s"] * len(row))
            execute(f"insert into {table} values ({places})", row)


@pytest.fixture(params=["PostgreSQL", "MariaDB"])
def theirs(request: pytest.FixtureRequest, ready: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Their database: what its name is, and how to run a statement in it."""
    if request.param == "PostgreSQL":
        with psycopg.connect(ready, autocommit=True) as here:
            yield "here", lambda text, row=None: here.execute(text.encode(), row)
    else:
        server: MariaDB = request.getfixturevalue("mariadb")
        with server.connect(database=DATABASE) as there, there.cursor() as cursor:
            cursor.execute("set session sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')")

            def run(text: str, row: Any = None) -> Any:
                cursor.execute(text, row)
                return cursor

            yield server.address, run


def document_for(system: System, address: str, path: Path) -> Path:
    """Write the example for the database in which the tables are."""
    document = read_document((EXAMPLES / f"{system.mapping}.json").read_text())
    document.pop("database", None)
    if address != "here":
        document["database"] = "THEIRS"
        for table in document["tables"]:
            if "relation" in table:
                table["relation"] = table["relation"].removeprefix("public.")
    file = path / "mapping.json"
    file.write_text(json.dumps(document))
    return file


def run_import(dsn: str, file: Path, *options: str, address: str = "here") -> Result:
    """Run the command."""
    environment = {"THEIRS": address}
    words = ["import", str(file), *options, "--dsn", dsn]
    return CliRunner().invoke(main, words, env=environment)


def total(text: str, what: str) -> int:
    """Return the sum of a count over all tables."""
    return sum(int(found.replace(",", "")) for found in re.findall(rf"([\d,]+) {what}", text))


def plain(rows: Any) -> list[Any]:
    """Return answers of both databases as they compare."""
    return [
        tuple(round(float(cell), 6) if isinstance(cell, Decimal | float) else cell for cell in row)
        for row in rows
    ]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.mapping)
def test_a_system_moves_in_once_with_all_that_can_be_taken(
    system: System, theirs: tuple[str, Callable[..., Any]], ready: str, tmp_path: Path
) -> None:
    address, run = theirs
    is_here = address == "here"
    fill(
        run,
        system,
        {
            "{time}": "timestamp" if is_here else "datetime(6)",
            "{json}": "jsonb" if is_here else "json",
            "{flag}": "smallint" if is_here else "tinyint(1)",
        },
    )
    rows = sum(len(list(make())) for make in system.rows.values())
    file = document_for(system, address, tmp_path)
    code = 3 if system.rejected else 0

    tried = run_import(ready, file, "--dry-run", address=address)
    assert tried.exit_code == code, tried.output
    read = total(tried.stdout, "rows read")
    assert total(tried.stdout, "rejected") == system.rejected
    assert total(tried.stdout, "still running") == system.running
    assert tried.stdout.endswith("Nothing was written.\n")
    with psycopg.connect(ready) as connection:
        for view in ("processing_metrics", "error_tracking", "status_history", "invalid_records"):
            found = connection.execute(f"select count(*) from monitoring.{view}".encode())
            assert found.fetchone() == (0,)

    done = run_import(ready, file, address=address)
    assert done.exit_code == code, done.output
    new = total(done.stdout, "new")
    assert new == total(tried.stdout, "would be new")
    assert new == read - system.rejected - system.running
    assert read <= rows

    again = run_import(ready, file, address=address)
    assert again.exit_code == code, again.output
    assert (total(again.stdout, "new"), total(again.stdout, "already there")) == (0, new)

    with psycopg.connect(ready, options="-c timezone=UTC") as connection:
        for moved in system.compared:
            expected = plain(run(moved.theirs).fetchall())
            assert plain(connection.execute(moved.ours.encode()).fetchall()) == expected


def test_every_example_is_of_a_system_that_moves_in() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} == {s.mapping for s in SYSTEMS}

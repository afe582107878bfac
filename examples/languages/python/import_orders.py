"""Imports orders and records how that goes, over psycopg: python import_orders.py ../orders.tsv.

The database is that of PGHOST, PGDATABASE and so on.
"""

import sys
import time
import traceback
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb


def main(file: Path) -> None:
    """Import a file: a line an order, customer and amount with a tab between them."""
    task = f"orders {file.name}"
    lines = file.read_text("utf-8").splitlines()
    # A dict has to be wrapped, and in Jsonb: no function takes what Json sends.
    source = Jsonb({"file": str(file), "source": {"bytes": file.stat().st_size, "is_new": True}})
    # Nothing is prepared, so that it works behind a pooler as well.
    with psycopg.connect(autocommit=True, prepare_threshold=None) as connection:
        start = "start_task_tracking(%s, 'orders.import', p_metadata => %s, p_items_total => %s)"
        attempt = ask(connection, start, task, source, len(lines))
        try:
            begun = time.perf_counter()
            imported = load(connection, task, lines)
            steps = Jsonb({"load": (time.perf_counter() - begun) * 1000})
            end = "complete_task_tracking(%s, 'completed', %s, %s, p_attempt => %s)"
            ask(connection, end, task, imported, steps, attempt)
        except BaseException as error:
            # What failed has been rolled back: these are committed by themselves.
            failure = "record_error(%s, %s, 'high', %s, 'orders.import', p_stack => %s)"
            name, stack = type(error).__name__, traceback.format_exc()
            ask(connection, failure, task, name, str(error), stack)
            end = "complete_task_tracking(%s, 'failed', p_attempt => %s)"
            ask(connection, end, task, attempt)
            raise


def load(connection: psycopg.Connection, task: str, lines: list[str]) -> int:
    """Import the lines and return how many orders they were, each committed with its records."""
    imported = refused = 0
    metric = (
        "record_performance_metric('orders.amount', 'gauge', %s, 'EUR', 'orders.import',"
        " p_task_id => %s)"
    )
    for number, line in enumerate(lines, start=1):
        customer, amount = line.split("\t")
        with connection.transaction():
            if float(amount) > 0:
                row = "insert into orders (customer, amount) values (%s, %s)"
                connection.execute(row, [customer, amount])
                ask(connection, metric, float(amount), task)
                imported += 1
            else:
                message, details = f"{customer} orders for {amount}", Jsonb({"line": number})
                error = "record_error(%s, 'AmountRefused', 'low', %s, 'orders.import', %s)"
                ask(connection, error, task, message, details)
                refused += 1
            progress, counters = "update_task_progress(%s, %s, %s, %s)", Jsonb({"refused": refused})
            ask(connection, progress, task, number, len(lines), counters)
    return imported


def ask(connection: psycopg.Connection, call: LiteralString, *values: object) -> Any:
    """Call a function of pgvigil and return what it answers."""
    row = connection.execute(f"select monitoring.{call}", values).fetchone()
    return row[0] if row else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))

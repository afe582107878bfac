"""The same over SQLAlchemy: python import_orders_sqlalchemy.py ../orders.tsv."""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

# Nothing is prepared, so that it works behind a pooler as well.
ENGINE = create_engine("postgresql+psycopg://", connect_args={"prepare_threshold": None})


def main(file: Path) -> None:
    """Import a file: a line an order, customer and amount with a tab between them."""
    task = f"orders {file.name}"
    lines = file.read_text("utf-8").splitlines()
    source = {"file": str(file), "source": {"bytes": file.stat().st_size, "is_new": True}}
    with ENGINE.begin() as connection:
        # Within text() a document is a plain text; within func.monitoring it has to be
        # literal(source, JSONB), for there a text is sent as varchar.
        attempt = ask(
            connection,
            "start_task_tracking(:task, 'orders.import',"
            " p_metadata => :source, p_items_total => :lines)",
            {"task": task, "source": json.dumps(source), "lines": len(lines)},
        )
    try:
        begun = time.perf_counter()
        imported = load(task, lines)
        steps = json.dumps({"load": (time.perf_counter() - begun) * 1000})
        with ENGINE.begin() as connection:
            end = "complete_task_tracking(:task, 'completed', :size, :steps, p_attempt => :attempt)"
            values = {"task": task, "size": imported, "steps": steps, "attempt": attempt}
            ask(connection, end, values)
    except BaseException as error:
        # What failed has been rolled back: this is a transaction of its own.
        with ENGINE.begin() as connection:
            ask(
                connection,
                "record_error(:task, :type, 'high', :message, 'orders.import', p_stack => :stack)",
                {
                    "task": task,
                    "type": type(error).__name__,
                    "message": str(error),
                    "stack": traceback.format_exc(),
                },
            )
            end = "complete_task_tracking(:task, 'failed', p_attempt => :attempt)"
            ask(connection, end, {"task": task, "attempt": attempt})
        raise


def load(task: str, lines: list[str]) -> int:
    """Import the lines and return how many orders they were, each committed with its records."""
    imported = refused = 0
    metric = (
        "record_performance_metric('orders.amount', 'gauge', :amount, 'EUR', 'orders.import',"
        " p_task_id => :task)"
    )
    for number, line in enumerate(lines, start=1):
        customer, amount = line.split("\t")
        with ENGINE.begin() as connection:
            if float(amount) > 0:
                row = text("insert into orders (customer, amount) values (:customer, :amount)")
                connection.execute(row, {"customer": customer, "amount": amount})
                ask(connection, metric, {"amount": float(amount), "task": task})
                imported += 1
            else:
                message, details = f"{customer} orders for {amount}", json.dumps({"line": number})
                error = "record_error(:task, 'AmountRefused', 'low', :message, 'orders.import', :d)"
                ask(connection, error, {"task": task, "message": message, "d": details})
                refused += 1
            progress = "update_task_progress(:task, :done, :lines, :counters)"
            counters = json.dumps({"refused": refused})
            done = {"task": task, "done": number, "lines": len(lines), "counters": counters}
            ask(connection, progress, done)
    return imported


def ask(connection: Connection, call: str, values: dict[str, Any]) -> Any:
    """Call a function of pgvigil and return what it answers."""
    return connection.scalar(text(f"select monitoring.{call}"), values)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

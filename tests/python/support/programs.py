"""A program with a table and a transaction of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from tests.python.support.asking import one, rows


def rows_of(connection: psycopg.Connection[Any]) -> int:
    """Return how many rows of its own the program has."""
    return int(one(connection, "select count(*) from work")["count"])


def logged(connection: psycopg.Connection[Any]) -> int:
    """Return how many log lines there are."""
    return len(rows(connection, "select from monitoring.v_application_logs"))


@contextmanager
def untouched(program: psycopg.Connection[Any]) -> Iterator[None]:
    """Check that a transaction has what was in it before, and may go on."""
    program.execute("insert into work values (1)")
    yield
    assert program.info.transaction_status == TransactionStatus.INTRANS
    program.execute("insert into work values (2)")
    assert rows_of(program) == 2

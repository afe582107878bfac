"""What is recorded of exceptions: one group for one fault, whatever driver and whatever values."""

import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from pgvigil.client.recording.told_exceptions import ToldException, message_of, told
from tests.python.support.asking import one, rows

PRIMARY = 'new row for relation "ct" violates check constraint "ct_positive"'
DETAIL = "Failing row contains (1, Anna Maria, -1)."
WHOLE = f"{PRIMARY}\nDETAIL:  {DETAIL}"


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client whose calls wait."""
    with MonitoringClient(dsn, on_error="raise") as client:
        yield client


# Stand-ins of the shapes that drivers have


class Diag:
    """Of psycopg2 and psycopg."""

    message_primary = PRIMARY
    message_detail = DETAIL
    constraint_name = "ct_positive"
    sqlstate = "23514"


class Psycopg2Error(Exception):
    """Of psycopg2."""

    diag = Diag()


class AsyncpgError(Exception):
    """Of asyncpg: its arguments have no detail, its text has."""

    sqlstate = "23514"
    constraint_name = "ct_positive"
    detail = DETAIL

    def __str__(self) -> str:
        """Return it with details."""
        return f"{self.args[0]}\nDETAIL:  {self.detail}"


class Pg8000Error(Exception):
    """Of pg8000: the fields of the protocol."""


class WrappingError(Exception):
    """Of SQLAlchemy."""

    def __init__(self, orig: BaseException) -> None:
        """Wrap another."""
        super().__init__(f"({type(orig).__name__}) {orig}\n[SQL: insert]\n[parameters: (1, 'x')]")
        self.orig = orig


def caught(raising: Callable[[], Any]) -> BaseException:
    """Return what a function raises."""
    try:
        raising()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def chained(error: Exception, cause: Exception, *, is_explicit: bool = True) -> BaseException:
    """Return an error that was raised from another, or while that was handled."""

    def explicitly() -> None:
        raise error from cause

    def implicitly() -> None:
        try:
            raise cause
        except Exception:
            raise error  # noqa: B904

    return caught(explicitly if is_explicit else implicitly)


@pytest.mark.parametrize(
    "error",
    [
        Psycopg2Error(WHOLE),
        AsyncpgError(PRIMARY),
        Pg8000Error({"M": PRIMARY, "C": "23514", "D": DETAIL, "n": "ct_positive"}),
        WrappingError(Psycopg2Error(WHOLE)),
        WrappingError(chained(Exception(f"<class>: {WHOLE}"), AsyncpgError(PRIMARY))),
        chained(Exception(WHOLE), Psycopg2Error(WHOLE)),
    ],
    ids=["psycopg2", "asyncpg", "pg8000", "SQLAlchemy", "SQLAlchemy with asyncpg", "Django"],
)
def test_drivers_of_postgresql_are_told_by_message_and_constraint(error: BaseException) -> None:
    what = told(error)
    assert what.message.removeprefix("<class>: ") == PRIMARY
    assert what.details == {"sqlstate": "23514", "constraint": "ct_positive", "detail": DETAIL}
    assert what.stack is not None
    assert "Anna Maria" in what.stack or isinstance(error, Pg8000Error)


@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_message_that_quotes_a_driver_keeps_its_own_words(is_explicit: bool) -> None:
    error = chained(
        RuntimeError(f"order 7 failed: {WHOLE}"), Psycopg2Error(WHOLE), is_explicit=is_explicit
    )
    assert message_of(error) == f"order 7 failed: {PRIMARY}"
    assert told(error).details["detail"] == DETAIL


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Exception(1062, "Duplicate entry 'x' for key 'y'"), "1062: Duplicate entry 'x' for key"),
        (Exception("23000", "[23000] [SQL Server] Violation"), "[23000] [SQL Server] Violation"),
        (WrappingError(Exception(1452, "a foreign key")), "1452: a foreign key"),
        (WrappingError(Exception("UNIQUE constraint failed: t.a")), "UNIQUE constraint failed: t"),
        (OSError(2, "No such file", "a.csv"), "[Errno 2] No such file: 'a.csv'"),
        (KeyError("x"), "'x'"),
        (chained(ValueError("plain"), KeyError("x")), "plain"),
    ],
)
def test_other_messages_are_those_of_the_driver_or_the_exception(
    error: BaseException, message: str
) -> None:
    assert message_of(error).startswith(message)


def test_nothing_in_an_exception_makes_telling_raise() -> None:
    class HostileError(Exception):
        @property
        def diag(self) -> Any:
            raise ValueError

        def __str__(self) -> str:
            raise ValueError

    what = told(HostileError())
    assert what.message == "(HostileError whose message cannot be read)"
    loop = Exception("loop")
    loop.__cause__ = loop
    assert message_of(loop) == "loop"
    looped = WrappingError(Exception("x"))
    looped.orig = looped
    assert "SQL: insert" in message_of(looped)


def test_the_stack_is_that_of_python_however_often_a_place_fails() -> None:
    def fail(value: int) -> None:
        try:
            raise ValueError(value)
        except ValueError as error:
            raise ExceptionGroup("all", [error, KeyError(value)]) from error

    for value in (1, 2):
        with pytest.raises(ExceptionGroup) as caught:
            fail(value)
        assert told(caught.value).stack == "".join(traceback.format_exception(caught.value))


def test_notes_are_details() -> None:
    error = ValueError("x")
    error.add_note("row 7")
    assert told(error) == ToldException("ValueError", "x", told(error).stack, {"notes": ["row 7"]})


# In the database


def test_failures_of_one_constraint_are_one_group_and_of_two_constraints_two(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    connection.execute(
        "create table public.ct (id int primary key, name text,"
        " b int constraint ct_positive check (b > 0), c int constraint ct_small check (c < 9))"
    )
    connection.execute("insert into public.ct values (0, 'x', 1, 1)")
    for number, name in enumerate(["Anna", "Bob Maria", "O'Neil", "Ünal"], start=1):
        for b, c, key in ((-number, 1, number), (1, 9 + number, number), (1, 1, 0)):
            with pytest.raises(psycopg.Error) as failure, monitor.task("ct"):
                connection.execute(
                    "insert into public.ct values (%s, %s, %s, %s)", [key, name, b, c]
                )
            assert failure.value.diag.constraint_name in ("ct_positive", "ct_small", "ct_pkey")
    groups = rows(connection, "select error_type, occurrences from monitoring.error_groups")
    assert [group["occurrences"] for group in groups] == [4, 4, 4]
    error = one(
        connection,
        "select message, details, stack from monitoring.error_tracking"
        " where message like '%ct_positive%' order by occurred_at limit 1",
    )
    assert error["message"] == PRIMARY
    assert error["details"]["constraint"] == "ct_positive"
    assert error["details"]["detail"] == "Failing row contains (1, Anna, -1, 1)."
    assert "DETAIL" in error["stack"]


def test_what_a_caller_says_of_an_exception_is_kept_beside_what_is_known(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.record_exception(Psycopg2Error(WHOLE), details={"order": 7, "hint": "mine"})
    monitor.record_exception(Psycopg2Error(WHOLE), details=[1, 2])
    monitor.record_exception(ValueError("x"), details=[1, 2])
    first, second, third = [
        row["details"]
        for row in rows(
            connection, "select details from monitoring.error_tracking order by error_id"
        )
    ]
    assert first["order"] == 7
    assert (first["hint"], first["constraint"]) == ("mine", "ct_positive")
    assert (second["details"], second["constraint"]) == ([1, 2], "ct_positive")
    assert third == [1, 2]


def test_of_a_group_each_exception_is_recorded_and_of_many_the_first(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    inner = ExceptionGroup("inner", [Psycopg2Error(WHOLE), ValueError("x")])
    number = monitor.record_exception(ExceptionGroup("tasks", [inner, KeyError("k")]))
    found = rows(connection, "select * from monitoring.error_tracking order by error_id")
    assert [row["error_type"].rpartition(".")[2] for row in found] == [
        "Psycopg2Error", "ValueError", "KeyError",
    ]  # fmt: skip
    assert found[0]["error_id"] == number
    assert found[1]["details"] == {"exception_group": {"message": "tasks", "exceptions": 3}}
    assert found[0]["details"]["constraint"] == "ct_positive"
    monitor.record_exception(ExceptionGroup("many", [ValueError(str(n)) for n in range(1000)]))
    many = rows(
        connection,
        "select details from monitoring.error_tracking"
        " where details -> 'exception_group' ->> 'message' = 'many'",
    )
    assert len(many) == 20
    assert many[0]["details"]["exception_group"]["exceptions"] == 1000


# Exceptions of the standard library with values in their messages

FAULTS: dict[str, Callable[[str], Any]] = {
    "key": lambda value: dict[str, str]()[value],
    "int": int,
    "float": float,
    "file": lambda value: Path(f"/nowhere/{value}.csv").read_text(),
    "decimal": Decimal,
    "uuid": UUID,
    "unpacking": lambda value: (lambda a, b: (a, b))(*range(len(value))),
    "codec": lambda value: f"{value} é".encode("ascii"),
    "index": lambda value: [][len(value)],
    "own words": lambda value: exec(f"raise ValueError('no customer ' + repr({value!r}))"),
    "connection": lambda value: psycopg.connect(
        host="127.0.0.1", port=1, dbname=value, connect_timeout=2
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_group_whatever_the_value(
    fault: str, connection: psycopg.Connection
) -> None:
    found = set()
    for value in ("anna", "Bob Maria", "x" * 40):
        what = told(caught(lambda value=value: FAULTS[fault](value)))  # type: ignore[misc]
        query = "select monitoring.error_fingerprint(%s, %s)"
        found.add(connection.execute(query, [what.error_type, what.message]).fetchone())
    assert len(found) == 1

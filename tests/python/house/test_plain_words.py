"""What people read from Python and the page is plain English, counted and measured in one way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.database.queries.alerts import SEVERITIES

PACKAGE = Path(__file__).resolve().parents[3] / "python" / "pgvigil"
PAGE = PACKAGE / "faces" / "web" / "page"
SQL = re.compile(r"monitoring\.|^\s*(select|copy|alter|grant|set|create|update|insert|delete)\b")
DIALECT = re.compile(
    r"""
    \bmakes?\ no\ sense\b | \bfor\ to\b | \bis\ no\ place\b | \bthere\ is\ none\ (of|named)\b
    # "is no number" for "is not a number"; "there is no alert 7" and "is no longer" are English.
    | (?<!there)\ is\ no\ (?!longer|more|other|need|reason)\w
    | \bunforeseen\b | \banew\b | \bwhoever\b | \bbe\ begun\b | \bbecame?\ of\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
THINGS = "row|line|record|error|alert|attempt|partition|step|file|day|hour|minute|second|time|run"
COUNTED_BY_HAND = re.compile(rf"\}} ({THINGS})s\b|\(s\)|\}}s\b")
COUNTED_ON_PAGE = re.compile(rf"\}} ({THINGS})s\b")
MEASURED_BY_HAND = re.compile(r":(g|,?\.\d+f)\} ?(ms|s|min|h|d|seconds?|minutes?|hours?|days?)\b")
IN_ORDER = re.compile(
    r"\W+".join(("low", "medium", "high", "critical"))
    + "|"
    + r"\W+".join(("critical", "high", "medium", "low"))
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what people may read: strings that are no SQL, and the help of commands.

    Of constants in f-strings the value stands there, since they are always the same number.
    """
    tree = ast.parse(path.read_text())
    helpful = "commands" in path.parts
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in inside or (id(node) in documentation and not helpful):
            continue
        if isinstance(node, ast.JoinedStr):
            text = re.sub(r"\{_?[A-Z][A-Z_]+(:[^{}]*)?\}", "5", ast.unparse(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text and not SQL.search(text):
            yield node.lineno, text


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in modules()
        for line, text in texts(path)
        if pattern.search(text)
    ]


def found_on_page(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.name}:{number}: {line.strip()}"
        for path in sorted(PAGE.glob("*.js"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line) and not line.lstrip().startswith(("//", "/*", "*"))
    ]


def test_messages_and_help_are_plain_english() -> None:
    assert found(DIALECT) + found_on_page(DIALECT) == []


def test_things_are_counted_by_one_function() -> None:
    assert found(COUNTED_BY_HAND) + found_on_page(COUNTED_ON_PAGE) == []


def test_lengths_of_time_are_spelled_by_one_function() -> None:
    assert found(MEASURED_BY_HAND) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (DIALECT, "the request makes no sense"),
        (DIALECT, "{name!r} is no time zone"),
        (COUNTED_BY_HAND, "f'{rows:,} rows'"),
        (COUNTED_BY_HAND, "f'{rows} row(s)'"),
        (COUNTED_BY_HAND, "f\"{rows} row{'' if rows == 1 else 's'}s\""),
        (MEASURED_BY_HAND, "f'no answer within {seconds:g} s'"),
    ],
)
def test_what_is_not_plain_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_there_is_something_to_read() -> None:
    assert len([text for path in modules() for text in texts(path)]) > 500


def test_the_order_of_severities_is_that_of_the_database(
    connection: psycopg.Connection[Any],
) -> None:
    assert connection.execute("select monitoring.severities()").fetchone() == (list(SEVERITIES),)


def test_the_order_of_severities_is_written_once() -> None:
    files = [*modules(), *PAGE.glob("*.js")]
    written = {
        path.relative_to(PACKAGE).as_posix() for path in files if IN_ORDER.search(path.read_text())
    }
    # The latter says which words there are: what the path's description is made of.
    assert written == {"database/queries/alerts.py", "faces/web/parameters.py"}

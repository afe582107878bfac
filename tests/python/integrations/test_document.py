"""What docs/integrations.md shows is there, and its query runs."""

import ast
import importlib
import re
from pathlib import Path

import psycopg
import pytest

import pgvigil.integrations
from tests import ROOT

TEXT = (ROOT / "docs/integrations.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
MODULES = {path.stem for path in Path(pgvigil.integrations.__path__[0]).glob("*.py")}
SHARED = {"__init__", "requests", "runs"}


def test_each_integration_is_in_the_document() -> None:
    named = set(re.findall(r"pgvigil\.integrations\.(\w+)", TEXT))
    assert named == MODULES - SHARED


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_examples_import_is_there(block: str) -> None:
    for statement in ast.walk(ast.parse(block)):
        if isinstance(statement, ast.ImportFrom) and statement.module != (
            "pgvigil.integrations.airflow"  # which needs Airflow
        ):
            module = importlib.import_module(str(statement.module))
            for name in statement.names:
                assert hasattr(module, name.name)


def test_a_reader_may_run_the_query(connection: psycopg.Connection) -> None:
    (query,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    connection.execute("set role monitoring_reader")
    connection.execute(query.encode())

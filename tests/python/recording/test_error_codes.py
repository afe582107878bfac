"""The codes of class PV are the same in the SQL, in docs/errors.md and in the exceptions."""

import re
from inspect import cleandoc

import psycopg
import pytest

from pgvigil import exceptions
from pgvigil.exceptions import InstallError, MonitoringError, explain, monitoring_errors
from pgvigil.resources import sql_directory
from tests import ROOT

DOCUMENT = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (PV\d{3}) \| (.+?) \| `(\w+)` \|$", re.MULTILINE)
INSTALL_ROW = re.compile(r"^\| `(\w+Error)` \| (.+?) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^## (.+?)\n.*?```sql\n(.+?)```\n```\n(.+?)\n(.+?)\n```", re.MULTILINE | re.S)
DOCUMENTED = {code: (meaning, name) for code, meaning, name in ROW.findall(DOCUMENT)}
KINDS = {str(kind.sqlstate): kind for kind in MonitoringError.__subclasses__()}
EXAMPLES = EXAMPLE.findall(DOCUMENT)
# The source of a query that docs/sources.md registers.
SOURCE = """
    select monitoring.register_source_query('crm_orders', 'CRM_DB', 'select 1', '{number,state}');
    select monitoring.register_record_source(
        'crm_orders', 'crm_orders', 'query:crm_orders',
        '{"record_key": "number", "status": "state"}'
    )
"""


def test_every_code_that_the_functions_raise_is_documented_and_the_other_way_round(
    connection: psycopg.Connection,
) -> None:
    raised = connection.execute(
        "select distinct m[1] from pg_proc,"
        " regexp_matches(coalesce(prosrc, '') || coalesce(pg_get_function_sqlbody(oid), ''),"
        " '''(PV[0-9]{3})''', 'g') m"
        " where pronamespace = 'monitoring'::regnamespace order by 1"
    ).fetchall()
    assert [row[0] for row in raised] == sorted(DOCUMENTED)


def test_every_code_that_the_files_mention_is_documented() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sql_directory().rglob("*.sql")]
    assert set(re.findall(r"\bPV\d{3}\b", "\n".join(texts))) == set(DOCUMENTED)


def test_every_code_has_an_exception_whose_docstring_is_its_meaning() -> None:
    assert sorted(KINDS) == sorted(DOCUMENTED)
    for code, (meaning, name) in DOCUMENTED.items():
        assert KINDS[code].__name__ == name
        assert cleandoc(KINDS[code].__doc__ or "") == meaning


def test_every_install_error_is_documented_with_its_docstring() -> None:
    kinds = {kind.__name__: cleandoc(kind.__doc__ or "") for kind in InstallError.__subclasses__()}
    assert kinds == dict(INSTALL_ROW.findall(DOCUMENT))


def test_every_code_has_an_example() -> None:
    assert {heading for heading, *_ in EXAMPLES} >= set(DOCUMENTED)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example[0]))
def test_the_examples_say_what_the_document_says(
    connection: psycopg.Connection, example: tuple[str, str, str, str]
) -> None:
    heading, statement, message, hint = example
    connection.execute(SOURCE)
    connection.execute("set monitoring.strict = on")
    with pytest.raises(MonitoringError) as refused, monitoring_errors():
        connection.execute(statement.encode())
    assert (str(refused.value), refused.value.hint) == (message, hint)
    if heading in DOCUMENTED:
        assert refused.value.sqlstate == heading
        assert type(refused.value).__name__ == DOCUMENTED[heading][1]
    assert isinstance(refused.value.__cause__, psycopg.Error)


def test_errors_of_other_classes_pass_as_they_are(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), monitoring_errors():
        connection.execute("select 1 / 0")


def test_a_code_from_a_newer_database_is_still_a_monitoring_error(
    connection: psycopg.Connection,
) -> None:
    statement = "do $$ begin raise exception 'new' using errcode = 'PV999', hint = 'h'; end $$"
    with pytest.raises(MonitoringError, match="new") as refused, monitoring_errors():
        connection.execute(statement)
    assert type(refused.value) is MonitoringError
    assert refused.value.sqlstate == "PV999"
    assert explain(refused.value) == "new\nHint: h"


def test_an_exception_without_a_message_says_its_docstring() -> None:
    assert str(exceptions.NameTooLongError()) == "A name has more than 255 characters."
    assert explain(ValueError("a bug")) is None

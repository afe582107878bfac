"""The configuration as a file: the command, the shipped schema, and documents made at random."""

import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jsonschema import Draft202012Validator
from psycopg.types.json import Jsonb

from pgvigil.database.json_files import DocumentError, read_document
from pgvigil.demo.server import PostgresServer
from pgvigil.install.configuration import schema_text
from tests import ROOT
from tests.harness.clients import run_pgvigil
from tests.harness.databases import create_database, drop_database
from tests.python.support.config_documents import random_document

EXAMPLE = ROOT / "examples" / "monitoring_config.json"
SCHEMA = json.loads(schema_text())
VALIDATOR = Draft202012Validator(SCHEMA)
PROBLEMS = """
    select string_agg(problem, '; ')
    from monitoring.get_config_schema() as s (schema)
    cross join lateral
        monitoring._config_problems('configuration', %s, s.schema, s.schema -> '$defs')
"""


def apply(connection: psycopg.Connection, document: Any) -> Any:
    row = connection.execute("select monitoring.apply_config(%s)", [Jsonb(document)]).fetchone()
    assert row is not None
    return row[0]


def configuration(connection: psycopg.Connection, is_complete: bool = False) -> Any:
    row = connection.execute("select monitoring.get_config(%s)", [is_complete]).fetchone()
    assert row is not None
    return row[0]


def may_be_applied(connection: psycopg.Connection, document: Any) -> bool:
    """Try a document, leaving nothing behind; whatever is refused must be so with its hint."""
    try:
        with connection.transaction(force_rollback=True):
            apply(connection, document)
            decided, complete = (configuration(connection, whole) for whole in (False, True))
            for document in (decided, complete):
                assert apply(connection, document) == {}
                assert configuration(connection) == decided
        with connection.transaction(force_rollback=True):
            apply(connection, decided)
            assert configuration(connection) == decided
    except psycopg.Error as error:
        if error.sqlstate != "PV009" or not error.diag.message_hint:
            raise
        return False
    return True


@pytest.fixture
def other_connection(server: PostgresServer, template: str) -> Iterator[psycopg.Connection]:
    """A connection to another fresh database with pgvigil."""
    create_database(server, "other_config", template)
    with psycopg.connect(server.dsn("other_config"), autocommit=True) as opened:
        yield opened
    drop_database(server, "other_config")


# -- the schema


def test_the_schema_is_one_and_the_database_has_the_same(connection: psycopg.Connection) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    query = "select monitoring.get_config_schema() = %s::jsonb"
    assert connection.execute(query, [schema_text()]).fetchone() == (True,)


def test_everything_in_the_schema_has_a_description_for_hints() -> None:
    def without(path: str, part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            is_schema = "$ref" in part or "description" in part
            if not is_schema and ("type" in part or "enum" in part) and "anyOf" not in path:
                yield path
            for key, value in part.items():
                yield from without(f"{path}/{key}", value)
        elif isinstance(part, list):
            for number, value in enumerate(part):
                yield from without(f"{path}/{number}", value)

    assert list(without("", SCHEMA)) == []


def test_the_database_knows_every_word_that_the_schema_uses() -> None:
    known = {"$ref", "type", "enum", "anyOf", "minimum", "exclusiveMinimum", "maximum"}
    known |= {"minLength", "maxLength", "pattern", "minItems", "minProperties", "required"}
    known |= {"properties", "additionalProperties", "propertyNames", "items"}
    says_nothing = {"$schema", "$defs", "title", "description", "writeOnly"}

    def words(part: Any) -> Iterator[str]:
        for word, value in part.items():
            yield word
            if word in ("properties", "$defs"):
                for below in value.values():
                    yield from words(below)
            elif word == "anyOf":
                for below in value:
                    yield from words(below)
            elif isinstance(value, dict):
                yield from words(value)

    assert set(words(SCHEMA)) <= known | says_nothing


@pytest.mark.parametrize("seed", range(8))
def test_schema_and_database_agree_about_documents_made_at_random(
    connection: psycopg.Connection, seed: int
) -> None:
    source = random.Random(seed)
    outcomes: Counter[tuple[bool, bool]] = Counter()
    for _ in range(60):
        document = random_document(source)
        row = connection.execute(PROBLEMS, [Jsonb(document)]).fetchone()
        assert row is not None
        fits = VALIDATOR.is_valid(document)
        assert fits == (row[0] is None), (row, document)
        is_accepted = may_be_applied(connection, document)
        outcomes[fits, is_accepted] += 1
        # What the schema cannot say, such as the order of thresholds or the names of time zones,
        # is refused all the same; what it refuses is never accepted.
        assert fits or not is_accepted, document
    assert outcomes[True, True] >= 5
    assert outcomes[True, False] >= 5
    assert outcomes[False, False] >= 5


# -- documents


@pytest.mark.parametrize("is_complete", [False, True])
def test_a_document_makes_another_database_the_same(
    connection: psycopg.Connection, other_connection: psycopg.Connection, is_complete: bool
) -> None:
    apply(connection, json.loads(EXAMPLE.read_text(encoding="utf-8")))
    document = configuration(connection, is_complete)
    assert configuration(other_connection, is_complete) != document
    assert apply(other_connection, document)
    assert configuration(other_connection, is_complete) == document
    assert apply(other_connection, document) == {}
    assert configuration(other_connection, True) == configuration(connection, True)


@pytest.mark.parametrize("is_complete", [False, True])
def test_what_the_database_says_fits_the_schema(
    connection: psycopg.Connection, is_complete: bool
) -> None:
    apply(connection, json.loads(EXAMPLE.read_text(encoding="utf-8")))
    assert list(VALIDATOR.iter_errors(configuration(connection, is_complete))) == []


def test_two_documents_at_once_are_applied_one_after_the_other(
    dsn: str, connection: psycopg.Connection
) -> None:
    with psycopg.connect(dsn) as first:
        apply(first, {"rules": {"queue_backlog": {"for_seconds": 60}}})
        connection.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            apply(connection, {"rules": {"queue_backlog": {"for_evaluations": 2}}})
        first.commit()
    changed = apply(connection, {"rules": {"queue_backlog": {"for_evaluations": 2}}})
    assert changed == {"rules.queue_backlog.for_evaluations": {"from": 1, "to": 2}}
    rules = configuration(connection)["rules"]
    assert rules == {"queue_backlog": {"for_seconds": 60, "for_evaluations": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: Expecting value"),
        ("{", "not JSON: Expecting property name"),
        ('{"rules": {}, "rules": {}}', 'key "rules" appears twice'),
        ('{"x": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "nested too deep"),
        ('// a\n{\n  /* b\n c */ "x" 1}', r"Expecting ':' delimiter: line 4 column 11"),
        ('{"x": 1, // last\n}', "line 2 column 1"),
        ('{"x": 1, /* no end', "comment that begins at line 1 column 10 does not end"),
        ('{\n"x": "http://a\n}', "Unterminated string|Invalid control character"),
        ('{"x": 1} # y', "Extra data: line 1 column 10"),
        ('{"x": 1 / 2}', "line 1 column 9"),
    ],
)
def test_a_text_that_is_no_document_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as refused:
        read_document(text)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('{"x": 1 // one\n}', {"x": 1}),
        ('{"x": 1 // one\r\n, "y": 2}', {"x": 1, "y": 2}),
        ('/* a /* b */ {"x": /**/ 1 /* * / **/}//', {"x": 1}),
        ('{"x": "https://a/*b*/" // "c"\n}', {"x": "https://a/*b*/"}),
        (
            r'{"x": "a\\", "y": "\"// no", "z//": "\\\""} // "',
            {"x": "a\\", "y": '"// no', "z//": '\\"'},
        ),
        ('\ufeff{"x": 1}', {"x": 1}),
        ('// "a\n{"x": 1}', {"x": 1}),
        ("[1,//,\n2/*,3*/]", [1, 2]),
    ],
)
def test_comments_are_passed_over_and_texts_are_kept(text: str, document: Any) -> None:
    assert read_document(text) == document


# -- the command


def config(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_pgvigil(dsn, "config", *arguments)


def test_the_example_and_the_manual_have_every_section() -> None:
    sections = SCHEMA["properties"].keys() - {"$schema", "is_complete"}
    assert json.loads(EXAMPLE.read_text(encoding="utf-8")).keys() == sections
    manual = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", manual, re.MULTILINE)) == sections


def test_the_example_is_compared_and_applied(dsn: str) -> None:
    compared = config(dsn, "diff", str(EXAMPLE))
    assert (compared.returncode, compared.stderr) == (1, "")
    assert 'jobs.evaluate_alerts.schedule: "1 minute" -> "30 seconds"\n' in compared.stdout
    assert "\nchannels.on_call: none -> {" in compared.stdout
    applied = config(dsn, "apply", str(EXAMPLE))
    assert (applied.returncode, applied.stderr) == (0, "")
    assert applied.stdout == compared.stdout
    again = config(dsn, "diff", str(EXAMPLE))
    assert (again.returncode, again.stdout) == (0, "no difference\n")
    assert config(dsn, "apply", str(EXAMPLE)).stdout == "nothing to change\n"


def test_what_is_shown_can_be_applied(dsn: str, tmp_path: Path) -> None:
    assert json.loads(config(dsn, "show").stdout)["rules"] == {}
    shown = config(dsn, "show", "--complete")
    assert shown.returncode == 0
    file = tmp_path / "shown.json"
    file.write_text(shown.stdout, encoding="utf-8")
    assert config(dsn, "diff", str(file)).stdout == "no difference\n"
    document = json.loads(shown.stdout)
    document["rules"]["queue_backlog"]["is_enabled"] = False
    file.write_text(json.dumps(document), encoding="utf-8")
    compared = config(dsn, "diff", str(file))
    assert (compared.returncode, compared.stdout) == (
        1,
        "rules.queue_backlog.is_enabled: true -> false\n",
    )
    config(dsn, "apply", str(file))
    assert json.loads(config(dsn, "show").stdout)["rules"] == {
        "queue_backlog": {"is_enabled": False}
    }


def test_what_is_refused_is_told_with_its_hint(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"jobs": {"evaluate_alerts": {"timeout": 5}}}', encoding="utf-8")
    for command in ("apply", "diff"):
        refused = config(dsn, command, str(file))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == (
            "Error: jobs.evaluate_alerts.timeout is not known\n"
            "Hint: Known there: description, is_enabled, procedure, schedule, time_zone, "
            "timeout_seconds.\n"
        )


def test_the_schema_is_printed_without_a_database() -> None:
    printed = config("host=/nowhere", "schema")
    assert printed.returncode == 0
    assert json.loads(printed.stdout) == SCHEMA

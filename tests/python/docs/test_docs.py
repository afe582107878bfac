"""What the documents show is what happens."""

import os
import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import click
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from docs.site import diagrams
from pgvigil.commands import cli
from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness import shipped_lists, site, sql_api
from tests.harness.clients import run, run_pgvigil, run_psql

PROMPT = "=> "
# The tests may have installed it a while ago, and no scheduler has run since.
JUST_INSTALLED = """
    with migrations as (update monitoring.installed_migrations set installed_at = now())
    update monitoring.jobs set next_run_at = now()
"""


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/concepts.md",
        "docs/start.md",
        "docs/for-developers.md",
        "docs/rollups.md",
        "docs/alerts.md",
        "docs/notifications.md",
        "docs/etl.md",
        "docs/sources.md",
        "docs/statuses.md",
        "docs/records.md",
    ],
)
def test_a_session_prints_what_the_document_shows(
    server: PostgresServer, connection: psycopg.Connection, tmp_path: Path, document: str
) -> None:
    shown = _session(ROOT / document)
    script = tmp_path / "session.sql"
    script.write_text("\n".join(_echoing(shown)))
    connection.execute(JUST_INSTALLED)
    printed = run_psql(server, connection.info.dbname, "-X", "-q", "-f", script)
    assert _tidy(printed) == _tidy(shown)


@pytest.mark.parametrize(
    "document",
    [
        "docs/rollups.md",
        "docs/alerts.md",
        "docs/sources.md",
        "docs/records.md",
        "docs/statuses.md",
        "docs/on-call.md",
        "docs/for-dbas.md",
        "docs/troubleshooting.md",
    ],
)
def test_a_reader_may_run_the_queries_that_a_document_gives(
    connection: psycopg.Connection, document: str
) -> None:
    queries = re.findall(r"```sql\n(select .*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert len(queries) > 2
    connection.execute("set role monitoring_reader")
    for query in queries:
        connection.execute(query.encode())


def test_commands_print_what_the_document_shows(
    server: PostgresServer,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = ROOT / "docs/alerts.md"
    script = tmp_path / "session.sql"
    script.write_text("\n".join(_echoing(_session(document))))
    database = connection.info.dbname
    run_psql(server, database, "-X", "-q", "-f", script)
    _be_a_terminal(monkeypatch)
    now = "-c monitoring.now=2026-03-02T09:05Z"
    dsn = make_conninfo(server.dsn(database), options=now)
    run(dsn, "select monitoring.ensure_partitions()")
    run(dsn, "update monitoring.jobs set next_run_at = monitoring.clock()")
    commands = _commands(document)
    assert len(commands) > 5
    for command, output in commands:
        result = run_pgvigil(dsn, *shlex.split(command))
        assert result.stderr == ""
        assert _tidy(result.stdout) == _tidy(output), command


def _be_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands print what they show on a terminal, one that knows no colour."""
    for variable, text in {"TZ": "UTC", "TTY_COMPATIBLE": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(variable, text)


def test_the_night_on_call_looks_as_its_guide_shows_it(
    server: PostgresServer, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = connection.info.dbname
    run_psql(server, database, "-q", "-f", Path(__file__).with_name("on_call.psql"))
    _be_a_terminal(monkeypatch)
    dsn = make_conninfo(server.dsn(database), options="-c monitoring.now=2026-03-02T03:11Z")
    commands = _commands(ROOT / "docs/on-call.md")
    assert len(commands) == 5
    for command, output in commands:
        result = run_pgvigil(dsn, *shlex.split(command))
        assert result.stderr == ""
        assert _tidy(result.stdout) == _tidy(output), command


def test_commands_and_options_that_documents_name_are_there() -> None:
    named = [
        (document.name, line)
        for document in _documents()
        if document.name not in ("CHANGELOG.md", "decisions.md")
        for line in _lines_of_shells(document.read_text())
    ]
    assert len(named) > 80
    wrong = [
        f"{name}: {line}: {problem}"
        for name, line in named
        for problem in [_problem_of(line)]
        if problem
    ]
    assert wrong == []


def test_the_sql_reference_is_fresh(connection: psycopg.Connection) -> None:
    assert (ROOT / "docs/sql-api.md").read_text() == sql_api.render(connection), (
        "docs/sql-api.md is stale: run make docs"
    )


@pytest.mark.parametrize("name", shipped_lists.PAGES)
def test_what_is_shipped_is_in_the_documents(name: str, connection: psycopg.Connection) -> None:
    page = (ROOT / "docs" / name).read_text()
    assert shipped_lists.with_shipped_lists(page, connection) == page, (
        f"docs/{name} is stale: run make docs"
    )


def test_every_rule_job_and_policy_is_in_a_document(connection: psycopg.Connection) -> None:
    text = "".join((ROOT / "docs" / name).read_text() for name in shipped_lists.PAGES)
    names = connection.execute(
        "select rule_name from monitoring.alert_rules union select job_name from monitoring.jobs"
        " union select table_name from monitoring.retention_policies"
    ).fetchall()
    assert [name for (name,) in names if f"| `{name}` |" not in text] == []


def test_links_between_documents_lead_somewhere() -> None:
    links = [
        (document, target, heading)
        for document in _documents()
        for target, heading in re.findall(
            r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", document.read_text()
        )
    ]
    assert len(links) > 150
    dead = [
        f"{document.name}: {target}#{heading}"
        for document, target, heading in links
        for place in [document.parent / target if target else document]
        if not place.exists() or (heading and heading not in _headings(place))
    ]
    assert dead == []


def test_every_document_is_in_the_navigation_of_the_site() -> None:
    named = [path for pages in site.navigation().values() for _, path in pages]
    documents = {document.relative_to(ROOT).as_posix() for document in _documents()}
    assert documents == set(named), "mkdocs.yml names other pages than there are"
    assert len(named) == len(set(named))


def test_the_list_of_pages_where_people_enter_is_fresh() -> None:
    text = site.ENTRANCE.read_text()
    assert site.with_list_of_pages(text) == text, "docs/README.md is stale: run make docs"
    assert text.count("](") > len(_documents())


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_the_diagrams_are_fresh(name: str) -> None:
    assert (ROOT / f"docs/images/{name}.svg").read_text() == str(diagrams.DIAGRAMS[name]()), (
        f"{name}.svg is stale: run make docs"
    )


def test_the_readme_leads_to_the_list_of_pages() -> None:
    assert "](docs/README.md)" in (ROOT / "README.md").read_text()


def test_nothing_is_installed_by_a_name_that_is_on_no_index_yet() -> None:
    """Whoever takes the name there would be run by all who do as a document says."""
    for document in _documents():
        assert not re.search(
            r"^[^#\n]*pip install '?pgvigil", document.read_text(), re.MULTILINE
        ) or (document.name == "CHANGELOG.md"), document.name


def test_prose_is_written_at_one_sentence_a_line() -> None:
    several = [
        f"{document.name}: {line}"
        for document in _documents()
        if document.name not in ("CHANGELOG.md", "sql-api.md")
        for line in re.sub(r"(?ms)^ *```.*?^ *```", "", document.read_text()).splitlines()
        if not line.lstrip().startswith(("|", "#"))
        # A sentence in brackets or in bold may stand before or within another one.
        and re.search(r"[a-z)][.?!] [A-Z]", re.sub(r"\(.*?\)|^ *- |\*\*.*?\*\*", "", line))
    ]
    assert several == []


def _documents() -> list[Path]:
    patterns = ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*.md")
    return [document for pattern in patterns for document in ROOT.glob(pattern)]


def _headings(document: Path) -> set[str]:
    """Return what a link may end with to lead to a heading."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def _session(document: Path) -> str:
    """Return the blocks of a document that show a psql session, which goes on from each to next."""
    found = re.findall(r"```sql\n(=> .*?)```", document.read_text(), re.DOTALL)
    assert found, f"{document.name} has no psql session"
    return "".join(found)


def _commands(document: Path) -> list[tuple[str, str]]:
    """Return the commands that a document shows in a terminal, each with what it prints."""
    shown = re.findall(r"```console\n(\$ .*?)```", document.read_text(), re.DOTALL)
    return re.findall(r"^\$ pgvigil (.*)\n((?:[^$].*\n|\n)*)", "".join(shown), re.MULTILINE)


def _lines_of_shells(text: str) -> list[str]:
    """Return the calls of pgvigil in blocks for shells, and those between backticks."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    consoles = re.findall(r"^ *```console\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line[2:] for block in consoles for line in block.splitlines() if line[:2] == "$ "]
    calls = [re.sub(r"^(?:\w+=\S+ )+", "", line.strip()) for line in lines]
    prose = re.sub(r"(?ms)^ *```.*?^ *```", "", text)
    # Entries of pg_cron are called so as well, and what is no command may be one of them.
    names = "|".join(cli.main.list_commands(click.Context(cli.main)))
    calls += re.findall(rf"`(pgvigil (?:{names})\b[^`\n]*)`", prose)
    return [call for call in calls if call.startswith("pgvigil ")]


def _problem_of(line: str) -> str | None:
    """Say what a call of pgvigil names that is not there; what it leaves out is fine."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = list(takewhile(lambda word: not set(word) <= set("|&;<>"), lexer))[1:]
    command: click.Command = cli.main
    context = click.Context(command, info_name="pgvigil")
    try:
        while isinstance(command, click.Group):
            if not words or words[0].startswith(("-", "…")) or words[0] == "COMMAND":
                return None
            name, words = words[0], words[1:]
            found = command.get_command(context, name)
            if found is None:
                return f"there is no {name}"
            command, context = found, click.Context(found, parent=context, info_name=name)
        # Its parser alone: nothing is called, and what is left out is not missed.
        command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    return None


def _echoing(session: str) -> list[str]:
    """Turn a session into a script that prints each statement before its result."""
    script: list[str] = []
    for statement in re.findall(r"^=> (.*?;)\n", session, re.DOTALL | re.MULTILINE):
        for number, line in enumerate(statement.splitlines()):
            quoted = (line if number else PROMPT + line).replace("'", "''")
            script.append(f"\\echo '{quoted}'")
        script.append(statement)
    return script


def _tidy(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_commands_of_backfill_print_what_it_says(dsn: str, tmp_path: Path) -> None:
    page = ROOT / "docs/backfill.md"
    pairs = re.findall(r"```sh\n(.*?)```\n\n```\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(pairs) == 3
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PGVIGIL_DSN": dsn, "PATH": f"{programs}:{os.environ['PATH']}"}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for call in re.findall(r"select monitoring\.set_retention\(.*?\);", page.read_text()):
            connection.execute(call.encode())
    for script, expected in pairs:
        result = subprocess.run(
            ["sh", "-ec", script], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (result.stderr, result.stdout) == ("", expected)


def test_functions_and_views_that_documents_name_are_there(connection: psycopg.Connection) -> None:
    ours = {
        name
        for (name,) in connection.execute(
            "select relname::text from pg_class where relnamespace = 'monitoring'::regnamespace"
            " union select proname from pg_proc where pronamespace = 'monitoring'::regnamespace"
            " union select typname from pg_type where typnamespace = 'monitoring'::regnamespace"
        )
    }
    # What a program may call besides: PostgreSQL's own, the client's, and what a test names.
    others = {name for (name,) in connection.execute("select proname::text from pg_proc")}
    places = ("python/**/*.py", "examples/**/*.py", "grafana/**/*.py", "tests/python/support/*.py")
    for source in (file for place in places for file in ROOT.glob(place)):
        others |= set(re.findall(r"(?:def|class) (\w+)", source.read_text()))
    settings = {"now", "actor", "strict", "change_source"}
    # Somebody else's table in the schema, words of other languages, and what the extension brings.
    foreign = {"notes", "getSQLState", "map", "char", "pgvigil_install"}
    missing = set()
    for document in _documents():
        if document.name in ("CHANGELOG.md", "decisions.md"):
            continue
        text = document.read_text()
        with_schema = set(re.findall(r"\bmonitoring\.([a-z_]+)\b(?!\.| \()", text))
        prose = re.sub(r"(?ms)^ *```.*?^ *```", "", text)
        code = " ".join(re.findall(r"`([^`\n]+)`", prose))
        called = set(re.findall(r"(?<![\w.])([a-z_]\w+)\(", code))
        views = set(re.findall(r"(?<![\w.])(v_[a-z_]+)", code))
        missing |= {
            f"{document.name}: {name}"
            for name in (with_schema - ours - settings) | (called - ours - others) | (views - ours)
            if name not in foreign and not name.endswith("_")
        }
    assert missing == set()

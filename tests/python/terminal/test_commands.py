"""Every command has a help with examples that parse, is documented, and is found when mistyped."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.commands.cli import SUBCOMMANDS, main
from pgvigil.commands.examples import EXAMPLES
from tests import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text()
CODE = ROOT / "python" / "pgvigil"


def commands(name: str = "", command: click.Command = main) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below one, with its full name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for called in command.list_commands(context):
            below = command.get_command(context, called)
            assert below is not None
            yield f"{name} {called}".strip(), below
            yield from commands(f"{name} {called}".strip(), below)


EVERY = dict(commands())


def parse(command: click.Command, words: list[str], name: str = "pgvigil") -> click.Command:
    """Parse as the command would, and return what would be called."""
    with command.make_context(name, list(words)) as context:
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            if rest:
                called, below, more = command.resolve_command(context, rest)
                assert below is not None
                return parse(below, more, str(called))
    return command


def test_every_command_has_examples_and_no_other_has() -> None:
    assert EXAMPLES.keys() == EVERY.keys()


@pytest.mark.parametrize("name", EVERY)
def test_help_ends_with_examples_that_are_about_the_command_and_parse(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").mkdir()
    help_text = CliRunner().invoke(main, [*name.split(), "--help"]).output
    shown = help_text.split("Examples:\n")[1].splitlines()
    assert [line.strip() for line in shown] == list(EXAMPLES[name])
    assert max(map(len, shown)) <= 100
    for example in EXAMPLES[name]:
        # What another program does with the output is no matter of ours.
        program, *words = shlex.split(example.partition(" | ")[0])
        assert program == "pgvigil"
        for word in words:
            if re.search(r"\.(json|jsonl|csv|sh|env)$", word):
                (tmp_path / word).touch()
        called = parse(main, words)
        own = EVERY[name]
        below = own.commands.values() if isinstance(own, click.Group) else ()
        assert called is own or called in below


def test_an_example_that_does_not_parse_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse(main, ["tasks", "list", "--stats", "failed"])


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["dashbord"], "'dashboard'"), (["alert"], "'alerts'"), (["alerts", "sho", "3"], "'show'"),
        (["config", "aply"], "'apply'"), (["dashboard", "batsh"], "'batch'"),
        (["tasks", "--stauts", "failed"], "--status"), (["doctor", "--jsn"], "--json"),
    ],
)  # fmt: skip
def test_what_was_probably_meant_is_said(words: list[str], meant: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert meant in result.stderr


def test_a_name_unlike_any_is_answered_with_those_there_are() -> None:
    stderr = CliRunner().invoke(main, ["xyzzy"]).stderr
    assert "No such command 'xyzzy'. There are: demo, up, migrate," in stderr


def complete(shell: str, words: str) -> str:
    """Return what a shell would be told, as the function that it loads asks for it."""
    environment = {
        **os.environ,
        "_PGVIGIL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1) if shell != "fish" else words.split()[-1],
    }
    code = "from pgvigil.commands.cli import main; main(prog_name='pgvigil')"
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_options(shell: str) -> None:
    found = complete(shell, "pgvigil al")
    assert "alerts" in found
    assert "tasks" not in found
    assert "--severity" in complete(shell, "pgvigil alerts list --sev")
    assert f"_PGVIGIL_COMPLETE={shell}_source pgvigil" in PAGE


def test_completing_a_command_imports_none() -> None:
    code = (
        "import sys, click; from click.testing import CliRunner;"
        "from pgvigil.commands.cli import main;"
        "found = main.shell_complete(click.Context(main), 'al');"
        "assert [each.value for each in found] == ['alerts'], found;"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('psycopg', 'rich')))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"


def test_the_page_lists_every_command_with_its_line() -> None:
    rows = dict(re.findall(r"^\| `pgvigil ([a-z]+)` \| (.*?) \|", PAGE, re.MULTILINE))
    assert rows == {name: entry.summary for name, entry in SUBCOMMANDS.items()}


def test_the_page_names_the_variables_that_commands_read() -> None:
    of_commands = {
        variable
        for _, command in commands()
        for parameter in command.params
        for variable in (
            [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
        )
    }
    listed = set(re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE))
    assert of_commands <= listed
    everywhere = "".join(path.read_text() for path in CODE.rglob("*.py"))
    assert all(variable in everywhere for variable in listed if variable.startswith("PGVIGIL"))


def test_json_is_one_document(dsn: str, connection: psycopg.Connection[Any]) -> None:
    def document(*words: str) -> Any:
        return json.loads(CliRunner().invoke(main, [*words, "--json", "--dsn", dsn]).stdout)

    assert document("status")["installed"] is True
    assert document("dashboard")["tasks"]["running"] == 0
    checks = document("doctor")
    assert {"ok"} <= {check["level"] for check in checks} <= {"ok", "warn", "fail"}
    assert all(check.keys() == {"name", "level", "finding", "remedy"} for check in checks)
    connection.execute("select monitoring.evaluate_alerts()")
    verdict = document("check")
    assert verdict.keys() == {"level", "exit_code", "text"}
    assert verdict["exit_code"] in (0, 1, 2, 3)
    assert document("alerts", "history", "--since", "1s") == []


@pytest.mark.parametrize("words", [["--watch", "2"], ["tasks"]])
def test_the_overview_alone_has_json_and_once(words: list[str], dsn: str) -> None:
    result = CliRunner().invoke(main, ["dashboard", "--json", "--dsn", dsn, *words])
    assert result.exit_code == 2
    assert "--json is for the overview" in result.stderr

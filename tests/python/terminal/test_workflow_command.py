"""``pgvigil workflow``, and the workflow that is shipped as an example."""

import json
import subprocess
from pathlib import Path

import psycopg
import pytest
from jsonschema import Draft202012Validator

from tests import ROOT
from tests.harness.clients import run_pgvigil

EXAMPLE = ROOT / "examples" / "batch" / "billing.json"
HELPER = ROOT / "tests" / "pgtap" / "helpers" / "batch.psql"


def workflow(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_pgvigil(dsn, "workflow", *arguments)


def test_the_example_is_applied_and_again_changes_nothing(dsn: str) -> None:
    applied = workflow(dsn, "apply", str(EXAMPLE))
    assert (applied.returncode, applied.stderr) == (0, "")
    assert 'time_zone: none -> "Europe/Berlin"\n' in applied.stdout
    assert "\nsteps.F1-FLUSH: none -> {" in applied.stdout
    again = workflow(dsn, "apply", str(EXAMPLE))
    assert (again.returncode, again.stdout) == (0, "nothing to change\n")


def test_the_example_has_the_six_steps_in_their_order() -> None:
    steps = [step["step"] for step in json.loads(EXAMPLE.read_text())["steps"]]
    assert steps == ["CM-DMRU", "D1-IMD", "C1-PPBTR", "F1-FLUSH", "CM_BSGGN", "BILLRESTSMS"]


def test_the_story_is_about_the_example() -> None:
    told = HELPER.read_text().split("$json$")[1]
    assert json.loads(told) == json.loads(EXAMPLE.read_text())


def test_what_is_shown_can_be_applied(dsn: str, tmp_path: Path) -> None:
    workflow(dsn, "apply", str(EXAMPLE))
    shown = workflow(dsn, "show", "billing")
    assert (shown.returncode, shown.stderr) == (0, "")
    file = tmp_path / "shown.json"
    file.write_text(shown.stdout, encoding="utf-8")
    assert workflow(dsn, "apply", str(file)).stdout == "nothing to change\n"
    document = json.loads(shown.stdout)
    del document["steps"][3]
    document["steps"][3]["after"] = ["C1-PPBTR"]
    file.write_text(json.dumps(document), encoding="utf-8")
    changed = workflow(dsn, "apply", str(file))
    assert changed.returncode == 0
    assert [line.split(":")[0] for line in changed.stdout.splitlines()] == [
        "steps.CM_BSGGN",
        "steps.F1-FLUSH",
    ]
    document["steps"].insert(0, document["steps"].pop())
    file.write_text(json.dumps(document), encoding="utf-8")
    assert workflow(dsn, "apply", str(file)).stdout == (
        'steps: ["CM-DMRU", "D1-IMD", "C1-PPBTR", "CM_BSGGN", "BILLRESTSMS"] -> '
        '["BILLRESTSMS", "CM-DMRU", "D1-IMD", "C1-PPBTR", "CM_BSGGN"]\n'
    )


def test_what_is_refused_is_told_by_its_path_and_nothing_is_applied(
    dsn: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"workflow": "w", "steps": [{"step": "a", "expectd": "1 hour"}]}')
    refused = workflow(dsn, "apply", str(file))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Error: workflow.steps[0].expectd is not known\n"
        "Hint: Known there: after, description, expected, late_after, long_after, minimum_rate, "
        "optional, schedule, step, stuck_after, until_done.\n"
    )
    assert connection.execute("select * from monitoring.batch_workflow_config").fetchall() == []


@pytest.mark.parametrize("command", ["show", "remove"])
def test_what_is_not_there_is_told(dsn: str, command: str) -> None:
    told = workflow(dsn, command, "none")
    assert told.returncode == 1
    assert 'there is no workflow "none"' in told.stdout + told.stderr


def test_a_workflow_is_removed(dsn: str, connection: psycopg.Connection) -> None:
    workflow(dsn, "apply", str(EXAMPLE))
    removed = workflow(dsn, "remove", "billing")
    assert (removed.returncode, removed.stdout) == (0, "removed\n")
    assert connection.execute("select * from monitoring.batch_workflow_config").fetchall() == []


def test_the_schema_is_one_and_the_example_fits_it(dsn: str) -> None:
    printed = workflow(dsn, "schema")
    assert printed.returncode == 0
    schema = json.loads(printed.stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(EXAMPLE.read_text()))
    assert not Draft202012Validator(schema).is_valid({"workflow": "w", "steps": []})

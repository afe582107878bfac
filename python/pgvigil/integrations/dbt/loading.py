"""Recording a run of dbt: its nodes as tasks, why they failed as errors, failing rows as records.

Everything carries the time at which it happened and a name of its own, so that recording a run
again adds nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgvigil.client.backfill import exact_json
from pgvigil.client.backfill.numbering import number_of_content
from pgvigil.database.queries.dbt import ALL_FAILING, ERRORS, SOME_FAILING, TASKS
from pgvigil.database.words import count_of
from pgvigil.exceptions import installed_or_told
from pgvigil.integrations.dbt.artifacts import Result, Run
from pgvigil.integrations.dbt.failures import (
    KEY_SETTING,
    Check,
    Failing,
    UnknownFailuresError,
    failing_of,
)

Say = Callable[[str], None]

_ALL = '{"all": true}'


@dataclass
class Loaded:
    """What became of a run."""

    tasks: int = 0
    errors: int = 0
    records: Counter[str] = field(default_factory=Counter)
    """How many were opened, reopened, touched and resolved."""
    unknown: int = 0
    """Tests whose failing rows are not known, so that their records stay as they are."""


def load(
    connection: psycopg.Connection[Any],
    run: Run,
    *,
    tables: psycopg.Connection[Any],
    most_rows: int,
    dry_run: bool = False,
    say: Say = lambda line: None,
) -> Loaded:
    """Record a run.

    Args:
        connection: in autocommit mode; all is one transaction.
        run: what dbt has written.
        tables: where it made the tables of failures, in autocommit mode and of its own.
        most_rows: how many rows of a table are read.
        dry_run: take everything back.
        say: takes what is worth knowing, in lines.

    Raises:
        psycopg.Error: the database failed, and nothing stays.
        NotInstalledError: pgvigil is not in that database.
    """
    loaded = Loaded()
    with installed_or_told(), connection.transaction(force_rollback=dry_run):
        loaded.tasks = _written(connection, TASKS, [_run_task(run), *_node_tasks(run)])
        errors = [_error(result) for result in run.results if _is_told(result)]
        loaded.errors = _written(connection, ERRORS, errors) if errors else 0
        for check in _checks(run, loaded, say):
            try:
                failing = failing_of(check, tables, most_rows)
            except UnknownFailuresError as error:
                loaded.unknown += 1
                say(f"{check.name}: failing rows are not known: {error}")
            else:
                loaded.records.update(_sync(connection, check, failing))
                _comment(check, failing, say)
    return loaded


def _checks(run: Run, loaded: Loaded, say: Say) -> list[Check]:
    """Return the tests whose failures can be known, and count the others."""
    tests = [result for result in run.results if result.has_examined]
    if run.nodes is None:
        if tests:
            loaded.unknown += len(tests)
            say("manifest.json is missing, so no invalid records are taken or resolved")
        return []
    checks = [
        Check(result, node, run.nodes)
        for result in tests
        if isinstance(node := run.nodes.get(result.unique_id), dict)
    ]
    if len(checks) < len(tests):
        loaded.unknown += len(tests) - len(checks)
        say(f"manifest.json lacks {count_of(len(tests) - len(checks), 'test')} of the run")
    known = [check for check in checks if check.is_stored or check.result.failures == 0]
    if len(known) < len(checks):
        what = count_of(len(checks) - len(known), "failing test")
        say(f"{what} without store_failures: their rows are not taken")
    return known


def _comment(check: Check, failing: Failing, say: Say) -> None:
    if not failing.is_complete:
        read = count_of(len(failing.records), "row")
        say(f"{check.name}: more may fail than the {read} read, so that none is resolved")
    if not failing.has_key:
        say(
            f"{check.name}: no column names a row, so records are named by their content; set "
            f"meta.{KEY_SETTING} of the test"
        )


def _sync(connection: psycopg.Connection[Any], check: Check, failing: Failing) -> dict[str, int]:
    message = {"message": check.result.message} if check.result.message else {}
    answer = _value(
        connection,
        ALL_FAILING if failing.is_complete else SOME_FAILING,
        {
            "dataset": check.dataset,
            "test": check.name,
            "scope": _ALL,
            "records": exact_json.dumps([record | message for record in failing.records]),
            "task_id": check.result.unique_id,
            "at": check.result.ended,
        },
    )
    return {key: count for key, count in (answer or {}).items() if isinstance(count, int)}


def _run_task(run: Run) -> dict[str, Any]:
    failed = sum(result.status == "failed" for result in run.results)
    why = {"error_message": f"{failed} of {count_of(len(run.results), 'node')} failed"}
    return {
        "task_id": _run_name(run),
        "task_type": f"dbt.{run.command}",
        "status": "failed" if failed else "completed",
        "start_time": run.began.isoformat(),
        "end_time": run.ended.isoformat(),
        "counters": dict(Counter(result.word for result in run.results)),
        "metadata": {"dbt_version": run.version} | (why if failed else {}),
    }


def _run_name(run: Run) -> str:
    return f"dbt {run.command} {run.invocation}"


def _node_tasks(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "task_id": result.unique_id,
            "task_type": f"dbt.node.{result.kind}",
            "status": result.status,
            "attempt": 2 if run.is_retry else 1,
            "start_time": result.began.isoformat(),
            "end_time": result.ended.isoformat(),
            "parent_task_id": _run_name(run),
            "step_durations": result.steps,
            "counters": {
                name: count
                for name in ("failures", "rows_affected")
                if (count := getattr(result, name)) is not None
            },
            "metadata": {"dbt_status": result.word}
            | ({"error_message": result.message} if _is_told(result) else {}),
        }
        for result in run.results
    ]


def _is_told(result: Result) -> bool:
    """Return whether its message is that of an error."""
    return result.word == "warn" or result.status == "failed"


def _error(result: Result) -> dict[str, Any]:
    row = {
        "task_id": result.unique_id,
        "error_type": f"dbt.{result.word}",
        "severity": "medium" if result.word == "warn" else "high",
        "message": result.message or f"{result.unique_id}: {result.word}",
        "component": "dbt",
        # "Got 1 result" is said of any test.
        "fingerprint": f"{result.unique_id} {result.word}",
        "occurred_at": result.ended.isoformat(),
    }
    return row | {"error_id": number_of_content("errors", row)}


def _written(connection: psycopg.Connection[Any], call: str, rows: Sequence[dict[str, Any]]) -> int:
    return int(_value(connection, call, {"rows": exact_json.dumps(rows)}) or 0)


def _value(connection: psycopg.Connection[Any], call: str, arguments: dict[str, Any]) -> Any:
    row = connection.execute(call.encode(), arguments).fetchone()
    return row[0] if row else None

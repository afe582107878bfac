"""Reading ``run_results.json`` and ``manifest.json``, whatever version of dbt wrote them.

Only keys that all versions of the documents have are relied on; others are ignored.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pgvigil.exceptions import PgvigilError
from pgvigil.outside.sources.cells import text_of

_COMPLETED = {"success", "pass", "warn", "no-op"}
_CANCELLED = {"skipped"}
_ENDLESS_SECONDS = 1e9


class ArtifactError(PgvigilError):
    """A file is not what dbt writes."""


@dataclass(frozen=True)
class Result:
    """How one node of a run ended: a model, a test, a seed or a snapshot."""

    unique_id: str
    kind: str
    """What it is, as dbt says: model, test and so on."""
    word: str
    """Its status in the words of dbt, such as success, fail or skipped."""
    message: str | None
    failures: int | None
    """Rows that fail a test; None for what is no test, or did not run."""
    rows_affected: int | None
    began: datetime
    ended: datetime
    steps: dict[str, float] = field(default_factory=dict)
    """Milliseconds by step, such as compile and execute."""

    @property
    def status(self) -> str:
        """Return its status as that of a task; a word that is not known is a failure."""
        if self.word in _COMPLETED:
            return "completed"
        return "cancelled" if self.word in _CANCELLED else "failed"

    @property
    def has_examined(self) -> bool:
        """Return whether it is a test that has looked at its rows."""
        return self.kind == "test" and self.word in ("pass", "warn", "fail")


@dataclass(frozen=True)
class Run:
    """One call of dbt."""

    invocation: str
    command: str
    """What was called, such as build, run or test."""
    version: str
    is_retry: bool
    began: datetime
    ended: datetime
    results: list[Result]
    nodes: dict[str, Any] | None
    """The nodes of the manifest by their names; None when there is no manifest."""


def read_run(target: Path) -> Run:
    """Read the documents of a run.

    Args:
        target: the directory that dbt writes to, or ``run_results.json`` in it.

    Raises:
        ArtifactError: a file is missing, or is not what dbt writes.
    """
    path = target / "run_results.json" if target.is_dir() else target
    document = _read(path, "results", list)
    metadata = as_object(document.get("metadata"))
    arguments = as_object(document.get("args"))
    ended = _moment(metadata.get("generated_at"))
    if ended is None:
        raise ArtifactError(f"{path} does not say when it was made: metadata.generated_at")
    words = str(arguments.get("invocation_command") or "").split()
    command = str(arguments.get("which") or arguments.get("rpc_method") or "run")
    return Run(
        invocation=str(metadata.get("invocation_id") or ended.isoformat()),
        command=command,
        version=str(metadata.get("dbt_version") or "unknown"),
        is_retry="retry" in (command, *words[1:2]),
        began=ended - timedelta(seconds=_seconds(document.get("elapsed_time"))),
        ended=ended,
        results=[_result(path, entry, ended) for entry in document["results"]],
        nodes=_nodes(path.with_name("manifest.json")),
    )


def _nodes(path: Path) -> dict[str, Any] | None:
    return _read(path, "nodes", dict)["nodes"] if path.exists() else None


def _read(path: Path, key: str, kind: type) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(
            f"{path} does not exist", hint="Give the directory that dbt writes to, mostly target/."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get(key), kind):
        raise ArtifactError(
            f"{path} is not what dbt writes: it has no {key}",
            hint="Give the directory that dbt writes to, mostly target/.",
        )
    return document


def _result(path: Path, entry: Any, written: datetime) -> Result:
    told = as_object(entry)
    name, word = text_of(told.get("unique_id")), told.get("status")
    if not (name and isinstance(word, str) and word):
        raise ArtifactError(f"{path}: a result has no unique_id or status: {str(entry)[:100]}")
    timing = told.get("timing")
    steps = [as_object(step) for step in timing] if isinstance(timing, list) else []
    begins = [began for step in steps if (began := _moment(step.get("started_at")))]
    ends = [ended for step in steps if (ended := _moment(step.get("completed_at")))]
    length = timedelta(seconds=_seconds(told.get("execution_time")))
    ended = max(ends) if ends else (max(begins) + length if begins else written)
    return Result(
        unique_id=name,
        kind=name.partition(".")[0],
        word=word.lower(),
        message=text_of(told.get("message")) or None,
        failures=_count(told.get("failures")),
        rows_affected=_count(as_object(told.get("adapter_response")).get("rows_affected")),
        began=min([*begins, ended]) if begins else ended - length,
        ended=ended,
        steps=_lengths(steps),
    )


def _lengths(steps: list[dict[str, Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for step in steps:
        began, ended = _moment(step.get("started_at")), _moment(step.get("completed_at"))
        if began and ended and ended >= began and isinstance(step.get("name"), str):
            found[step["name"]] = (ended - began).total_seconds() * 1000
    return found


def as_object(value: Any) -> dict[str, Any]:
    """Return an object of a document, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _seconds(value: Any) -> float:
    is_number = isinstance(value, int | float) and 0 <= value < _ENDLESS_SECONDS
    return float(value) if is_number else 0.0


def _moment(value: Any) -> datetime | None:
    """Return a time; dbt writes UTC."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

"""Reading what the dashboard of ETL shows, and writing it to a file."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pgvigil.database.freshness import Freshness, read_freshness
from pgvigil.database.queries import etl as queries
from pgvigil.database.queries.alerts import OF_ETL, OF_EXECUTION
from pgvigil.exceptions import installed_or_told

Rows = list[dict[str, Any]]

_SHOWN = timedelta(hours=24)


@dataclass(frozen=True)
class EtlState:
    """What the dashboard of ETL shows, as of one moment; what was not asked for is None."""

    health: dict[str, Any]
    """What ``get_etl_health_status()`` returns."""
    executions: Rows = field(default_factory=list)
    """Those that run, and those that ended within a day, newest first."""
    execution: dict[str, Any] | None = None
    """What ``get_etl_execution_summary()`` returns of the one that was asked for."""
    execution_id: str | None = None
    """The one that was asked for."""
    logs: Rows | None = None
    metrics: Rows | None = None
    alerts: Rows | None = None
    freshness: Sequence[Freshness] = ()
    """How fresh all that is."""

    @property
    def tables(self) -> dict[str, Rows]:
        """Return the tables that were asked for besides the executions, by name."""
        named = {"logs": self.logs, "metrics": self.metrics, "alerts": self.alerts}
        return {name: rows for name, rows in named.items() if rows is not None}


def read_etl_state(
    connection: psycopg.Connection[Any],
    *,
    execution_id: str | None = None,
    sections: Sequence[str] = (),
    limit: int = 20,
) -> EtlState:
    """Read the present state of ETL.

    Args:
        connection: to the database.
        execution_id: the only one to look at; all of a day when None.
        sections: what to read besides executions: logs, metrics, alerts.
        limit: most rows of each table.

    Raises:
        NotInstalledError: the database has no pgvigil.
        psycopg.OperationalError: the server is away or silent.
    """
    with installed_or_told(), connection.cursor(row_factory=dict_row) as cursor:
        found = connection.execute(queries.HEALTH).fetchone()
        health: dict[str, Any] = found[0] if found else {}
        summary = None
        since = datetime.fromisoformat(health["generated_at"]) - _SHOWN
        if execution_id is not None:
            row = connection.execute(queries.SUMMARY, {"execution_id": execution_id}).fetchone()
            summary = row[0] if row else None
            began = (summary or {}).get("started_at") or (summary or {}).get("finished_at")
            if began is not None:
                since = datetime.fromisoformat(began) - timedelta(microseconds=1)
        arguments = {"execution_id": execution_id, "since": since, "limit": limit}
        wanted = {
            "logs": queries.LOGS,
            "metrics": queries.METRICS,
            "alerts": OF_ETL if execution_id is None else OF_EXECUTION,
        }
        tables = {
            name: cursor.execute(wanted[name].encode(), arguments).fetchall() for name in sections
        }
        executions = cursor.execute(queries.EXECUTIONS, arguments).fetchall()
        freshness = read_freshness(connection)
    return EtlState(health, executions, summary, execution_id, freshness=freshness, **tables)


def export(state: EtlState, path: Path) -> None:
    """Write what was read to a file: all of it as JSON, or one table as CSV.

    Raises:
        ValueError: the name ends neither in .json nor in .csv, or several tables go to a .csv.
        OSError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".json":
        document = {
            "health": state.health,
            "freshness": [asdict(each) for each in state.freshness],
            "execution": state.execution,
            "executions": state.executions,
            **state.tables,
        }
        path.write_text(json.dumps(document, indent=2, default=_plain, ensure_ascii=False) + "\n")
    elif kind == ".csv":
        if len(state.tables) > 1:
            raise ValueError("a .csv holds one table: choose one, or name the file .json")
        rows = next(iter(state.tables.values()), state.executions)
        _write_csv(path, rows)
    else:
        raise ValueError(f"{path.name} ends neither in .json nor in .csv")


def _write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if rows:
            writer.writerow(rows[0])
        for row in rows:
            writer.writerow(
                json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else _plain(value)
                for value in row.values()
            )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

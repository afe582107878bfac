"""`ETLAlertManager`: asks the database's alert rules about ETL. There is no engine in here."""

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from pgvigil.exceptions import explain
from pgvigil.recording.link import ImpatientConnection

logger = logging.getLogger("pgvigil")

OF_EXECUTION = """
select
    alert_id, rule_name, severity, status, summary, value, threshold, unit, labels, started_at
from monitoring.v_active_alerts
where labels ->> 'task_id' = %(execution_id)s
    or starts_with(labels ->> 'task_id', %(execution_id)s || '/')
"""
# What is about tasks of other types is not about ETL; what names no type may concern all.
OF_SYSTEM = """
select
    alert_id, rule_name, severity, status, summary, value, threshold, unit, labels, started_at
from monitoring.v_active_alerts
where coalesce(labels ->> 'task_type', 'etl') in ('etl', 'etl.chunk')
"""
_CHECK_PROCESSING = "select monitoring.check_processing_performance_alerts()"
_CHECK_ALL = "select monitoring.evaluate_alerts()"


@dataclass(frozen=True)
class ETLAlert:
    """An open alert, as the view ``v_active_alerts`` has it."""

    alert_id: int
    rule_name: str
    severity: str
    """low, medium, high or critical."""
    status: str
    """firing or acknowledged."""
    summary: str
    value: float | None
    threshold: float | None
    unit: str | None
    labels: dict[str, Any]
    started_at: datetime


class ETLAlertManager:
    """Has the rules of the database evaluated and returns the open alerts concerned.

    The limits are the rules' own, and `set_alert_thresholds()` changes them: 5 % failed items, an
    hour, 90 % success, three failures in a row. To have rules evaluated takes the rights of
    ``monitoring_operator``; without them the alerts are returned as the last evaluation left them.
    """

    def __init__(self, dsn: str | None = None, *, timeout: float = 15.0) -> None:
        """Make a manager; a connection is opened for each check.

        Args:
            dsn: connection URI; when None, ``PGVIGIL_DSN`` or libpq's own environment.
            timeout: seconds for each of the two statements of a check.
        """
        self._dsn = os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn
        self._timeout = timeout

    def check_execution_alerts(self, execution_id: str) -> list[ETLAlert]:
        """Have the rules about tasks evaluated.

        Returns:
            The open alerts of an execution and its chunks, worst first; none when the database
            cannot be asked, which is told to the logger ``pgvigil``.
        """
        return self._check(_CHECK_PROCESSING, OF_EXECUTION, {"execution_id": str(execution_id)})

    def check_system_alerts(self) -> list[ETLAlert]:
        """Have all rules evaluated.

        Returns:
            The open alerts of ETL, and those that are not about tasks of another type, worst first;
            none when the database cannot be asked, which is told to the logger ``pgvigil``.
        """
        return self._check(_CHECK_ALL, OF_SYSTEM, {})

    def _check(self, evaluation: str, query: str, arguments: dict[str, str]) -> list[ETLAlert]:
        try:
            with self._connect() as connection:
                try:
                    connection.execute(evaluation.encode())
                except psycopg.errors.InsufficientPrivilege:
                    logger.debug("may not evaluate alert rules; the last evaluation stands")
                with connection.cursor(row_factory=class_row(ETLAlert)) as cursor:
                    return cursor.execute(query.encode(), arguments).fetchall()
        except Exception as error:
            logger.warning("cannot check alerts: %s", explain(error) or error)
            return []

    def _connect(self) -> ImpatientConnection:
        connection = ImpatientConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=5,
            fallback_application_name="pgvigil etl alerts",
        )
        connection.patience = self._timeout
        return connection

"""`ETLAlertManager`: asks the database's alert rules about ETL. There is no engine in here."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from pgvigil.client.sending.all_senders import flush_all
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.freshness import ALERTS, read_one
from pgvigil.database.patience import ImpatientConnection
from pgvigil.database.queries import alerts as queries
from pgvigil.database.queries import decisions
from pgvigil.exceptions import AlertsUnknownError, explain

logger = logging.getLogger("pgvigil")

UNKNOWN_RULE = "alerts_unknown"
"""Stands in `rule_name` of what says that the alerts are not known."""


@dataclass(frozen=True)
class ETLAlert:
    """An open alert, as the view ``v_active_alerts`` has it."""

    alert_id: int | None
    """None for what says that the alerts are not known."""
    rule_name: str
    severity: str
    """low, medium, high or critical."""
    status: str
    """firing or acknowledged; unknown for what says that the alerts are not known."""
    summary: str
    value: float | None
    threshold: float | None
    unit: str | None
    labels: dict[str, Any]
    started_at: datetime


class ETLAlerts(list[ETLAlert]):
    """The open alerts, worst first; empty only where it is known that none is open.

    Where that is not known, the first one says so: severity high, status ``unknown``, rule
    ``alerts_unknown``. Whoever counts, tests or sends what is in here cannot take it for fine.
    """

    def __init__(self, alerts: Iterable[ETLAlert] = (), unknown_because: str | None = None) -> None:
        """Hold alerts.

        Args:
            alerts: those that are open, or were when rules last ran.
            unknown_because: why that may not be all there is to know; None when it is.
        """
        super().__init__(alerts)
        self.unknown_because = unknown_because
        """Why it is not known what is open; None when it is."""
        if unknown_because is not None:
            self.insert(0, _not_known(unknown_because))

    @property
    def is_known(self) -> bool:
        """Whether these are all alerts that are open, and none is unknown."""
        return self.unknown_because is None


def _not_known(reason: str) -> ETLAlert:
    return ETLAlert(
        alert_id=None,
        rule_name=UNKNOWN_RULE,
        severity="high",
        status="unknown",
        summary=f"it is not known which alerts are open: {reason}",
        value=None,
        threshold=None,
        unit=None,
        labels={},
        started_at=datetime.now().astimezone(),
    )


class ETLAlertManager:
    """Has the rules of the database evaluated and returns the open alerts concerned.

    The limits are the rules' own, and `set_alert_thresholds()` changes them: 5 % failed items, an
    hour, 90 % success, three failures in a row. To have rules evaluated takes the rights of
    ``monitoring_operator``; without them the alerts are returned as the last evaluation left them,
    and as unknown when that was too long ago.

    A check waits until what this program has told is in the database, for `timeout` at most.

    A check never breaks the program that makes it, nor does it say that all is well when it cannot
    know: see `ETLAlerts`.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        timeout: float = 15.0,
        on_error: Literal["tell", "raise"] = "tell",
    ) -> None:
        """Make a manager; a connection is opened for each check.

        Args:
            dsn: connection URI; when None, ``PGVIGIL_DSN`` or libpq's own environment.
            timeout: seconds for each statement of a check.
            on_error: what to do when alerts are not known: ``tell`` so in what is returned and to
                the logger ``pgvigil``, or ``raise`` AlertsUnknownError.
        """
        self._dsn = os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn
        self._timeout = timeout
        self._on_error = on_error

    def check_execution_alerts(self, execution_id: str) -> ETLAlerts:
        """Have the rules about tasks evaluated.

        Returns:
            The open alerts of an execution and its chunks, worst first; see `ETLAlerts` for when
            they are not known.

        Raises:
            AlertsUnknownError: they are not known, and ``on_error`` is ``raise``.
        """
        return self._check(
            decisions.EVALUATE_PROCESSING, queries.OF_EXECUTION, {"execution_id": str(execution_id)}
        )

    def check_system_alerts(self) -> ETLAlerts:
        """Have all rules evaluated.

        Returns:
            The open alerts of ETL, and those that are not about tasks of another type, worst first;
            see `ETLAlerts` for when they are not known.

        Raises:
            AlertsUnknownError: they are not known, and ``on_error`` is ``raise``.
        """
        return self._check(decisions.EVALUATE, queries.OF_ETL, {})

    def _check(self, evaluation: str, query: str, arguments: dict[str, str]) -> ETLAlerts:
        has_sent_all = flush_all(self._dsn, self._timeout)
        try:
            with self._connect() as connection:
                reason = _evaluate(connection, evaluation)
                with connection.cursor(row_factory=class_row(ETLAlert)) as cursor:
                    alerts = cursor.execute(query.encode(), arguments).fetchall()
        except Exception as error:
            lines = (explain(error) or str(error)).splitlines()
            alerts, reason = [], lines[0] if lines else type(error).__name__
        if reason is None and not has_sent_all:
            reason = "some records of this program are still on their way to the database"
        if reason is not None:
            logger.warning("cannot check alerts: %s", reason)
            if self._on_error == "raise":
                raise AlertsUnknownError(reason)
        return ETLAlerts(alerts, reason)

    def _connect(self) -> ImpatientConnection:
        connection = ImpatientConnection.connect(
            complete_dsn(self._dsn, "pgvigil etl alerts", 5),
            autocommit=True,
            prepare_threshold=None,
        )
        connection.patience = self._timeout
        return connection


def _evaluate(connection: psycopg.Connection[Any], evaluation: str) -> str | None:
    """Have rules evaluated; return why alerts are not known all the same, or None."""
    try:
        connection.execute(evaluation.encode())
    except psycopg.errors.InsufficientPrivilege:
        logger.debug("not allowed to evaluate alert rules; showing the last evaluation")
        freshness = read_one(connection, ALERTS)
        return None if freshness.is_known else freshness.detail
    return None

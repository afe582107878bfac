"""`ETLAlertManager`: asks the database's alert rules about ETL. There is no engine in here."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from pgvigil.client.etl.clients import Source, dsn_of
from pgvigil.client.etl.reading import open_reading, read
from pgvigil.database.freshness import ALERTS, read_one
from pgvigil.database.queries import alerts as queries
from pgvigil.database.queries import decisions
from pgvigil.exceptions import AlertsUnknownError, monitoring_errors

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

    The limits are the rules' own, and `set_thresholds` changes them: 5 % failed items, 60 minutes,
    90 % success, three failures in a row. To have rules evaluated takes the rights of
    ``monitoring_operator``; without them the alerts are returned as the last evaluation left them,
    and as unknown when that was too long ago.

    A check waits until what this program has told is in the database, for `timeout` at most.

    A check never breaks the program that makes it, nor does it say that all is well when it cannot
    know: see `ETLAlerts`.
    """

    def __init__(
        self,
        client: Source = None,
        *,
        timeout: float = 15.0,
        on_error: Literal["tell", "raise"] = "tell",
    ) -> None:
        """Make a manager; a connection is opened for each check.

        Args:
            client: an `ETLMonitor` or client whose database it is, or a connection URI; when
                None, ``PGVIGIL_DSN`` or libpq's own environment.
            timeout: seconds for each statement of a check.
            on_error: what to do when alerts are not known: ``tell`` so in what is returned and to
                the logger ``pgvigil``, or ``raise`` AlertsUnknownError.

        Raises:
            TypeError: the client is none of these.
        """
        self._dsn = dsn_of(client)
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

    def set_thresholds(
        self,
        *,
        max_error_percent: float | None = None,
        max_duration_minutes: float | None = None,
        min_success_percent: float | None = None,
        consecutive_failures: int | None = None,
    ) -> None:
        """Decide from when on there is an alert, for whoever looks at this database.

        What is None stays as it is. It takes the rights of ``monitoring_operator``.

        Args:
            max_error_percent: more failed items of an execution, in percent, are an alert.
            max_duration_minutes: an execution that runs for longer, in minutes, is one.
            min_success_percent: fewer items of an execution that went well, in percent, are one.
            consecutive_failures: so many failed executions in a row are one.

        Raises:
            MonitoringError: a limit makes no sense.
            psycopg.Error: the database is away, or refuses to change them.
        """
        of_etl = {"task_type": "etl"}
        longest = None if max_duration_minutes is None else max_duration_minutes * 60
        limits: list[tuple[str, str, float | None, dict[str, str]]] = [
            ("item_error_rate_high", "medium", max_error_percent, {}),
            ("long_running_task", "medium", longest, of_etl),
            ("item_success_rate_low", "high", min_success_percent, {}),
            ("consecutive_failures", "high", consecutive_failures, of_etl),
        ]
        with (
            monitoring_errors(),
            open_reading(self._dsn, self._timeout) as connection,
            connection.transaction(),
        ):
            for rule, severity, limit, labels in limits:
                if limit is not None:
                    decisions.set_thresholds(connection, rule, {severity: limit}, labels)

    def _check(self, evaluation: str, query: str, arguments: dict[str, str]) -> ETLAlerts:
        def ask(connection: psycopg.Connection[Any]) -> tuple[list[ETLAlert], str | None]:
            reason = _evaluate(connection, evaluation)
            with connection.cursor(row_factory=class_row(ETLAlert)) as cursor:
                return cursor.execute(query.encode(), arguments).fetchall(), reason

        answer, unread = read(self._dsn, ask, self._timeout)
        alerts, reason = answer or ([], None)
        reason = reason or unread
        if reason is not None:
            logger.warning("cannot check alerts: %s", reason)
            if self._on_error == "raise":
                raise AlertsUnknownError(reason)
        return ETLAlerts(alerts, reason)


def _evaluate(connection: psycopg.Connection[Any], evaluation: str) -> str | None:
    """Have rules evaluated; return why alerts are not known all the same, or None."""
    try:
        connection.execute(evaluation.encode())
    except psycopg.errors.InsufficientPrivilege:
        logger.debug("not allowed to evaluate alert rules; showing the last evaluation")
        freshness = read_one(connection, ALERTS)
        return None if freshness.is_known else freshness.detail
    return None

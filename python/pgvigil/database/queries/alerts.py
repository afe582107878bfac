"""Reading alerts, their history and what silences them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from pgvigil.database.queries.state import CHECKS
from pgvigil.exceptions import installed_or_told, monitoring_errors

SEVERITIES = ("low", "medium", "high", "critical")
"""The words, in the order of ``severities()``, where no database can be asked."""

_WORST_FIRST = "array_position(monitoring.severities(), severity) desc"
_BY_URGENCY = f"acknowledged_at is not null, {_WORST_FIRST}, fired_at, alert_id"
"""The order in which every face lists open alerts, and that of ``v_active_alerts``."""
_CHOSEN = """
    array_position(monitoring.severities(), severity)
        >= array_position(monitoring.severities(), %(severity)s)
    and (%(rule)s::text is null or rule_name = %(rule)s)
    and labels @> %(labels)s
"""
_ACTIVE = f"""
select *
from monitoring.v_active_alerts
where {_CHOSEN}
order by {_BY_URGENCY}
limit %(at_most)s
"""
_ALL = f"""
select *
from monitoring.alerts
where {_CHOSEN}
order by
    array_position(array['firing', 'acknowledged', 'pending'], status),
    resolved_at desc, {_WORST_FIRST}, started_at, alert_id
limit %(at_most)s
"""
_OF_ETL = """
select
    alert_id, rule_name, severity, status, summary, value, threshold, unit, labels, started_at
from monitoring.v_active_alerts
"""
OF_EXECUTION = f"""{_OF_ETL}
where labels ->> 'task_id' = %(execution_id)s
    or starts_with(labels ->> 'task_id', %(execution_id)s || '/')
order by {_BY_URGENCY}
"""
# What is about tasks of other types is not about ETL; what names no type may concern all.
OF_ETL = f"""{_OF_ETL}
where coalesce(labels ->> 'task_type', 'etl') in ('etl', 'etl.chunk')
order by {_BY_URGENCY}
"""
KINDS = ("failed", "stuck", "long", "late", "other")
"""The words for what kind of trouble an alert is about."""


def _counts_by(column: LiteralString, words: tuple[LiteralString, ...]) -> LiteralString:
    counts = ", ".join(f"'{word}', count(*) filter (where {column} = '{word}')" for word in words)
    # In this order, which jsonb does not keep.
    return f"json_build_object({counts}) as by_{column}"


_BY_SEVERITY = _counts_by("severity", SEVERITIES)
_BY_KIND = _counts_by("kind", KINDS)
COUNTS = f"""
select
    count(*) as active, count(*) filter (where status in ('firing')) as unacknowledged,
    {_BY_SEVERITY}, {_BY_KIND}
from monitoring.alerts
where status in ('firing', 'acknowledged')
"""
ACTIVE_BY_RULE = """
select rule_name, severity, status, count(*) as alerts
from monitoring.v_active_alerts
where true
group by rule_name, severity, status
"""


def _about(condition: LiteralString) -> LiteralString:
    return f"""
select *
from monitoring.v_active_alerts
where {condition}
order by {_BY_URGENCY}
"""


ABOUT_JOB = _about("labels ->> 'task_type' = %(job)s")
ABOUT_RUN = _about("labels ->> 'task_id' = %(task_id)s")
ABOUT_QUEUE = _about("labels ->> 'queue' = %(queue)s")
ABOUT_COMPONENT = _about(
    "labels ->> 'component' = %(component)s"
    " and coalesce(labels ->> 'component_type', %(type)s) = %(type)s"
)
ABOUT_DATASET = _about("labels ->> 'dataset' = %(dataset)s")


def _rules_about(family: LiteralString, label: LiteralString) -> LiteralString:
    """Return the rules of a family, with the thresholds that count where a label is so."""
    own = f"""jsonb_path_query_first(
        overrides, '$[*] ? (@.labels.{label} == $about).thresholds',
        jsonb_build_object('about', %(about)s::text)
    )"""
    return f"""
select
    rule_name, description, unit, comparison, coalesce({own}, thresholds) as thresholds,
    {own} is not null as is_own
from monitoring.v_alert_rules
where family = '{family}' and is_enabled and coalesce({own}, thresholds) <> '{{}}'
order by rule_name
"""


RULES_OF_JOB = _rules_about("processing", "task_type")
RULES_OF_QUEUE = _rules_about("queues", "queue")
RULES_OF_DATASET = _rules_about("records", "dataset")
RULES_OF_COMPONENT = _rules_about("health", "component")
ONE = "select * from monitoring.alerts where alert_id = %(alert_id)s"
REASON = "select suppressed_by from monitoring.v_active_alerts where alert_id = %(alert_id)s"
EXPLAIN = """
select * from monitoring.explain_alert(p_alert_id => %(alert_id)s, p_limit => %(limit)s)
"""
TRANSITIONS = """
select *
from monitoring.alert_history
where (%(alert_id)s::bigint is null or alert_id = %(alert_id)s)
    and (%(since)s::double precision is null
        or changed_at >= monitoring.clock() - make_interval(secs => %(since)s))
    and (%(rule)s::text is null or rule_name = %(rule)s)
order by transition_id
"""
LATELY = """
select changed_at, transition, severity, alert_id, summary, changed_by
from monitoring.alert_history
where changed_at > %(now)s - make_interval(days => 1)
    and transition <> all(array['pending', 'dropped'])
order by transition_id desc
limit %(limit)s
"""
RULE = "select * from monitoring.v_alert_rules where rule_name = %(rule)s"
ENABLED_RULES = "select * from monitoring.v_alert_rules where is_enabled"
BROKEN_RULES = """
select rule_name, consecutive_failures, last_error
from monitoring.v_alert_rules
where is_enabled and last_error is not null
order by rule_name
"""
_SILENCES = """
select *
from monitoring.v_silences
where (%(silence_id)s::bigint is null or silence_id = %(silence_id)s)
    and (%(has_ended)s or ends_at is null or ends_at > monitoring.clock())
order by silence_id
"""
_SILENCED = """
select count(*) as alerts
from monitoring.v_active_alerts
where suppressed_by = %(reason)s
"""


@dataclass(frozen=True)
class Wanted:
    """Which alerts to read."""

    severity: str = "low"
    """The least severe that is wanted."""
    rule: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    """Labels that an alert must have."""
    is_open_only: bool = True
    """Leave out what has not fired yet and what has resolved."""
    at_most: int | None = None
    """How many, the worst of them; None for all."""


@dataclass(frozen=True)
class WholeAlert:
    """An alert and all that belongs to it."""

    alert: DictRow
    rule: dict[str, Any] | None  # DictRow is a text in psycopg 3.2
    """Its rule, unless that is gone."""
    transitions: list[DictRow]
    rows: list[DictRow]
    """Rows behind it: source, happened_at and details."""

    def as_json(self) -> dict[str, Any]:
        """Return one object."""
        return {**self.alert, "rule": self.rule, "history": self.transitions, "rows": self.rows}


def read_alerts(connection: psycopg.Connection[Any], wanted: Wanted) -> list[DictRow]:
    """Return alerts in the order of urgency; of all, first those that fire, last those resolved."""
    values = {
        "severity": wanted.severity, "rule": wanted.rule, "labels": Jsonb(wanted.labels),
        "at_most": wanted.at_most,
    }  # fmt: skip
    return _rows(connection, _ACTIVE if wanted.is_open_only else _ALL, values)


def read_whole_alert(connection: psycopg.Connection[Any], alert_id: int, limit: int) -> WholeAlert:
    """Return an alert with its history, its rule and the newest rows that made it.

    Raises:
        psycopg.Error: there is no such alert (PV007).
    """
    # First, since it says what is wrong with a number that is none.
    behind = _rows(connection, EXPLAIN, {"alert_id": alert_id, "limit": limit})
    (alert,) = _rows(connection, ONE, {"alert_id": alert_id})
    for row in _rows(connection, REASON, {"alert_id": alert_id}):
        alert.update(row)
    rule = _rows(connection, RULE, {"rule": alert["rule_name"]})
    transitions = read_transitions(connection, alert_id=alert_id)
    rows = [row for row in behind if row["source"] not in ("alert", "rule")]
    return WholeAlert(alert, rule[0] if rule else None, transitions, rows)


def read_transitions(
    connection: psycopg.Connection[Any],
    *,
    alert_id: int | None = None,
    since: float | None = None,
    rule: str | None = None,
) -> list[DictRow]:
    """Return what became of alerts, in order: of one, of a rule, or of so many last seconds."""
    values = {"alert_id": alert_id, "since": since, "rule": rule}
    return _rows(connection, TRANSITIONS, values)


def read_silences(
    connection: psycopg.Connection[Any], *, has_ended: bool = False, silence_id: int | None = None
) -> list[DictRow]:
    """Return silences: one, or all, with those that have ended or without."""
    values = {"has_ended": has_ended, "silence_id": silence_id}
    return _rows(connection, _SILENCES, values)


def read_identity(connection: psycopg.Connection[Any], alert_id: int) -> dict[str, str]:
    """Return the labels that only this alert, and its successors, have.

    Raises:
        psycopg.Error: there is no such alert (PV007).
    """
    whole = read_whole_alert(connection, alert_id, 0)
    return {"rule": whole.alert["rule_name"], "fingerprint": whole.alert["fingerprint"]}


def count_silenced(connection: psycopg.Connection[Any], silence_id: int) -> int:
    """Return how many open alerts a silence keeps from being told."""
    (row,) = _rows(connection, _SILENCED, {"reason": f"silence {silence_id}"})
    count: int = row["alerts"]
    return count


def read_checks(connection: psycopg.Connection[Any]) -> list[DictRow]:
    """Return whether pgvigil itself keeps up: check_name, status, lateness and detail."""
    return _rows(connection, CHECKS, {})


@contextmanager
def known_failures() -> Iterator[None]:
    """Turn refusals, and the lack of pgvigil, into exceptions of ours.

    Raises:
        MonitoringError: the database refused a call.
        NotInstalledError: the database has no pgvigil, or one without alerts.
    """
    with installed_or_told(), monitoring_errors():
        yield


def _rows(
    connection: psycopg.Connection[Any], query: LiteralString, values: dict[str, Any]
) -> list[DictRow]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()

"""Alerts that a test makes at will: rules that find what a table of the test's says."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

# Owned by whoever owns the engine, which runs with its owner's rights.
_SCRATCH = """
set role monitoring_admin;

create table monitoring.scratch_findings (
    rule_name text not null,
    fingerprint text not null,
    value double precision,
    labels jsonb,
    summary text,
    severity text,
    primary key (rule_name, fingerprint)
);

create table monitoring.scratch_failures (rule_name text primary key);

create function monitoring._find_scratch(p_rule monitoring.alert_rules, p_now timestamptz)
returns setof monitoring.finding
language plpgsql
stable
as $$
begin
    if exists (select from monitoring.scratch_failures f where f.rule_name = p_rule.rule_name) then
        raise exception 'rule % is broken, on purpose', p_rule.rule_name;
    end if;
    return query
    select f.fingerprint, f.value, f.labels, f.summary, f.severity, null::double precision
    from monitoring.scratch_findings f
    where f.rule_name = p_rule.rule_name;
end
$$;

update monitoring.alert_rules set decided = decided || '{"is_enabled": false}';

reset role;
"""


class Alarms:
    """Rules whose findings a test sets, in a database in which no other rule is evaluated."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Prepare the database; the clock stays what it is."""
        self.connection = connection
        connection.execute(_SCRATCH)

    def rule(
        self, name: str, thresholds: dict[str, float] | None = None, **settings: object
    ) -> None:
        """Make a rule without any findings; settings are as change_alert_rule() takes them."""
        self.connection.execute(
            "insert into monitoring.alert_rules (rule_name, family, finder_name, decided)"
            " values (%s, 'queues', '_find_scratch', %s)",
            [name, Jsonb(settings)],
        )
        if thresholds is not None:
            self._call("set_alert_thresholds", name, Jsonb(thresholds))

    def find(
        self,
        rule: str,
        fingerprint: str,
        severity: str | None = None,
        value: float | None = None,
        summary: str | None = None,
        labels: dict[str, str] | None = None,
    ) -> None:
        """Let a rule find something from now on, instead of what it found under that name."""
        self.lose(rule, fingerprint)
        self.connection.execute(
            "insert into monitoring.scratch_findings values (%s, %s, %s, %s, %s, %s)",
            [rule, fingerprint, value, Jsonb(labels or {}), summary, severity],
        )

    def lose(self, rule: str, fingerprint: str) -> None:
        """Let a rule find something no longer."""
        self.connection.execute(
            "delete from monitoring.scratch_findings where rule_name = %s and fingerprint = %s",
            [rule, fingerprint],
        )

    def fail(self, rule: str, *, fails: bool = True) -> None:
        """Let a rule fail from now on, or no longer."""
        self.connection.execute(
            "delete from monitoring.scratch_failures where rule_name = %s", [rule]
        )
        if fails:
            self.connection.execute("insert into monitoring.scratch_failures values (%s)", [rule])

    def evaluate(self) -> dict[str, int]:
        """Evaluate all rules and return what came of it."""
        result: dict[str, int] = self._call("evaluate_alerts")
        return result

    def at(self, now: datetime) -> None:
        """Set the clock of this session."""
        self.connection.execute("select set_config('monitoring.now', %s, false)", [str(now)])

    def number(self, rule: str, fingerprint: str) -> int:
        """Return the number of the newest alert about something."""
        row = self.connection.execute(
            "select max(alert_id) from monitoring.raised_alerts"
            " where rule_name = %s and fingerprint = %s",
            [rule, fingerprint],
        ).fetchone()
        assert row is not None
        assert row[0] is not None, f"there is no alert of {rule} about {fingerprint}"
        number: int = row[0]
        return number

    def _call(self, function: str, *values: object) -> Any:
        gaps = ", ".join("%s" for _ in values)
        row = self.connection.execute(
            f"select monitoring.{function}({gaps})".encode(), values
        ).fetchone()
        return row[0] if row else None

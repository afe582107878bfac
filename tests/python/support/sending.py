"""An outbox for the tests of sending: messages are put into it as a superuser."""

import json
from typing import Any

import psycopg

from tests.python.support.asking import one, rows
from tests.python.support.running import wait_until

LONG_POLL = ("--poll", "1h")

_QUEUE = """
insert into monitoring.queued_notifications (
    notification_key, channel_name, target, kind, subject, body, payload, created_at,
    next_attempt_at, attempts
)
select
    -- Of a kind that no digest stands for.
    k.key, 'ops', %(target)s, 'test', %(subject)s,
    'Three tasks failed.' || chr(10) || 'Notification ' || k.key,
    coalesce(%(payload)s::jsonb, jsonb_build_object('key', k.key, 'alerts', %(alerts)s::jsonb)),
    now(), now() + make_interval(secs => %(seconds)s), %(attempts)s
from (select gen_random_uuid() as key) as k
returning notification_id
"""
_RULE = """
create table public.depths (queue text, depth float8);
create function monitoring._find_depths(p_rule monitoring.alert_rules, p_now timestamptz)
returns setof monitoring.finding language sql stable as $$
    select (queue, depth, jsonb_build_object('queue', queue), queue || ' is deep', null, null)
        ::monitoring.finding
    from public.depths
$$;
alter function monitoring._find_depths(monitoring.alert_rules, timestamptz)
owner to monitoring_admin;
grant select on public.depths to monitoring_admin;
update monitoring.alert_rules set decided = decided || '{"is_enabled": false}';
insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('depths', 'queues', '_find_depths');
select monitoring.set_alert_thresholds('depths', '{"high": 100, "critical": 500}');
"""
_UNFINISHED = "finished_at = 'infinity'"


class Outbox:
    """The outbox of a database in which no jobs run."""

    def __init__(self, dsn: str) -> None:
        """Open it."""
        self.session = psycopg.connect(dsn, autocommit=True)
        self.session.execute("delete from monitoring.jobs")

    def close(self) -> None:
        """Close it."""
        self.session.close()

    def watch_depths(self) -> None:
        """Have one alert rule alone: table depths, high above 100 and critical above 500."""
        self.session.execute(_RULE.encode())

    def evaluate(self) -> None:
        """Evaluate the alert rules."""
        self.session.execute("select monitoring.evaluate_alerts()")

    def put(
        self,
        target: str = "HOOK",
        *,
        subject: str = "1 alert",
        payload: Any = None,
        seconds: float = 0,
        attempts: int = 0,
        is_quiet: bool = False,
    ) -> int:
        """Queue a message, with a notice unless quiet, and return its number."""
        arguments = {
            "target": target,
            "subject": subject,
            "payload": None if payload is None else json.dumps(payload),
            "alerts": '[{"rule": "failed_tasks"}]',
            "seconds": seconds,
            "attempts": attempts,
        }
        row = self.session.execute(_QUEUE, arguments).fetchone()
        assert row is not None
        if not is_quiet:
            self.session.execute("notify monitoring_notifications")
        return int(row[0])

    def row(self, number: int) -> dict[str, Any]:
        """Return a message."""
        return one(self.session, _select(f"notification_id = {number}"))

    def key(self, number: int) -> str:
        """Return the key of a message."""
        return str(self.row(number)["notification_key"])

    def unfinished(self) -> list[dict[str, Any]]:
        """Return the messages that are neither sent nor given up."""
        return rows(self.session, _select(_UNFINISHED))

    def all(self) -> list[dict[str, Any]]:
        """Return all messages."""
        return rows(self.session, _select("true"))

    def wait_for(self, number: int, status: str, seconds: float = 20) -> dict[str, Any]:
        """Wait until a message has a status, and return it."""
        wait_until(lambda: self.row(number)["status"] == status, seconds)
        return self.row(number)

    def wait_for_failure(self, number: int, attempts: int = 1) -> dict[str, Any]:
        """Wait until so many attempts have failed, and return the message."""
        wait_until(
            lambda: (row := self.row(number))["attempts"] >= attempts and row["status"] == "waiting"
        )
        return self.row(number)

    def hurry(self) -> None:
        """Let the pauses after failures be over."""
        self._let_be_due("waiting")

    def end_leases(self) -> None:
        """Let the leases of runners that are gone be over."""
        self._let_be_due("sending")

    def _let_be_due(self, status: str) -> None:
        self.session.execute(
            "update monitoring.queued_notifications set next_attempt_at = now()"
            " where status = %s and next_attempt_at > now()",
            [status],
        )
        self.session.execute("notify monitoring_notifications")


def _select(condition: str) -> str:
    columns = "notification_id, notification_key, target, status, attempts, last_error"
    return f"select {columns} from monitoring.queued_notifications where {condition}"

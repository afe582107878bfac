"""What the database says of alerts, held against the model and against itself."""

from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.python.support.alert_model import RANKS, Alert, Message, Model
from tests.python.support.alert_steps import BEGINNING

_STATE = """
select jsonb_build_object(
    'alerts', (
        select jsonb_agg(
            to_jsonb(a) || jsonb_build_object(
                'started_at', extract(epoch from a.started_at - %(beginning)s),
                'fired_at', extract(epoch from a.fired_at - %(beginning)s),
                'last_seen_at', extract(epoch from a.last_seen_at - %(beginning)s),
                'cleared_at', extract(epoch from a.cleared_at - %(beginning)s),
                'resolved_at', extract(epoch from
                    case when a.resolved_at < 'infinity' then a.resolved_at end - %(beginning)s)
            )
            order by a.alert_id
        )
        from monitoring.raised_alerts a
    ),
    'transitions', (
        select jsonb_agg(to_jsonb(t) order by t.transition_id)
        from monitoring.alert_transitions t
        where t.transition_id > %(transition)s
    ),
    'messages', (
        select jsonb_agg(to_jsonb(n) order by n.notification_id)
        from monitoring.queued_notifications n
        where n.notification_id > %(message)s
    ),
    'held_back', (
        select jsonb_object_agg(c.channel_name, c.held_back)
        from monitoring.notification_channels c
    )
)
"""
_COMPARED = (
    "rule", "fingerprint", "status", "severity", "worst_severity", "started_at", "fired_at",
    "last_seen_at", "cleared_at", "resolved_at", "acknowledged_severity", "occurrences",
    "found_in_a_row", "labels",
)  # fmt: skip
_HIGHEST = "select coalesce(max({column}), 0) from monitoring.{table}"


class Difference(AssertionError):
    """The database says something else than the model, or contradicts itself."""


@dataclass
class _Replayed:
    """State of an alert as its history tells it."""

    status: str
    severity: str
    is_acknowledged: bool = False


@dataclass
class _Notices:
    """What a target has been told of an alert."""

    highest: int = 0
    events: list[str] = field(default_factory=list)


class Witness:
    """Looks at the database after every step."""

    def __init__(self, connection: psycopg.Connection[Any], model: Model) -> None:
        """Begin before the first step."""
        self._connection = connection
        self._model = model
        self._transition = self._highest("transition_id", "alert_transitions")
        self._message = self._highest("notification_id", "queued_notifications")
        self._numbers: dict[int, int] = {}
        """Number that the model gives an alert, by its number in the database."""
        self._replayed: dict[int, _Replayed] = {}
        self._notices: dict[tuple[str, int, str, int], _Notices] = {}
        self._seen_transitions = 0
        self._seen_messages = 0

    def look(self) -> None:
        """Compare everything.

        Raises:
            Difference: something is not as it should be.
        """
        row = self._connection.execute(
            _STATE,
            {
                "beginning": BEGINNING,
                "transition": self._transition,
                "message": self._message,
            },
        ).fetchone()
        assert row is not None
        state = row[0]
        alerts, transitions = state["alerts"] or [], state["transitions"] or []
        self._compare_alerts(alerts, transitions)
        self._compare_transitions(transitions)
        self._replay(transitions, alerts)
        self._compare_messages(state["messages"] or [])
        self._compare_held_back(state["held_back"])

    def _highest(self, column: str, table: str) -> int:
        row = self._connection.execute(
            _HIGHEST.format(column=column, table=table).encode()
        ).fetchone()
        assert row is not None
        number: int = row[0]
        return number

    def _compare_alerts(self, rows: list[Any], transitions: list[Any]) -> None:
        known = {alert.number: alert for alert in self._model_alerts()}
        open_rows = [row for row in rows if row["status"] != "resolved"]
        identities = [(row["rule_name"], row["fingerprint"]) for row in open_rows]
        _same("one open alert for each thing", len(set(identities)), len(identities))
        self._learn_numbers(transitions)
        found = {self._numbers[row["alert_id"]]: row for row in rows}
        _same("alerts", sorted(found), sorted(known))
        for number, row in found.items():
            alert = known[number]
            row["rule"] = row["rule_name"]
            for name in _COMPARED:
                _same(
                    f"{name} of {alert.rule} {alert.fingerprint}", row[name], getattr(alert, name)
                )
            self._compare_told(alert, row["told"])

    def _compare_told(self, alert: Alert, told: dict[str, Any]) -> None:
        for channel in self._model.channels.values():
            expected = alert.told.get(channel.name)
            entry = told.get(channel.name, {})
            _same(
                f"severity told of {alert.rule} {alert.fingerprint} in {channel.name}",
                entry.get("severity"),
                expected.severity if expected else None,
            )

    def _model_alerts(self) -> list[Alert]:
        return [*self._model.open.values(), *self._model.resolved]

    def _learn_numbers(self, transitions: list[Any]) -> None:
        """Find out which alert of the model each new one of the database is."""
        new = self._model.transitions[self._seen_transitions :]
        known = set(self._numbers.values())
        mine = [n for n in dict.fromkeys(each.alert for each in new) if n not in known]
        theirs = dict.fromkeys(
            t["alert_id"] for t in transitions if t["alert_id"] not in self._numbers
        )
        # Both begin alerts in the order of rules, but that of fingerprints may differ.
        names = {t["alert_id"]: (t["rule_name"], t["fingerprint"]) for t in transitions}
        for number in mine:
            identity = self._model.identities[number]
            match = next((each for each in theirs if names[each] == identity), None)
            if match is None:
                raise Difference(f"no alert began of {identity}")
            del theirs[match]
            self._numbers[match] = number
        if theirs:
            raise Difference(f"alerts began that should not: {[names[each] for each in theirs]}")

    def _compare_transitions(self, rows: list[Any]) -> None:
        expected = self._model.transitions[self._seen_transitions :]
        self._seen_transitions = len(self._model.transitions)
        found = [(self._numbers[t["alert_id"]], t["transition"], t["severity"]) for t in rows]
        # The order counts for each alert, not among them.
        _same(
            "transitions",
            sorted(found, key=lambda each: each[0]),
            sorted(((t.alert, t.what, t.severity) for t in expected), key=lambda each: each[0]),
        )
        if rows:
            self._transition = rows[-1]["transition_id"]

    def _replay(self, transitions: list[Any], alerts: list[Any]) -> None:
        for each in transitions:
            state = self._replayed.setdefault(each["alert_id"], _Replayed("", ""))
            state.severity = each["severity"]
            what = each["transition"]
            if what in ("pending", "firing", "resolved"):
                state.status = what
            elif what == "dropped":
                del self._replayed[each["alert_id"]]
            if what in ("acknowledged", "unacknowledged"):
                state.is_acknowledged = what == "acknowledged"
        for row in alerts:
            replayed = self._replayed.get(row["alert_id"])
            # A pending alert changes its severity unnoticed.
            severity = row["severity"] if row["status"] != "pending" else None
            _same(
                f"history of {row['rule_name']} {row['fingerprint']}",
                replayed and (
                    replayed.status,
                    replayed.severity if severity else None,
                    replayed.is_acknowledged,
                ),
                (row["status"], severity, row["acknowledged_at"] is not None),
            )  # fmt: skip
        _same("alerts in history", set(self._replayed), {row["alert_id"] for row in alerts})

    def _compare_messages(self, rows: list[Any]) -> None:
        expected = self._model.messages[self._seen_messages :]
        self._seen_messages = len(self._model.messages)
        found = [self._message_of(row) for row in rows]
        _same("messages", sorted(found, key=str), sorted(expected, key=str))
        for message in found:
            for notice in message.notices:
                self._check_order(message, *notice)
        if rows:
            self._message = rows[-1]["notification_id"]

    def _message_of(self, row: Any) -> Message:
        payload = row["payload"]
        notices = frozenset(
            (self._numbers[each["alert_id"]], each["event"], each["severity"])
            for each in payload["alerts"] or []
        )
        return Message(
            row["channel_name"], row["target"], row["kind"], notices, payload["held_back"]
        )

    def _check_order(self, message: Message, alert: int, event: str, severity: str) -> None:
        """Hold a notice against those before it: each is told once, and nothing after the end."""
        generation = self._model.channels[message.channel].generation
        key = (message.channel, generation, message.target, alert)
        told = self._notices.setdefault(key, _Notices())
        rank = RANKS[severity]
        fits = {
            "firing": not told.events,
            "escalated": bool(told.events) and rank > told.highest,
            "reminder": bool(told.events) and rank <= told.highest,
            "resolved": bool(told.events),
        }
        if not fits[event] or "resolved" in told.events:
            raise Difference(f"{event} after {told.events} of alert {alert} in {message.channel}")
        told.events.append(event)
        told.highest = max(told.highest, rank)

    def _compare_held_back(self, held_back: dict[str, int]) -> None:
        expected = {each.name: len(each.held_back) for each in self._model.channels.values()}
        _same("notices held back", held_back, expected)


def _same(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise Difference(f"{what}: the database has {found!r}, the model {expected!r}")

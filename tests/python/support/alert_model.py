"""What becomes of alerts, and what is told of them: docs/alerts.md once more, in Python.

Written from the description, not from the SQL, so that both can be compared. Times are seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

RANKS = {"low": 1, "medium": 2, "high": 3, "critical": 4}
HOUR = 3600.0
FOREVER = float("inf")


@dataclass
class Rule:
    """How a rule turns what it finds into alerts."""

    name: str
    for_seconds: float = 0.0
    for_evaluations: int = 1
    keep_firing_seconds: float = 0.0
    no_data: str = "ok"
    on_error: str = "keep"
    thresholds: dict[str, float] = field(default_factory=dict)
    is_enabled: bool = True
    fails: bool = False
    has_failed: bool = False
    """Whether the last evaluation failed."""


@dataclass
class Channel:
    """Where to tell, and how often."""

    name: str
    targets: tuple[str, ...] = ("somebody",)
    minimum_severity: str = "low"
    has_resolved_notices: bool = True
    repeat_seconds: float | None = 600.0
    max_per_hour: int | None = None
    matchers: dict[str, str] = field(default_factory=dict)
    is_enabled: bool = True
    generation: int = 0
    """How often it has been removed and added again."""
    sent_at: list[float] = field(default_factory=list)
    held_back: set[int] = field(default_factory=set)


@dataclass
class Finding:
    """What a rule finds: a value to be compared with thresholds, or a severity."""

    severity: str | None
    value: float | None


@dataclass
class Told:
    """What a channel was told of an alert."""

    severity: str
    at: float
    event: str


@dataclass
class Alert:
    """An alert from when it is first found."""

    number: int
    rule: str
    fingerprint: str
    labels: dict[str, str]
    severity: str
    worst_severity: str
    started_at: float
    last_seen_at: float
    status: str = "pending"
    fired_at: float | None = None
    cleared_at: float | None = None
    resolved_at: float | None = None
    acknowledged_severity: str | None = None
    occurrences: int = 1
    found_in_a_row: int = 1
    told: dict[str, Told] = field(default_factory=dict)

    def all_labels(self) -> dict[str, str]:
        """Return the labels that matchers see."""
        return {
            **self.labels, "rule": self.rule, "severity": self.severity, "family": "queues",
            "fingerprint": self.fingerprint,
        }  # fmt: skip


@dataclass
class Silence:
    """A window of time in which what matches is not told."""

    matchers: dict[str, str]
    starts_at: float
    ends_at: float
    is_until_resolved: bool


@dataclass(frozen=True)
class Transition:
    """Something that became of an alert."""

    alert: int
    what: str
    severity: str


@dataclass(frozen=True)
class Message:
    """What one target of a channel is told at once."""

    channel: str
    target: str
    kind: str
    notices: frozenset[tuple[int, str, str]]
    """Alert, event and severity."""
    held_back: int


def matches(labels: dict[str, str], matchers: dict[str, str]) -> bool:
    """Tell whether labels are those that are asked for."""
    return all(labels.get(label, "") == text for label, text in matchers.items())


class Model:
    """All rules, alerts, silences and channels, at a time."""

    def __init__(self, rules: list[Rule], channels: list[Channel]) -> None:
        """Begin with nothing found, at time 0."""
        self.now = 0.0
        self.rules = {rule.name: rule for rule in rules}
        self.channels = {channel.name: channel for channel in channels}
        self.findings: dict[tuple[str, str], Finding] = {}
        self.open: dict[tuple[str, str], Alert] = {}
        self.resolved: list[Alert] = []
        self.silences: list[Silence] = []
        self.inhibitions: dict[tuple[str, str], tuple[str, ...]] = {}
        self.transitions: list[Transition] = []
        self.messages: list[Message] = []
        self.identities: dict[int, tuple[str, str]] = {}
        """Rule and fingerprint of every alert that there ever was."""

    # Evaluation

    def evaluate(self, *, finds: bool = True, resolves: bool = True) -> None:
        """Evaluate all rules that are enabled, resolve what has cleared, tell."""
        if finds:
            for rule in self.rules.values():
                if rule.is_enabled:
                    rule.has_failed = rule.fails
                if rule.is_enabled and not rule.fails:
                    self._apply(rule, self._classified(rule))
                elif rule.is_enabled and rule.on_error == "ok":
                    self._apply(rule, {})
        if resolves:
            self._resolve_cleared()
        self._end_needless_silences()
        self.tell()

    def _classified(self, rule: Rule) -> dict[str, str | None] | None:
        """Return the severity of each thing found, None to leave it; None for all to stay."""
        found = {key[1]: each for key, each in self.findings.items() if key[0] == rule.name}
        if not found and rule.no_data != "ok":
            return {"no data": "high"} if rule.no_data == "alert" else None
        severities: dict[str, str | None] = {}
        for fingerprint, finding in found.items():
            severity = finding.severity or self._severity(rule, finding.value)
            if severity is None and finding.value is None:
                if rule.no_data == "alert":
                    severity = "high"
                elif rule.no_data == "keep":
                    severities[fingerprint] = None
            if severity is not None:
                severities[fingerprint] = severity
        return severities

    def _severity(self, rule: Rule, value: float | None) -> str | None:
        passed = [
            severity
            for severity, threshold in rule.thresholds.items()
            if value is not None and value > threshold
        ]
        return max(passed, key=RANKS.__getitem__, default=None)

    def _apply(self, rule: Rule, severities: dict[str, str | None] | None) -> None:
        if severities is None:
            return
        # Whoever finds nothing at all and calls that an alert knows nothing of the others.
        knows_all = set(severities) != {"no data"}
        for fingerprint, severity in severities.items():
            alert = self.open.get((rule.name, fingerprint))
            if severity is not None and alert is None:
                self._begin(rule, fingerprint, severity)
            elif severity is not None and alert is not None:
                self._find_again(rule, alert, severity)
        for alert in list(self.open.values()):
            if alert.rule == rule.name and alert.fingerprint not in severities and knows_all:
                self._lose(alert)

    def _begin(self, rule: Rule, fingerprint: str, severity: str) -> None:
        number = len(self.identities) + 1
        self.identities[number] = (rule.name, fingerprint)
        labels = {} if fingerprint == "no data" else {"queue": fingerprint}
        alert = Alert(
            number, rule.name, fingerprint, labels, severity, severity, self.now, self.now
        )
        self.open[rule.name, fingerprint] = alert
        if not self._fires(rule, alert):
            self._note(alert, "pending")

    def _fires(self, rule: Rule, alert: Alert) -> bool:
        if (
            self.now - alert.started_at < rule.for_seconds
            or alert.found_in_a_row < rule.for_evaluations
        ):
            return False
        alert.status, alert.fired_at = "firing", self.now
        alert.worst_severity = alert.severity
        self._note(alert, "firing")
        return True

    def _find_again(self, rule: Rule, alert: Alert, severity: str) -> None:
        before, alert.severity = alert.severity, severity
        alert.worst_severity = max(alert.worst_severity, severity, key=RANKS.__getitem__)
        alert.occurrences += 1
        alert.found_in_a_row += 1
        alert.last_seen_at, alert.cleared_at = self.now, None
        if alert.status == "pending":
            self._fires(rule, alert)
        elif severity != before:
            self._note(alert, "escalated" if RANKS[severity] > RANKS[before] else "eased")
            acknowledged = alert.acknowledged_severity
            if acknowledged is not None and RANKS[severity] > RANKS[acknowledged]:
                self._end_acknowledgement(alert)

    def _lose(self, alert: Alert) -> None:
        if alert.status == "pending":
            self._drop(alert)
        elif alert.cleared_at is None:
            alert.cleared_at, alert.found_in_a_row = self.now, 0

    def _drop(self, alert: Alert) -> None:
        del self.open[alert.rule, alert.fingerprint]
        self._note(alert, "dropped")

    def _resolve_cleared(self) -> None:
        for alert in list(self.open.values()):
            rule = self.rules[alert.rule]
            if not rule.is_enabled and alert.status == "pending":
                self._drop(alert)
            elif not rule.is_enabled or (
                alert.cleared_at is not None
                and (rule.on_error == "ok" or not rule.has_failed)
                and self.now - alert.cleared_at >= rule.keep_firing_seconds
            ):
                self._close(alert)

    def _end_needless_silences(self) -> None:
        for silence in self.silences:
            if silence.is_until_resolved and silence.starts_at <= self.now < silence.ends_at:
                labels = [alert.all_labels() for alert in self.open.values()]
                if not any(matches(each, silence.matchers) for each in labels):
                    silence.ends_at = self.now

    # Decisions

    def acknowledge(self, rule: str, fingerprint: str) -> None:
        """Acknowledge what fires."""
        alert = self.open.get((rule, fingerprint))
        if alert is not None and alert.status == "firing":
            alert.acknowledged_severity = alert.severity
            self._note(alert, "acknowledged")

    def unacknowledge(self, rule: str, fingerprint: str) -> None:
        """Take an acknowledgement back."""
        alert = self.open.get((rule, fingerprint))
        if alert is not None and alert.acknowledged_severity is not None:
            self._end_acknowledgement(alert)
            self.tell()

    def resolve(self, rule: str, fingerprint: str) -> None:
        """Resolve what fires, by hand."""
        alert = self.open.get((rule, fingerprint))
        if alert is not None and alert.status == "firing":
            self._close(alert)
            self._end_needless_silences()
            self.tell()

    def end_silence(self, silence: Silence) -> None:
        """End a silence; one that has not begun never was."""
        if silence.ends_at > max(self.now, silence.starts_at):
            silence.ends_at = max(self.now, silence.starts_at)
            self.tell()

    def begin_channel_anew(self, channel: Channel) -> None:
        """Remove a channel and add it again: it knows nothing of what was told before."""
        channel.generation += 1
        channel.is_enabled, channel.held_back = True, set()
        for alert in [*self.open.values(), *self.resolved]:
            alert.told.pop(channel.name, None)

    def _end_acknowledgement(self, alert: Alert) -> None:
        alert.acknowledged_severity = None
        self._note(alert, "unacknowledged")

    def _close(self, alert: Alert) -> None:
        alert.status, alert.resolved_at = "resolved", self.now
        del self.open[alert.rule, alert.fingerprint]
        self.resolved.append(alert)
        self._note(alert, "resolved")

    def _note(self, alert: Alert, what: str) -> None:
        self.transitions.append(Transition(alert.number, what, alert.severity))

    # Telling

    def is_suppressed(self, alert: Alert) -> bool:
        """Tell whether a silence or an inhibition keeps an alert from being told."""
        labels = alert.all_labels()
        if any(
            silence.starts_at <= self.now < silence.ends_at and matches(labels, silence.matchers)
            for silence in self.silences
        ):
            return True
        return any(
            other.rule == source and other.status == "firing"
            and all(other.labels.get(each, "") == alert.labels.get(each, "") for each in equal)
            for (source, target), equal in self.inhibitions.items()
            if target == alert.rule
            for other in self.open.values()
        )  # fmt: skip

    def tell(self) -> None:
        """Tell every channel what it is due to be told, as one message."""
        for alert in self.open.values():
            for told in alert.told.values():
                # A clock that was put back: what was told later counts as told now.
                told.at = min(told.at, self.now)
        for channel in self.channels.values():
            if channel.is_enabled:
                self._tell_channel(channel)

    def _tell_channel(self, channel: Channel) -> None:
        due = list(self._due(channel))
        if not due and not channel.held_back:
            return
        if self._is_at_limit(channel):
            channel.held_back |= {alert.number for alert, _ in due}
            return
        notices = frozenset((alert.number, event, alert.severity) for alert, event in due)
        kind = "alerts" if due else "held_back"
        self.messages += [
            Message(channel.name, target, kind, notices, len(channel.held_back))
            for target in channel.targets
        ]
        channel.sent_at.append(self.now)
        channel.held_back = set()
        for alert, event in due:
            before = alert.told.get(channel.name)
            reached = [alert.severity, *([before.severity] if before else [])]
            alert.told[channel.name] = Told(max(reached, key=RANKS.__getitem__), self.now, event)

    def _is_at_limit(self, channel: Channel) -> bool:
        # What was sent by a clock that has been put back since does not count; a minute is nothing.
        lately = [at for at in channel.sent_at if self.now - HOUR < at <= self.now + 60]
        return channel.max_per_hour is not None and len(lately) >= channel.max_per_hour

    def _due(self, channel: Channel) -> Iterator[tuple[Alert, str]]:
        for alert in self.open.values():
            event = self._event(channel, alert)
            if (
                event is not None
                and alert.status == "firing"
                and alert.acknowledged_severity is None
                and RANKS[alert.severity] >= RANKS[channel.minimum_severity]
                and matches(alert.all_labels(), channel.matchers)
                and not self.is_suppressed(alert)
            ):
                yield alert, event
        for alert in self.resolved:
            told = alert.told.get(channel.name)
            if told is not None and told.event != "resolved" and channel.has_resolved_notices:
                yield alert, "resolved"

    def _event(self, channel: Channel, alert: Alert) -> str | None:
        told = alert.told.get(channel.name)
        if told is None:
            return "firing"
        if RANKS[alert.severity] > RANKS[told.severity]:
            return "escalated"
        if channel.repeat_seconds is not None and told.at + channel.repeat_seconds <= self.now:
            return "reminder"
        return None

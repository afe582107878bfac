"""Random sequences of what can happen to alerts, taken in the database and in the model alike."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.python.support.alert_model import Channel, Finding, Model, Rule, Silence
from tests.python.support.alerting import Alarms

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = ("a", "b", "c")
FINGERPRINTS = ("x", "y")
THRESHOLDS = {"low": 1.0, "medium": 2.0, "critical": 4.0}

Step = tuple[Any, ...]
"""Name of a method of `Driver`, and its arguments."""


@dataclass
class Story:
    """Rules, channels, and what happens then."""

    rules: list[Rule]
    channels: list[Channel]
    steps: list[Step] = field(default_factory=list)

    def told(self) -> str:
        """Return it as code that repeats it."""
        steps = "\n".join(f"        {step!r}," for step in self.steps)
        return f"Story(\n    {self.rules!r},\n    {self.channels!r},\n    [\n{steps}\n    ],\n)"


def random_story(seed: int, length: int) -> Story:
    """Return the story of a seed."""
    chance = random.Random(seed)
    return Story(
        [_random_rule(chance, name) for name in RULES],
        _random_channels(chance),
        [_random_step(chance) for _ in range(length)],
    )


def _random_rule(chance: random.Random, name: str) -> Rule:
    return Rule(
        name,
        for_seconds=chance.choice([0, 0, 60, 150]),
        for_evaluations=chance.choice([1, 1, 2, 3]),
        keep_firing_seconds=chance.choice([0, 0, 60, 300]),
        no_data=chance.choice(["ok", "ok", "keep", "alert"]),
        on_error=chance.choice(["keep", "ok"]),
        thresholds=THRESHOLDS,
    )


def _random_channels(chance: random.Random) -> list[Channel]:
    return [
        Channel(
            "everything",
            ("pager", "mail"),
            repeat_seconds=chance.choice([120, 600, None]),
        ),
        Channel(
            "limited",
            minimum_severity=chance.choice(["low", "high"]),
            repeat_seconds=chance.choice([120, 600]),
            max_per_hour=chance.choice([1, 2, 5]),
        ),
        Channel(
            "quiet",
            has_resolved_notices=False,
            repeat_seconds=chance.choice([300, None]),
            matchers=chance.choice([{"queue": "x"}, {"rule": "a"}, {"severity": "critical"}]),
        ),
    ]


def _random_step(chance: random.Random) -> Step:
    rule, fingerprint = chance.choice(RULES), chance.choice(FINGERPRINTS)
    seconds = chance.choice([0, 30, 60, 60, 60, 300, 3600])
    thing = (rule, fingerprint)
    source, target = chance.sample(RULES, 2)
    choices: list[tuple[int, Callable[[], Step]]] = [
        (20, lambda: ("find", *thing, None, float(chance.randrange(7)))),
        (8, lambda: ("find", *thing, chance.choice(["low", "high", "critical"]), None)),
        (2, lambda: ("find", *thing, None, None)),
        (14, lambda: ("lose", *thing)),
        (40, lambda: ("evaluate", seconds)),
        (5, lambda: ("check_family", seconds)),
        (4, lambda: ("resolve_cleared", seconds)),
        (2, lambda: ("tick", chance.choice([-60, -600, -7200, 86400, 864000]))),
        (8, lambda: ("acknowledge", *thing)),
        (3, lambda: ("unacknowledge", *thing)),
        (4, lambda: ("resolve", *thing)),
        (4, lambda: ("silence", _random_matchers(chance), *_random_window(chance))),
        (3, lambda: ("unsilence", chance.randrange(4))),
        (2, lambda: ("inhibit", source, target, chance.choice([(), ("queue",)]))),
        (2, lambda: ("uninhibit", source, target)),
        (3, lambda: ("fail", rule, chance.random() < 0.5)),
        (3, lambda: ("enable_rule", rule, chance.random() < 0.7)),
        (3, lambda: ("enable_channel", chance.randrange(3), chance.random() < 0.7)),
        (2, lambda: ("limit", chance.choice([None, 1, 3]))),
        (1, lambda: ("begin_channel_anew", chance.randrange(3))),
        (3, lambda: ("change_rule", rule, *_random_change(chance))),
        (1, lambda: ("set_thresholds", rule, {"low": 0.0, "high": chance.choice([2.0, 4.0])})),
    ]
    weights, makers = zip(*choices, strict=True)
    chosen: list[Callable[[], Step]] = chance.choices(makers, weights)
    return chosen[0]()


def _random_change(chance: random.Random) -> tuple[str, float | str]:
    """Return a setting of a rule, and what it becomes."""
    changes: list[tuple[str, float | str]] = [
        ("for_seconds", chance.choice([0, 60, 150])),
        ("for_evaluations", chance.choice([1, 2])),
        ("keep_firing_seconds", chance.choice([0, 60, 300])),
        ("no_data", chance.choice(["ok", "keep", "alert"])),
        ("on_error", chance.choice(["ok", "keep"])),
    ]
    return chance.choice(changes)


def _random_matchers(chance: random.Random) -> dict[str, str]:
    return chance.choice(
        [
            {"queue": chance.choice(FINGERPRINTS)},
            {"rule": chance.choice(RULES)},
            {"severity": chance.choice(["low", "critical"])},
            {"rule": chance.choice(RULES), "fingerprint": chance.choice(FINGERPRINTS)},
            {"family": "queues"},
            {"nothing": ""},
        ]
    )


def _random_window(chance: random.Random) -> tuple[int, int | None, bool]:
    """Return seconds until it begins, seconds that it lasts, whether it ends with what it hides."""
    is_until_resolved = chance.random() < 0.3
    lasts = chance.choice([60, 300, 3600])
    endless = is_until_resolved and chance.random() < 0.5
    return chance.choice([0, 0, 0, 90]), None if endless else lasts, is_until_resolved


class Driver:
    """Takes each step in the model and in the database."""

    def __init__(self, connection: psycopg.Connection[Any], story: Story) -> None:
        """Set rules and channels; the caller rolls all of it back."""
        self.connection = connection
        self.alarms = Alarms(connection)
        self.model = Model(
            [replace(rule) for rule in story.rules],
            [replace(each, sent_at=[], held_back=set()) for each in story.channels],
        )
        self.silences: list[tuple[int, Silence]] = []
        self._set_clock()
        for rule in story.rules:
            self.alarms.rule(
                rule.name, rule.thresholds, for_seconds=rule.for_seconds,
                for_evaluations=rule.for_evaluations, no_data=rule.no_data,
                keep_firing_seconds=rule.keep_firing_seconds, on_error=rule.on_error,
            )  # fmt: skip
        for channel in self.model.channels.values():
            self._set_channel(channel)

    def take(self, step: Step) -> None:
        """Take a step."""
        name, *arguments = step
        getattr(self, name)(*arguments)

    def find(self, rule: str, fingerprint: str, severity: str | None, value: float | None) -> None:
        """Let a rule find something at its next evaluation."""
        self.model.findings[rule, fingerprint] = Finding(severity, value)
        self.alarms.find(rule, fingerprint, severity, value, "found", {"queue": fingerprint})

    def lose(self, rule: str, fingerprint: str) -> None:
        """Let a rule find something no longer."""
        self.model.findings.pop((rule, fingerprint), None)
        self.alarms.lose(rule, fingerprint)

    def tick(self, seconds: float) -> None:
        """Put the clock on, or back."""
        self.model.now += seconds
        self._set_clock()

    def evaluate(self, seconds: float) -> None:
        """Evaluate everything, after a while."""
        self.tick(seconds)
        self.model.evaluate()
        self._call("evaluate_alerts")

    def check_family(self, seconds: float) -> None:
        """Evaluate the rules of a family, which are all, and resolve nothing."""
        self.tick(seconds)
        self.model.evaluate(resolves=False)
        self._call("check_queue_backlog_alerts")

    def resolve_cleared(self, seconds: float) -> None:
        """Resolve what has cleared, evaluating nothing."""
        self.tick(seconds)
        self.model.evaluate(finds=False)
        self._call("resolve_resolved_alerts")

    def acknowledge(self, rule: str, fingerprint: str) -> None:
        """Acknowledge an alert, if it is open."""
        self._decide("acknowledge", rule, fingerprint)

    def unacknowledge(self, rule: str, fingerprint: str) -> None:
        """Take an acknowledgement back, if the alert is open."""
        self._decide("unacknowledge", rule, fingerprint)

    def resolve(self, rule: str, fingerprint: str) -> None:
        """Resolve an alert by hand, if it is open."""
        self._decide("resolve", rule, fingerprint)

    def silence(
        self, matchers: dict[str, str], delay: float, lasts: float | None, until_resolved: bool
    ) -> None:
        """Begin a silence, or let one begin later."""
        starts_at = self.model.now + delay
        ends_at = float("inf") if lasts is None else starts_at + lasts
        silence = Silence(matchers, starts_at, ends_at, until_resolved)
        self.model.silences.append(silence)
        number = self._call(
            "silence_alerts",
            Jsonb(matchers),
            None if lasts is None else timedelta(seconds=lasts),
            None,
            "somebody",
            BEGINNING + timedelta(seconds=starts_at),
            until_resolved,
        )
        self.silences.append((number, silence))

    def unsilence(self, which: int) -> None:
        """End one of the silences, if there is any."""
        if self.silences:
            number, silence = self.silences[which % len(self.silences)]
            self.model.end_silence(silence)
            self._call("unsilence_alerts", number)

    def inhibit(self, source: str, target: str, equal: tuple[str, ...]) -> None:
        """Let alerts of a rule keep those of another from being told."""
        self.model.inhibitions[source, target] = equal
        self._call("define_inhibition", source, target, list(equal))

    def uninhibit(self, source: str, target: str) -> None:
        """Take an inhibition back."""
        self.model.inhibitions.pop((source, target), None)
        self._call("remove_inhibition", source, target)

    def fail(self, rule: str, fails: bool) -> None:
        """Let a rule fail, or no longer."""
        self.model.rules[rule].fails = fails
        self.alarms.fail(rule, fails=fails)

    def enable_rule(self, rule: str, is_enabled: bool) -> None:
        """Enable or disable a rule."""
        self.model.rules[rule].is_enabled = is_enabled
        self._call(f"{'enable' if is_enabled else 'disable'}_alert_rule", rule)

    def change_rule(self, rule: str, setting: str, value: float | str) -> None:
        """Change a setting of a rule, whatever is open."""
        setattr(self.model.rules[rule], setting, value)
        self._call("change_alert_rule", rule, Jsonb({setting: value}))

    def set_thresholds(self, rule: str, thresholds: dict[str, float]) -> None:
        """Set other thresholds, whatever is open."""
        self.model.rules[rule].thresholds = thresholds
        self._call("set_alert_thresholds", rule, Jsonb(thresholds))

    def begin_channel_anew(self, which: int) -> None:
        """Remove a channel and add it again."""
        channel = list(self.model.channels.values())[which]
        self.model.begin_channel_anew(channel)
        self._call("remove_notification_channel", channel.name)
        self._set_channel(channel)

    def enable_channel(self, which: int, is_enabled: bool) -> None:
        """Enable or disable a channel."""
        channel = list(self.model.channels.values())[which]
        channel.is_enabled = is_enabled
        verb = "enable" if is_enabled else "disable"
        self._call(f"{verb}_notification_channel", channel.name)

    def limit(self, messages: int | None) -> None:
        """Set the hourly limit of the channel that has one."""
        channel = self.model.channels["limited"]
        channel.max_per_hour = messages
        self._set_channel(channel)

    def _decide(self, decision: str, rule: str, fingerprint: str) -> None:
        row = self.connection.execute(
            "select alert_id from monitoring.raised_alerts"
            " where rule_name = %s and fingerprint = %s and resolved_at = 'infinity'",
            [rule, fingerprint],
        ).fetchone()
        getattr(self.model, decision)(rule, fingerprint)
        if row is not None:
            self._call(f"{decision}_alert", row[0])

    def _set_channel(self, channel: Channel) -> None:
        repeat = channel.repeat_seconds
        self._call(
            "define_notification_channel",
            channel.name,
            list(channel.targets),
            "apprise",
            Jsonb(channel.matchers),
            channel.minimum_severity,
            channel.has_resolved_notices,
            None if repeat is None else timedelta(seconds=repeat),
            channel.max_per_hour,
        )

    def _set_clock(self) -> None:
        self.alarms.at(BEGINNING + timedelta(seconds=self.model.now))

    def _call(self, function: str, *values: object) -> Any:
        gaps = ", ".join("%s" for _ in values)
        row = self.connection.execute(
            f"select monitoring.{function}({gaps})".encode(), values
        ).fetchone()
        return row[0] if row else None

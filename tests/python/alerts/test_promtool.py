"""`for` and `keep_firing_for` mean what they mean in Prometheus, with promtool as the judge.

Our engine and Prometheus get the same series of what is found from minute to minute. What ours made
of it at each minute is written down as what `promtool test rules` is to expect of Prometheus.
"""

import json
import random
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.harness.tools import program
from tests.python.support.alerting import Alarms

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = 60
THINGS = ("x", "y")
OPEN = "select rule_name, status, fingerprint from monitoring.alerts where status <> 'resolved'"
# What is found at each minute, about the first and the second thing.
FIXED = {
    "always": ("1" * 60, "0" * 60),
    "once": ("0" * 10 + "1" + "0" * 49, "1" + "0" * 59),
    "every_other": ("10" * 30, "01" * 30),
    "longer_and_longer": ("".join("1" * n + "0" for n in range(1, 11))[:60].ljust(60, "0"),) * 2,
    "gone_longer_and_longer": ("".join("0" * n + "1" for n in range(1, 11))[:60].ljust(60, "0"),)
    * 2,
    "exactly_as_long": ("111000" * 10, "111100" * 10),
}
WAITS = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3), (2, 2), (3, 1), (1, 5)]


@dataclass
class Series:
    """A rule, and about which things it finds something at each minute."""

    name: str
    minutes_for: int
    minutes_kept: int
    found: dict[str, str]
    """A 1 or a 0 a minute, for each thing."""
    firing: list[set[str]] = field(default_factory=list)
    """What ours had firing at each minute."""
    pending: list[set[str]] = field(default_factory=list)


def fixed_series() -> list[Series]:
    """Return every fixed course with every pair of waiting times."""
    return [
        Series(f"{name}_{wait}_{keep}", wait, keep, dict(zip(THINGS, courses, strict=True)))
        for name, courses in FIXED.items()
        for wait, keep in WAITS
    ]


def random_series(seed: int) -> list[Series]:
    """Return rules with waiting times and courses by chance, some calm and some restless."""
    chance = random.Random(seed)
    return [
        Series(
            f"random_{number}",
            chance.choice([0, 0, 1, 2, 5, 10]),
            chance.choice([0, 0, 1, 2, 5, 10]),
            {thing: _random_course(chance) for thing in THINGS},
        )
        for number in range(20)
    ]


def _random_course(chance: random.Random) -> str:
    restlessness = chance.choice([0.05, 0.2, 0.5])
    course, found = "", chance.random() < 0.5
    for _ in range(MINUTES):
        found ^= chance.random() < restlessness
        course += str(int(found))
    return course


def run_ours(connection: psycopg.Connection[Any], every: list[Series]) -> None:
    """Evaluate the rules at every minute and note what fires and what is pending."""
    alarms = Alarms(connection)
    for series in every:
        alarms.rule(
            series.name,
            for_seconds=60 * series.minutes_for,
            keep_firing_seconds=60 * series.minutes_kept,
        )
    for minute in range(MINUTES):
        for series in every:
            _change_findings(alarms, series, minute)
        alarms.at(BEGINNING + timedelta(minutes=minute))
        alarms.evaluate()
        are_open = connection.execute(OPEN).fetchall()
        for series in every:
            for status, things in (("firing", series.firing), ("pending", series.pending)):
                wanted = (series.name, status)
                things.append({thing for *key, thing in are_open if tuple(key) == wanted})


def _change_findings(alarms: Alarms, series: Series, minute: int) -> None:
    for thing, course in series.found.items():
        if minute and course[minute] == course[minute - 1]:
            continue
        if course[minute] == "1":
            alarms.find(series.name, thing, "high")
        else:
            alarms.lose(series.name, thing)


def judge(every: list[Series], directory: Path) -> subprocess.CompletedProcess[str]:
    """Let promtool say whether Prometheus does the same."""
    rules = [
        {
            "alert": series.name,
            "expr": f'found{{rule="{series.name}"}} == 1',
            "for": f"{series.minutes_for}m",
            "keep_firing_for": f"{series.minutes_kept}m",
        }
        for series in every
    ]
    tests = {
        "interval": "1m",
        "input_series": [each for series in every for each in _input(series)],
        "alert_rule_test": [each for series in every for each in _expected_firing(series)],
        "promql_expr_test": [each for series in every for each in _expected_states(series)],
    }
    return run_promtool(directory, rules, tests)


def run_promtool(
    directory: Path, rules: list[dict[str, str]], tests: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' own tests of rules."""
    groups = [{"name": "ours", "interval": "1m", "rules": rules}]
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [tests]}
    # JSON is YAML.
    (directory / "rules.yml").write_text(json.dumps({"groups": groups}))
    (directory / "tests.yml").write_text(json.dumps(whole))
    return subprocess.run(
        [program("promtool"), "test", "rules", "tests.yml"],
        cwd=directory,
        capture_output=True,
        text=True,
    )


def _input(series: Series) -> list[dict[str, str]]:
    """Return the samples: what is not found is another value, or no value at all."""
    absent = {"x": "0", "y": "stale"}
    return [
        {
            "series": f'found{{rule="{series.name}", thing="{thing}"}}',
            "values": " ".join("1" if each == "1" else absent[thing] for each in course),
        }
        for thing, course in series.found.items()
    ]


def _expected_firing(series: Series) -> list[dict[str, Any]]:
    return [
        {
            "eval_time": f"{minute}m",
            "alertname": series.name,
            "exp_alerts": [
                {"exp_labels": {"rule": series.name, "thing": thing}} for thing in sorted(things)
            ],
        }
        for minute, things in enumerate(series.firing)
    ]


def _expected_states(series: Series) -> list[dict[str, Any]]:
    return [
        {
            "expr": f'ALERTS{{alertname="{series.name}"}}',
            "eval_time": f"{minute}m",
            "exp_samples": [
                {
                    "labels": f'ALERTS{{alertname="{series.name}", alertstate="{state}",'
                    f' rule="{series.name}", thing="{thing}"}}',
                    "value": 1,
                }
                for state, things in (
                    ("firing", series.firing[minute]), ("pending", series.pending[minute]),
                )
                for thing in sorted(things)
            ],
        }
        for minute in range(MINUTES)
    ]  # fmt: skip


def assert_agreement(
    connection: psycopg.Connection[Any], every: list[Series], directory: Path
) -> None:
    run_ours(connection, every)
    verdict = judge(every, directory)
    assert verdict.returncode == 0, (verdict.stdout + verdict.stderr)[:5000]
    assert "SUCCESS" in verdict.stdout


def test_fixed_courses_agree(connection: psycopg.Connection, tmp_path: Path) -> None:
    every = fixed_series()
    with connection.transaction():
        assert_agreement(connection, every, tmp_path)
    # What they are about does occur in them.
    assert any(
        series.firing[minute] - {t for t in THINGS if series.found[t][minute] == "1"}
        for series in every
        for minute in range(MINUTES)
    ), "nothing was kept firing"
    assert any(any(series.pending) for series in every)


@pytest.mark.parametrize("seed", [1, 2, None])
def test_random_courses_agree(
    connection: psycopg.Connection, tmp_path: Path, seed: int | None
) -> None:
    chosen = random.SystemRandom().randrange(10**9) if seed is None else seed
    print(f"seed {chosen}")
    with connection.transaction():
        assert_agreement(connection, random_series(chosen), tmp_path)


@pytest.mark.parametrize("state", ["firing", "pending"])
def test_promtool_notices_a_single_wrong_minute(
    connection: psycopg.Connection, tmp_path: Path, state: str
) -> None:
    every = [Series("late", 2, 2, {"x": "1110000111" * 6, "y": "0" * 60})]
    with connection.transaction():
        run_ours(connection, every)
    getattr(every[0], state)[20] ^= {"x"}
    verdict = judge(every, tmp_path)
    assert verdict.returncode == 1
    assert "20m" in verdict.stdout + verdict.stderr


def test_a_rise_does_not_wait_again_as_a_second_rule_does_in_prometheus(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The difference that docs/alerts.md tells: severity is no part of an alert's identity here."""
    levels = [1, 1, 1, 2, 2, 2, 2]
    ours = []
    alarms = Alarms(connection)
    alarms.rule("level", {"medium": 0, "critical": 1}, for_seconds=120)
    for minute, level in enumerate(levels):
        alarms.find("level", "x", None, level)
        alarms.at(BEGINNING + timedelta(minutes=minute))
        alarms.evaluate()
        row = connection.execute("select status, severity from monitoring.alerts").fetchone()
        assert row is not None
        ours.append(row)
    assert ours[1:4] == [("pending", "medium"), ("firing", "medium"), ("firing", "critical")]
    rules = [
        {"alert": severity, "expr": f"level > {threshold}", "for": "2m"}
        for severity, threshold in (("medium", 0), ("critical", 1))
    ]
    firing_from = {"medium": 2, "critical": 5}
    tests = {
        "interval": "1m",
        "input_series": [{"series": "level", "values": " ".join(map(str, levels))}],
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": severity,
                "exp_alerts": [{}] if minute >= beginning else [],
            }
            for severity, beginning in firing_from.items()
            for minute in range(len(levels))
        ],
    }
    verdict = run_promtool(tmp_path, rules, tests)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr

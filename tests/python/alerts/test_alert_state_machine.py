"""Whatever happens to alerts, their states and notices are those of the model, and none is lost.

Sequences are chosen at random, by seeds that a failure names together with the shortest sequence
that still fails. PGVIGIL_ALERT_STEPS sets how many steps to take, for a long run.
"""

import os
import random
from typing import Any

import psycopg
import pytest

from tests.python.support.alert_steps import Driver, Step, Story, random_story
from tests.python.support.alert_witness import Difference, Witness

STEPS = int(os.environ.get("PGVIGIL_ALERT_STEPS", "5000"))
LENGTH = 100
FIXED_SEEDS = 25
MOST_TRIES = 300
TIDY = """
vacuum monitoring.raised_alerts, monitoring.alert_transitions, monitoring.queued_notifications,
    monitoring.alert_silences, monitoring.alert_rules, monitoring.alert_rule_states,
    monitoring.alert_thresholds, monitoring.notification_channels, monitoring.alert_inhibitions,
    pg_class, pg_attribute, pg_type, pg_proc, pg_depend, pg_index, pg_constraint
"""


def test_states_and_notices_are_those_of_the_model(dsn: str) -> None:
    first = random.SystemRandom().randrange(10**9)
    print(f"random seeds begin at {first}")
    with psycopg.connect(dsn) as connection, psycopg.connect(dsn, autocommit=True) as cleaner:
        for number in range(max(1, STEPS // LENGTH)):
            if number % 10 == 9:
                # What was rolled back is still in the way of those who read.
                cleaner.execute(TIDY)
                print(f"{number * LENGTH} steps", flush=True)
            seed = number if number < FIXED_SEEDS else first + number
            story = random_story(seed, LENGTH)
            complaint = play(connection, story)
            if complaint is not None:
                shortest, complaint = shorten(connection, story, complaint)
                pytest.fail(f"seed {seed}: {complaint}\n{shortest.told()}", pytrace=False)


def play(connection: psycopg.Connection[Any], story: Story) -> str | None:
    """Take all steps, leaving nothing behind, and return what was wrong after one of them."""
    step: Step = ("the beginning",)
    with connection.transaction(force_rollback=True):
        try:
            driver = Driver(connection, story)
            witness = Witness(connection, driver.model)
            for step in story.steps:
                driver.take(step)
                witness.look()
        except (Difference, psycopg.Error) as error:
            return f"after {step}: {type(error).__name__}: {error}"
    return None


def shorten(connection: psycopg.Connection[Any], story: Story, complaint: str) -> tuple[Story, str]:
    """Leave out steps for as long as something is still wrong."""
    size, tries = len(story.steps) // 2, 0
    while size >= 1 and tries < MOST_TRIES:
        start = 0
        while start < len(story.steps) and tries < MOST_TRIES:
            kept = story.steps[:start] + story.steps[start + size :]
            shorter = Story(story.rules, story.channels, kept)
            found, tries = play(connection, shorter), tries + 1
            if found is None:
                start += size
            else:
                story, complaint = shorter, found
        size //= 2
    return story, complaint


def test_a_fault_is_noticed_and_shortened(dsn: str) -> None:
    """The test of the test: a limit that does nothing is found, by a story of a few steps."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "create or replace function monitoring._is_at_limit("
            " p_channel monitoring.notification_channels, p_now timestamptz)"
            " returns boolean language sql stable return false"
        )
        complaints = ((seed, play(connection, random_story(seed, LENGTH))) for seed in range(50))
        seed, complaint = next((s, c) for s, c in complaints if c is not None)
        shortest, complaint = shorten(connection, random_story(seed, LENGTH), complaint)
        connection.rollback()
    assert "messages" in complaint or "held back" in complaint
    assert len(shortest.steps) < 12

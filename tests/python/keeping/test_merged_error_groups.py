"""Groups that are merged have exactly what their fingerprints have, whatever happens in between.

Steps are chosen at random, by seeds that a failure names: errors of now and of days ago are
recorded, some in a transaction that stays open, rolled up, placed and cleaned up, while groups are
merged and taken apart.
"""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.python.support.rollup_sessions import NOW, make_days, stop_clock

STEPS = 250
OLDEST_DAY = 9
NAMES = [f"group {number}" for number in range(8)]


class Model:
    """What was recorded of each fingerprint, and which group it is in."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.group = {name: name for name in NAMES}

    def merge(self, name: str, into: str) -> None:
        """Let a group, with all that is in it, be part of another."""
        head = self.group[into]
        if name != head:
            for each in NAMES:
                if name in (each, self.group[each]) and each != head:
                    self.group[each] = head

    def shown(self) -> dict[str, tuple[int, set[str]]]:
        """Return occurrences and fingerprints of each group."""
        members: defaultdict[str, set[str]] = defaultdict(set)
        for name in self.counts:
            members[self.group[name]].add(name)
        return {
            head: (sum(self.counts[name] for name in names), names - {head})
            for head, names in members.items()
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_group_has_what_its_fingerprints_have(
    dsn: str, connection: psycopg.Connection, seed: int
) -> None:
    stop_clock(connection)
    make_days(connection, OLDEST_DAY)
    chance, model = random.Random(seed), Model()
    with psycopg.connect(dsn) as slow:
        for _ in range(STEPS):
            chance.choices(
                (_record, _record_slowly, _end_slow, _roll_up, _place, _clean_up, _merge, _split),
                (40, 12, 4, 10, 4, 2, 12, 6),
            )[0](chance, model, connection, slow)
            assert _shown(connection) == model.shown(), f"seed {seed}"
    assert len(model.shown()) < len(NAMES)


def _shown(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, set[str]]]:
    query = "select fingerprint, occurrences, merged_from from monitoring.error_groups"
    return {
        fingerprint: (occurrences, set(merged_from or ()))
        for fingerprint, occurrences, merged_from in connection.execute(query)
    }


def _tell(chance: random.Random, connection: psycopg.Connection[Any]) -> str:
    name = chance.choice(NAMES)
    at = NOW - timedelta(hours=chance.choice((0, 1, 30, 24 * (OLDEST_DAY - 1))))
    connection.execute(
        "select monitoring.record_error('t', 'E', %s, 'm', p_fingerprint => %s,"
        " p_occurred_at => %s)",
        [chance.choice(("low", "high")), name, at],
    )
    return name


def _record(
    chance: random.Random, model: Model, connection: psycopg.Connection[Any], _: object
) -> None:
    model.counts[_tell(chance, connection)] += 1


def _record_slowly(
    chance: random.Random, model: Model, _: object, slow: psycopg.Connection[Any]
) -> None:
    model.open[_tell(chance, slow)] += 1


def _end_slow(
    chance: random.Random, model: Model, _: object, slow: psycopg.Connection[Any]
) -> None:
    if chance.random() < 0.7:
        slow.commit()
        model.counts += model.open
    else:
        slow.rollback()
    model.open.clear()


def _roll_up(_: object, __: Model, connection: psycopg.Connection[Any], ___: object) -> None:
    connection.execute("select monitoring.roll_up()")


def _place(_: object, __: Model, connection: psycopg.Connection[Any], ___: object) -> None:
    connection.execute("select monitoring.place_late_rows()")


def _clean_up(
    chance: random.Random, model: Model, connection: psycopg.Connection[Any],
    slow: psycopg.Connection[Any],
) -> None:  # fmt: skip
    # What is old goes, and its totals stay; an open transaction may not lose its late rows.
    _end_slow(chance, model, connection, slow)
    connection.execute("select monitoring.roll_up()")
    connection.execute("select monitoring.set_retention('errors', '5 days')")
    connection.execute("select monitoring.cleanup_old_monitoring_data()")
    connection.execute("select monitoring.set_retention('errors', null)")


def _merge(
    chance: random.Random, model: Model, connection: psycopg.Connection[Any], _: object
) -> None:
    known = sorted(model.counts)
    if len(known) > 1:
        name, into = chance.sample(known, 2)
        connection.execute("select monitoring.merge_error_groups(%s, %s)", [into, [name]])
        model.merge(name, into)


def _split(
    chance: random.Random, model: Model, connection: psycopg.Connection[Any], _: object
) -> None:
    if model.counts:
        name = chance.choice(sorted(model.counts))
        connection.execute("select monitoring.split_error_group(%s)", [name])
        model.group[name] = name

"""Whatever sessions do to each other, each row is rolled up once, and views show every row once.

Steps are chosen at random, by seeds that a failure names. After every roll-up that commits, what
is stored must be the very rows that were committed when it claimed: none of a transaction that was
still open, and all others, however long that one stays open.
"""

import random
from collections.abc import Callable

import psycopg
import pytest

from tests.python.support.rollup_oracle import read_raw
from tests.python.support.rollup_sessions import (
    NOW,
    Model,
    Recorder,
    Session,
    make_days,
    stop_clock,
)
from tests.python.support.rollup_views import assert_views

STEPS = 250
OLDEST_DAY = 9
SESSIONS = 6


@pytest.mark.parametrize("seed", [1, 2])
def test_any_interleaving_leaves_each_row_in_once(
    dsn: str, connection: psycopg.Connection, seed: int
) -> None:
    stop_clock(connection)
    make_days(connection, OLDEST_DAY)
    chance, recorder = random.Random(seed), Recorder(seed, OLDEST_DAY)
    with Model(dsn) as model:
        sessions = [Session(model, recorder) for _ in range(SESSIONS)]
        for step in range(STEPS):
            session = chance.choice(sessions)
            if step % 25 == 24:
                look_while_others_roll_up(dsn, sessions)
            elif session.is_open:
                _step_within(chance, session, f"{connection.info.dbname}-{step}")
            else:
                _step_alone(chance, session)
        end_all(model, recorder, sessions)
        everything = read_raw(connection)
        model.check_against(everything)
        assert_views(connection, everything, NOW)
        assert sum(len(keys) for keys in model.claimed.values()) > STEPS / 2


def end_all(model: Model, recorder: Recorder, sessions: list[Session]) -> None:
    """Commit what is open or prepared, and roll it up."""
    for session in sessions:
        session.close()
    last = Session(model, recorder)
    for name in list(model.prepared):
        last.finish_prepared(name, commits=True)
    last.roll_up()
    last.close()


def look_while_others_roll_up(dsn: str, sessions: list[Session]) -> None:
    """Compare views with rows in one snapshot, while a roll-up commits in between."""
    with psycopg.connect(dsn) as reader:
        reader.execute("set transaction isolation level repeatable read")
        raw = read_raw(reader)
        for session in sessions:
            if not session.is_open:
                session.record()
                session.roll_up()
                break
        assert_views(reader, raw, NOW)


def _step_within(chance: random.Random, session: Session, name: str) -> None:
    if session.savepoints and chance.random() < 0.25:
        chance.choice([session.roll_back_to_savepoint, session.release])()
        return
    steps: list[tuple[int, Callable[[], None]]] = [
        (50, session.record),
        (10, session.savepoint),
        (12, session.roll_up),
        (3, session.place),
        (3, session.rebuild),
        (10, session.commit),
        (5, session.roll_back),
        (3, lambda: session.prepare(name)),
        (2, session.die),
    ]
    _choose(chance, steps)


def _step_alone(chance: random.Random, session: Session) -> None:
    steps: list[tuple[int, Callable[[], None]]] = [
        (30, session.record),
        (20, session.begin),
        (5, lambda: session.begin("repeatable read")),
        (2, lambda: session.begin("serializable")),
        (15, session.roll_up),
        (5, session.place),
        (5, session.rebuild),
    ]
    prepared = list(session.model.prepared)
    if prepared:
        name, commits = chance.choice(prepared), chance.random() < 0.7
        steps.append((10, lambda: session.finish_prepared(name, commits=commits)))
    _choose(chance, steps)


def _choose(chance: random.Random, steps: list[tuple[int, Callable[[], None]]]) -> None:
    weights, actions = zip(*steps, strict=True)
    chance.choices(actions, weights)[0]()

"""What is kept of expected runs is what looking everything up would give, whatever happens."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

SCHEDULES = ("*/5 * * * *", "0 * * * *", "02:30", "7 minutes", "every 2 hours")
NAMES = [f"type {number}" for number in range(6)]


class Story:
    """Hours in the lives of some expected runs, over the night in which clocks are changed."""

    def __init__(self, connection: psycopg.Connection[Any], seed: int) -> None:
        """Begin on the evening before; the same seed tells the same story."""
        self._connection = connection
        self._chance = random.Random(seed)
        self._now = datetime(2026, 3, 28, 20, tzinfo=UTC)
        self._set_clock()
        for name in NAMES:
            self._expect(name)

    def go_on(self) -> str:
        """Let some time pass and one thing happen; return what."""
        longest = 20_000 if self._chance.random() < 0.1 else 400
        self._now += timedelta(seconds=self._chance.randrange(longest))
        self._set_clock()
        acts = (self._start, self._end, self._end_by_name, self._record, self._roll_up)
        act = self._chance.choices((*acts, self._follow, self._expect), (3, 3, 2, 2, 4, 4, 1))[0]
        act(self._chance.choice(NAMES))
        return f"{self._now}: {act.__name__}"

    def differences(self) -> list[tuple[Any, Any]]:
        """Return what is seen differently once all that is known has been forgotten."""
        known = self._seen()
        with self._connection.transaction(force_rollback=True):
            self._connection.execute("delete from monitoring.expected_run_states")
            looked_up = self._seen()
        return [pair for pair in zip(known, looked_up, strict=True) if pair[0] != pair[1]]

    def _seen(self) -> list[Any]:
        return self._connection.execute(
            "select * from monitoring.v_expected_runs order by task_type"
        ).fetchall()

    def _set_clock(self) -> None:
        self._call("set_config('monitoring.now', %s, false)", self._now.isoformat())

    def _start(self, name: str) -> None:
        self._call("monitoring.start_task_tracking(%s, %s)", f"{name} run", name)

    def _end(self, name: str) -> None:
        status = self._chance.choice(("completed", "failed"))
        self._call("monitoring.complete_task_tracking(%s, %s)", f"{name} run", status)

    def _end_by_name(self, name: str) -> None:
        self._call("monitoring.complete_task_tracking(%s)", name)

    def _record(self, name: str) -> None:
        began = self._now - timedelta(seconds=self._chance.randrange(9000))
        self._call(
            "monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object("
            "'task_id', %s::text, 'task_type', %s::text, 'status', 'completed',"
            " 'start_time', %s::text, 'end_time', %s::text)))",
            f"{name} {self._now}", name, began.isoformat(), self._now.isoformat(),
        )  # fmt: skip

    def _roll_up(self, _name: str) -> None:
        self._call("monitoring.roll_up()")

    def _follow(self, _name: str) -> None:
        self._call("monitoring._follow_expected_runs(monitoring.clock())")

    def _expect(self, name: str) -> None:
        self._call(
            "monitoring.define_expected_runs(%s, %s, %s, %s, %s, p_counts => %s)",
            name,
            self._chance.choice(SCHEDULES),
            self._chance.choice(("UTC", "Europe/Berlin")),
            timedelta(seconds=self._chance.choice((0, 120, 1800, 7200))),
            timedelta(seconds=self._chance.randrange(100)),
            self._chance.choice(("starts", "successes")),
        )

    def _call(self, call: str, *arguments: object) -> None:
        self._connection.execute(f"select {call}".encode(), arguments)


@pytest.fixture(params=range(3))
def story(request: pytest.FixtureRequest, connection: psycopg.Connection[Any]) -> Story:
    """A story of its own for each number."""
    return Story(connection, request.param)


def test_what_is_known_is_what_is_so(story: Story) -> None:
    for _ in range(40):
        what = story.go_on()
        assert story.differences() == [], what

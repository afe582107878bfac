"""Programs record from eight threads while their database is in trouble.

Nothing may be lost or come twice, in the wrong order or with another time, and no call may wait.
The long form, with figures, is ``make bench-client``.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench.client.chaos import Outcome, go_through
from bench.client.program import Plan
from bench.client.proxy import Proxy
from bench.client.troubles import TROUBLES, Place
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries
from tests.harness.databases import disposable_server, make_template
from tests.python.support.pooler import needs_pgbouncer, pooler

# A call that waited for the database would wait as long as the trouble lasts. A loaded machine
# holds up a program for a good part of that now and then.
SECONDS = 1.0
LONGEST_WAIT_MS = 500
# A flush interval, and what a loaded machine adds to it.
SECONDS_LOST_WHEN_KILLED = 1.5


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that may be frozen and stopped."""
    with disposable_server(embedded_binaries() or Path()) as server:
        make_template(server, "bench")
        yield server


@pytest.fixture
def place(own_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A database of its own, and a way to it."""
    with Proxy(own_server.port) as proxy:
        yield Place(own_server, f"chaos {request.node.name[-50:]}", proxy)


@pytest.fixture
def plan(place: Place, tmp_path: Path) -> Plan:
    """What a program does: 8 threads, for a moment longer than the trouble lasts."""
    return Plan(
        place.dsn_of_programs,
        str(tmp_path / "spool"),
        str(tmp_path / "journal"),
        threads=8,
        records=250,
        pause=0.005,
        flush=30,
        patience=2,
    )


def assert_right(outcome: Outcome) -> None:
    """See to it that nothing was lost and nobody waited."""
    assert outcome.count.is_right(), outcome.count
    assert outcome.count.told == 8 * 250
    assert outcome.said["dropped"] == 0
    assert outcome.said["is_flushed"]
    assert outcome.wait_ms(1) < LONGEST_WAIT_MS
    assert outcome.wait_ms(0.99) < LONGEST_WAIT_MS / 10


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_lost_and_nobody_waits(trouble: str, place: Place, plan: Plan) -> None:
    assert_right(go_through(place, TROUBLES[trouble], plan, before=0.3, seconds=SECONDS))


@needs_pgbouncer
def test_nothing_is_lost_when_a_pooler_restarts(place: Place, plan: Plan) -> None:
    with ExitStack() as poolers:
        place.proxy.target = poolers.enter_context(pooler(place.server))

        @contextmanager
        def absent(place: Place) -> Iterator[None]:
            poolers.close()
            yield
            place.proxy.target = poolers.enter_context(pooler(place.server))

        assert_right(go_through(place, absent, plan, before=0.3, seconds=SECONDS))


@pytest.mark.parametrize("trouble", ["none", "server frozen (SIGSTOP)", "server stopped"])
def test_a_killed_program_loses_its_last_moment_at_most(
    trouble: str, place: Place, plan: Plan
) -> None:
    outcome = go_through(
        place, TROUBLES[trouble], replace(plan, records=5000), before=0.5, seconds=1.2, kills=True
    )
    count = outcome.count
    assert count.told > 1000
    assert not count.doubled
    assert (count.misplaced, count.unfinished) == (0, 0)
    assert count.farthest < 1
    ages = [outcome.killed_at - outcome.told[number] for number in count.lost]
    assert max(ages, default=0) < SECONDS_LOST_WHEN_KILLED


def test_a_blocking_call_would_be_found(place: Place, plan: Plan) -> None:
    """The client of calls that wait is what these tests would fail."""
    waits = replace(plan, threads=1, records=200, options={"on_error": "raise"})
    outcome = go_through(
        place, TROUBLES["server frozen (SIGSTOP)"], waits, before=0.3, seconds=SECONDS
    )
    assert outcome.wait_ms(1) > LONGEST_WAIT_MS

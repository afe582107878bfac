"""The test of the tests: a connection that is left open is the fault of who left it."""

import psycopg
import pytest

from tests.python.support.open_connections import collect_abandoned


class Holder:
    """Something in a cycle, of which only the garbage collector can dispose."""

    def __init__(self, dsn: str) -> None:
        """Open a connection."""
        self.connection = psycopg.connect(dsn)
        self.itself = self


def test_an_abandoned_connection_is_noticed_at_once(dsn: str) -> None:
    Holder(dsn)
    with pytest.warns(ResourceWarning, match="was deleted while still open"):
        collect_abandoned()


def test_one_that_somebody_holds_is_left_alone(dsn: str) -> None:
    holder = Holder(dsn)
    collect_abandoned()
    assert not holder.connection.closed
    holder.connection.close()

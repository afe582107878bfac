"""What the classes of ETL record through: a client, somebody's monitor, or a connection URI."""

import os
from typing import Protocol, TypeAlias

from pgvigil.client import MonitoringClient


class Monitor(Protocol):
    """Whatever records through a client that it tells, as an `ETLMonitor` does."""

    @property
    def client(self) -> MonitoringClient:
        """The client."""


Source: TypeAlias = Monitor | MonitoringClient | str | None


def client_of(source: Source) -> MonitoringClient:
    """Return the client, that of a monitor, or a new one.

    Raises:
        TypeError: it is none of these.
    """
    if source is None or isinstance(source, str):
        return MonitoringClient(source, component="etl")
    return _client_in(source)


def dsn_of(source: Source) -> str:
    """Return the database that a client or monitor records in, or that is named.

    Raises:
        TypeError: it is none of these.
    """
    if source is None:
        return os.environ.get("PGVIGIL_DSN", "")
    return source if isinstance(source, str) else _client_in(source).dsn


def _client_in(source: Monitor | MonitoringClient) -> MonitoringClient:
    client = source if isinstance(source, MonitoringClient) else getattr(source, "client", None)
    if not isinstance(client, MonitoringClient):
        raise TypeError(
            f"give an ETLMonitor, a MonitoringClient or a connection URI, not {source!r}"
        )
    return client

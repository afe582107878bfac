"""Troubles of a database, each for as long as a ``with`` block lasts."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from bench.client.proxy import Proxy, Way
from pgvigil.demo.server import PostgresServer

_TERMINATE = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)
_LOCK = (
    "lock table monitoring.metric_samples, monitoring.errors, monitoring.log_lines,"
    " monitoring.active_tasks, monitoring.finished_tasks, monitoring.senders"
    " in access exclusive mode"
)


class Place:
    """A server, a database in it, and a proxy on the way to it."""

    def __init__(self, server: PostgresServer, database: str, proxy: Proxy) -> None:
        """Make the database, of a template called bench, and name all three."""
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template bench").format(sql.Identifier(database))
            )
        self.server = server
        self.proxy = proxy
        self.dsn = server.dsn(database)
        """How the database is reached directly."""
        self.dsn_of_programs = self.dsn.replace(f":{server.port}/", f":{proxy.port}/")
        """How programs reach it: through the proxy."""


@contextmanager
def none(place: Place) -> Iterator[None]:
    """Have no trouble."""
    yield


@contextmanager
def ended_sessions(place: Place) -> Iterator[None]:
    """End all sessions of the database, each half second."""
    is_over = threading.Event()

    def end_them() -> None:
        with psycopg.connect(place.dsn, autocommit=True) as connection:
            while not is_over.wait(0.5):
                connection.execute(_TERMINATE)

    thread = threading.Thread(target=end_them)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def frozen_server(place: Place) -> Iterator[None]:
    """Stop all processes of the server as they are."""
    pid = place.server.pid
    stopped = [pid]
    os.kill(pid, signal.SIGSTOP)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in map(int, children):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGSTOP)
            stopped.append(child)
    try:
        yield
    finally:
        for process in reversed(stopped):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@contextmanager
def locked_tables(place: Place) -> Iterator[None]:
    """Keep everybody from the tables that recording writes."""
    with psycopg.connect(place.dsn) as connection:
        connection.execute(_LOCK)
        yield


@contextmanager
def read_only_database(place: Place) -> Iterator[None]:
    """Have the server take reading transactions alone, as a standby does."""
    with psycopg.connect(place.dsn, autocommit=True) as connection:
        connection.execute("alter system set default_transaction_read_only = on")
        connection.execute("select pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("alter system reset default_transaction_read_only")
            connection.execute("select pg_reload_conf()")


def network(way: Way) -> Callable[[Place], AbstractContextManager[None]]:
    """Return a trouble of the network."""

    @contextmanager
    def trouble(place: Place) -> Iterator[None]:
        place.proxy.way = way
        try:
            yield
        finally:
            place.proxy.way = Way.PASS

    return trouble


def stopped_server(how: signal.Signals) -> Callable[[Place], AbstractContextManager[None]]:
    """Return the absence of a server, which a signal ends: SIGINT fast, SIGQUIT immediately."""

    @contextmanager
    def trouble(place: Place) -> Iterator[None]:
        if how is not signal.SIGINT:
            os.kill(place.server.pid, how)
        place.server.stop()
        try:
            yield
        finally:
            place.server.start()

    return trouble


TROUBLES: dict[str, Callable[[Place], AbstractContextManager[None]]] = {
    "none": none,
    "sessions ended twice a second": ended_sessions,
    "server frozen (SIGSTOP)": frozen_server,
    "tables locked": locked_tables,
    "network swallows bytes": network(Way.SWALLOW),
    "network cuts what is sent": network(Way.CUT),
    "network cuts answers": network(Way.CUT_ANSWERS),
    "server stopped": stopped_server(signal.SIGINT),
    "server killed": stopped_server(signal.SIGQUIT),
    "read only": read_only_database,
}

"""Putting the demonstration together: a server, the work, and the watching."""

import secrets
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.types.json import Jsonb

from pgvigil.client import MonitoringClient
from pgvigil.database.queries import configuration, decisions
from pgvigil.demo.control import Control
from pgvigil.demo.imports import Importer
from pgvigil.demo.invoices import InvoiceQueue
from pgvigil.demo.probes import Probes
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.service import RateService
from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.background import BackgroundWeb
from pgvigil.faces.web.settings import WebSettings
from pgvigil.install import migrate
from pgvigil.runner import BackgroundRunner, Settings

_DATABASE = "demo"
_WORKERS = ("worker-1", "worker-2")
_SECONDS_TO_DRAIN = 3.0
_ABANDONED = """
select task_id from monitoring.v_realtime_processing_status where is_backend_alive is not true
"""
# A minute would be long for those who watch.
_CONFIGURATION = {"jobs": {"evaluate_alerts": {"schedule": "5 seconds"}}}
_WORKFLOW = {
    "workflow": "shops",
    "description": "Deliveries of the shops are imported, and invoices are written for them.",
    "cutover": "00:00",
    "steps": [{"step": "demo.import"}, {"step": "demo.invoice", "after": ["demo.import"]}],
}
_LET_WATCH = """
grant usage on schema demo to monitoring_admin;
grant select on demo.invoices to monitoring_admin
"""
_WATCH_INVOICES = """
select monitoring.attach_status_trigger(
    p_table => %(table)s, p_key_columns => %(key)s, p_status_column => %(status)s,
    p_dataset => %(dataset)s
)
"""
_INVOICES = {"table": "demo.invoices", "key": ["receipt"], "status": "state", "dataset": "invoices"}


class DemoRunsAlreadyError(PgvigilError):
    """A demonstration runs in this directory already."""


class Demo:
    """A PostgreSQL server with pgvigil in it, and a small business that keeps it busy."""

    def __init__(self, home: Path, port: int | None, pace: float) -> None:
        """Describe a demonstration; nothing runs before the ``with`` block is entered.

        Args:
            home: directory for all of its data, used again the next time.
            port: TCP port of the server; any free one when None.
            pace: factor for the pauses between the pieces of work.
        """
        self.home = home
        self.server = PostgresServer(home / "postgresql", port=port)
        self.control = Control(pace)
        self.dsn = ""
        """Where the database is, once it runs."""
        self.url = ""
        """Where the page is, once it is served."""
        self.token = secrets.token_urlsafe(16)
        """What the page needs to acknowledge alerts."""
        self._web: BackgroundWeb | None = None
        self._service = RateService()

    def __enter__(self) -> Self:
        """Start the server, install pgvigil, and have everybody begin.

        Raises:
            ServerError: the server cannot be started.
            DemoRunsAlreadyError: another one is using the directory.
        """
        self.server.start()
        try:
            if not self.server.owned:
                raise DemoRunsAlreadyError(
                    hint=f"Look at it: pgvigil dashboard --watch --dsn {self.server.dsn(_DATABASE)}"
                )
            self._prepare()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all work, then the server."""
        try:
            self.stop_work()
            self._service.stop()
            self._monitor.close()
        finally:
            self.server.stop()

    def stop_work(self) -> None:
        """End all work; what it has left can still be looked at."""
        self.control.stop()
        self._scheduler.stop()
        if self._web is not None:
            self._web.stop()

    def run_round(self) -> None:
        """Import one delivery of every shop."""
        self._importer.run_round()

    def keep_importing(self, rounds: int | None) -> None:
        """Import in the background, for so many rounds or until the end."""
        left = iter(range(rounds)) if rounds is not None else None

        def act() -> None:
            if left is not None and next(left, None) is None:
                self.control.stopped.set()
                return
            self._importer.run_round()

        self.control.repeat(act, 5, "importer")

    def serve(self, port: int) -> None:
        """Serve the page from now on.

        Args:
            port: TCP port on loopback; 0 for any free one.

        Raises:
            CannotListenError: the port cannot be had.
        """
        self._web = BackgroundWeb(WebSettings(self.dsn, token=self.token), port)
        self.url = self._web.url

    def wait_for_invoices(self) -> None:
        """Wait until the queue is empty, then look after everything once more."""
        while any(self._queue.depth()[:2]):
            self.control.pause(1)
        self._probes.look()
        with psycopg.connect(self.dsn) as connection:
            connection.execute(decisions.EVALUATE)

    def _prepare(self) -> None:
        self._create_database()
        self.dsn = self.server.dsn(_DATABASE)
        migrate(self.dsn)
        with psycopg.connect(self.dsn) as connection:
            connection.execute(configuration.APPLY, {"config": Jsonb(_CONFIGURATION)})
            connection.execute(configuration.APPLY_WORKFLOW, {"workflow": Jsonb(_WORKFLOW)})
            connection.execute(_LET_WATCH)
            connection.execute(_WATCH_INVOICES, _INVOICES)
        inbox, outbox = self.home / "inbox", self.home / "outbox"
        for directory in (inbox, outbox):
            directory.mkdir(exist_ok=True)
        for leftover in inbox.glob("*.csv"):
            leftover.unlink()
        self._monitor = monitor = MonitoringClient(self.dsn, component="demo")
        self._service.start()
        self._queue = InvoiceQueue(monitor, self.dsn, outbox, self.control)
        self._importer = Importer(monitor, self.dsn, inbox, self._service, self.control)
        self._probes = Probes(monitor, self.dsn, self.home, self._service, self._queue)
        self._clean_up()
        self._start_threads()

    def _create_database(self) -> None:
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            query = "select from pg_database where datname = %s"
            if connection.execute(query, [_DATABASE]).fetchone() is None:
                connection.execute("create database demo")
        with psycopg.connect(self.server.dsn(_DATABASE)) as connection:
            connection.execute(files("pgvigil.demo").joinpath("schema.sql").read_bytes())

    def _clean_up(self) -> None:
        """End what a demonstration that was killed left behind."""
        self._queue.recover()
        with psycopg.connect(self.dsn) as connection:
            abandoned = connection.execute(_ABANDONED).fetchall()
        for (task_id,) in abandoned:
            self._monitor.complete_task(task_id, "lost")

    def _start_threads(self) -> None:
        self.control.repeat(self._probes.look, 2, "probes")
        for worker in _WORKERS:
            self.control.repeat(self._work_as(worker), 0.5, worker)
        self._scheduler = BackgroundRunner(Settings(self.dsn, drain_seconds=_SECONDS_TO_DRAIN))

    def _work_as(self, worker: str) -> Callable[[], None]:
        return lambda: self._queue.work_off(worker)

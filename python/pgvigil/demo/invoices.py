"""The queue: invoices wait in a table until one of two workers has written them."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import psycopg

from pgvigil.client import MonitoringClient
from pgvigil.demo.control import Control

_CLAIM = """
update demo.invoices set state = 'working'
where invoice_id = (
    select invoice_id from demo.invoices
    where state = 'pending' order by invoice_id for update skip locked limit 1
)
returning invoice_id, receipt, customer
"""
_FINISH = "update demo.invoices set state = %s where invoice_id = %s"
_DEPTH = """
select
    count(*) filter (where state = 'pending'),
    count(*) filter (where state = 'working'),
    count(*) filter (where state = 'done'),
    count(*) filter (where state = 'failed'),
    extract(epoch from clock_timestamp() - min(ready_at) filter (where state = 'pending'))::float
from demo.invoices
"""
# What was under way when an earlier demonstration was killed is work again.
_RECLAIM = "update demo.invoices set state = 'pending' where state = 'working'"
_PRUNE = "delete from demo.invoices where ready_at < now() - interval '1 day'"
_HASH_ROUNDS = 20_000


class Depth(NamedTuple):
    """What the queue holds."""

    pending: int
    processing: int
    completed: int
    failed: int
    oldest_ready_seconds: float | None


class InvoiceQueue:
    """The queue of invoices, and what workers do with it."""

    def __init__(self, monitor: MonitoringClient, dsn: str, outbox: Path, control: Control) -> None:
        """Work off the queue in the database of the DSN into files in the outbox."""
        self._monitor = monitor
        self._dsn = dsn
        self._outbox = outbox
        self._control = control

    def recover(self) -> None:
        """Take back what nobody works on any more and forget what is old."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute(_RECLAIM)
            connection.execute(_PRUNE)

    def depth(self) -> Depth:
        """Return what the queue holds now."""
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(_DEPTH).fetchone()
        assert row is not None
        return Depth(*row)

    def work_off(self, worker: str) -> None:
        """Write invoices until none is waiting.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while (claimed := connection.execute(_CLAIM).fetchone()) is not None:
                invoice_id, receipt, customer = claimed
                try:
                    with self._monitor.task(
                        "demo.invoice",
                        task_id=f"invoice-{receipt}",
                        worker_id=worker,
                        severity="medium",
                    ) as task:
                        task.output_size = self._write(receipt, customer)
                    state = "done"
                except ValueError as error:
                    state = "failed"
                    invalid = {"record_key": receipt, "message": str(error)}
                    self._monitor.log_invalid_records("invoices", [invalid], "customer")
                connection.execute(_FINISH, (state, invoice_id))
                self._control.pause(0.02)

    def _write(self, receipt: str, customer: str | None) -> int:
        """Write an invoice with a seal that takes some computing; return its bytes."""
        if not customer:
            raise ValueError(f"receipt {receipt} has no customer to send an invoice to")
        seal = hashlib.pbkdf2_hmac("sha256", receipt.encode(), customer.encode(), _HASH_ROUNDS)
        path = self._outbox / f"{receipt.split('-')[0]}.txt"  # each shop's newest is enough to keep
        return path.write_text(f"Invoice {receipt}\nTo: {customer}\nSeal: {seal.hex()}\n")

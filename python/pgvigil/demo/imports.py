"""The import: files of sales are extracted, validated, transformed, loaded and summed up."""

import random
import time
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.demo.control import Control
from pgvigil.demo.sales import CURRENCIES, Damage, Sale, read_sales, write_sales
from pgvigil.demo.service import RateService, fetch_rates

SHOPS = {"north": 2000, "south": 8000, "east": 1500, "west": 1800, "harbour": 1200, "airport": 900}
"""Shops and the sales in one of their files."""
_CHUNK = 500
_SALES_A_INVOICE = 40
_COPY = "copy demo.sales from stdin"
_ENQUEUE = "insert into demo.invoices (shop, receipt, customer) values (%s, %s, %s)"
_SUM_UP = """
insert into demo.daily_sales (shop, day, receipts, turnover_eur)
select shop, sold_at::date, count(*), sum(quantity * price_eur) from demo.sales group by 1, 2
on conflict (shop, day) do update
    set receipts = excluded.receipts, turnover_eur = excluded.turnover_eur
"""
_PRUNE = "delete from demo.sales where sold_at < now() - interval '20 minutes'"


@dataclass(frozen=True)
class Delivery:
    """A file that has come in, and what the exchange rate service will do meanwhile."""

    shop: str
    damage: Damage = Damage.NONE
    is_service_down: bool = False
    is_service_slow: bool = False


def eventful_deliveries() -> list[Delivery]:
    """Return one delivery a shop, among them every kind of trouble."""
    return [
        Delivery("north"),
        Delivery("east", Damage.GARBLED),
        Delivery("harbour", is_service_down=True),
        Delivery("west", random.choice([Damage.TWICE, Damage.RETURNED])),
        Delivery("airport", is_service_slow=True),
        Delivery("south"),
    ]


def ordinary_deliveries() -> list[Delivery]:
    """Return one delivery a shop, with trouble as it happens to come."""
    return [
        Delivery(
            shop,
            random.choice(list(Damage)[1:]) if random.random() < 0.15 else Damage.NONE,
            is_service_down=random.random() < 0.2,
            is_service_slow=random.random() < 0.15,
        )
        for shop in SHOPS
    ]


class Importer:
    """Imports deliveries, each file as a task of its own below one task for the whole round."""

    def __init__(
        self,
        monitor: MonitoringClient,
        dsn: str,
        inbox: Path,
        service: RateService,
        control: Control,
    ) -> None:
        """Import into the database of the DSN, by way of files in the inbox."""
        self._monitor = monitor
        self._dsn = dsn
        self._inbox = inbox
        self._service = service
        self._control = control
        self._rounds = 0

    def run_round(self) -> None:
        """Import one delivery of every shop; a file that fails stops no other.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        self._rounds += 1
        deliveries = eventful_deliveries() if self._rounds == 1 else ordinary_deliveries()
        batch = f"{time.strftime('%Y%m%d-%H%M%S')}-{self._rounds}"
        with (
            psycopg.connect(self._dsn) as connection,
            self._monitor.task(
                "demo.import", task_id=f"import-{batch}", items_total=len(deliveries)
            ) as task,
        ):
            for number, delivery in enumerate(deliveries, start=1):
                with task.step(delivery.shop):
                    is_imported = self._import(connection, task, delivery, batch)
                task.count(imported=int(is_imported), failed=int(not is_imported))
                task.progress(number)
            with task.step("sum up"):
                connection.execute(_SUM_UP)
                connection.execute(_PRUNE)
                connection.commit()
        self._monitor.record_log("info", f"import {batch} done", details=task.counters)

    def _import(
        self, connection: psycopg.Connection, task: TrackedTask, delivery: Delivery, batch: str
    ) -> bool:
        """Import one file, again if the service was down; tell whether it is in."""
        path = self._inbox / f"{delivery.shop}-{batch}.csv"
        write_sales(path, delivery.shop, batch, SHOPS[delivery.shop], delivery.damage)
        try:
            for _ in range(2):
                try:
                    with self._troubled_service(delivery):
                        self._import_file(connection, task, path, delivery.shop)
                    return True
                except urllib.error.URLError:
                    connection.rollback()
                    delivery = Delivery(delivery.shop, delivery.damage)  # it is up again by now
                    self._control.pause(1)
        except (OSError, ValueError, psycopg.IntegrityError):
            connection.rollback()  # recorded by the task already; the next file has its chance
        finally:
            path.unlink()
        return False

    def _import_file(
        self, connection: psycopg.Connection, parent: TrackedTask, path: Path, shop: str
    ) -> None:
        began_at = time.perf_counter()
        with parent.child(
            "demo.import_file",
            task_id=f"file-{path.stem}",
            input_size=path.stat().st_size,
            items_total=SHOPS[shop],
            metadata={"shop": shop, "file": path.name},
        ) as task:
            with task.step("extract"):
                sales = list(read_sales(path))
            with task.step("validate"):
                task.count(without_customer=sum(sale.customer is None for sale in sales))
            with task.step("transform"):
                rate = fetch_rates(self._service.url)[CURRENCIES.get(shop, "EUR")]
            with task.step("load"):
                self._load(connection, task, shop, sales, rate)
            seconds = time.perf_counter() - began_at
            task.metric("demo.import_speed", len(sales) / seconds, "rows/s", tags={"shop": shop})

    def _load(
        self,
        connection: psycopg.Connection,
        task: TrackedTask,
        shop: str,
        sales: Sequence[Sale],
        rate: float,
    ) -> None:
        """Load in chunks, with a breath between them for whoever else uses the database."""
        for first in range(0, len(sales), _CHUNK):
            chunk = sales[first : first + _CHUNK]
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                for sale in chunk:
                    price_eur = round(sale.price * rate, 2)
                    copy.write_row((shop, *sale[:5], price_eur, sale.customer))
            task.progress(first + len(chunk))
            self._control.pause(0.3)
        with connection.cursor() as cursor:
            billed = sales[::_SALES_A_INVOICE]
            cursor.executemany(_ENQUEUE, [(shop, sale.receipt, sale.customer) for sale in billed])
        connection.commit()
        task.output_size = len(sales)

    def _troubled_service(self, delivery: Delivery) -> "_Trouble":
        return _Trouble(self._service, delivery)


class _Trouble:
    """The exchange rate service, down or slow for as long as the block lasts."""

    def __init__(self, service: RateService, delivery: Delivery) -> None:
        self._service = service
        self._delivery = delivery

    def __enter__(self) -> None:
        if self._delivery.is_service_down:
            self._service.stop()
        self._service.delay = 1.0 if self._delivery.is_service_slow else 0.0

    def __exit__(self, *exception: object) -> None:
        self._service.delay = 0.0
        self._service.start()

"""A program that knows nothing of pgvigil: it has the SDK of Sentry, and ends by an exception.

>>> python sentry_shop.py DSN PACKED
"""

import logging
import sys
from typing import Any

import sentry_sdk
from sentry_sdk.crons import monitor
from sentry_sdk.types import MonitorConfig

EVERY_NIGHT: MonitorConfig = {
    "schedule": {"type": "crontab", "value": "30 2 * * *"},
    "timezone": "Europe/Berlin",
    "checkin_margin": 10,
    "max_runtime": 30,
}


def total(prices: list[int], rate: int) -> float:
    """Fail with an exception that has a cause."""
    try:
        return sum(prices) / rate
    except ZeroDivisionError as error:
        raise ValueError(f"no rate for {len(prices)} prices") from error


@monitor(monitor_slug="invoices", monitor_config=EVERY_NIGHT)
def write_invoices(is_possible: bool) -> None:
    """Be a job that is expected every night."""
    if not is_possible:
        raise RuntimeError("the printer is on fire")


def main(dsn: str, packed: Any = None) -> None:
    """Say one thing of every kind."""
    sentry_sdk.init(
        dsn,
        release="shop@1.4.2",
        environment="staging",
        server_name="till-7",
        shutdown_timeout=30,
        traces_sample_rate=1.0,  # which makes transactions, of no use here
        _experiments={"transport_compression_algo": packed},
    )
    logging.getLogger("shop.stock").error("shelf %s lacks %d boxes", "A-17", 3)
    sentry_sdk.capture_message("the cache is cold", level="warning")
    with sentry_sdk.start_transaction(name="checkout"), sentry_sdk.new_scope() as scope:
        scope.set_tag("till", "7")
        scope.set_user({"id": "u-1", "email": "ann@example.com"})
        scope.fingerprint = ["checkout", "{{ default }}"]
        try:
            total([4, 2], 0)
        except ValueError:
            sentry_sdk.capture_exception()
    write_invoices(True)
    try:
        write_invoices(False)
    except RuntimeError:
        logging.getLogger("shop").exception("no invoices for %s", "monday")
    raise LookupError("no such till: 12")


if __name__ == "__main__":
    main(*sys.argv[1:])

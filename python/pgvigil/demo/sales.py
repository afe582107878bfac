"""Sales of shops as CSV files: written, sometimes damaged, and read again."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import NamedTuple

PRODUCTS = ("tea", "coffee", "bread", "cheese", "apples", "soap", "paper", "candles")
CURRENCIES = {"harbour": "GBP", "airport": "USD"}
_HEADER = ("receipt", "sold_at", "product", "quantity", "price", "customer")


class Damage(Enum):
    """What a file can suffer from."""

    NONE = "none"
    GARBLED = "garbled"
    """A block of bytes was overwritten."""
    TWICE = "twice"
    """A sale is in it twice."""
    RETURNED = "returned"
    """A quantity is negative."""


class Sale(NamedTuple):
    """One line of a file."""

    receipt: str
    sold_at: datetime
    product: str
    quantity: int
    price: float
    customer: str | None


def write_sales(path: Path, shop: str, batch: str, rows: int, damage: Damage) -> None:
    """Write a file of a shop's sales.

    Args:
        path: the file.
        shop: whose sales.
        batch: part of the receipt numbers, so that no two files share any.
        rows: how many sales.
        damage: what is wrong with the file.
    """
    now = datetime.now(UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for number in range(rows):
            is_bad_spot = number == rows * 2 // 3
            repeated = is_bad_spot and damage is Damage.TWICE
            writer.writerow(
                (
                    f"{shop}-{batch}-{number - 1 if repeated else number}",
                    (now - timedelta(seconds=rows - number)).isoformat(timespec="seconds"),
                    random.choice(PRODUCTS),
                    -1 if is_bad_spot and damage is Damage.RETURNED else random.randint(1, 5),
                    f"{random.uniform(0.5, 40):.2f}",
                    f"customer{random.randint(1, 500)}@example.com"
                    if random.random() > 0.05
                    else "",
                )
            )
    if damage is Damage.GARBLED:
        _garble(path)


def read_sales(path: Path) -> Iterator[Sale]:
    """Yield the sales of a file.

    Raises:
        UnicodeDecodeError: it holds bytes that are no text.
        ValueError: a field is no number or time, or a line has too few.
    """
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Sale(
                receipt=line["receipt"],
                sold_at=datetime.fromisoformat(line["sold_at"]),
                product=line["product"],
                quantity=int(line["quantity"]),
                price=float(line["price"]),
                customer=line["customer"] or None,
            )


def _garble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(random.randbytes(512))

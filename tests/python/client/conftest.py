"""Senders to a stand-in for a database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pgvigil.client.sending.sender import Sender
from tests.python.support.batch_database import DSN, Database


@pytest.fixture
def database() -> Database:
    """A database."""
    return Database()


@pytest.fixture
def spools(tmp_path: Path) -> Path:
    """A directory for spools."""
    return tmp_path / "spools"


@pytest.fixture
def make(database: Database, spools: Path) -> Iterator[Callable[..., Sender]]:
    """A function that makes senders."""
    made = []

    def make_one(**options: Any) -> Sender:
        usual = {
            "interval": 0.02, "most_bytes": 4 << 20, "directory": spools, "spool_bytes": 1 << 20,
        }  # fmt: skip
        made.append(Sender(database.send, dsn=DSN, **{**usual, **options}))
        return made[-1]

    yield make_one
    database.trouble = None
    for sender in made:
        sender.close(1)

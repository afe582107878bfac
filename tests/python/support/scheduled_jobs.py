"""Jobs that APScheduler runs in tests, also in other processes."""

import asyncio
import time

from pgvigil.client import current_task


def good(pages: int = 3) -> None:
    """Count pages, as the task at hand."""
    task = current_task()
    assert task is not None
    task.count(pages=pages)


def bad() -> None:
    """Fail."""
    raise ValueError("no price")


def slow() -> None:
    """Take a while."""
    time.sleep(1.5)


async def coroutine() -> None:
    """Count pages, from a coroutine."""
    await asyncio.sleep(0.01)
    good(7)

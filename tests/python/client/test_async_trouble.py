"""That `AsyncMonitoringClient` never gets in the way, whatever goes wrong around it."""

import asyncio
import gc
import os
import signal
import time

import psycopg
import pytest

from pgvigil import AsyncMonitoringClient
from pgvigil.client import current_task
from pgvigil.exceptions import MonitoringError, UnknownValueError
from tests.python.support.asking import OwnError, one, rows, the_task
from tests.python.support.async_clients import awaited, in_a_loop

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
# What goes wrong


@in_a_loop
async def test_what_is_wrong_raises_where_it_is_awaited(dsn: str) -> None:
    async with AsyncMonitoringClient(dsn, on_error="raise") as client:
        with pytest.raises(UnknownValueError, match="sick"):
            await client.update_system_health("db", "x", "sick")
        with pytest.raises(MonitoringError):
            await client.start_task("x", task_id="")
        with pytest.raises(MonitoringError):
            async with client.task("x", task_id=""):
                pytest.fail("it has not begun")
        assert current_task() is None
        with pytest.raises(UnknownValueError, match="grave"):
            await client.fail_task("t", OwnError(), severity="grave")
        with pytest.raises(OwnError):  # noqa: PT012
            async with client.task("x") as task:
                task.counters["bad"] = -1
                raise OwnError
        assert client.dropped == 1


@in_a_loop
async def test_what_is_wrong_is_logged_where_nobody_waits_for_it(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncMonitoringClient(dsn, on_error="raise") as client:
        client.update_system_health("db", "x", "sick")
        client.start_task("x", task_id="")
        client.fail_task("t", OwnError(), severity="grave")
        await client.flush()
    gc.collect()
    texts = [record.getMessage() for record in caplog.records]
    assert all("nobody waits for" in text for text in texts)
    for word in ("sick", "task_id", "grave"):
        assert sum(word in text for text in texts) == 1


@in_a_loop
async def test_a_database_that_is_away_breaks_and_holds_up_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = AsyncMonitoringClient(NOWHERE, spool=False)
    async with client.task("x"):
        assert await client.log_invalid_records("orders", ["1", "2"], "NUMBER") is None
    assert client.dropped == 2
    assert not await client.flush(0.1)
    began_at = time.perf_counter()
    await client.close(0.1)
    assert time.perf_counter() - began_at < 1.5


@in_a_loop
async def test_a_frozen_server_never_holds_up_the_loop(
    dsn: str, connection: psycopg.Connection
) -> None:
    """The longest stall is 20 ms on a machine with nothing else to do; here is room for others."""
    async with AsyncMonitoringClient(dsn, flush_interval=0.05, statement_timeout=1.0) as client:
        task_id = client.start_task("x")
        assert await client.flush()
        await client.log_invalid_records("orders", ["0"], "NUMBER")
        query = "select pid from pg_stat_activity where application_name = 'pgvigil client'"
        pids = [row["pid"] for row in rows(connection, query)]
        assert len(pids) == 2
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            longest = await _longest_stall(client)
            assert not await client.flush(0.2)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        assert longest < 0.2
        client.complete_task(task_id)
        assert await client.flush()
    assert the_task(connection)["status"] == "completed"
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 300}


async def _longest_stall(client: AsyncMonitoringClient) -> float:
    """Record in every way; return the longest time in seconds that the loop stood still."""
    waiting = asyncio.ensure_future(awaited(client.log_invalid_records("o", ["1"], "NUMBER")))
    longest = 0.0
    for number in range(300):
        began_at = time.perf_counter()
        await client.record_log("info", f"line {number}")
        client.log_invalid_records("orders", [str(number)], "NUMBER")
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - began_at - 0.005)
    assert await waiting is None
    return longest

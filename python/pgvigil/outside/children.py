"""Processes that carry out orders, and are killed when they take too long.

Each has a session of its own, so that Ctrl-C reaches us alone. What one prints beside its answers
is for nobody: it may hold an address.
"""

import asyncio
import json
import subprocess
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Generator, Mapping
from contextlib import suppress
from typing import Any

# For one that is about to end to do so, and for one that was killed to be gone.
_SECONDS_TO_END = 5.0


class EndedError(Exception):
    """The process has ended before it had answered."""

    def __init__(self, code: int | None) -> None:
        """Keep its exit code."""
        super().__init__(f"ended with code {code}")


class Child:
    """A process that carries out one order after another, and begins with the first one."""

    def __init__(self, module: str) -> None:
        """Describe it; nothing is started yet.

        Args:
            module: what it runs; see `pgvigil.outside.child_process`.
        """
        self._command = _command(module)
        self._process: Process | None = None

    async def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Have an order carried out, and return the answer.

        Raises:
            TimeoutError: it took longer than its ``seconds``.
            EndedError: the process ended.
            OSError: the process could not be begun, or told.
        """
        try:
            async with asyncio.timeout(order["seconds"]):
                line = await self._ask(json.dumps(order).encode() + b"\n")
        except BaseException:
            process, self._process = self._process, None
            if process is not None:
                await ended(process)
            raise
        if not line.endswith(b"\n"):
            raise EndedError(await self._end())
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def close(self) -> None:
        """Let the process end."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._end()

    async def _ask(self, line: bytes) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        await self._process.stdin.drain()
        return await self._process.stdout.readline()

    async def _end(self) -> int | None:
        """Wait for a process that is about to end; a signal might take its exit code from us."""
        process, self._process = self._process, None
        assert process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_END):
                return await process.wait()
        return await ended(process)


def answers(module: str, order: Mapping[str, Any]) -> Generator[dict[str, Any], None, None]:
    """Yield the answers of a process to its only order; closing this ends the process.

    Args:
        module: as for `Child`.
        order: what is to be done.

    Raises:
        TimeoutError: it took longer than its ``seconds``.
        EndedError: the process ended, which an answer should have announced.
    """
    with subprocess.Popen(
        _command(module), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    ) as process:
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            process.kill()

        limit = threading.Timer(order["seconds"], end)
        limit.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):  # its end tells more
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.close()
            for line in process.stdout:
                if line.endswith(b"\n"):
                    yield json.loads(line)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS_TO_END)
        finally:
            limit.cancel()
            process.kill()
        if is_over.is_set():
            raise TimeoutError
        raise EndedError(process.returncode)


async def ended(process: Process) -> int | None:
    """Make sure that a process is gone, and return its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_END):
                await process.wait()
    return process.returncode


def _command(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", module]

"""The runner's hold on a process that sends."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from pgvigil.database.words import length_of_time
from pgvigil.runner.notifying.orders import Order, Outcome

_COMMAND = [sys.executable, "-P", "-m", "pgvigil.runner.notifying.sending_process"]
# For an idle process to end by itself.
_SECONDS_TO_END = 5.0


class Messenger:
    """Has one order after another carried out by a process, which begins with the first one."""

    def __init__(self) -> None:
        """Describe it; nothing is started yet."""
        self._process: Process | None = None

    async def deliver(self, order: Order) -> Outcome:
        """Have something sent, and return how that went, at the latest when its time is up."""
        try:
            async with asyncio.timeout(order.seconds):
                answer = await self._ask(order)
        except TimeoutError:
            await self._end_by_force()
            return Outcome(f"no answer within {length_of_time(order.seconds)}", was_silent=True)
        except OSError as error:
            await self._end_by_force()
            return Outcome(f"the sending process failed: {error.strerror}")
        except asyncio.CancelledError:
            await self._end_by_force()
            raise
        if not answer.endswith(b"\n"):
            code = await self._end()
            return Outcome(f"the sending process ended with code {code}")
        return Outcome.from_line(answer)

    async def close(self) -> None:
        """Let the process end."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._end()

    async def _ask(self, order: Order) -> bytes:
        if self._process is None:
            # In a session of its own, so that Ctrl-C reaches the runner alone.
            self._process = await asyncio.create_subprocess_exec(
                *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.line())
        await self._process.stdin.drain()
        return await self._process.stdout.readline()

    async def _end(self) -> int | None:
        """Wait for a process that is about to end; a signal might take its exit code from us."""
        if self._process is None:
            return None
        try:
            async with asyncio.timeout(_SECONDS_TO_END):
                code = await self._process.wait()
        except TimeoutError:
            return await self._end_by_force()
        self._process = None
        return code

    async def _end_by_force(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()

"""The hold on a process that reads from another database."""

import json
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

from pgvigil.database.words import length_of_time
from pgvigil.runner.sources.elsewhere import UnreadableError

_COMMAND = [sys.executable, "-P", "-m", "pgvigil.runner.sources.reading_process"]
# For one that has said all to end by itself.
_SECONDS_TO_END = 5.0

Piece = tuple[list[list[str | None]], str | None]


def pieces(order: dict[str, Any]) -> Generator[Piece, None, None]:
    """Yield the rows of a query in pieces, each with a mark that it can be continued after.

    Args:
        order: ``address``, ``statement``, ``columns``, ``resume_column``, ``resume_after`` and the
            ``seconds`` that it may take.

    Raises:
        UnreadableError: it cannot be read, or not to its end.
    """
    # In a session of its own, so that Ctrl-C reaches us alone. What it prints is for nobody: it
    # may hold an address.
    with subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            process.kill()

        limit = threading.Timer(order["seconds"], end)
        limit.start()
        try:
            yield from _answers(process, order)
        except UnreadableError:
            if is_over.is_set():
                longest = length_of_time(order["seconds"])
                raise UnreadableError(f"took longer than {longest}") from None
            raise
        finally:
            limit.cancel()
            process.kill()


def _answers(process: "subprocess.Popen[bytes]", order: dict[str, Any]) -> Iterator[Piece]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # its end tells more
    for line in process.stdout:
        answer = json.loads(line)
        if "error" in answer:
            raise UnreadableError(answer["error"])
        if "is_complete" in answer:
            return
        yield answer["rows"], answer["mark"]
    code = process.wait(_SECONDS_TO_END)
    raise UnreadableError(f"the reading process ended with code {code}")

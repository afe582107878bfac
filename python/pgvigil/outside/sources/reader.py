"""The hold on a process that reads from another database."""

import sys
from collections.abc import Generator
from contextlib import closing
from typing import Any

from pgvigil.database.words import length_of_time
from pgvigil.outside.children import EndedError, answers
from pgvigil.outside.sources.errors import UnreadableError

_MODULE = "pgvigil.outside.sources.reading_process"

Piece = tuple[list[list[str | None]], str | None]


def pieces(order: dict[str, Any]) -> Generator[Piece, None, None]:
    """Yield the rows of a query in pieces, each with a mark that it can be continued after.

    Args:
        order: ``address``, ``statement``, ``columns``, ``resume_column``, ``resume_after`` and the
            ``seconds`` that it may take.

    Raises:
        UnreadableError: it cannot be read, or not to its end.
    """
    if getattr(sys, "frozen", False):
        raise UnreadableError(
            "a program that was made into one file cannot start the process that reads:"
            " have pgvigil run or pgvigil sync load it"
        )
    try:
        with closing(answers(_MODULE, order)) as told:
            for answer in told:
                if "error" in answer:
                    raise UnreadableError(answer["error"])
                if "is_complete" in answer:
                    return
                yield answer["rows"], answer["mark"]
    except TimeoutError:
        raise UnreadableError(f"took longer than {length_of_time(order['seconds'])}") from None
    except EndedError as error:
        raise UnreadableError(f"the reading process {error}") from None

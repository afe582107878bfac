"""The process that reads from another database: pieces of rows for an order, and how it ended.

A process, since a driver that hangs cannot be ended otherwise, nor one that reads on to the end of
what it was sent before it can be closed; and since what drivers print may hold an address.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pgvigil.outside.child_process import serve
from pgvigil.outside.redaction import redacted
from pgvigil.outside.sources.cells import mark_of, text_of, value_of
from pgvigil.outside.sources.elsewhere import opened, reason_of, run
from pgvigil.outside.sources.errors import UnreadableError

# A piece is committed when it has so many rows, or so many characters.
_ROWS_A_PIECE = 5_000
_CHARACTERS_A_PIECE = 4_000_000

Row = list[str | None]


def _answers(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        for rows, mark in _pieces(_rows(order)):
            yield {"rows": rows, "mark": mark}
    except UnreadableError as error:
        yield {"error": str(error)}
    except Exception as error:  # what a driver may raise is not to be foreseen
        yield {"error": redacted(reason_of(error), order["address"])}
    else:
        yield {"is_complete": True}


def _rows(order: dict[str, Any]) -> Iterator[tuple[Row, Any]]:
    """Yield the rows as texts, each with the value that the query can be continued after."""
    columns, resume_column = order["columns"], order["resume_column"]
    place = columns.index(resume_column) if resume_column else None
    last = value_of(order["resume_after"])
    with opened(order["address"]) as elsewhere:
        result = run(elsewhere, order["statement"], resume_column, last)
        if len(result.keys()) != len(columns):
            raise UnreadableError(
                f"the query returns {len(result.keys())} columns, registered are {len(columns)}"
            )
        for row in result:
            if place is not None:
                if row[place] is None or row[place] == last:
                    raise UnreadableError(
                        f"column {resume_column} does not name each row: it is null, or twice the"
                        " same, so that a load could not be continued after it"
                    )
                last = row[place]
            yield [text_of(value) for value in row], last


def _pieces(rows: Iterable[tuple[Row, Any]]) -> Iterator[tuple[list[Row], str | None]]:
    piece: list[Row] = []
    characters = 0
    last: Any = None
    for row, last in rows:
        piece.append(row)
        characters += sum(len(cell) for cell in row if cell)
        if len(piece) >= _ROWS_A_PIECE or characters >= _CHARACTERS_A_PIECE:
            yield piece, mark_of(last)
            piece, characters = [], 0
    if piece:
        yield piece, mark_of(last)


if __name__ == "__main__":
    serve(_answers)

"""A table as a PDF, for people to read: the columns that matter, and not too many rows."""

from collections.abc import Iterator
from itertools import islice

from pgvigil.database.words import count_of
from pgvigil.faces.export.paper import Paper, as_text
from pgvigil.faces.export.table import ExportError, Table

MOST_ROWS = 2000


def write_document(table: Table) -> Iterator[bytes]:
    """Yield a table as a PDF.

    Raises:
        ExportError: there are more rows than people read, or fpdf2 is not installed.
    """
    rows = list(islice(table.rows, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise ExportError(
            f"a PDF holds at most {MOST_ROWS:,} rows, and there are more",
            hint="Take a shorter span, or another format.",
        )
    places = [table.columns.index(name.removesuffix(">")) for name in table.widths]
    span, zone = table.span, table.zone
    paper = Paper(f"pgvigil {table.title}")
    paper.line(
        f"{as_text(span.from_at, zone)} to {as_text(span.to_at, zone)} ({zone}):"
        f" {count_of(len(rows), 'row')}",
        is_quiet=True,
    )
    if rows:
        paper.table(table.widths, ([as_text(row[place], zone) for place in places] for row in rows))
    yield paper.output()

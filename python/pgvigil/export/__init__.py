"""What was recorded in a span of time, as the bytes of a file: CSV, JSON, workbooks, PDF."""

from pgvigil.export.kinds import KINDS
from pgvigil.export.span import Span, parse_span, parse_zone
from pgvigil.export.stream import FORMATS, export, file_name
from pgvigil.export.table import ExportError

__all__ = [
    "FORMATS",
    "KINDS",
    "ExportError",
    "Span",
    "export",
    "file_name",
    "parse_span",
    "parse_zone",
]

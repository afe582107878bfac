"""What was recorded in a span of time, as the bytes of a file: CSV, JSON, workbooks, PDF."""

from pgvigil.faces.export.kinds import KINDS
from pgvigil.faces.export.span import Span, parse_span, parse_zone
from pgvigil.faces.export.stream import FORMATS, export, file_name
from pgvigil.faces.export.table import ExportError

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

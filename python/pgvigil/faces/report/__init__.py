"""The daily report: a business day and its alerts, as HTML or PDF."""

from pgvigil.faces.report.content import Content, arranged
from pgvigil.faces.report.make import FORMATS, Report, make_report, read_report

__all__ = ["FORMATS", "Content", "Report", "arranged", "make_report", "read_report"]

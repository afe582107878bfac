"""The daily report: the verdict about a business day, as a page, paper, text or a mail."""

from pgvigil.faces.report.content import arranged
from pgvigil.faces.report.html import as_html
from pgvigil.faces.report.make import FORMATS, Report, make_report, read_report
from pgvigil.faces.report.text import as_text

__all__ = ["FORMATS", "Report", "arranged", "as_html", "as_text", "make_report", "read_report"]

"""Making a daily report: read by one call, laid out as a page or as paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import psycopg

from pgvigil.database.queries import state as queries
from pgvigil.exceptions import installed_or_told, monitoring_errors
from pgvigil.faces.export.paper import Paper
from pgvigil.faces.report.content import Content, arranged
from pgvigil.faces.report.html import as_html

_COLOURS = {
    "critical": (176, 0, 32),
    "high": (176, 0, 32),
    "failed": (176, 0, 32),
    "late": (150, 90, 0),
    "medium": (150, 90, 0),
    "running": (0, 90, 160),
    "complete": (0, 110, 50),
}


@dataclass(frozen=True)
class Report:
    """A daily report as a file."""

    name: str
    """Name of the file, such as report-2026-01-15.pdf."""
    document: bytes


def read_report(
    connection: psycopg.Connection[Any], business_date: date | None = None
) -> dict[str, Any]:
    """Return what there is to report.

    Args:
        connection: to the database.
        business_date: business day; None for the last 24 hours.

    Raises:
        NotInstalledError: the database has no pgvigil.
        MonitoringError: there is no such day.
    """
    with installed_or_told(), monitoring_errors():
        row = connection.execute(queries.DAILY_REPORT, {"business_date": business_date}).fetchone()
    assert row is not None
    report: dict[str, Any] = row[0]
    return report


def make_report(
    report: Mapping[str, Any], file_format: str = "html", zone: tzinfo | None = None
) -> Report:
    """Return a report as a file.

    Args:
        report: what `read_report` returned.
        file_format: html or pdf.
        zone: time zone of times outside workflows; None for that of the first workflow.

    Raises:
        ExportError: fpdf2 is not installed, which a PDF needs.
    """
    day = report["business_date"] or report["generated_at"][:10]
    document = FORMATS[file_format](arranged(report, zone))
    return Report(f"report-{day}.{file_format}", document)


def as_pdf(content: Content) -> bytes:
    """Return a report as a PDF."""
    paper = Paper(content.title)
    paper.line(content.line, is_quiet=True)
    for section in content.sections:
        paper.heading(section.heading)
        for line in section.lines:
            paper.line(line, is_quiet=True)
        if section.rows:
            paper.table(section.columns, section.rows, _COLOURS)
    return paper.output()


FORMATS: Mapping[str, Callable[[Content], bytes]] = {"html": as_html, "pdf": as_pdf}

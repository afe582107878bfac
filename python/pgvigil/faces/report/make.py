"""Making a daily report: read by one call, laid out as a page, as paper, as text or as a mail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import psycopg

from pgvigil.database.queries import state as queries
from pgvigil.exceptions import installed_or_told, monitoring_errors
from pgvigil.faces.report.blocks import Content
from pgvigil.faces.report.content import arranged
from pgvigil.faces.report.html import as_html
from pgvigil.faces.report.pdf import as_pdf
from pgvigil.faces.report.text import as_text


@dataclass(frozen=True)
class Report:
    """A daily report as a file."""

    name: str
    """Name of the file, such as report-2026-01-15.pdf."""
    document: bytes


def read_report(
    connection: psycopg.Connection[Any],
    business_date: date | None = None,
    zone: tzinfo | None = None,
) -> dict[str, Any]:
    """Return what there is to report.

    Args:
        connection: to the database.
        business_date: business day; None for the last 24 hours.
        zone: time zone of all times; None for that of the first workflow, UTC without any.

    Raises:
        NotInstalledError: the database has no pgvigil.
        MonitoringError: there is no such day.
    """
    arguments = {"business_date": business_date, "time_zone": None if zone is None else str(zone)}
    with installed_or_told(), monitoring_errors():
        row = connection.execute(queries.DAILY_REPORT, arguments).fetchone()
    assert row is not None
    report: dict[str, Any] = row[0]
    return report


def make_report(report: Mapping[str, Any], file_format: str = "html") -> Report:
    """Return a report as a file.

    Args:
        report: what `read_report` returned.
        file_format: html, pdf, txt or eml (a mail without sender and receiver).

    Raises:
        ExportError: fpdf2 is not installed, which a PDF needs.
    """
    day = report["business_date"] or report["generated_at"][:10]
    document = FORMATS[file_format](arranged(report))
    return Report(f"report-{day}.{file_format}", document)


def as_mail(content: Content) -> bytes:
    """Return a report as a mail whose subject is the verdict; senders add who sends it to whom."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(datetime.now().astimezone())
    mail.set_content(as_text(content).decode())
    mail.add_alternative(as_html(content).decode(), subtype="html")
    return mail.as_bytes()


FORMATS: Mapping[str, Callable[[Content], bytes]] = {
    "html": as_html,
    "pdf": as_pdf,
    "txt": as_text,
    "eml": as_mail,
}

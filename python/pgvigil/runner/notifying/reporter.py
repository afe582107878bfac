"""The daily report that takes the place of the daily summaries of some channels."""

import asyncio
import base64
import logging
from collections.abc import Collection
from dataclasses import dataclass

from pgvigil.database.log import log
from pgvigil.runner.notifying.outbox import Claimed


@dataclass(frozen=True)
class Enclosed:
    """What a summary says where it is a report."""

    subject: str
    text: str
    page: str
    attachments: dict[str, str]
    """Files by name, in base64."""


class Reporter:
    """Makes reports; a summary is sent as it is, when that fails."""

    def __init__(self, dsn: str, channels: Collection[str], file_format: str) -> None:
        """Describe it.

        Args:
            dsn: the database.
            channels: those whose summaries have a report. It tells everything, whatever else the
                channel may be told.
            file_format: html or pdf.
        """
        self._dsn = dsn
        self._channels = channels
        self._format = file_format

    async def report_for(self, message: Claimed) -> Enclosed | None:
        """Return what a message says instead of its own words; None for these."""
        if message.kind != "summary" or message.channel_name not in self._channels:
            return None
        try:
            return await asyncio.to_thread(self._make)
        except Exception as error:  # whatever it is, people are to be told the rest
            log(
                logging.WARNING,
                f"summary {message.notification_id} is sent without the daily report: {error}",
                channel=message.channel_name,
            )
            return None

    def _make(self) -> Enclosed:
        # Loaded when needed: most runners attach nothing.
        from pgvigil.database.connections import open_connection
        from pgvigil.faces.report import arranged, as_html, as_text, make_report, read_report

        with open_connection(self._dsn, "pgvigil run") as connection:
            found = read_report(connection)
        report = make_report(found, self._format)
        content = arranged(found)
        return Enclosed(
            content.subject,
            as_text(content, has_details=False).decode(),
            as_html(content).decode(),
            {report.name: base64.b64encode(report.document).decode()},
        )

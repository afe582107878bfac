"""The daily report that goes along with the daily summaries of some channels."""

import asyncio
import base64
import logging
from collections.abc import Collection

from pgvigil.database.log import log
from pgvigil.runner.notifying.outbox import Claimed


class Reporter:
    """Makes reports to be attached; a summary is sent without, when that fails."""

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

    async def attachments(self, message: Claimed) -> dict[str, str]:
        """Return what goes along with a message: files by name, in base64."""
        if message.kind != "summary" or message.channel_name not in self._channels:
            return {}
        try:
            return await asyncio.to_thread(self._make)
        except Exception as error:  # whatever it is, people are to be told the rest
            log(
                logging.WARNING,
                f"summary {message.notification_id} is sent without the daily report: {error}",
                channel=message.channel_name,
            )
            return {}

    def _make(self) -> dict[str, str]:
        # Loaded when needed: most runners attach nothing.
        from pgvigil.database.connections import open_connection
        from pgvigil.faces.report import make_report, read_report

        with open_connection(self._dsn, "pgvigil run") as connection:
            report = make_report(read_report(connection), self._format)
        return {report.name: base64.b64encode(report.document).decode()}

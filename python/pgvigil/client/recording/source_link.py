"""Calls about sources whose rows come with a query elsewhere, which the program runs itself."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.client.recording.link import DatabaseLink, UnavailableError
from pgvigil.exceptions import SourceNotReadError

_LEAST_PATIENCE = 60.0  # seconds; many rows are compared by one statement
_SUMS = ("compared", "unchanged", "new", "changed", "gone", "late", "repeated")


class SourceLink(DatabaseLink):
    """A link that loads the query of a source when a call asks for what comes with it."""

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function; see `DatabaseLink.call`.

        Raises:
            SourceNotReadError: the query of a source cannot be run.
            DatabaseNotReadyError: the caller may not load it, or a pooler is in between.
        """
        if function == "track_status_changes" and "target_date" in arguments:
            return self._read_day(function, arguments)
        try:
            return super().call(function, arguments)
        except psycopg.Error as error:
            # Of a source without a query it says why that is not read, and names none.
            query_name = error.diag.table_name
            if error.sqlstate != SourceNotReadError.sqlstate or not query_name:
                raise
        return self._loaded(query_name, arguments)

    def _read_day(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Read all sources of a dataset, those of queries last; return what they come to."""
        found = super().call(function, {**arguments, "without_queries": True})
        asked = {name: value for name, value in arguments.items() if name != "dataset"}
        for place, source in enumerate(found["sources"] if found else ()):
            if "query" in source:
                counts = self._loaded(source["query"], {**asked, "source_name": source["source"]})
                found["sources"][place] = counts
                for name in _SUMS:
                    found[name] = found.get(name, 0) + counts[name]
        return found

    def _loaded(self, query_name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Load a query, and return what its source found that is asked for."""
        from pgvigil.database.connections import own_session
        from pgvigil.outside.secrets import Secrets
        from pgvigil.outside.sources.sync import Source, sync

        secrets = os.environ.get("PGVIGIL_SECRETS")
        try:
            with own_session(
                self._dsn, self._application_name, max(self._statement_timeout, _LEAST_PATIENCE)
            ) as session:
                found = sync(
                    session,
                    Source("query", query_name),
                    Secrets(Path(secrets) if secrets else None, "connections"),
                    is_dry_run=bool(asked.get("is_dry_run")),
                    asked=asked,
                )
        except psycopg.OperationalError as error:
            raise UnavailableError(str(error)) from error
        if found.asked is None:
            why = found.error or found.skipped
            raise SourceNotReadError(
                f'source "{asked["source_name"]}" was not read: query "{query_name}": {why}',
                hint=f"pgvigil sync --dry-run {query_name} shows what it finds.",
            )
        return found.asked

"""Queries for Grafana's PostgreSQL data source, for which the SDK has no model of its own."""

from inspect import cleandoc
from typing import Any, Self

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import DataqueryConfig
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="postgres", uid="pgvigil")
"""The data source that `grafana/provisioning/datasources/pgvigil.yaml` makes."""

TREND = """
    resolution = monitoring.get_trend_resolution($__timeFrom(), $__timeTo(), '$resolution')
    and $__timeFilter(bucket_at)
""".strip()
"""What every query of a trend view asks for: one resolution, and the time shown."""


class Query(Dataquery):
    """One query, whose answer is a table or series over time."""

    def __init__(self, sql: str, answer: str) -> None:
        """Take a query.

        Args:
            sql: the query, in which Grafana's macros and variables may stand.
            answer: `table` or `time_series`.
        """
        self.sql = sql
        self.answer = answer

    def to_json(self) -> dict[str, object]:
        """Return the query as Grafana's editor would save it."""
        return {
            "refId": "A",
            "datasource": SOURCE,
            "editorMode": "code",
            "format": self.answer,
            "rawQuery": True,
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read a query again."""
        return cls(data["rawSql"], data["format"])


DECODING = DataqueryConfig(identifier="postgres", from_json_hook=Query.from_json)
"""Lets the SDK read these queries, too."""


class _Written(Builder[Dataquery]):
    def __init__(self, query: Query) -> None:
        self._query = query

    def build(self) -> Dataquery:
        return self._query


def rows(sql: str) -> Builder[Dataquery]:
    """Return a query whose answer is shown as it is."""
    return _Written(Query(cleandoc(sql), "table"))


def series(sql: str) -> Builder[Dataquery]:
    """Return a query for lines: `time`, numbers, and `metric` for a line each."""
    return _Written(Query(cleandoc(sql), "time_series"))

"""Queries for Grafana's PostgreSQL data source, for which the SDK has no model of its own."""

import re
from inspect import cleandoc
from textwrap import indent
from typing import Any, Self

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import DataqueryConfig
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="postgres", uid="${datasource}")
"""The data source that is chosen on top of every dashboard."""

_RESOLUTION = "monitoring.get_trend_resolution($__timeFrom(), $__timeTo(), '$resolution')"
_RESOLUTION_OF_SHARES = """monitoring.get_trend_resolution(
        $__timeFrom()::timestamptz - interval '6 hours',
        $__timeTo(),
        replace('$resolution', 'minute', 'hour')
    )"""

TREND = f"""
    resolution = {_RESOLUTION}
    and $__timeFilter(bucket_at)
""".strip()
"""What every query of a trend view asks for: one resolution, and the time shown."""

TREND_OF_SHARES = f"""
    resolution = {_RESOLUTION_OF_SHARES}
    and $__timeFilter(bucket_at)
""".strip()
"""The same by the hour at finest: of one attempt a minute, all or none succeed."""

_NOON = "interval '12 hours', $__timeTo()::timestamptz"
BUCKET = f"""
case
    when resolution in ('minute', 'hour') then bucket_at
    else least(bucket_at + {_NOON})
end
""".strip()
"""When a span is drawn: days of UTC at their noon, which is on that day in almost every zone."""

OTHER = "(other)"
"""What is named apart from the greatest is counted under this name, as it is in the views."""


ABOUT = """
coalesce(
    labels ->> 'task_type', labels ->> 'queue', labels ->> 'component', labels ->> 'error_type',
    labels ->> 'dataset', 'pgvigil.' || (labels ->> 'job'), rule_name
) as about,
case
    when coalesce(labels ->> 'task_type', labels ->> 'job') is not null
        then 'tasks?var-task_type'
    when labels ->> 'queue' is not null then 'queues?var-queue_name'
    when labels ->> 'component' is not null then 'health?var-component_name'
    when labels ->> 'error_type' is not null then 'errors?var-error_type'
    when labels ->> 'dataset' is not null then 'records?var-dataset'
    else 'alerts?var-rule_name'
end as shown_by
""".strip()
"""What an alert is about, and the dashboard and variable that show it."""

PAGE_ADDRESS = "nullif(${page:sqlstring}, '') as page"
"""The address of pgvigil's own page, which a link goes on from."""

OUR_JOBS = "starts_with(task_type, 'pgvigil.')"
"""Tasks that are jobs of pgvigil itself."""


def noon_of(day: str) -> str:
    """Return when something of a day is drawn: at noon, so that it is on that day in every zone."""
    return f"least(({day} + time '12:00') at time zone 'UTC', $__timeTo()::timestamptz)"


def span_of(column: str) -> str:
    """Return in which span single rows are counted: as few as leave bars that can be seen."""
    shown = "$__timeTo()::timestamptz - $__timeFrom()::timestamptz"
    return f"""
case
    when {shown} <= interval '6 hours' then date_bin('5 minutes', {column}, 'epoch')
    when {shown} <= interval '3 days' then date_trunc('hour', {column})
    else least(date_trunc('day', {column}, 'UTC') + {_NOON})
end
""".strip()


def greatest(counted: str, most: int = 8) -> str:
    """Return a query for counts over time by name: the greatest by name, all others as one.

    Args:
        counted: a query that gives `time`, `name` and `value`.
        most: how many names there may be.
    """
    return f"""
with counted as (
{_within(counted)}
),
named as (
    select name, row_number() over (order by sum(value) desc, name) <= {most} as is_named
    from counted
    group by name
)
select
    time,
    case when is_named then name else '{OTHER}' end as metric,
    sum(value) as value
from counted
inner join named using (name)
group by 1, 2
order by 1, bool_and(is_named) desc, 2
""".strip()


def unbroken(
    measured: str,
    most: int = 8,
    first: str = "max(value) desc",
    is_share: bool = False,
    step: str = "",
) -> str:
    """Return a query for lines of what was measured, of few names, that end where nothing was.

    Where a span has no row for any name, a row without a value ends the lines: an outage would
    look like a steady line otherwise.

    Args:
        measured: a query that gives `time`, `name` and `value`.
        most: how many names there may be.
        first: which names come first, of those by the order of their values.
        is_share: whether the rows are those of `TREND_OF_SHARES`.
        step: how far apart rows are, in SQL; as the resolution says if not given.
    """
    resolution = _RESOLUTION_OF_SHARES if is_share else _RESOLUTION
    step = step or f"('1 ' || {resolution})::interval"
    return f"""
with measured as (
{_within(measured)}
),
named as (
    select name from measured group by name order by {first} nulls last, name limit {most}
),
points as (
    select
        time, name, value, lead(time) over (order by time) as next_time, {step} * 1.1 as step
    from measured
    inner join named using (name)
)
select time, name as metric, value from points
union all
select time + step, name, null from points where next_time > time + step
order by 1, 2
""".strip()


def columns_of(sql: str) -> list[str]:
    """Return what the columns of a query are called, in their order."""
    names = [""]
    depth = 0
    is_listed = False
    for word in _WORDS.findall(re.sub(r"--.*", "", sql)):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == "select" and not is_listed:
            is_listed = True
        elif depth == 0 and is_listed and word in ("from", "union"):
            break
        elif depth == 0 and is_listed and word == ",":
            names.append("")
        elif depth == 0 and is_listed and word not in "()":
            names[-1] = word
    return names


_WORDS = re.compile(r"'[^']*'|\w+|[(),]")


def _within(sql: str) -> str:
    return indent(cleandoc(sql), "    ")


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

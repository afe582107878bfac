"""A dashboard: its panels in rows, the variables on top, links to the others, alerts as marks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from itertools import count
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    AnnotationTarget,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.description.panels import Panel
from grafana.description.queries import SOURCE, Query

TAG = "pgvigil"
_KEPT = "${datasource:queryparam}&${__url_time_range}"
Variable: TypeAlias = (
    dashboard.CustomVariable
    | dashboard.DatasourceVariable
    | dashboard.QueryVariable
    | dashboard.TextBoxVariable
)

ALERTS_SQL = """
select
    fired_at as time,
    severity || ': ' || summary as text,
    rule_name || ',' || severity as tags
from monitoring.alerts
where $__timeFilter(fired_at) and severity in ('critical', 'high')
order by severity = 'critical' desc, fired_at desc
limit 20
""".strip()
"""Marks at which alerts began to fire: as many as leave the graphs to be seen."""

RELEASES_SQL = """
select
    released_at as time,
    concat_ws(' ', component, version, '(before: ' || previous_version || ')') as text,
    'release,' || component as tags
from monitoring.v_releases
where $__timeFilter(released_at)
order by released_at desc
limit 20
""".strip()
"""Marks at which components went over to other versions."""

SPANS_SQL = """
select
    fired_at as time,
    coalesce(resolved_at, least(monitoring.clock(), $__timeTo()::timestamptz)) as timeend,
    severity || ': ' || summary as text,
    rule_name || ',' || severity as tags
from monitoring.alerts
where
    fired_at <= $__timeTo() and (resolved_at is null or resolved_at >= $__timeFrom())
    and severity in ('critical', 'high')
order by severity = 'critical' desc, fired_at desc
limit 20
""".strip()
"""For how long they fired, which covers what is below; shown when wanted."""


@dataclass(frozen=True)
class Row:
    """A line of panels under a title."""

    title: str
    panels: Sequence[Panel]
    is_folded: bool = False


@dataclass(frozen=True)
class Board:
    """One dashboard; its name is that of its file and, after `pgvigil-`, its address."""

    name: str
    title: str
    about: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default=())
    since: str = "now-24h"
    until: str = "now"

    def build(self) -> Dashboard:
        """Return the dashboard as the SDK knows it."""
        built = (
            dashboard.Dashboard(f"pgvigil / {self.title}")
            .uid(f"pgvigil-{self.name}")
            .description(self.about)
            .tags([TAG])
            .time(self.since, self.until)
            .timezone("browser")
            .refresh("1m")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(_link_to_the_others())
            .annotation(_annotation("Alerts", ALERTS_SQL, True))
            .annotation(_annotation("Releases", RELEASES_SQL, True, "blue"))
            .annotation(_annotation("Spans of alerts", SPANS_SQL, False))
        )
        for variable in (_data_source(), *self.variables):
            name = variable.build().name
            built.with_variable(variable.id(name))
        numbers = count(1)
        for row in self.rows:
            line = dashboard.Row(row.title).id(next(numbers))
            panels = [panel.id(next(numbers)) for panel in row.panels]
            if row.is_folded:
                # Grafana asks for what is in it when somebody unfolds it.
                for panel in panels:
                    line.with_panel(panel)
            built.with_row(line)
            if not row.is_folded:
                for panel in panels:
                    built.with_panel(panel)
        return built.build()


def choice(name: str, label: str, sql: str, all_of_them: str | None = None) -> Variable:
    """Let people choose among what a query of one column finds, or all of it.

    All stands for the column of the same name, so that `name in ($name)` holds whatever it is,
    also when there is nothing to choose yet; or for `all_of_them`, which leaves some out.
    """
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(cleandoc(sql))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .multi(True)
        .include_all(True)
        .all_value(all_of_them or name)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def one_of(name: str, label: str, sql: str, at_first: str = "") -> Variable:
    """Let people choose one of what a query of one column finds, at first the first."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(cleandoc(sql))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .current(VariableOption(selected=True, text=at_first, value=at_first))
    )


def words(name: str, label: str) -> Variable:
    """Let people type a word; nothing typed means all."""
    nothing = VariableOption(selected=True, text="", value="")
    # Without a present value, some versions of Grafana put in nothing at all, not even quotes.
    return (
        dashboard.TextBoxVariable(name)
        .label(label)
        .default_value("")
        .options([nothing])
        .current(nothing)
    )


def page_address() -> Variable:
    """Have the address of pgvigil's own page at hand; empty where nobody said where that is."""
    return (
        dashboard.QueryVariable("page")
        .label("Page")
        .hide(VariableHide.HIDE_VARIABLE)
        .datasource(SOURCE)
        .query("select coalesce(monitoring.get_config() ->> 'page_url', '') as page")
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
        .current(VariableOption(selected=True, text="", value=""))
    )


def resolution() -> Variable:
    """Let people choose how finely trends are shown; by itself it follows the time shown."""
    words = ["auto", "minute", "hour", "day", "week", "month"]
    return (
        dashboard.CustomVariable("resolution")
        .label("Resolution")
        .values(",".join(words))
        .options([VariableOption(word == "auto", word, word) for word in words])
        .current(VariableOption(selected=True, text="auto", value="auto"))
    )


def link_to(name: str, variable: str = "", column: str = "") -> str:
    """Return the address of another dashboard, with a variable set to what the column holds."""
    chosen = f"var-{variable}=${{__data.fields.{column}:percentencode}}&" if variable else ""
    return f"/d/pgvigil-{name}?{chosen}{_KEPT}"


LINK_OF_ALERT = (
    f"/d/pgvigil-${{__data.fields.shown_by}}=${{__data.fields.about:percentencode}}&{_KEPT}"
)
"""The address of the dashboard that shows what an alert is about: `ABOUT` says which."""


def link_to_page(kind: str, *columns: str) -> str:
    """Return the address of something on pgvigil's own page, whose address the cell holds."""
    names = "/".join(f"${{__data.fields.{column}:percentencode}}" for column in columns)
    return f"${{__value.raw}}/{kind}/{names}"


def _data_source() -> Variable:
    """Let people choose the database, where Grafana knows several that have pgvigil."""
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Database")
        .type("postgres")
        .current(VariableOption(selected=True, text="pgvigil", value="pgvigil"))
    )


def _link_to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("pgvigil")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )


class _SqlTarget(AnnotationTarget):
    """The SDK's target of an annotation knows no SQL."""

    def __init__(self, sql: str) -> None:
        super().__init__()
        self._query = Query(sql, "table")

    def to_json(self) -> dict[str, object]:
        return self._query.to_json()


class _WrittenTarget(dashboard.AnnotationTarget):
    def __init__(self, sql: str) -> None:
        super().__init__()
        self._target = _SqlTarget(sql)

    def build(self) -> AnnotationTarget:
        return self._target


def _annotation(
    name: str, sql: str, is_shown: bool, color: str = "red"
) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .enable(is_shown)
        .icon_color(color)
        .target(_WrittenTarget(sql))
    )

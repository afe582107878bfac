"""A dashboard: its panels in rows, the variables on top, links to the others, alerts as marks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    AnnotationTarget,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.description.panels import Panel
from grafana.description.queries import SOURCE, Query

TAG = "pgvigil"
Variable: TypeAlias = dashboard.CustomVariable | dashboard.QueryVariable | dashboard.TextBoxVariable

ALERTS_SQL = """
select
    fired_at as time,
    coalesce(resolved_at, least(monitoring.clock(), $__timeTo()::timestamptz)) as timeend,
    severity || ': ' || summary as text,
    rule_name || ',' || severity as tags
from monitoring.alerts
where fired_at <= $__timeTo() and (resolved_at is null or resolved_at >= $__timeFrom())
order by fired_at desc
limit 200
""".strip()


@dataclass(frozen=True)
class Row:
    """A line of panels under a title."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """One dashboard; its name is that of its file and, after `pgvigil-`, its address."""

    name: str
    title: str
    about: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = field(default=())
    since: str = "now-24h"

    def build(self) -> Dashboard:
        """Return the dashboard as the SDK knows it."""
        built = (
            dashboard.Dashboard(f"pgvigil / {self.title}")
            .uid(f"pgvigil-{self.name}")
            .description(self.about)
            .tags([TAG])
            .time(self.since, "now")
            .timezone("browser")
            .refresh("1m")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(_link_to_the_others())
            .annotation(_alerts())
        )
        for variable in self.variables:
            name = variable.build().name
            built.with_variable(variable.id(name))
        number = 0
        for row in self.rows:
            number += 1
            built.with_row(dashboard.Row(row.title).id(number))
            for panel in row.panels:
                number += 1
                built.with_panel(panel.id(number))
        return built.build()


def choice(name: str, label: str, sql: str) -> Variable:
    """Let people choose among what a query of one column finds, or all of it.

    All stands for the column of the same name, so that `name in ($name)` holds whatever it is,
    also when there is nothing to choose yet.
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
        .all_value(name)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def one_of(name: str, label: str, sql: str) -> Variable:
    """Let people choose one of what a query of one column finds, at first the first."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(cleandoc(sql))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
    )


def words(name: str, label: str) -> Variable:
    """Let people type a word; nothing typed means all."""
    return dashboard.TextBoxVariable(name).label(label).default_value("")


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


def link_to(name: str, variable: str, column: str) -> str:
    """Return the address of another dashboard with a variable set to what the column holds."""
    value = f"${{__data.fields.{column}:percentencode}}"
    return f"/d/pgvigil-{name}?var-{variable}={value}&${{__url_time_range}}"


def _link_to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("pgvigil")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(False)
    )


class _AlertsTarget(AnnotationTarget):
    """The SDK's target of an annotation knows no SQL."""

    def to_json(self) -> dict[str, object]:
        return Query(ALERTS_SQL, "table").to_json()


class _WrittenTarget(dashboard.AnnotationTarget):
    def build(self) -> AnnotationTarget:
        return _AlertsTarget()


def _alerts() -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("red")
        .target(_WrittenTarget())
    )

"""Panels, each with a title, a sentence and a query; all else is alike on every dashboard."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    dashboard,
    logs,
    piechart,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.piechart import PieChartType

from grafana.description.columns import COLOURS, UNITS, colour_words, settings_of_table_columns
from grafana.description.queries import SOURCE, rows, series

Panel: TypeAlias = (
    barchart.Panel
    | bargauge.Panel
    | logs.Panel
    | piechart.Panel
    | stat.Panel
    | statetimeline.Panel
    | table.Panel
    | timeseries.Panel
)

Kind = TypeVar(
    "Kind",
    barchart.Panel,
    bargauge.Panel,
    logs.Panel,
    piechart.Panel,
    stat.Panel,
    statetimeline.Panel,
    table.Panel,
    timeseries.Panel,
)

PLAIN, GOOD, POOR, BAD = "text", "green", "yellow", "red"


def graph(
    title: str,
    about: str,
    sql: str,
    unit: str = "short",
    width: int = 12,
    is_stacked: bool = False,
) -> Panel:
    """Lines over time, or stacked bars where the parts of a whole are counted."""
    panel = _common(timeseries.Panel(), title, about, width, 9).with_target(series(sql))
    panel.unit(unit).axis_soft_min(0).span_nulls(True)
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    panel.legend(_legend()).tooltip(
        common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    )
    if is_stacked:
        panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).line_width(0)
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    else:
        panel.line_width(1).fill_opacity(8).show_points(VisibilityMode.AUTO)
    for name in COLOURS if "severity as metric" in sql else _named_in(sql):
        fixed = {"mode": "fixed", "fixedColor": COLOURS[name]}
        panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel


def areas(title: str, about: str, sql: str, width: int = 12) -> Panel:
    """Areas over time, one on the other, whose upper edge is the whole."""
    panel = _common(timeseries.Panel(), title, about, width, 9).with_target(series(sql))
    panel.unit("short").axis_soft_min(0).legend(_legend())
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    panel.draw_style(GraphDrawStyle.LINE).line_width(1).fill_opacity(60)
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))


def numbers(
    title: str,
    about: str,
    sql: str,
    width: int = 6,
    poor: float | None = None,
    bad: float | None = None,
    is_more_better: bool = False,
) -> Panel:
    """The figures of one row, large; from `poor` and `bad` on in those colours.

    Without these, a figure that is named as a state or severity has its colour, unless it is 0.
    """
    panel = _common(stat.Panel(), title, about, width, 4).with_target(rows(sql))
    panel.graph_mode(BigValueGraphMode.NONE).text_mode(BigValueTextMode.VALUE_AND_NAME)
    panel.color_mode(BigValueColorMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    if poor is bad is None:
        panel.thresholds(_steps([(None, PLAIN)]))
        for name in _named_in(sql):
            steps = _steps([(None, PLAIN), (1, COLOURS[name])]).build()
            panel.override_by_name(name, [DynamicConfigValue("thresholds", steps)])
    else:
        panel.thresholds(_thresholds(poor, bad, is_more_better))
    for columns, unit in UNITS.items():
        panel.override_by_regexp(columns, [DynamicConfigValue("unit", unit)])
    return panel


def listing(
    title: str,
    about: str,
    sql: str,
    width: int = 24,
    height: int = 9,
    links: Mapping[str, str] | None = None,
) -> Panel:
    """A table, one row a thing."""
    panel = _common(table.Panel(), title, about, width, height).with_target(rows(sql))
    panel.show_header(True)
    for columns, settings in settings_of_table_columns(links or {}).items():
        panel.override_by_regexp(columns, settings)
    return panel


def bars(
    title: str,
    about: str,
    sql: str,
    unit: str = "short",
    width: int = 12,
    poor: float | None = None,
    bad: float | None = None,
) -> Panel:
    """A bar for each row of a name and a figure."""
    panel = _common(bargauge.Panel(), title, about, width, 9).with_target(rows(sql))
    panel.unit(unit).min(0).thresholds(_thresholds(poor, bad, False))
    panel.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC)
    return panel.reduce_options(common.ReduceDataOptions().values(True).calcs(["lastNotNull"]))


def columns(title: str, about: str, sql: str, by: str, width: int = 8) -> Panel:
    """A bar chart with a bar for each row, of the column that `by` names and a figure."""
    panel = _common(barchart.Panel(), title, about, width, 9).with_target(rows(sql))
    panel.x_field(by).unit("short").min(0).orientation(VizOrientation.HORIZONTAL)
    panel.show_value(VisibilityMode.AUTO).fill_opacity(80).bar_width(0.8)
    return panel.legend(common.VizLegendOptions().show_legend(False))


def shares(title: str, about: str, sql: str, width: int = 8) -> Panel:
    """A pie with a piece for each row of a name and a figure."""
    panel = _common(piechart.Panel(), title, about, width, 9).with_target(rows(sql))
    panel.pie_type(PieChartType.DONUT)
    panel.legend(
        piechart.PieChartLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.RIGHT)
    )
    panel.hide_from(common.HideSeriesConfig().legend(False).tooltip(False).viz(False))
    return panel.reduce_options(common.ReduceDataOptions().values(True).calcs(["lastNotNull"]))


def states(title: str, about: str, sql: str, by: str, height: int = 10) -> Panel:
    """Spans of states over time, a line for each value of the column that `by` names.

    The query gives `time`, that column and `state`; a state holds until the next, null ends it.
    """
    panel = _common(statetimeline.Panel(), title, about, 24, height).with_target(rows(sql))
    # A frame for each line: in a common one, where a line has no row, a gap would end its state.
    panel.with_transformation(
        DataTransformerConfig(
            id_val="partitionByValues",
            options={"fields": [by], "keepFields": False, "naming": {"asLabels": True}},
        )
    )
    panel.display_name(f"${{__field.labels.{by}}}").mappings(colour_words())
    panel.show_value(VisibilityMode.AUTO).merge_values(True).row_height(0.8).fill_opacity(80)
    return panel.legend(_legend())


def lines_of_log(title: str, about: str, sql: str) -> Panel:
    """Log lines, newest first: `time`, `body`, `level` and whatever else belongs to them."""
    panel = _common(logs.Panel(), title, about, 24, 10).with_target(rows(sql))
    return panel.show_time(True).wrap_log_message(True).enable_log_details(True)


def _common(panel: Kind, title: str, about: str, width: int, height: int) -> Kind:
    panel.title(title).description(about).datasource(SOURCE)
    return panel.span(width).height(height)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def _thresholds(
    poor: float | None, bad: float | None, is_more_better: bool
) -> dashboard.ThresholdsConfig:
    """Return steps from the least value on, as Grafana wants them."""
    if is_more_better:
        marks = [(None, BAD), (bad, POOR), (poor, GOOD)]
    else:
        marks = [(None, GOOD), (poor, POOR), (bad, BAD)]
    return _steps(
        [
            (value, colour)
            for place, (value, colour) in enumerate(marks)
            if place == 0 or value is not None
        ]
    )


def _steps(marks: Sequence[tuple[float | None, str]]) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value, colour) for value, colour in marks]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _named_in(sql: str) -> list[str]:
    """Return the words for states and severities that columns of a query are named by."""
    return [name for name in COLOURS if re.search(rf"\bas {name}\b", sql)]

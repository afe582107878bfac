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
    ScaleDistribution,
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
from grafana_foundation_sdk.models.piechart import PieChartLegendValues, PieChartType
from grafana_foundation_sdk.models.stat import Options

from grafana.description.columns import (
    COLOURS,
    PLAIN,
    TROUBLE,
    colour_words,
    heading,
    nothing_as,
    settings_of_table_columns,
    unit_of,
)
from grafana.description.queries import OTHER, SOURCE, columns_of, rows, series

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

GOOD, POOR, BAD = "green", "yellow", "red"
NEUTRAL = "blue"
"""What is neither good nor bad where there is no text to colour."""
QUIET = "#8e8e8e"
"""States that say nothing, such as unknown."""
EMPTY = "transparent"
NOTHING = "Nothing was recorded in the time shown"

BRIDGED_MS = 15 * 60 * 1000
"""How long nothing may have been measured for a line to go on."""

MORE_THAN_A_DAY_MS = 36 * 60 * 60 * 1000


def counts(title: str, about: str, sql: str, width: int = 12) -> Panel:
    """Bars over time, one on the other: how many there were; where no bar is, there was none."""
    panel = _over_time(title, about, sql, width).unit("short").axis_soft_min(0)
    panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).line_width(0)
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))


def lines(
    title: str,
    about: str,
    sql: str,
    unit: str = "short",
    width: int = 12,
    units: Mapping[str, str] | None = None,
    last: str | None = None,
) -> Panel:
    """Lines over time of what was measured; a line ends where nothing was.

    Args:
        title: what is measured.
        about: the same in a sentence.
        sql: the query.
        unit: unit of all lines; durations in ms are drawn on a logarithmic scale.
        width: of the 24 columns.
        units: units by the last word of a line's name, for lines of several; each has its axis.
        last: what is shown instead of the time of the dashboard, such as `6h` for the last hours.
    """
    panel = _over_time(title, about, sql, width).unit(unit).span_nulls(BRIDGED_MS)
    panel.draw_style(GraphDrawStyle.LINE).line_width(1).fill_opacity(0)
    # By itself, Grafana leaves out a value that stands alone.
    panel.show_points(VisibilityMode.ALWAYS).point_size(4)
    if unit == "percent":
        panel.max(100)
    elif unit == "ms":
        panel.scale_distribution(
            common.ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)
        )
    else:
        panel.axis_soft_min(0)
    if last:
        panel.time_from(last)
    for word, its_unit in (units or {}).items():
        panel.override_by_regexp(f"/ {word}$/", [DynamicConfigValue("unit", its_unit)])
    return panel


def by_day(
    title: str, about: str, sql: str, unit: str = "short", width: int = 12, is_area: bool = False
) -> Panel:
    """Lines or stacked areas over days; a day without a row ends them."""
    panel = _over_time(title, about, sql, width).unit(unit).axis_soft_min(0)
    panel.draw_style(GraphDrawStyle.LINE).line_width(1)
    panel.show_points(VisibilityMode.ALWAYS).point_size(4)
    panel.span_nulls(False).insert_nulls(MORE_THAN_A_DAY_MS).fill_opacity(60 if is_area else 0)
    if is_area:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    return panel


def points(title: str, about: str, sql: str, unit: str, width: int = 12) -> Panel:
    """A point for each thing that ended, when it did: what lies between says nothing."""
    panel = _over_time(title, about, sql, width).unit(unit).axis_soft_min(0)
    return panel.draw_style(GraphDrawStyle.POINTS).point_size(6)


def numbers(
    title: str,
    about: str,
    sql: str,
    width: int = 6,
    poor: float | None = None,
    bad: float | None = None,
    is_more_better: bool = False,
    leads_to: str | None = None,
    none: tuple[str, str] = ("-", EMPTY),
) -> Panel:
    """The figures of one row, large, on a ground of a colour where they say something.

    Without `poor` and `bad`, a figure that is named as a state or severity has its colour, unless
    it is 0.

    Args:
        title: what is counted.
        about: the same in a sentence.
        sql: the query, of one row.
        width: of the 24 columns; at most 3 a figure, or Grafana puts names beside figures.
        poor: from here on it is yellow.
        bad: from here on it is red.
        is_more_better: whether it is up to there instead.
        leads_to: the address of what explains the figures.
        none: what a figure that is not known is shown as, and its colour: by itself Grafana gives
            it that of the least.
    """
    columns = columns_of(sql)
    panel = _common(stat.Panel(), title, about, width, 4).with_target(rows(sql)).no_value(none[0])
    panel.mappings([nothing_as(*none)])
    _look_of_numbers(panel, is_single=len(columns) == 1)
    if poor is bad is None:
        panel.thresholds(_steps([(None, EMPTY)]))
    else:
        panel.thresholds(_thresholds(poor, bad, is_more_better))
    for column in columns:
        settings = [DynamicConfigValue("displayName", heading(column))]
        if unit := unit_of(column):
            settings += [DynamicConfigValue("unit", unit), DynamicConfigValue("decimals", 1)]
        if poor is bad is None and (colour := _colour_of(column)):
            steps = _steps([(None, EMPTY), (1, colour)]).build()
            settings += [DynamicConfigValue("thresholds", steps)]
        panel.override_by_name(column, settings)
    if leads_to:
        panel.data_links([dashboard.DashboardLink("Show what is behind it").url(leads_to)])
    return panel


def listing(
    title: str,
    about: str,
    sql: str,
    width: int = 24,
    height: int = 9,
    links: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
    empty: str = NOTHING,
) -> Panel:
    """A table, one row a thing.

    Args:
        title: what its rows are.
        about: the same in a sentence.
        sql: the query.
        width: of the 24 columns.
        height: in Grafana's rows.
        links: addresses by column.
        hidden: columns that only addresses use.
        empty: what it says when there are no rows.
    """
    panel = _common(table.Panel(), title, about, width, height).with_target(rows(sql))
    panel.show_header(True).no_value(empty).thresholds(_steps([(None, EMPTY)]))
    settings = settings_of_table_columns(columns_of(sql), links or {}, hidden)
    for column, of_column in settings.items():
        panel.override_by_name(column, of_column)
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
    """A bar for each row of a name and a figure; blue unless `poor` and `bad` judge it."""
    panel = _common(bargauge.Panel(), title, about, width, 9).with_target(rows(sql))
    is_judged = not poor is bad is None
    panel.thresholds(_thresholds(poor, bad, False) if is_judged else _steps([(None, NEUTRAL)]))
    panel.unit(unit).min(0).no_value("None")
    panel.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC)
    panel.text(common.VizTextDisplayOptions().title_size(14).value_size(14))
    return panel.reduce_options(common.ReduceDataOptions().values(True).calcs(["lastNotNull"]))


def columns(title: str, about: str, sql: str, by: str, width: int = 8) -> Panel:
    """A bar chart with a bar for each row, of the column that `by` names and a figure."""
    panel = _common(barchart.Panel(), title, about, width, 9).with_target(rows(sql))
    panel.x_field(by).unit("short").min(0).orientation(VizOrientation.HORIZONTAL)
    panel.color_scheme(
        dashboard.FieldColor().mode(FieldColorModeId.FIXED).fixed_color(NEUTRAL)
    ).no_value(NOTHING)
    panel.show_value(VisibilityMode.AUTO).fill_opacity(80).bar_width(0.8)
    return panel.legend(common.VizLegendOptions().show_legend(False))


def shares(title: str, about: str, sql: str, width: int = 8) -> Panel:
    """A pie with a piece for each row of a name and a figure, in shades that judge nothing."""
    panel = _common(piechart.Panel(), title, about, width, 9).with_target(rows(sql))
    panel.pie_type(PieChartType.DONUT).unit("short").no_value(NOTHING)
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.SHADES).fixed_color(NEUTRAL))
    panel.legend(
        piechart.PieChartLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.RIGHT)
        .values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
    )
    panel.hide_from(common.HideSeriesConfig().legend(False).tooltip(False).viz(False))
    return panel.reduce_options(common.ReduceDataOptions().values(True).calcs(["lastNotNull"]))


def states(title: str, about: str, sql: str, by: str, height: int = 10) -> Panel:
    """Spans of states over time, a line for each value of the column that `by` names.

    The query gives `time`, that column and `state`, and `end` where a state does not hold until the
    next one. Lines are in the order of its rows.
    """
    panel = _common(statetimeline.Panel(), title, about, 24, height).with_target(rows(sql))
    # A frame for each line: in a common one, where a line has no row, a gap would end its state.
    panel.with_transformation(
        DataTransformerConfig(
            id_val="partitionByValues",
            options={"fields": [by], "keepFields": False, "naming": {"asLabels": True}},
        )
    )
    panel.display_name(f"${{__field.labels.{by}}}").mappings(colour_words(QUIET))
    panel.thresholds(_steps([(None, QUIET)])).no_value(NOTHING)
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.show_value(VisibilityMode.AUTO).merge_values(True).row_height(0.8).fill_opacity(80)
    return panel.legend(_legend())


def lines_of_log(title: str, about: str, sql: str) -> Panel:
    """Log lines, newest first: `time`, `body`, `level` and whatever else belongs to them."""
    panel = _common(logs.Panel(), title, about, 24, 10).with_target(rows(sql))
    return panel.show_time(True).wrap_log_message(True).enable_log_details(True)


class _NamesAboveFigures(Options):
    """The SDK's options lack this one, by which Grafana puts no name beside the next figure."""

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "wideLayout": False}


def _look_of_numbers(panel: stat.Panel, is_single: bool) -> None:
    panel.build().options = _NamesAboveFigures()
    panel.graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.BACKGROUND_SOLID)
    # The title says already what a single figure is.
    panel.text_mode(BigValueTextMode.VALUE if is_single else BigValueTextMode.VALUE_AND_NAME)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))


def _colour_of(column: str) -> str | None:
    """Return the colour of a count of more than none, by its name."""
    if re.search(TROUBLE, column):
        return BAD
    colour = COLOURS.get(column)
    return None if colour == PLAIN else colour


def _over_time(title: str, about: str, sql: str, width: int) -> timeseries.Panel:
    panel = _common(timeseries.Panel(), title, about, width, 9).with_target(series(sql))
    # By place, not by name, for which several names have the same colour.
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    panel.no_value(NOTHING).legend(_legend()).tooltip(
        common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    )
    for name in _named_in(sql):
        fixed = {"mode": "fixed", "fixedColor": COLOURS[name]}
        panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    if OTHER in sql:
        panel.override_by_name(
            OTHER, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": QUIET})]
        )
    return panel


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
    """Return the words for states and severities that lines of a query are named by."""
    if re.search(r"\b(severity|level) as metric\b", sql):
        return list(COLOURS)
    return [name for name in COLOURS if re.search(rf"\bas {name}\b", sql)]

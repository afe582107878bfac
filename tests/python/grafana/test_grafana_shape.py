"""Grafana's dashboards as JSON: whole, consistent, and such that the SDK reads them again.

Grafana itself is in none of the registries that tests install from: what it would do with the files
beyond this, nothing here has seen.
"""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from fastapi.routing import APIRoute
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import register_dataquery_variant
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.description.columns import COLOURS, PAGE
from grafana.description.queries import ABOUT, DECODING, columns_of
from pgvigil.faces.web.routes.service import router as page_router
from tests import ROOT
from tests.python.support.grafana_files import (
    DASHBOARDS,
    Asked,
    everything_on,
    panel_of,
    panels,
    queries,
    variables,
)
from tests.python.support.grafana_macros import variables_in

BOARDS = sorted(DASHBOARDS)
QUERIES = list(queries())
PANELS = [asked for asked in QUERIES if asked.kind not in ("annotation", "variable")]
SOURCE = {"type": "postgres", "uid": "${datasource}"}
KEPT = "${datasource:queryparam}&${__url_time_range}"
COLUMN = r"\$\{__data\.fields\.(\w+):percentencode\}"
TO_A_BOARD = re.compile(rf"/d/pgvigil-([\w-]+)\?(?:var-(\w+)={COLUMN}&)?{re.escape(KEPT)}")
TO_WHAT_AN_ALERT_IS_ABOUT = (
    f"/d/pgvigil-${{__data.fields.shown_by}}=${{__data.fields.about:percentencode}}&{KEPT}"
)
TO_THE_PAGE = re.compile(rf"\$\{{__value\.raw\}}(?:/(?:jobs|errors|runs)(?:/{COLUMN})+)?")
# Pixels that the 24 columns have on a screen of 1600, and what long texts want of them.
WIDTH, TEXT = 1560, 240


@pytest.fixture(scope="module", autouse=True)
def sdk() -> None:
    """The SDK, told of all panels and of our queries."""
    register_default_plugins()
    register_dataquery_variant(DECODING)


def found_in(content: Any, key: str) -> list[Any]:
    """Return everything that a key holds, wherever it is in a document."""
    if isinstance(content, list):
        return [found for part in content for found in found_in(part, key)]
    if not isinstance(content, dict):
        return []
    here = [content[key]] if key in content else []
    return here + [found for part in content.values() for found in found_in(part, key)]


def test_all_dashboards_are_there() -> None:
    assert {
        "overview",
        "tasks",
        "errors",
        "performance",
        "queues",
        "health",
        "alerts",
        "batch",
        "etl",
        "records",
        "self",
    } <= DASHBOARDS.keys()


def test_addresses_and_titles_are_their_own() -> None:
    assert [content["uid"] for content in DASHBOARDS.values()] == [
        f"pgvigil-{name}" for name in DASHBOARDS
    ]
    assert len({content["title"] for content in DASHBOARDS.values()}) == len(DASHBOARDS)
    assert all(content["description"] for content in DASHBOARDS.values())


@pytest.mark.parametrize("board", BOARDS)
def test_the_sdk_reads_a_dashboard_as_it_was_written(board: str) -> None:
    written = DASHBOARDS[board]
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
    # The SDK's annotations know no SQL, and its figures nothing of where their names stand.
    without = [{**content, "annotations": None} for content in (read, written)]
    assert without_key(without[0], "wideLayout") == without_key(without[1], "wideLayout")


def without_key(content: Any, key: str) -> Any:
    """Return a document without what a key holds, wherever it is."""
    if isinstance(content, list):
        return [without_key(part, key) for part in content]
    if not isinstance(content, dict):
        return content
    return {name: without_key(part, key) for name, part in content.items() if name != key}


@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_has_a_number_a_title_and_a_sentence(board: str) -> None:
    numbers = [panel["id"] for panel in everything_on(board)]
    assert len(set(numbers)) == len(numbers)
    for panel in panels(board):
        assert panel["title"]
        assert re.fullmatch(r"[A-Z0-9].*\.", panel["description"])
        assert panel["fieldConfig"]["defaults"] is not None
        assert len(panel["targets"]) == 1


@pytest.mark.parametrize("board", BOARDS)
def test_panels_lie_beside_each_other_and_fill_the_width(board: str) -> None:
    places = [panel["gridPos"] for panel in everything_on(board)]
    cells = [
        {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        for at in places
    ]
    assert all(first.isdisjoint(second) for first, second in combinations(cells, 2))
    assert {x for x, _ in set().union(*cells)} == set(range(24))


@pytest.mark.parametrize("board", BOARDS)
def test_everything_is_asked_of_the_source_that_is_provisioned(board: str) -> None:
    asked = found_in(DASHBOARDS[board], "datasource")
    assert len(asked) > 2 * len(panels(board))
    assert [source for source in asked if source != SOURCE] == []
    chosen = variables(board)[0]
    assert (chosen["name"], chosen["type"], chosen["query"]) == (
        "datasource", "datasource", SOURCE["type"],
    )  # fmt: skip


def test_the_provisioned_source_is_chosen_at_first() -> None:
    text = (ROOT / "grafana/provisioning/datasources/pgvigil.yaml").read_text()
    assert re.findall(r"^    (uid|type): (\w+)$", text, re.MULTILINE) == [
        ("uid", "pgvigil"),
        ("type", SOURCE["type"]),
    ]
    assert all(variables(board)[0]["current"]["value"] == "pgvigil" for board in BOARDS)
    assert re.search(r"password: \$__env\{", text), "a password is in the file"


@pytest.mark.parametrize("board", BOARDS)
def test_variables_are_defined_and_used(board: str) -> None:
    defined = [variable["name"] for variable in variables(board)]
    assert len(set(defined)) == len(defined)
    assert [variable["id"] for variable in variables(board)] == defined
    used = {name for asked in queries() if asked.board == board for name in variables_in(asked.sql)}
    assert used | {"datasource"} == set(defined)


@pytest.mark.parametrize("board", BOARDS)
def test_variables_have_a_present_value(board: str) -> None:
    """Without one, Grafana without scenes puts in nothing, and the query is none."""
    for variable in variables(board):
        assert variable["current"]["value"] is not None, variable["name"]
        if variable["type"] == "textbox":
            assert variable["options"] == [variable["current"]], variable["name"]


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_dashboards_that_take_what_they_are_given(board: str) -> None:
    menu = DASHBOARDS[board]["links"]
    assert [(link["type"], link["tags"]) for link in menu] == [("dashboards", ["pgvigil"])]
    assert DASHBOARDS[board]["tags"] == ["pgvigil"]
    assert all(link["includeVars"] and link["keepTime"] for link in menu)


@pytest.mark.parametrize("asked", PANELS, ids=str)
def test_addresses_lead_to_what_there_is(asked: Asked) -> None:
    columns = columns_of(asked.sql)
    for address in found_in(panel_of(asked), "url"):
        if address == TO_WHAT_AN_ALERT_IS_ABOUT:
            assert {"about", "shown_by"} <= set(columns)
        elif TO_THE_PAGE.fullmatch(address):
            assert PAGE in columns
            assert set(re.findall(COLUMN, address)) <= set(columns), address
        else:
            found = TO_A_BOARD.fullmatch(address)
            assert found, address
            board, variable, column = found.groups()
            assert board in BOARDS, address
            if variable:
                assert variable in {each["name"] for each in variables(board)}, address
                assert column in columns, address


def test_the_page_has_what_addresses_lead_to() -> None:
    served = {route.path for route in page_router.routes if isinstance(route, APIRoute)}
    kinds = {
        found[1]
        for asked in PANELS
        for address in found_in(panel_of(asked), "url")
        if (found := re.match(r"\$\{__value\.raw\}/(\w+)/", address))
    }
    assert kinds == {"errors", "jobs", "runs"}
    assert {f"/{kind}/{{name:path}}" for kind in kinds} <= served


def test_what_an_alert_is_about_leads_to_dashboards_that_there_are() -> None:
    found = re.findall(r"'(\w+)\?var-(\w+)'", ABOUT)
    assert len(found) == 6
    for board, variable in found:
        assert variable in {each["name"] for each in variables(board)}, board


def test_alerts_lead_to_what_they_are_about_and_back_to_the_page() -> None:
    lists = [asked for asked in PANELS if "monitoring.v_active_alerts" in asked.sql]
    tables = [asked for asked in lists if asked.kind == "table"]
    assert {asked.board for asked in tables} == {"alerts", "overview"}
    for asked in tables:
        addresses = set(found_in(panel_of(asked), "url"))
        assert {TO_WHAT_AN_ALERT_IS_ABOUT, "${__value.raw}"} <= addresses


def test_macros_of_time_are_used() -> None:
    texts = [asked.sql for asked in queries()]
    for macro in ("$__timeFilter(", "$__timeGroup(", "$__timeFrom()", "$__timeTo()"):
        assert any(macro in text for text in texts), macro


def settings_of(asked: Asked) -> dict[str, dict[str, Any]]:
    """Return what is set for each column of a panel."""
    return {
        each["matcher"]["options"]: {one["id"]: one["value"] for one in each["properties"]}
        for each in panel_of(asked)["fieldConfig"]["overrides"]
        if each["matcher"]["id"] == "byName"
    }


@pytest.mark.parametrize("asked", [each for each in PANELS if each.kind == "table"], ids=str)
def test_a_table_shows_what_matters_without_cutting_it(asked: Asked) -> None:
    columns = settings_of(asked)
    assert list(columns) == columns_of(asked.sql)
    seen = {name: each for name, each in columns.items() if not each.get("custom.hidden")}
    for name, each in seen.items():
        assert re.fullmatch(r"[^_]+", each["displayName"]), name
        assert len(each["displayName"]) * 8 <= each.get("custom.width", TEXT), name
        assert each["noValue"] == "", "an empty cell would hold what the empty table says"
        assert ("custom.width" in each) != ("custom.minWidth" in each), name
        if name.endswith("_at"):
            assert each["custom.width"] >= 160, name
            assert each["unit"] == "time:YYYY-MM-DD HH:mm:ss", name
    assert len({each["displayName"] for each in seen.values()}) == len(seen)
    flexible = [name for name, each in seen.items() if "custom.minWidth" in each]
    assert flexible, "nothing takes the room that is left"
    width = panel_of(asked)["gridPos"]["w"]
    taken = sum(
        TEXT if each.get("custom.inspect") else each.get("custom.width") or each["custom.minWidth"]
        for each in seen.values()
    )
    assert taken <= WIDTH * width / 24 + 1, taken
    assert width == 24 or len(seen) <= 5


@pytest.mark.parametrize("asked", PANELS, ids=str)
def test_a_panel_says_something_where_there_is_nothing(asked: Asked) -> None:
    defaults = panel_of(asked)["fieldConfig"]["defaults"]
    assert asked.kind == "logs" or defaults["noValue"]


@pytest.mark.parametrize("asked", PANELS, ids=str)
def test_nothing_is_green_that_nobody_called_good(asked: Asked) -> None:
    """Grafana's own thresholds are green, and so is its palette's first colour."""
    panel = panel_of(asked)
    defaults = panel["fieldConfig"]["defaults"]
    if asked.kind == "logs":
        return
    mode = defaults.get("color", {}).get("mode", "thresholds")
    if mode in ("fixed", "shades"):
        assert defaults["color"]["fixedColor"] == "blue"
    elif asked.kind == "timeseries":
        # By name, several lines would have one colour.
        assert mode == "palette-classic"
    else:
        steps = marks(defaults["thresholds"])
        is_judged = len(steps) > 1
        assert steps[0][0] is None
        assert is_judged or steps[0][1] in ("transparent", "blue", "#8e8e8e")


@pytest.mark.parametrize("asked", [each for each in PANELS if each.kind == "timeseries"], ids=str)
def test_a_graph_joins_nothing_over_a_time_without_values(asked: Asked) -> None:
    defaults = panel_of(asked)["fieldConfig"]["defaults"]
    drawn = defaults["custom"]
    assert defaults["unit"]
    assert drawn.get("spanNulls", False) is not True
    if drawn["drawStyle"] in ("bars", "points"):
        return
    # Counts of every minute or hour have no rows where there was none: only bars show that.
    assert not re.search(r"\b(tasks|occurrences|completed|failed)\b as value", asked.sql)
    assert "next_time > time + step" in asked.sql or drawn["insertNulls"], "an outage looks steady"
    if defaults["unit"] == "percent":
        assert defaults["max"] == 100
        assert "axisSoftMin" not in drawn
        assert drawn["fillOpacity"] == 0


@pytest.mark.parametrize("asked", [each for each in PANELS if each.kind == "timeseries"], ids=str)
def test_lines_by_a_name_that_people_give_are_few(asked: Asked) -> None:
    named = re.search(r"(\w+) as metric", asked.sql)
    few = ("severity", "level", "dataset")
    assert not named or named[1] in few or re.search(r"<= 8|limit [58]\b", asked.sql)


@pytest.mark.parametrize("board", BOARDS)
def test_a_dashboard_is_no_longer_than_a_few_screens(board: str) -> None:
    opened = [panel for panel in DASHBOARDS[board]["panels"] if panel["type"] != "row"]
    assert len([panel for panel in opened if panel["type"] != "stat"]) <= 12
    assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in opened) <= 56
    for row in DASHBOARDS[board]["panels"]:
        assert bool(row.get("panels")) == bool(row.get("collapsed"))


@pytest.mark.parametrize("asked", [each for each in PANELS if each.kind == "stat"], ids=str)
def test_figures_are_named_above_them(asked: Asked) -> None:
    panel = panel_of(asked)
    figures = columns_of(asked.sql)
    assert panel["options"]["wideLayout"] is False
    assert panel["options"]["textMode"] == ("value" if len(figures) == 1 else "value_and_name")
    assert panel["gridPos"]["w"] <= 3 * len(figures)
    assert all("_" not in each["displayName"] for each in settings_of(asked).values())


@pytest.mark.parametrize("asked", [each for each in PANELS if each.kind == "stat"], ids=str)
def test_a_figure_that_is_not_known_is_neither_good_nor_bad(asked: Asked) -> None:
    """Grafana gives it the colour of the least figure: green for errors, red for shares."""
    (mapping,) = panel_of(asked)["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"]["match"] == "null+nan"
    shown = mapping["options"]["result"]
    known = ("never", "red") if asked.title == "Rules ran" else ("-", "transparent")
    assert (shown["text"], shown["color"]) == known


def test_every_length_of_time_in_a_table_has_its_unit() -> None:
    lengths = [
        (str(asked), column, settings_of(asked)[column].get("unit"))
        for asked in PANELS
        if asked.kind in ("table", "stat")
        for column in columns_of(asked.sql)
        if re.search(r"seconds|_ms$|lateness", column)
    ]
    assert len(lengths) > 20
    assert {unit for _, _, unit in lengths} == {"ms", "s"}


def test_log_lines_bring_their_level_under_the_name_that_grafana_looks_for() -> None:
    found = [columns_of(asked.sql) for asked in PANELS if asked.kind == "logs"]
    assert [columns[:3] for columns in found] == [["time", "body", "level"]]


def test_one_critical_alert_is_seen_as_critical() -> None:
    alerts = titled("overview", "Alerts")
    assert marks(panel_of(alerts)["fieldConfig"]["defaults"]["thresholds"]) == [
        (None, "transparent")
    ]
    for severity in ("critical", "high", "medium", "low"):
        assert marks(settings_of(alerts)[severity]["thresholds"]) == [
            (None, "transparent"),
            (1, COLOURS[severity]),
        ]
    severities = [COLOURS[severity] for severity in ("critical", "high", "medium", "low")]
    assert len(set(severities)) == 4
    assert not any(colour.startswith("dark") for colour in severities), "dim on a dark ground"


def test_the_overview_begins_with_whether_it_can_be_believed() -> None:
    itself = panel_of(titled("overview", "pgvigil itself"))
    assert "self_check()" in itself["targets"][0]["rawSql"]
    alerts = panel_of(titled("overview", "Alerts"))
    assert itself["gridPos"]["y"] == alerts["gridPos"]["y"]
    assert marks(itself["fieldConfig"]["defaults"]["thresholds"]) == [(None, "green"), (1, "red")]


def titled(board: str, title: str) -> Asked:
    """Return the first panel of a title."""
    return next(asked for asked in PANELS if (asked.board, asked.title) == (board, title))


def marks(thresholds: dict[str, Any]) -> list[tuple[float | None, str]]:
    """Return from which value on a figure has which colour."""
    return [(step["value"], step["color"]) for step in thresholds["steps"]]

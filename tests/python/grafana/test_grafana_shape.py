"""Grafana's dashboards as JSON: whole, consistent, and such that the SDK reads them again.

Grafana itself is in none of the registries that tests install from: what it would do with the files
beyond this, nothing here has seen.
"""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import register_dataquery_variant
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.description.columns import COLOURS, UNITS
from grafana.description.queries import DECODING
from tests import ROOT
from tests.python.support.grafana_files import DASHBOARDS, Asked, panels, queries, variables
from tests.python.support.grafana_macros import variables_in

BOARDS = sorted(DASHBOARDS)
SOURCE = {"type": "postgres", "uid": "pgvigil"}
LINK = re.compile(r"/d/pgvigil-(?P<board>[\w-]+)\?var-(?P<variable>\w+)=(?P<value>\S+?)&")


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
    # The SDK's annotations know no SQL.
    without = [{**content, "annotations": None} for content in (read, written)]
    assert without[0] == without[1]


@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_has_a_number_a_title_and_a_sentence(board: str) -> None:
    numbers = [panel["id"] for panel in DASHBOARDS[board]["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in panels(board):
        assert panel["title"]
        assert re.fullmatch(r"[A-Z0-9].*\.", panel["description"])
        assert panel["fieldConfig"]["defaults"] is not None
        assert len(panel["targets"]) == 1


@pytest.mark.parametrize("board", BOARDS)
def test_panels_lie_beside_each_other_and_fill_the_width(board: str) -> None:
    places = [panel["gridPos"] for panel in DASHBOARDS[board]["panels"]]
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


def test_the_provisioned_source_is_that_of_the_dashboards() -> None:
    text = (ROOT / "grafana/provisioning/datasources/pgvigil.yaml").read_text()
    assert re.findall(r"^    (uid|type): (\w+)$", text, re.MULTILINE) == [
        ("uid", SOURCE["uid"]),
        ("type", SOURCE["type"]),
    ]
    assert re.search(r"password: \$__env\{", text), "a password is in the file"


@pytest.mark.parametrize("board", BOARDS)
def test_variables_are_defined_and_used(board: str) -> None:
    defined = [variable["name"] for variable in variables(board)]
    assert len(set(defined)) == len(defined)
    assert [variable["id"] for variable in variables(board)] == defined
    used = {name for asked in queries() if asked.board == board for name in variables_in(asked.sql)}
    assert used == set(defined)


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_dashboards_that_take_what_they_are_given(board: str) -> None:
    menu = DASHBOARDS[board]["links"]
    assert [(link["type"], link["tags"]) for link in menu] == [("dashboards", ["pgvigil"])]
    assert DASHBOARDS[board]["tags"] == ["pgvigil"]
    for address in (url for url in found_in(panels(board), "url")):
        link = LINK.match(address)
        assert link, address
        assert link["variable"] in {each["name"] for each in variables(link["board"])}, address
        column = re.fullmatch(r"\$\{__data\.fields\.(\w+):percentencode\}", link["value"])
        assert column, address
        assert any(
            column[1] in panel["targets"][0]["rawSql"] and address in found_in(panel, "url")
            for panel in panels(board)
        )


def test_macros_of_time_are_used() -> None:
    texts = [asked.sql for asked in queries()]
    for macro in ("$__timeFilter(", "$__timeGroupAlias(", "$__timeFrom()", "$__timeTo()"):
        assert any(macro in text for text in texts), macro


def column_names(asked: Asked) -> list[str]:
    """Return what the columns of a query of one select are called, as far as commas tell."""
    return re.findall(r"(\w+)\s*(?:,|\n\s*from\b)", asked.sql)


def test_every_length_of_time_in_a_table_has_its_unit() -> None:
    units = [
        re.compile(pattern.strip("/")) for pattern, unit in UNITS.items() if unit in ("ms", "s")
    ]
    lengths = [
        (str(asked), column)
        for asked in queries()
        if asked.kind in ("table", "stat")
        for column in column_names(asked)
        if re.search(r"seconds|_ms$|lateness", column)
    ]
    assert len(lengths) > 20
    assert [each for each in lengths if not any(unit.search(each[1]) for unit in units)] == []


def test_log_lines_bring_their_level_under_the_name_that_grafana_looks_for() -> None:
    found = [column_names(asked) for asked in queries() if asked.kind == "logs"]
    assert [columns[:3] for columns in found] == [["time", "body", "level"]]


def test_one_critical_alert_is_seen_as_critical() -> None:
    alerts = panel_of("overview", "Alerts")["fieldConfig"]
    assert marks(alerts["defaults"]["thresholds"]) == [(None, "text")]
    own = {each["matcher"]["options"]: each["properties"][0] for each in alerts["overrides"]}
    for severity in ("critical", "high", "medium", "low"):
        assert own[severity]["id"] == "thresholds"
        assert marks(own[severity]["value"]) == [(None, "text"), (1, COLOURS[severity])]


def test_the_overview_begins_with_whether_it_can_be_believed() -> None:
    itself = panel_of("overview", "pgvigil itself")
    assert "self_check()" in itself["targets"][0]["rawSql"]
    assert itself["gridPos"]["y"] == panel_of("overview", "Alerts")["gridPos"]["y"]
    assert marks(itself["fieldConfig"]["defaults"]["thresholds"]) == [(None, "green"), (1, "red")]


def panel_of(board: str, title: str) -> dict[str, Any]:
    """Return the first panel of a title."""
    return next(panel for panel in panels(board) if panel["title"] == title)


def marks(thresholds: dict[str, Any]) -> list[tuple[float | None, str]]:
    """Return from which value on a figure has which colour."""
    return [(step["value"], step["color"]) for step in thresholds["steps"]]

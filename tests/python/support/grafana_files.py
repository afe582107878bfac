"""The dashboards as Grafana reads them, and the queries in them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests import ROOT
from tests.python.support.grafana_macros import ALL, SECONDS, Shown, expand

FILES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in FILES}


@dataclass(frozen=True)
class Asked:
    """A query and where it stands."""

    board: str
    title: str
    sql: str
    kind: str

    def __str__(self) -> str:
        """Name it for the report of a test."""
        return f"{self.board}: {self.title}"


def panels(board: str) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, those of folded rows among them."""
    return [panel for panel in everything_on(board) if panel["type"] != "row"]


def everything_on(board: str) -> list[dict[str, Any]]:
    """Return rows and panels, each panel after its row."""
    found: list[dict[str, Any]] = []
    for each in DASHBOARDS[board]["panels"]:
        found += [each, *(each.get("panels") or [])]
    return found


def variables(board: str) -> list[dict[str, Any]]:
    """Return the variables of a dashboard."""
    found: list[dict[str, Any]] = DASHBOARDS[board].get("templating", {}).get("list", [])
    return found


def queries() -> Iterator[Asked]:
    """Yield every query of every dashboard: of panels, variables and annotations."""
    for board, content in DASHBOARDS.items():
        for variable in variables(board):
            if variable["type"] == "query":
                yield Asked(board, f"variable {variable['name']}", variable["query"], "variable")
        for annotation in content["annotations"]["list"]:
            sql = annotation["target"]["rawSql"]
            yield Asked(board, f"annotation {annotation['name']}", sql, "annotation")
        for panel in panels(board):
            for target in panel["targets"]:
                yield Asked(board, panel["title"], target["rawSql"], panel["type"])


def panel_of(asked: Asked) -> dict[str, Any]:
    """Return the panel that a query belongs to."""
    return next(
        panel for panel in panels(asked.board) if panel["targets"][0]["rawSql"] == asked.sql
    )


def shown_by(board: str, now: Any) -> Shown:
    """Return the time that a dashboard shows when it is opened."""
    time = DASHBOARDS[board]["time"]
    return Shown(now + _from_now(time["from"]), now + _from_now(time["to"]))


def _from_now(written: str) -> timedelta:
    sign, size = re.fullmatch(r"now(?:([+-])(\w+))?", written).groups()  # type: ignore[union-attr]
    seconds = int(size[:-1]) * SECONDS[size[-1]] if size else 0
    return timedelta(seconds=-seconds if sign == "-" else seconds)


def sent(asked: Asked, shown: Shown, chosen: dict[str, Any] | None = None) -> str:
    """Return a query as the database gets it: all of everything, or what is chosen by name."""
    defined = {}
    for variable in variables(asked.board):
        at_first = ALL if variable.get("includeAll") else _first(variable)
        value = (chosen or {}).get(variable["name"], at_first)
        defined[variable["name"]] = {**variable, "chosen": value}
    return expand(asked.sql, shown, defined)


def _first(variable: dict[str, Any]) -> str:
    """Return what a variable of one value holds when its dashboard is opened, or a link set it."""
    if variable["name"] == "record_key":
        return "r40"
    # Before scenes, Grafana knew of no value but this one.
    value = variable["current"]["value"]
    if variable["name"] == "unit":
        return "ms"
    assert isinstance(value, str)
    return value

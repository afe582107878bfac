"""The dashboards as Grafana reads them, and the queries in them."""

import json
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
    """Return the panels of a dashboard, rows left out."""
    return [panel for panel in DASHBOARDS[board]["panels"] if panel["type"] != "row"]


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


def shown_by(board: str, now: Any) -> Shown:
    """Return the time that a dashboard shows when it is opened."""
    since = DASHBOARDS[board]["time"]["from"].removeprefix("now-")
    return Shown(now - timedelta(seconds=int(since[:-1]) * SECONDS[since[-1]]), now)


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
    match variable["type"]:
        case "custom":
            return str(variable["current"]["value"])
        case "textbox":
            return str(variable["query"])
    # The first that its query finds, which says so itself.
    return str(variable["query"].split("'")[1])

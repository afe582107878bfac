"""What Grafana does to a query before it sends it: variables first, then the data source's macros.

Both follow the documented behaviour of the PostgreSQL data source; anything that is not known here
is an error, so a dashboard can use nothing that no test has seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Value: TypeAlias = str | Sequence[str]
ALL = "$__all"
# A macro's arguments end at the first bracket that closes, so they can hold none.
MACRO = re.compile(r"\$(__[A-Za-z]+)\(([^)]*)\)")
VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<plain>\w+)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Shown:
    """The time a dashboard shows."""

    since: datetime
    until: datetime

    def expand(self, name: str, arguments: Sequence[str]) -> str:
        """Return what a macro stands for."""
        since, until = (
            f"'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'" for at in (self.since, self.until)
        )
        match name, arguments:
            case "__timeFrom", [""]:
                return since
            case "__timeTo", [""]:
                return until
            case "__timeFilter", [column]:
                return f"{column} BETWEEN {since} AND {until}"
            case "__timeGroup" | "__timeGroupAlias", [column, interval]:
                seconds = _seconds(interval)
                group = f"floor(extract(epoch from {column})/{seconds})*{seconds}"
                return f'{group} AS "time"' if name.endswith("Alias") else group
        raise ValueError(f"no macro ${name} with {len(arguments)} arguments")


def expand(sql: str, shown: Shown, variables: Mapping[str, dict[str, Any]]) -> str:
    """Return the query that the database would be sent.

    Args:
        sql: the query of a panel, a variable or the annotations.
        shown: the time shown.
        variables: definitions by name, each with what is chosen as `chosen`.
    """
    minute = {"__interval": {"chosen": "1m", "multi": False}}
    sql = _put_in(sql, {**variables, **minute})
    return MACRO.sub(
        lambda found: shown.expand(
            found[1], [argument.strip() for argument in found[2].split(",")]
        ),
        sql,
    )


def variables_in(sql: str) -> set[str]:
    """Return the names of the variables that a text uses, Grafana's own left out."""
    found = (match["braced"] or match["plain"] for match in VARIABLE.finditer(sql))
    return {name for name in found if not name.startswith("__")}


def _put_in(sql: str, variables: Mapping[str, dict[str, Any]]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        if name not in variables and name.startswith("__"):
            return found[0]
        return _written(variables[name], found["format"])

    return VARIABLE.sub(value, sql)


def _written(variable: dict[str, Any], form: str | None) -> str:
    chosen: Value = variable["chosen"]
    if chosen == ALL:
        # What stands for all is put in as it is.
        return str(variable["allValue"])
    if form == "sqlstring":
        assert isinstance(chosen, str)
        return _quoted(chosen)
    assert form is None, f"no format {form}"
    if isinstance(chosen, str):
        return _quoted(chosen) if variable["multi"] else chosen
    return ",".join(map(_quoted, chosen))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * SECONDS[interval[-1]]

"""Printing JSON for programs; needs nothing but click."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


def json_option(function: _Function) -> _Function:
    """Add ``--json``, passed on as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(
        function
    )


def print_json(value: Any) -> None:
    """Print one document: times in ISO 8601 with their zone, numbers as numbers."""
    click.echo(json.dumps(as_json_value(value), indent=2, ensure_ascii=False, allow_nan=False))


def as_json_value(value: Any) -> Any:
    """Return a value as JSON knows it."""
    match value:
        case Mapping():
            return {str(key): as_json_value(each) for key, each in value.items()}
        case list() | tuple() | set():
            return [as_json_value(each) for each in value]
        case datetime():
            return (value if value.tzinfo else value.astimezone()).isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return _number(value)
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    return str(value)


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)

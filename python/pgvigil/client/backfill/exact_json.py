"""JSON whose numbers come through as they are written, beyond what a float holds as well."""

import json
from typing import Any, NoReturn
from uuid import uuid4

_MARK = uuid4().hex


class Number:
    """A number that a float would change."""

    def __init__(self, text: str) -> None:
        """Take a number as JSON has it."""
        self.text = text


class NotJsonError(ValueError):
    """A text is not JSON; the message says why."""


def loads(text: str, what: str) -> Any:
    """Return the value of a JSON text.

    Args:
        text: the text.
        what: what it is, for the message.

    Raises:
        NotJsonError: it is not JSON; NaN and Infinity, which Python would take, are not.
    """
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"{what} is not JSON: {error}") from error


def dumps(value: Any, **options: Any) -> str:
    """Return a value, which may hold numbers of `loads`, as JSON."""
    text = json.dumps(value, default=_marked, **options)
    if _MARK not in text:
        return text
    first, *rest = text.split(f'"{_MARK}')
    return first + "".join(part.replace('"', "", 1) for part in rest)


def _marked(value: Any) -> str:
    if isinstance(value, Number):
        return _MARK + value.text
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _number(text: str) -> "float | Number":
    number = float(text)
    return number if repr(number) == text else Number(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse_constant)
"""Reads such JSON."""

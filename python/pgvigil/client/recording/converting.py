"""Arguments of a call as they are sent: what is none is left out, where the rest makes sense."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pgvigil.client.recording.arguments import is_needed
from pgvigil.client.recording.troubles import Troubles

_T = TypeVar("_T")


def converted(
    troubles: Troubles,
    function: str,
    given: Mapping[str, Any],
    convert: Callable[[str, Any], _T],
    at_stake: int = 1,
) -> dict[str, _T | None] | None:
    """Return arguments as they are sent; None when the call says nothing without one of them.

    Args:
        troubles: what is told of those that are left out.
        function: which one is called.
        given: what was given, by name.
        convert: makes of a name and a value what is sent.
        at_stake: how many records are lost when nothing is sent.

    Raises:
        Exception: an argument is wrong, and that is to be raised.
    """
    made: dict[str, _T | None] = {}
    for name, value in given.items():
        try:
            made[name] = convert(name, value)
        except Exception as error:
            if is_needed(function, name):
                troubles.refused(at_stake, function, error)
                return None
            troubles.repaired(function, name, error)
            made[name] = None
    return made

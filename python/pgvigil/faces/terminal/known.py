"""What every dashboard says first: how fresh it is, and what of all below is not known."""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec

import psycopg
from rich.console import Group, RenderableType
from rich.text import Text

from pgvigil.database.freshness import SCHEDULER, Freshness, read_freshness
from pgvigil.exceptions import installed_or_told
from pgvigil.faces.terminal.picture import MOST_ROWS, Picture

_P = ParamSpec("_P")
_AnyFace = Callable[Concatenate[psycopg.Connection[Any], _P], Picture]
_MOST_TOLD = 4


def fresh(face: _AnyFace[_P]) -> _AnyFace[_P]:
    """Have a face say first how fresh it is, or what is not known."""

    @wraps(face)
    def read(
        connection: psycopg.Connection[Any], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Picture:
        picture = face(connection, *args, **kwargs)
        with installed_or_told():
            freshness = read_freshness(connection)
        return partial(_below, notice(freshness) or how_fresh(freshness), picture)

    return read


def notice(freshness: Sequence[Freshness]) -> Text | None:
    """Return what is not known and what to do about it; None where all is."""
    # What people have disabled is no news, but that rules do not run makes silence mean nothing.
    unknown = [
        each
        for each in freshness
        if not each.is_known and (each.state != "off" or not each.subject.startswith(_OPTIONAL))
    ]
    if not unknown:
        return None
    words = [in_words(each) for each in unknown]
    if len(words) > _MOST_TOLD:
        words = [*words[:_MOST_TOLD], f"and {len(words) - _MOST_TOLD} more"]
    text = Text(f"pgvigil is not up to date: {'; '.join(words)}.", "bold yellow")
    if any(each.subject == SCHEDULER for each in unknown):
        text.append(" Jobs are run by `pgvigil run` or pg_cron.", "yellow")
    return text


def how_fresh(freshness: Sequence[Freshness]) -> Text:
    """Return when everything was last looked at, on one line."""
    words = [each.detail for each in freshness if not each.subject.startswith(_OPTIONAL)]
    return Text(f"Up to date: {'; '.join(words)}.", "dim", no_wrap=True, overflow="ellipsis")


_OPTIONAL = ("source ", "query ")


def in_words(freshness: Freshness) -> str:
    """Return how fresh something is, with the name of a source."""
    if freshness.subject.startswith(_OPTIONAL):
        return f"{freshness.subject} {freshness.detail}"
    return freshness.detail


def no_alert(alerts: Freshness | None) -> Text:
    """Return what to say where no alert is open: that, or that nobody can know."""
    if alerts is None or alerts.is_known:
        return Text("No alert is open.", "dim")
    return Text(f"Not known whether an alert is open: {alerts.detail}.", "yellow")


def _below(
    told: Text, picture: Picture, rows: int = MOST_ROWS, *, is_dense: bool = False
) -> RenderableType:
    return Group(told, picture(rows, is_dense=is_dense))

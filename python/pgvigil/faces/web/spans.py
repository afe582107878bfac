"""The span of time that a chart is about: the last hours, or from a time to another."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query

from pgvigil.faces.web.parameters import From, To
from pgvigil.faces.web.problems import INVALID_REQUEST, ProblemError, Trouble

MOST_HOURS = 24 * 400
"""A chart has room for some four hundred points, the longest of which are days."""


@dataclass(frozen=True)
class Span:
    """What was asked for; without anything, the last hours as each chart has them."""

    hours: int | None
    from_at: datetime | None
    to_at: datetime | None

    @property
    def is_of_hours(self) -> bool:
        """Whether it is the last hours, up to now."""
        return self.from_at is None and self.to_at is None

    def bounds(
        self, now: datetime, usual_hours: int, most_hours: int = MOST_HOURS
    ) -> tuple[datetime, datetime]:
        """Return its beginning and end; one that is open has its usual length, or ends now.

        Raises:
            ProblemError: it ends before it begins, or is too long.
        """
        length = timedelta(hours=self.hours or usual_hours)
        try:
            to_at = self.to_at or now
            from_at = self.from_at or to_at - length
        except OverflowError:
            raise _refusal("query.to", "that is before all times") from None
        if from_at >= to_at:
            raise _refusal("query.from", "it has to be before the end of the span")
        if to_at - from_at > timedelta(hours=most_hours):
            raise _refusal("query.from", "the span is longer than this chart has room for")
        return from_at, to_at


def _refusal(where: str, detail: str) -> ProblemError:
    return ProblemError(
        INVALID_REQUEST, "the request is invalid", errors=[Trouble(where=where, detail=detail)]
    )


async def _span(
    hours: Annotated[
        int | None,
        Query(ge=1, le=MOST_HOURS, description="The last hours, where no `from` is given."),
    ] = None,
    from_: Annotated[From, Query(alias="from")] = None,
    to: To = None,
) -> Span:
    return Span(hours, from_, to)


AskedSpan = Annotated[Span, Depends(_span)]

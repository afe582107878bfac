"""What cron expressions mean, told twice without our SQL: by the library, and by a slow cron."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

MINUTE = timedelta(minutes=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, Sequence[str]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, _DAYS),
)


def random_expression(chance: random.Random, *, stars: Sequence[float]) -> str:
    """Return an expression; ``stars`` are the chances of each field to be a star alone."""
    return " ".join(
        "*" if chance.random() < star else _random_field(chance, *field)
        for star, field in zip(stars, _FIELDS, strict=True)
    )


def _random_field(chance: random.Random, low: int, high: int, names: Sequence[str]) -> str:
    terms = chance.choice((1, 1, 1, 2, 3))
    return ",".join(_random_term(chance, low, high, names) for _ in range(terms))


def _random_term(chance: random.Random, low: int, high: int, names: Sequence[str]) -> str:
    first = chance.randint(low, high - 1)
    last = chance.randint(first + 1, high)
    step = chance.choice((1, 2, 3, 5, 10, 15, 20, 99))

    def word(value: int) -> str:
        index = value - low
        if index < len(names) and chance.random() < 0.5:
            return chance.choice((str.lower, str.upper, str.title))(names[index])
        return chance.choice(("{}", "{}", "{:02}")).format(value)

    return chance.choice(
        (
            word(first),
            word(last),
            f"{word(first)}-{word(last)}",
            f"{word(first)}-{word(last)}/{step}",
            f"{word(first)}/{step}",
            f"*/{step}",
        )
    )


def library_times(expression: str, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the library's times after a given one; none when it takes no such day to exist."""
    try:
        times = CronSim(expression, after.astimezone(zone))
    except CronSimError as error:
        if str(error) != "Bad day-of-month":
            raise
        return
    for time in times:
        yield time.astimezone(UTC)


def library_next(expression: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the library's first time that lies after the given one, as its first need not."""
    return next((time for time in library_times(expression, after, zone) if time > after), None)


def library_accepts(expression: str) -> bool:
    """Tell whether the library can read five fields, its extensions to cron left out."""
    parts = expression.upper().split()
    if len(parts) != 5 or "L" in parts[2] + parts[4] or "#" in parts[4]:
        return False
    kinds = (Field.MINUTE, Field.HOUR, Field.DAY, Field.MONTH, Field.DOW)
    try:
        for kind, part in zip(kinds, parts, strict=True):
            kind.parse(part)
    except CronSimError:
        return False
    return True


class SlowCron:
    """Looks at a clock every minute of a span, as cron itself does.

    A job for certain times of the day is run at the first minute by which the clock has ever shown
    them, any other job whenever the clock shows what matches.
    """

    def __init__(self, zone: ZoneInfo, since: datetime, until: datetime) -> None:
        """Note what the clock shows; both ends are whole minutes."""
        minutes = range((until - since) // MINUTE)
        self.since, self.until = since, until
        self.shown = [
            (at, at.astimezone(zone).replace(tzinfo=None))
            for at in (since + MINUTE * minute for minute in minutes)
        ]
        self.made_up: list[tuple[datetime, datetime]] = []
        latest = self.shown[0][1] - MINUTE
        for at, local in self.shown:
            while latest < local:
                latest += MINUTE
                self.made_up.append((at, latest))

    def times(self, expression: str) -> list[datetime]:
        """Return when the job is run within the span."""
        rules = CronSim(expression, self.since)
        minute, hour, *_ = expression.split()
        by_clock = minute.startswith("*") or hour.startswith("*")
        seen = self.shown if by_clock else self.made_up
        hits = [
            at
            for at, local in seen
            if local.minute in rules.minutes
            and local.hour in rules.hours
            and local.month in rules.months
            and rules.match_day(local.date())
        ]
        return sorted(set(hits))

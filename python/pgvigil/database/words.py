"""Lengths of time and numbers of things in words."""

from decimal import ROUND_HALF_UP, Decimal

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
_ENDLESS = 3e11


def length_of_time(seconds: float) -> str:
    """Return a length of time in at most two units, such as 4 h 5 min.

    The database (`_spell_seconds()`) and the page (`duration()`) spell it alike.
    """
    if not seconds < _ENDLESS:
        return "10000 years or more"
    if seconds <= 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{figure(1000 * seconds)} ms"
    if seconds < 10:
        return f"{figure(seconds)} s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < 10 * _MINUTE:
        return _in_two(whole, _MINUTE, "min", 1, "s")
    if whole < _HOUR:
        # Of half an hour nobody wants the seconds.
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return _in_two(whole, _HOUR, "h", _MINUTE, "min")
    return _in_two(whole, _DAY, "d", _HOUR, "h")


def figure(value: float) -> str:
    """Return a number without decimals from 100 up, with one from 1 up, with three below."""
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 1 else 3
    # With as many digits as the database takes of a double.
    rounded = Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded.normalize():f}"


def count_of(count: float, thing: str) -> str:
    """Return so many of a thing, in the singular or plural: 1 row, 2,000 rows."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _in_two(whole: int, size: int, unit: str, next_size: int, next_unit: str) -> str:
    first, rest = divmod(whole, size)
    more = rest // next_size
    return f"{first} {unit} {more} {next_unit}" if more else f"{first} {unit}"

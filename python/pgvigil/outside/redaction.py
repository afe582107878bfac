"""Taking secrets out of what libraries and receivers say about a failure."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

_HIDDEN = "***"
_LONGEST = 300
_ANY_URL = re.compile(r"\b[A-Za-z][\w+.-]*://\S*")
_DELIMITERS = re.compile(r"[/:@?&=+,;#\[\]|\s]+")
_PLACE_END = re.compile(r"[/?#]")
# Shorter parts of an address, such as a port, are hidden only where they stand alone: they would
# make holes in ordinary words.
_SHORT = 4
_ANY = "surrogatepass"


def redacted(text: str, address: str) -> str:
    """Return a text as one short line in which nothing of an address is left.

    Args:
        text: what was said.
        address: URL, of which everything but the scheme and the names of parameters is secret.
    """
    text = _ANY_URL.sub(_HIDDEN, text)
    for part in sorted(set(_secrets_in(address)), key=len, reverse=True):
        pattern = re.escape(part)
        if len(part) < _SHORT:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, _HIDDEN, text, flags=re.IGNORECASE)
    return shortened(text)


def shortened(text: str) -> str:
    """Return a text as one line, without what a database or a log cannot hold."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _secrets_in(address: str) -> Iterator[str]:
    """Yield everything that gives an address away, however it may have been encoded."""
    _, separator, rest = address.partition("://")
    if not separator:
        rest = address
    place = _PLACE_END.split(rest, maxsplit=1)[0]
    # A password that was not encoded may hold any delimiter.
    logins = [login for text in (place, rest) if (login := text.rpartition("@")[0])]
    values = [rest, *logins, *(part for login in logins for part in login.split(":", 1))]
    path, _, query = rest.partition("?")
    values += _DELIMITERS.split(path)
    values += [pair.partition("=")[2] for pair in query.split("&")]
    values += [part for value in values for part in _DELIMITERS.split(unquote(value))]
    for value in filter(None, values):
        for form in (value, unquote(value), unquote_plus(value)):
            yield from _encodings(form)
    for login in logins:
        user, _, password = map(unquote, login.partition(":"))
        yield from _encodings(f"{user}:{password}")
        yield from _encodings(f"\0{user}\0{password}")


def _encodings(value: str) -> Iterator[str]:
    # What comes from the system may be no text.
    for encoded in (quote(value, errors=_ANY), quote(value, safe="", errors=_ANY)):
        yield from (value, encoded, quote_plus(value, errors=_ANY))
    if len(value) >= _SHORT:
        encoded = base64.b64encode(value.encode(errors="replace")).decode()
        yield from (encoded, encoded.rstrip("="))

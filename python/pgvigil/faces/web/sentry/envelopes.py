"""Envelopes: a line of JSON, then items, each of a line of JSON and a payload of any bytes.

A payload is as long as its line says, or ends with its own line. What is of no use here is passed
over as it comes, so that an envelope with large attachments needs no more room than its event.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from pgvigil.faces.web.sentry.refusals import refused

MOST_KEPT = 2**20
"""Most bytes of all payloads that are kept."""
MOST_ITEMS = 100
_LONGEST_LINE = 65_536
_KEPT = frozenset({"event", "check_in"})

Document = dict[str, Any]


@dataclass
class Envelope:
    """What an envelope holds that is of use."""

    header: Document | None = None
    """None until it has come."""
    events: list[Document] = field(default_factory=list)
    check_ins: list[Document] = field(default_factory=list)


class EnvelopeReader:
    """Reads an envelope from pieces of any size, in bounded memory."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self.envelope = Envelope()
        self._waiting = bytearray()
        # How much of it is known to have no end of line.
        self._searched = 0
        self._items = 0
        self._kept = 0
        self._item: _Item | None = None

    def take(self, piece: bytes) -> None:
        """Go on with the next bytes.

        Raises:
            ProblemError: it is no envelope, or too large.
        """
        self._waiting += piece
        while self._waiting and self._step():
            pass

    def end(self) -> Envelope:
        """Return what it held, now that all has come.

        Raises:
            ProblemError: it ends too early.
        """
        if self._waiting and self._item is None:
            self._take_line(bytes(self._waiting))
        if self.envelope.header is None:
            raise refused(400, "the envelope is empty")
        if self._item is not None:
            if self._item.length is not None and self._item.left > 0:
                raise refused(400, "the envelope ends within an item")
            self._finish_item(self._item)
        return self.envelope

    def _step(self) -> bool:
        """Take one line or a part of a payload; False when more has to come first."""
        if self._item is not None and self._item.length is not None:
            return self._take_counted(self._item)
        if self._item is None and self.envelope.header is not None:
            # Some end with empty lines.
            self._cut(len(self._waiting) - len(self._waiting.lstrip(b"\r\n")))
        end = self._waiting.find(b"\n", self._searched)
        if self._item is not None:
            return self._take_until_line_end(self._item, end)
        if max(end, len(self._waiting) if end < 0 else 0) > _LONGEST_LINE:
            raise refused(400, f"a header of the envelope is longer than {_LONGEST_LINE:,} bytes")
        if end < 0:
            self._searched = len(self._waiting)
            return False
        self._take_line(self._cut(end, 1))
        return True

    def _take_line(self, line: bytes) -> None:
        header = _document(line, "a header of the envelope")
        if self.envelope.header is None:
            self.envelope.header = header
            return
        self._items += 1
        if self._items > MOST_ITEMS:
            raise refused(413, f"the envelope has more than {MOST_ITEMS} items")
        self._item = _Item.of(header)

    def _take_counted(self, item: "_Item") -> bool:
        if item.left > 0:
            self._keep(item, self._cut(min(item.left, len(self._waiting))))
            return True
        if self._waiting[:1] != b"\n":
            raise refused(400, "an item of the envelope is longer than it says")
        self._cut(1)
        self._finish_item(item)
        return True

    def _take_until_line_end(self, item: "_Item", end: int) -> bool:
        if end < 0:
            self._keep(item, self._cut(len(self._waiting)))
            return False
        self._keep(item, self._cut(end, 1))
        self._finish_item(item)
        return True

    def _keep(self, item: "_Item", payload: bytes) -> None:
        item.left -= len(payload)
        if item.kind in _KEPT:
            self._kept += len(payload)
            if self._kept > MOST_KEPT:
                raise refused(
                    413, f"the events of the envelope are larger than {MOST_KEPT:,} bytes"
                )
            item.payload += payload

    def _finish_item(self, item: "_Item") -> None:
        self._item = None
        if item.kind == "event":
            self.envelope.events.append(document(item.payload))
        elif item.kind == "check_in":
            self.envelope.check_ins.append(document(item.payload))

    def _cut(self, length: int, dropped: int = 0) -> bytes:
        """Return so many of the bytes that wait, and drop them and some more."""
        taken = bytes(self._waiting[:length])
        if length + dropped:
            del self._waiting[: length + dropped]
            self._searched = 0
        return taken


@dataclass
class _Item:
    kind: str
    length: int | None
    left: int
    payload: bytearray = field(default_factory=bytearray)

    @classmethod
    def of(cls, header: Document) -> "_Item":
        kind, length = header.get("type"), header.get("length")
        if not isinstance(kind, str):
            raise refused(400, "an item of the envelope has no type")
        is_length = isinstance(length, int) and not isinstance(length, bool) and length >= 0
        if length is not None and not is_length:
            raise refused(400, "the length of an item of the envelope is not a number of bytes")
        return cls(kind, length, length or 0)


def document(payload: bytes | bytearray) -> Document:
    """Return an event or a check-in.

    Raises:
        ProblemError: it is no JSON object.
    """
    return _document(payload, "an item of the envelope")


def _document(text: bytes | bytearray, what: str) -> Document:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise refused(400, f"{what} is not valid JSON") from None
    if not isinstance(found, dict):
        raise refused(400, f"{what} is not a JSON object")
    return found

"""Numbers that make loading a line again harmless.

A line's number is computed from its content, so a second run gives the same number and the
database passes it over. Lines that are alike in everything, time included, are told apart by how
many such lines came before.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import Any

from pgvigil.client.backfill import exact_json

_DIFFERENT_LINES_REMEMBERED = 200_000


class Numbering:
    """Gives records their numbers, in bounded memory.

    Identical lines carry the same time, so in a file written as things happened they stand near
    each other. Only the 200,000 lines seen last are remembered (about 30 MB): a line that repeats
    itself after more different ones than that counts as the same record, not as another.
    What is remembered depends on the preceding lines alone, so a file that was appended to, or one
    whose loading broke off, gets the same numbers again.
    """

    def __init__(self, remembered: int = _DIFFERENT_LINES_REMEMBERED) -> None:
        """Start at the beginning of a file."""
        self._remembered = remembered
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def number(self, kind: str, row: dict[str, Any]) -> int:
        """Return the negative 63-bit number of a record."""
        digest = _digest(kind, row)
        occurrence = self._seen.get(digest, 0) + 1
        self._seen[digest] = occurrence
        self._seen.move_to_end(digest)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return _number(digest, occurrence)


def number_of_content(kind: str, row: dict[str, Any]) -> int:
    """Return the number of a record that can be there only once, such as a change of status."""
    return _number(_digest(kind, row), 1)


def _digest(kind: str, row: dict[str, Any]) -> bytes:
    content = exact_json.dumps([kind, row], sort_keys=True, separators=(",", ":")).encode()
    return blake2b(content, digest_size=16).digest()


def _number(digest: bytes, occurrence: int) -> int:
    identity = blake2b(digest + occurrence.to_bytes(8, "big"), digest_size=8).digest()
    return -(int.from_bytes(identity, "big") >> 1) - 1

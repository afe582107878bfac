"""What is sent at once, and what may go wrong with keeping it.

Apart from the files that keep batches, so that only a program in trouble loads what those need.
"""

from dataclasses import dataclass


class SpoolError(Exception):
    """A file cannot take a batch, or is damaged."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent at once."""

    sender: str
    """Name of the process that made it, a UUID."""
    number: int
    """Its number among that process's batches, from 1."""
    records: int
    """How many records it holds."""
    body: str
    """Members of the object that `record_batch()` takes, without the braces."""
    is_worth_less: bool = False
    """Whether it makes room for others where there is no room for all."""
    place: int | None = None
    """Where it is in its spool; None when it is not in one."""

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return len(self.body) if self.body.isascii() else len(self.body.encode())

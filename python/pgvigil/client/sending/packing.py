"""Making batches out of records, and out of how many were lost."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pgvigil.client.sending.batch import Batch
from pgvigil.client.sending.queue import WORTH_LESS, Record, Run
from pgvigil.database.words import count_of

MOST_RECORDS = 500  # of a batch
_MOST_BYTES = 1_000_000  # of a batch
_BETWEEN_BREATHS = 100  # records


@dataclass
class _Members:
    """What is to become a batch."""

    arrays: dict[str, list[str]] = field(default_factory=dict)
    records: int = 0
    size: int = 0

    def add(self, record: Record | Run) -> bool:
        """Add a record; return whether it is enough now."""
        for kind, text in record.members():
            self.arrays.setdefault(kind, []).append(text)
            self.size += len(text)
        self.records += 1
        return self.records >= MOST_RECORDS or self.size >= _MOST_BYTES


class Packer:
    """Makes the numbered batches of one process."""

    def __init__(self) -> None:
        """Begin with a name that no other process has."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Take another name: what bears the former one is sent later than what comes now."""
        self.name = os.urandom(16).hex()
        self._last_number = 0

    def pack(self, records: Iterable[Record | Run], is_apart: bool) -> Iterator[Batch]:
        """Yield batches of records, in their order.

        Args:
            records: what to pack.
            is_apart: whether what is worth least comes into batches of its own, so that it can
                make room for the rest.
        """
        members: dict[bool, _Members] = {}
        for count, record in enumerate(records, start=1):
            is_worth_less = is_apart and isinstance(record, Record) and record.kind in WORTH_LESS
            if members.setdefault(is_worth_less, _Members()).add(record):
                yield self._batch(members.pop(is_worth_less), is_worth_less)
            if count % _BETWEEN_BREATHS == 0:
                time.sleep(0)  # let the program's own threads run
        for is_worth_less in sorted(members):
            yield self._batch(members[is_worth_less], is_worth_less)

    def _batch(self, members: _Members, is_worth_less: bool) -> Batch:
        self._last_number += 1
        body = ", ".join(
            f'"{kind}": [{", ".join(texts)}]' for kind, texts in members.arrays.items()
        )
        return Batch(self.name, self._last_number, members.records, body, is_worth_less)


class Losses:
    """How many records were lost, since when and until when, as long as nobody was told."""

    def __init__(self) -> None:
        """Begin with none."""
        self._records = 0
        self._since = self._until = 0.0

    def __bool__(self) -> bool:
        """Tell whether there is something to tell."""
        return self._records > 0

    def add(self, records: int, since: float | None = None) -> None:
        """Count so many, lost since a moment, or just now."""
        now = time.time()
        if not self._records:
            self._since = now if since is None else since
        self._records += records
        self._until = now

    def as_batch(self) -> Batch:
        """Return them as an error in a batch, and forget them.

        It has a sender of its own, for it may come earlier or later than the records around it.
        """
        records, self._records = self._records, 0
        since, until = (
            datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
            for moment in (self._since, self._until)
        )
        error = {
            "error_type": "RecordsLost",
            "severity": "high",
            "component": "pgvigil.client",
            "message": f"lost from {since} until {until}: {count_of(records, 'record')}",
            "details": {"records": records, "from": since, "until": until},
        }
        return Batch(os.urandom(16).hex(), 1, 0, f'"errors": [{json.dumps(error)}]')

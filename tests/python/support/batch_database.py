"""A stand-in for a database that takes batches, for tests of what sends them."""

import json
from collections.abc import Mapping
from typing import Any

from pgvigil.client.sending.queue import Record
from pgvigil.client.sending.sender import AwayError

DSN = "postgresql://nobody@127.0.0.1:1/nowhere"


class Database:
    """Takes batches as a database does, each once; may be away, or refuse."""

    def __init__(self) -> None:
        """Be there."""
        self.batches: list[dict[str, Any]] = []
        self.trouble: Exception | None = None
        self.loses_answers = False
        self._numbers: dict[str, int] = {}

    def send(self, text: str) -> Mapping[str, Any]:
        """Take a batch."""
        if self.trouble is not None:
            raise self.trouble
        batch = json.loads(text)
        sender = batch.get("sender")
        if sender is not None and batch["number"] <= self._numbers.get(sender, 0):
            return {"is_repeated": True}
        if sender is not None:
            self._numbers[sender] = batch["number"]
        self.batches.append(batch)
        if self.loses_answers:
            self.loses_answers = False
            raise AwayError("no answer")
        starts = [call for call in batch.get("calls", []) if "start" in call["function"]]
        return {"attempts": {str(call["run"]): 1 for call in starts}, "not_running": []}

    def found(self, kind: str) -> list[Any]:
        """Return all records of a kind, in the order in which they came."""
        return [record for batch in self.batches for record in batch.get(kind, [])]


def metric(number: int) -> Record:
    """Return a metric."""
    return Record("metrics", json.dumps({"metric_name": "m", "value": number}))


def values(database: Database) -> list[int]:
    """Return the values of all metrics that came."""
    return [record["value"] for record in database.found("metrics")]

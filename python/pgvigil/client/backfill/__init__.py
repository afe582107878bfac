"""Loading what happened before: CSV and JSONL files into the recording functions."""

from pgvigil.client.backfill.kinds import KINDS, Kind
from pgvigil.client.backfill.runner import BrokenFileError, Outcome, backfill
from pgvigil.client.backfill.source import Source, UnknownColumnsError

__all__ = [
    "KINDS",
    "BrokenFileError",
    "Kind",
    "Outcome",
    "Source",
    "UnknownColumnsError",
    "backfill",
]

"""Loading what happened before: CSV and JSONL files into the recording functions."""

from pgvigil.backfill.kinds import KINDS, Kind
from pgvigil.backfill.runner import Outcome, backfill
from pgvigil.backfill.source import UnknownColumnsError

__all__ = ["KINDS", "Kind", "Outcome", "UnknownColumnsError", "backfill"]

"""Loading what happened before: CSV and JSON files, in the forms that our own views have."""

from pgvigil.client.backfill.kinds import KINDS, Kind
from pgvigil.client.backfill.lines import UnknownColumnsError
from pgvigil.client.backfill.loader import Policy
from pgvigil.client.backfill.runner import BrokenFileError, Listener, Loading, Outcome, backfill
from pgvigil.client.backfill.source import FORMATS, Source

__all__ = [
    "FORMATS",
    "KINDS",
    "BrokenFileError",
    "Kind",
    "Listener",
    "Loading",
    "Outcome",
    "Policy",
    "Source",
    "UnknownColumnsError",
    "backfill",
]

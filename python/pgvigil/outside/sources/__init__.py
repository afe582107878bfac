"""Sources: queries that are run in other databases, and everything that is read from there."""

from pgvigil.outside.sources.loading import Load, load

__all__ = ["Load", "load"]

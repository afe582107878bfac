"""Sources: queries that are run in other databases, and everything that is read from there."""

from pgvigil.runner.sources.loading import Load, load

__all__ = ["Load", "load"]

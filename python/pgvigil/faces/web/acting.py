"""Who is acting in a request."""

from contextvars import ContextVar

ACTING: ContextVar[str | None] = ContextVar("acting", default=None)
"""Whom a trusted proxy has named: what is decided is noted as theirs, whatever the body says."""

"""Refusing what SDKs send, in the way in which they are refused elsewhere."""

from pgvigil.faces.web.problems import ProblemError


def refused(status: int, why: str, hint: str | None = None) -> ProblemError:
    """Return a refusal that SDKs log, with its reason in the header that they look at."""
    return ProblemError(status, why, hint, headers={"X-Sentry-Error": why})

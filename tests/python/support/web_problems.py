"""What every refusal of the web service is like."""

import re
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pgvigil.exceptions import MonitoringError
from pgvigil.faces.web import problems

# Whatever would give away what is behind: statements, places, programs, addresses.
TELLTALES = re.compile(
    r"select |from monitoring|Traceback|File \"|psycopg|\.py\b|postgres(ql)?:|password|port \d",
    re.IGNORECASE,
)

MEDIA_TYPE = "application/problem+json"
_REFUSALS = [kind(None) for kind in MonitoringError.__subclasses__()]
KINDS = {
    kind.type: (kind.status, kind.title)
    for kind in (
        *(each for each in vars(problems).values() if isinstance(each, problems.Kind)),
        *(problems.kind_of_refusal(each) for each in _REFUSALS if each.sqlstate),
    )
}
"""Status and title of each type that says more than its status."""


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """Return a refusal once it is known to have the right form and to tell nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem.keys() <= {"type", "title", "status", "detail", "instance", "hint", "errors"}
    assert all(problem.values()), problem
    assert problem["status"] == status
    if problem["type"] == "about:blank":
        assert problem["title"] == HTTPStatus(status).phrase
    else:
        assert KINDS[problem["type"]] == (status, problem["title"])
    assert UUID(problem["instance"].removeprefix("urn:uuid:")).urn == problem["instance"]
    assert TELLTALES.search(answer.text) is None, answer.text
    return problem

"""What every refusal of the web service is like."""

import re
from typing import Any

# Whatever would give away what is behind: statements, places, programs, addresses.
TELLTALES = re.compile(
    r"select |from monitoring|Traceback|File \"|psycopg|\.py\b|postgres(ql)?:|password|port \d",
    re.IGNORECASE,
)


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """Return a refusal once it is known to have the right form and to tell nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"error", "hint", "details"}
    assert problem["error"]
    assert TELLTALES.search(answer.text) is None, answer.text
    return problem

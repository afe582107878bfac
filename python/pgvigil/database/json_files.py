"""Reading JSON documents that people write, with comments where they like."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pgvigil.exceptions import PgvigilError

# A text, which may hold what looks like a comment, or a comment; the last one does not end.
_TEXT_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/|/\*', re.DOTALL)
_NOT_A_LINE_END = re.compile(r"[^\r\n]")


class DocumentError(PgvigilError):
    """A text is no JSON document that means one thing."""


def read_document(text: str) -> Any:
    """Return what a text in JSON says, which may have comments: ``// …`` and ``/* … */``.

    Raises:
        DocumentError: it is not JSON, or names a key of an object twice.
    """
    try:
        return json.loads(
            without_comments(text.removeprefix("\ufeff")),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not JSON: {error}",
            hint="It is plain JSON, apart from // and /* */ comments: no comma before } or ].",
        ) from error
    except RecursionError:
        raise DocumentError(
            "not a document: it is nested too deep", hint="Look for brackets that are not closed."
        ) from None


def without_comments(text: str) -> str:
    """Return a text in JSON with blanks in place of its comments, so that places stay the same.

    Raises:
        DocumentError: a comment does not end.
    """

    def blank(found: re.Match[str]) -> str:
        part = found[0]
        if part.startswith('"'):
            return part
        if part == "/*":
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            raise DocumentError(
                f"the comment that begins at line {line} column {column} does not end",
                hint="Write */ where it ends.",
            )
        return _NOT_A_LINE_END.sub(" ", part)

    return _TEXT_OR_COMMENT.sub(blank, text)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DocumentError(
                f'key "{key}" appears twice in one object', hint="Keep one of the two."
            )
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise DocumentError(f"{name} is not a JSON number", hint="Give a finite number.")

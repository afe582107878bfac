"""The token of those who may write."""

import os
from pathlib import Path

from pgvigil.database.secret_file import read_secret_file
from pgvigil.exceptions import PgvigilError

_VARIABLE = "PGVIGIL_WEB_TOKEN"
_SHORTEST = 16


class TokenError(PgvigilError):
    """The token cannot be used; the message never shows it."""


def read_token(path: Path | None) -> str | None:
    """Return the token from a file, else from the environment, else None.

    Raises:
        SecretFileError: the file cannot be read, or others may read it.
        TokenError: the token is too short.
    """
    token = os.environ.get(_VARIABLE, "") if path is None else read_secret_file(path)
    token = token.strip()
    if not token and path is None:
        return None
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError(
            f"the token must have at least {_SHORTEST} characters, of ASCII and without spaces",
            hint="openssl rand -hex 32 makes one.",
        )
    return token

"""The token of those who may decide, and the key of those who may send pings."""

import os
from pathlib import Path

from pgvigil.database.secret_file import read_secret_file
from pgvigil.exceptions import PgvigilError

TOKEN = "PGVIGIL_WEB_TOKEN"
PING_KEY = "PGVIGIL_PING_KEY"
_SHORTEST = 16


class TokenError(PgvigilError):
    """The token cannot be used; the message never shows it."""


def read_token(path: Path | None, variable: str = TOKEN) -> str | None:
    """Return a token from a file, else from a variable of the environment, else None.

    Raises:
        SecretFileError: the file cannot be read, or others may read it.
        TokenError: the token is too short.
    """
    token = os.environ.get(variable, "") if path is None else read_secret_file(path)
    token = token.strip()
    if not token and path is None:
        return None
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        what = "key for pings" if variable == PING_KEY else "token"
        raise TokenError(
            f"the {what} must have at least {_SHORTEST} characters, of ASCII and without spaces",
            hint="openssl rand -hex 32 makes one.",
        )
    return token

"""The token of those who may write."""

import os
import stat
from pathlib import Path

from pgvigil.exceptions import PgvigilError

_VARIABLE = "PGVIGIL_WEB_TOKEN"
_SHORTEST = 16
_TOO_OPEN = 0o077


class TokenError(PgvigilError):
    """The token cannot be used; the message never shows it."""


def read_token(path: Path | None) -> str | None:
    """Return the token from a file, else from the environment, else None.

    Raises:
        TokenError: the file cannot be read, others may read it, or the token is too short.
    """
    token = os.environ.get(_VARIABLE, "") if path is None else _read(path)
    token = token.strip()
    if not token and path is None:
        return None
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError(
            f"the token must have at least {_SHORTEST} characters, of ASCII and without spaces",
            hint="openssl rand -hex 32 makes one.",
        )
    return token


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _TOO_OPEN:
                raise TokenError(f"others may read {path} (mode {mode:04o})", hint="chmod 600 it.")
            return file.read()
    except OSError as error:
        raise TokenError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TokenError(f"{path} is no text in UTF-8") from None

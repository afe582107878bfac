"""Files with secrets, which nobody else may read."""

import os
import stat
from pathlib import Path

from pgvigil.exceptions import PgvigilError

_TOO_OPEN = 0o077


class SecretFileError(PgvigilError):
    """A file with secrets cannot be used; the message never quotes it."""


def read_secret_file(path: Path) -> str:
    """Return the text of a file.

    Raises:
        SecretFileError: it cannot be read, others may read it, or it is no text.
    """
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _TOO_OPEN:
                raise SecretFileError(f"others may read {path} (mode {mode:04o}): chmod 600")
            return file.read()
    except OSError as error:
        raise SecretFileError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretFileError(f"{path} is not a text in UTF-8") from None

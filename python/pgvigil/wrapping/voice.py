"""What is said on standard error, where the command speaks as well."""

import os
from collections.abc import Callable
from contextlib import suppress

Say = Callable[[str], None]
"""Takes what there is to say."""


def say(text: str) -> None:
    """Say something in one line, written at once so that it does not mix with other lines."""
    line = f"pgvigil: {' '.join(text.split())}\n"
    with suppress(OSError):  # closed, or full
        os.write(2, line.encode(errors="surrogateescape"))


def say_nothing(text: str) -> None:
    """Say nothing."""

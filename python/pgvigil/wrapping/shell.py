"""`pgvigil exec` for machines without Python, as a shell function over psql."""

from pathlib import Path

_FILE = Path(__file__).with_name("exec.sh")


def shell_function() -> str:
    """Return the source of the function, for any POSIX shell."""
    return _FILE.read_text(encoding="utf-8")

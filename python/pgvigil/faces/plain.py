"""Texts from the database, safe to print on a terminal."""


def plain(value: object) -> str:
    """Return a text on one line and without control characters; ``-`` for nothing."""
    text = "-" if value is None else str(value)
    return "".join(char if char.isprintable() else " " for char in text)

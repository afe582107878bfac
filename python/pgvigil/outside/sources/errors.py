"""What goes wrong in another database."""


class UnreadableError(Exception):
    """A query elsewhere cannot be read; the message holds no address."""

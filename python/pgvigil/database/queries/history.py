"""What is asked of history as a whole."""


def count(view: str) -> str:
    """Return the question how many rows a view of ours has."""
    return f"select count(*) from monitoring.{view}"

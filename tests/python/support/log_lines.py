"""Loggers for tests, and what has become of what they said."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

LINES = "select * from monitoring.v_application_logs order by logged_at, log_id desc"
ERRORS = "select * from monitoring.error_tracking order by occurred_at, error_id desc"

Asked = Callable[[str], list[dict[str, Any]]]


@contextlib.contextmanager
def logging_to(handler: logging.Handler, name: str | None = "shop") -> Iterator[logging.Logger]:
    """Have a logger of its own, or the root for None, speak to a handler from DEBUG on."""
    source = logging.getLogger() if name is None else logging.Logger(name)
    before = source.level
    source.addHandler(handler)
    source.setLevel(logging.DEBUG)
    try:
        yield source
    finally:
        source.removeHandler(handler)
        source.setLevel(before)

"""What programs give as arguments, as what is meant by it.

Monitoring must not fail, nor record nonsense, because a number is Decimal or of numpy, a word an
enumeration or bytes, or because two arguments changed places.
"""

import operator
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

NUMBERS = frozenset(
    {
        "input_size",
        "output_size",
        "items_total",
        "items_done",
        "value",
        "duration_ms",
        "response_time_ms",
        "pending",
        "processing",
        "completed",
        "failed",
        "oldest_ready_seconds",
        "total_fixtures",
        "processed_fixtures",
        "successful_fixtures",
        "failed_fixtures",
        "total_chunks",
        "processed_chunks",
        "alerted_count",
        "execution_time",
        "attempt",
    }
)
# Names, of what there must be no other kind than text, for statistics go by them.
_NAMES = frozenset(
    {"task_id", "execution_id", "parent_task_id", "task_type", "worker_id", "component"}
    | {"error_type", "metric_name", "metric_type", "unit", "queue_name", "fingerprint"}
    | {"component_type", "component_name", "chunk_id", "fixture_id", "version"}
)
# Words, of which the database knows many, and says which it does not know; and texts.
_WORDS = frozenset(
    {"status", "severity", "level", "message", "failure_reason", "error_message", "stack"}
)
_NO_NAMES = (BaseException, Mapping, list, tuple, set, frozenset, type)
# Without which there is nothing to record.
_NEEDED = {
    "start_task_tracking": {"task_id", "task_type"},
    "update_task_progress": {"task_id"},
    "complete_task_tracking": {"task_id"},
    "start_etl_execution": {"execution_id"},
    "finish_etl_execution": {"execution_id"},
    "record_performance_metric": {"metric_name", "value"},
    "record_etl_metric": {"metric_name", "value"},
    "update_system_health": {"component_name"},
    "record_queue_metrics": {"queue_name", "pending"},
    "record_release": {"version"},
    "record_error": set[str](),
    "record_log": set[str](),
    "log_etl_event": set[str](),
}
_WITHOUT_DEFAULT = {
    "start_etl_execution": {"execution_id"},
    "finish_etl_execution": {"execution_id"},
    "record_etl_metric": {"execution_id", "metric_name", "value"},
    "update_system_health": {"component_type", "component_name", "status"},
    "record_queue_metrics": {"queue_name", "pending"},
    "record_release": {"component", "version"},
    "log_etl_event": {"level", "component", "message"},
}


class UnfitError(TypeError):
    """An argument is nothing of the kind that it should be; the message says of which kind."""


def is_needed(function: str, name: str) -> bool:
    """Return whether a call says nothing without this argument."""
    return name in _NEEDED.get(function, (name,))


def is_optional(function: str, name: str) -> bool:
    """Return whether the function can be called without an argument of this name."""
    return name not in _WITHOUT_DEFAULT.get(function, ())


def fitted(name: str, value: Any) -> Any:
    """Return a value as what an argument of that name is: a number, a text, or what it was.

    Raises:
        UnfitError: it is no such thing.
    """
    if value is None and name != "pending":  # nobody knows how many: that is not none
        return None
    if name in NUMBERS:
        return _number(name, value)
    if name in _NAMES or name in _WORDS:
        return _text(name, value)
    return value


def _number(name: str, value: Any) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, timedelta):
        if name.endswith("_ms"):
            return value / timedelta(milliseconds=1)
        if name.endswith("_seconds"):
            return value / timedelta(seconds=1)
        if name == "execution_time":
            return value
    elif isinstance(value, str):
        return _number_of_text(name, value)
    elif not isinstance(value, bool):
        try:
            item = getattr(value, "item", None)  # numbers of numpy and its kin
            return _number(name, item()) if callable(item) else _converted(value)
        except Exception:
            pass
    raise UnfitError(f"{name} is a number, not {_shown(value)}")


def _number_of_text(name: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise UnfitError(f"{name} is a number, not {_shown(text)}") from None


def _converted(value: Any) -> int | float:
    return operator.index(value) if hasattr(value, "__index__") else float(value)


def _text(name: str, value: Any) -> Any:
    """Return a text; anything whose text is plain, such as a number or a path, may stand for it."""
    if isinstance(value, Enum):
        value = value.value if isinstance(value.value, str) else value.name
    if isinstance(value, str):
        return str.__str__(value)  # whatever a kind of text of their own says of itself
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="replace")
    if isinstance(value, bool):
        return str(value).lower()
    is_number = isinstance(value, int | float | Decimal)
    if name in _NAMES and (isinstance(value, _NO_NAMES) or (name == "unit" and is_number)):
        raise UnfitError(f"{name} is a text, not {_shown(value)}")
    return text_of(value)


def text_of(value: object) -> str:
    """Return an object, such as an exception, as text, whatever it raises when asked for it."""
    try:
        return str(value)
    except Exception:
        return f"({type(value).__name__} whose text cannot be read)"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else text[:99] + "…"
